"""Which topics a text names: the words of titles and names, apart from words that are said of every service."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from knowledge.entries import Entry
from knowledge.lexical import Document, LexicalIndex, QueryTerms
from knowledge.words import LIGHT_WEIGHT, PERSON_WEIGHT, lexicon, stem, topical_words

MIN_PART = 4
"""Letters from which on a word counts as a part of a compound."""
_LINKS = ("", "e", "s", "n", "es", "en", "er")


class Topics:
    """The words that name records. Immutable and safe for threads."""

    def __init__(self, entries: Sequence[Entry], documents: Sequence[Document], lexical: LexicalIndex) -> None:
        """Gather the words of all records.

        Args:
            entries: the records.
            documents: their texts, in the same order.
            lexical: the index of the same documents.
        """
        self._lexical = lexical
        self._entries = entries
        self._names = [_stems(document.names) for document in documents]
        self._texts = [self._names[at] | _stems(_other_texts(document)) for at, document in enumerate(documents)]
        self._called: dict[frozenset[str], set[int]] = {}
        for at, document in enumerate(documents):
            for name in document.names if entries[at].kind != "office" else ():
                self._called.setdefault(_stems([name]), set()).add(at)
        self._titles = [_stems([entry.title]) if entry.kind == "service" else frozenset[str]() for entry in entries]
        self._title_words: dict[str, set[int]] = {}
        for at, title in enumerate(self._titles):
            for one in title:
                self._title_words.setdefault(one, set()).add(at)
        self._sorted_words = sorted(self._title_words)
        self._sorted_reversed = sorted(word[::-1] for word in self._title_words)
        offices = [names for entry, names in zip(entries, self._names, strict=True) if entry.kind == "office"]
        others = [names for entry, names in zip(entries, self._names, strict=True) if entry.kind != "office"]
        self._of_offices = frozenset[str]().union(*offices)
        self._of_services = frozenset[str]().union(*others)

    def named(self, terms: QueryTerms) -> frozenset[str]:
        """Stems by which a question names some service or life situation."""
        return frozenset(self._own_words(terms) & self._of_services)

    def strange(self, terms: QueryTerms, at: int) -> frozenset[str]:
        """Stems with which a question goes beyond everything that a record's texts talk of."""
        return frozenset(self._own_words(terms) - self._texts[at])

    def called(self, terms: QueryTerms) -> int | None:
        """The only service or life situation of which a name has just the words of a question, if there is one."""
        full = frozenset(stem(word) for word, share in terms.words if share > PERSON_WEIGHT)
        found = self._called.get(full, set()) if full else set()
        return next(iter(found)) if len(found) == 1 else None

    def sharing(self, terms: QueryTerms) -> tuple[int, ...]:
        """Services whose titles all have the only topic of a question, if there are several and none is called so.

        "Eine Urkunde vom Standesamt" may be the Geburtsurkunde or the Eheurkunde.
        """
        full = {stem(word) for word, share in terms.words if share > PERSON_WEIGHT}
        if not full:
            return ()
        holders = {word: self._holders(word) for word in full}
        topical = {word for word in full if holders[word]}
        if not topical or full - topical - self._of_offices:
            return ()
        shared = set.intersection(*(holders[word] for word in topical))
        if len(shared) < 2 or any(self._titles[at] == topical for at in shared):
            return ()
        return tuple(sorted(shared))

    def sibling(self, terms: QueryTerms, at: int) -> int | None:
        """For "Und die Ummeldung?" the service of the same topic as a record's that is about this; None for none."""
        if not terms.opposites or terms.opposites & self._lexical.opposites[at]:
            return None
        topic = {word for word in self._titles[at] if not _is_generic(word)}
        shared = {
            other: len(self._names[at] & self._names[other])
            for other, entry in enumerate(self._entries)
            if entry.kind == "service" and terms.opposites & self._lexical.opposites[other]
            if topic & self._names[other]
        }
        return max(shared, key=lambda other: shared[other], default=None)

    def _own_words(self, terms: QueryTerms) -> set[str]:
        table = lexicon()
        return {
            stem(word)
            for word, share in terms.words
            if share > LIGHT_WEIGHT and not table.is_circumstance(word) and not table.is_generic(word)
        }

    def _holders(self, word: str) -> set[int]:
        """Records with a word in their titles, alone or as the beginning or end of a compound."""
        if len(word) < MIN_PART:
            return self._title_words.get(word, set())
        ends = (one[::-1] for one in _beginning_with(self._sorted_reversed, word[::-1]))
        begins = (one for one in _beginning_with(self._sorted_words, word) if self._is_linked(one, word))
        return set[int]().union(*(self._title_words[one] for one in {*ends, *begins}))

    def _is_linked(self, compound: str, first: str) -> bool:
        """Whether what follows the first part of a compound is a word of some service."""
        rest = compound.removeprefix(first)
        links = (link for link in _LINKS if rest.startswith(link))
        return any(rest.removeprefix(link) in self._of_services for link in links)


def _beginning_with(words: Sequence[str], start: str) -> Sequence[str]:
    """Those of sorted words that have a beginning."""
    return words[bisect_left(words, start) : bisect_left(words, start + "\U0010ffff")]


def _is_generic(root: str) -> bool:
    table = lexicon()
    return root in table.generic or root in table.circumstance or table.opposite(root) is not None


def _stems(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(stem(word) for text in texts for word, share in topical_words(text).items() if share == 1)


def _other_texts(document: Document) -> Iterable[str]:
    yield from document.examples
    yield document.summary
    yield from document.modules
