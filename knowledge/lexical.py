"""How well a question's words fit the words of a record.

Every topical word carries its inverse document frequency among the records' names; a word that the catalogue does not
know weighs most, so that a question about something else is not explained by a chance word. What noise this lets in,
`knowledge.focus` takes out before.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA
from scipy import sparse

from knowledge.compounds import CompoundSplitter
from knowledge.postings import Groups, Postings, Scores, TermRows, document_frequency
from knowledge.words import MIN_FUZZY_LENGTH, MIN_FUZZY_SIMILARITY, grams, lexicon, plain, stem, topical_words, words
from nlu.text import fold

PART_SIMILARITY = 0.85
"""Similarity of a word with a compound of which it is a part, or of a compound with its first part."""
MAX_COMPOUNDS = 3
RECENT_WORDS = 4096
"""How many words of questions are kept in memory with what they resemble; no one is behind a single word."""
RECENT_PARTS = 100_000
"""How many words of documents are kept with their parts while an index is built."""
ELSEWHERE_FREQUENCY = 0.25
"""What a record counts for a word's document frequency that has the word outside of its names."""

_WORD = re.compile(r"[^\W_]+")
_CLAUSE_ENDS = re.compile(r"[.?!,;:\n]|\b(?:und|oder|wenn|weil|dass|aber)\b")
_PARTICLES = frozenset({"ab", "an", "auf", "aus", "ein", "um", "weg", "zurueck"})


@dataclass(frozen=True, slots=True)
class Document:
    """The texts of one record. `names` are its title and synonyms."""

    names: Sequence[str]
    examples: Sequence[str] = ()
    summary: str = ""
    modules: Sequence[str] = ()


SUMMARY_WEIGHT = 0.7
MODULES_WEIGHT = 0.4
EXAMPLES_WEIGHT = 0.85


FEATURES = (
    "name_cover",
    "gram_cover",
    "name_stem_cosine",
    "name_gram_cosine",
    "example_stem_cosine",
    "example_gram_cosine",
    "name_contained",
    "opposed",
    "part_bm25",
    "gram_bm25",
)
"""Columns of `LexicalIndex.features`, each between 0 and 1."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Some terms of a vocabulary with their weights, and the weight of all terms, the unknown ones too."""

    numbers: NDArray[np.int64]
    weights: Scores
    mass: float

    @classmethod
    def of(cls, weights: Mapping[int, float], mass: float) -> Terms:
        return cls(
            np.fromiter(weights.keys(), dtype=np.int64, count=len(weights)),
            np.fromiter(weights.values(), dtype=np.float64, count=len(weights)),
            max(mass, 1e-9),
        )


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """A question's topic in the terms of one index."""

    stems: Terms
    parts: Terms
    """Stems of the words and of the parts of compounds."""
    grams: Terms
    mass: float
    """Sum of the weights of all topical words, known or not."""
    known: float
    """Share of `mass` that known or nearly known words make up."""
    count: float
    """Number of topical words, light words counted in part."""
    words: tuple[tuple[str, float], ...] = ()
    """The topical words as they were understood, with the share of their weight that counts."""
    opposites: frozenset[str] = frozenset()
    """Which of the stems that exclude each other the question has."""


class LexicalIndex:
    """How well questions fit documents. Immutable and safe for threads."""

    def __init__(self, documents: Sequence[Document]) -> None:
        """Build the index.

        Args:
            documents: one per record; features come in the same order.
        """
        self.size = len(documents)
        self._of_names = Groups([len(document.names) for document in documents])
        self._of_examples = Groups([len(document.examples) for document in documents])
        self.opposites = [_opposites(document) for document in documents]
        self._have_opposites = np.array([bool(own) for own in self.opposites], dtype=bool)
        self._have_opposite = {
            one: np.array([one in own for own in self.opposites], dtype=bool)
            for one in frozenset[str]().union(*self.opposites)
        }
        known_words = {word for document in documents for text in _texts(document) for word in topical_words(text)}
        self._known_words = _by_length(known_words)
        names = [name for document in documents for name in document.names]
        self._compound_words = sorted({word for name in names for word in topical_words(name)})
        self._compound_words_reversed = sorted(word[::-1] for word in self._compound_words)
        self._expand = lru_cache(RECENT_WORDS)(self._expansions)
        self._splitter = CompoundSplitter(known_words)
        self._unknown_idf = math.log(1 + (self.size + 0.5) / 0.5)
        self._stems = self._index_stems(documents)
        self._grams = self._index_grams(documents)
        self._part_numbers = self._index_parts(documents)

    def _index_stems(self, documents: Sequence[Document]) -> dict[str, int]:
        vocabulary: dict[str, int] = {}
        texts, names, each_name, each_example = (TermRows(vocabulary) for _ in range(4))
        fullness = []
        for document in documents:
            texts.add(_stem_set(_texts(document)))
            names.add(_stem_set(document.names))
            for name in document.names:
                each_name.add(_stem_weights(name))
                fullness.append(max(topical_words(name).values(), default=0.0))
            for example in document.examples:
                each_example.add(_stem_weights(example))
        in_names = names.matrix()
        frequency = ELSEWHERE_FREQUENCY * document_frequency(texts.matrix())
        frequency += (1 - ELSEWHERE_FREQUENCY) * document_frequency(in_names)
        self._idf = _idf(frequency, self.size)
        self._name_cover = Postings(in_names)
        unit_names = _unit_rows(each_name.matrix(), self._idf)
        self._name_stems = Postings(unit_names)
        self._name_parts = Postings(sparse.csr_matrix(sparse.diags(fullness) @ _parts_of_mass(unit_names)))
        self._example_stems = Postings(_unit_rows(each_example.matrix(), self._idf))
        return vocabulary

    def _index_grams(self, documents: Sequence[Document]) -> dict[str, int]:
        vocabulary: dict[str, int] = {}
        own, counts, each_name, each_example = (TermRows(vocabulary) for _ in range(4))
        for document in documents:
            own.add(_gram_set([*document.names, *document.examples]))
            counts.add(_counts(document, grams))
            for name in document.names:
                each_name.add(_gram_weights(name))
            for example in document.examples:
                each_example.add(_gram_weights(example))
        in_own, counted = own.matrix(), counts.matrix()
        self._gram_idf = _idf(document_frequency(in_own), self.size)
        self._text_gram_idf = _idf(document_frequency(counted), self.size)
        self._gram_cover = Postings(in_own)
        self._gram_bm25 = Postings(_saturated(counted))
        self._name_grams = Postings(_unit_rows(each_name.matrix(), self._gram_idf))
        self._example_grams = Postings(_unit_rows(each_example.matrix(), self._gram_idf))
        return vocabulary

    def _index_parts(self, documents: Sequence[Document]) -> dict[str, int]:
        vocabulary: dict[str, int] = {}
        counts = TermRows(vocabulary)
        parts = lru_cache(RECENT_PARTS)(self._parts)
        for document in documents:
            counts.add(_counts(document, parts))
        counted = counts.matrix()
        self._part_idf = _idf(document_frequency(counted), self.size)
        self._part_bm25 = Postings(_saturated(counted))
        return vocabulary

    def analyse(self, text: str) -> QueryTerms:
        """The topic of a question in the terms of this index; misspelled words count as what they resemble."""
        stems: dict[int, float] = {}
        grams_: dict[int, float] = {}
        parts: dict[int, float] = {}
        mass = known = count = part_mass = 0.0
        understood: list[tuple[str, float]] = []
        joined = self._join_verbs(plain(text))
        for word, share in topical_words(joined).items():
            expansions = self._expand(word)
            best = max(expansions.values(), default=0.0)
            if best < 1 and lexicon().aspect_similarity(word) > best:
                continue
            weight = share * max((self._idf[self._stems[stem(one)]] for one in expansions), default=self._unknown_idf)
            mass += weight
            count += share
            known += weight * best
            for one, similarity in expansions.items():
                at = self._stems[stem(one)]
                stems[at] = max(stems.get(at, 0.0), weight * similarity)
            spelled = next((one for one, similarity in expansions.items() if similarity == best), word)
            understood.append((spelled, share))
            own = grams(spelled)
            for gram in own:
                if (at_gram := self._grams.get(gram)) is not None:
                    grams_[at_gram] = grams_.get(at_gram, 0.0) + weight * (best or 1.0) / len(own)
            pieces = self._parts(spelled)
            for piece in pieces:
                at_part = self._part_numbers.get(piece)
                weight_part = share * (self._unknown_idf if at_part is None else self._part_idf[at_part]) / len(pieces)
                part_mass += weight_part
                if at_part is not None:
                    parts[at_part] = max(parts.get(at_part, 0.0), weight_part)
        opposites = frozenset(end for word in words(joined) if (end := lexicon().opposite(word)))
        return QueryTerms(
            Terms.of(stems, mass),
            Terms.of(parts, part_mass),
            Terms.of(grams_, mass),
            mass,
            known / mass if mass else 0.0,
            count,
            tuple(understood),
            opposites,
        )

    def _join_verbs(self, text: str) -> str:
        """Put separated verbs together that the catalogue knows: "Wo melde ich mein Auto ab?" asks for "abmelden"."""
        clauses = []
        for clause in _CLAUSE_ENDS.split(fold(text)):
            parts = _WORD.findall(clause)
            if parts and parts[-1] in _PARTICLES:
                particle = parts[-1]
                joined = [particle + word if stem(particle + word) in self._stems else word for word in parts[:-1]]
                parts = joined if joined != parts[:-1] else parts
            clauses.append(" ".join(parts))
        return "\n".join(clauses)

    def features(self, terms: QueryTerms, names: Sequence[str] = FEATURES) -> NDArray[np.float64]:
        """How well each record fits, shape (number of records, number of names): all `FEATURES` or some of them."""
        if not terms.mass:
            return np.zeros((self.size, len(names)))
        return np.column_stack([self.feature(name, terms) for name in names])

    def feature(self, name: str, terms: QueryTerms) -> Scores:
        """One of the `FEATURES` of each record, shape (number of records,)."""
        if not terms.mass:
            return np.zeros(self.size)
        stems, parts, grams_ = terms.stems, terms.parts, terms.grams
        match name:
            case "name_cover":
                return self._name_cover.sums(stems.numbers, stems.weights) / stems.mass
            case "gram_cover":
                return self._gram_cover.sums(grams_.numbers, grams_.weights) / grams_.mass
            case "name_stem_cosine":
                return self._of_names.best(self._name_stems.sums(stems.numbers, _unit(stems.weights)))
            case "name_gram_cosine":
                return self._of_names.best(self._name_grams.sums(grams_.numbers, self._unit_grams(terms)))
            case "example_stem_cosine":
                return self._of_examples.best(self._example_stems.sums(stems.numbers, _unit(stems.weights)))
            case "example_gram_cosine":
                return self._of_examples.best(self._example_grams.sums(grams_.numbers, self._unit_grams(terms)))
            case "name_contained":
                return self._of_names.best(self._name_parts.sums(stems.numbers, np.ones(len(stems.numbers))))
            case "opposed":
                return self._opposed(terms)
            case "part_bm25":
                return self._part_bm25.sums(parts.numbers, parts.weights) / parts.mass
            case "gram_bm25":
                return self._gram_score(terms)
        raise KeyError(name)

    def _unit_grams(self, terms: QueryTerms) -> Scores:
        return _unit(terms.grams.weights * self._gram_idf[terms.grams.numbers])

    def _gram_score(self, terms: QueryTerms) -> Scores:
        """BM25 of the grams over all texts, as a share of what a text with all of them would get."""
        known = terms.grams.numbers
        unknown = sum(len(grams(word)) for word, _ in terms.words) - len(known)
        idf = self._text_gram_idf[known]
        whole = float(idf.sum()) + max(unknown, 0) * self._unknown_idf
        return self._gram_bm25.sums(known, idf) / max(whole, 1e-9)

    def _parts(self, word: str) -> tuple[str, ...]:
        """Stems of the words that a word is made of."""
        return tuple(stem(part) for part in self._splitter.split(word))

    def _opposed(self, terms: QueryTerms) -> Scores:
        """1 for each record that is about the opposite of the question: leaving instead of coming."""
        if not terms.opposites:
            return np.zeros(self.size)
        same = np.any([self._have_opposite[one] for one in terms.opposites & self._have_opposite.keys()], axis=0)
        return np.asarray(self._have_opposites & ~same, dtype=np.float64)

    def is_opposed(self, terms: QueryTerms, at: int) -> bool:
        """Whether a record is about the opposite of the question."""
        own = self.opposites[at]
        return bool(own and terms.opposites) and not own & terms.opposites

    def _expansions(self, word: str) -> dict[str, float]:
        """Known words that a word stands for, with their similarity (1 for the word itself)."""
        if stem(word) in self._stems:
            return {word: 1.0}
        if len(word) < MIN_FUZZY_LENGTH:
            return {}
        choices = [known for size in range(len(word) - 2, len(word) + 3) for known in self._known_words.get(size, ())]
        found = process.extract(
            word, choices, scorer=OSA.normalized_similarity, score_cutoff=MIN_FUZZY_SIMILARITY, limit=3
        )
        best = max((similarity for _, similarity, _ in found), default=0.0)
        close = {known: similarity for known, similarity, _ in found if similarity >= best - 0.05}
        return close or self._compounds(word)

    def _compounds(self, word: str) -> dict[str, float]:
        """Compounds that an unknown word is a part of, or the known word before an ending without topic."""
        table = lexicon()
        for end in range(len(word) - 3, MIN_FUZZY_LENGTH - 1, -1):
            first, rest = word[:end], word[end:]
            if stem(first) in self._stems and table.weight(first) == 1 and table.weight(rest) < 1:
                return {first: PART_SIMILARITY}
        begins = _beginning_with(self._compound_words, word)
        ends = (one[::-1] for one in _beginning_with(self._compound_words_reversed, word[::-1]))
        whole = [one for one in {*begins, *ends} if len(word) + 2 <= len(one) < 2 * len(word)]
        return dict.fromkeys(sorted(whole, key=lambda one: (len(one), one))[:MAX_COMPOUNDS], PART_SIMILARITY)


def _texts(document: Document) -> Iterable[str]:
    yield from document.names
    yield from document.examples
    yield document.summary
    yield from document.modules


def _stem_weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for word, weight in topical_words(text).items():
        weights[stem(word)] = max(weights.get(stem(word), 0.0), weight)
    return weights


def _gram_weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for word, weight in topical_words(text).items():
        own = grams(word)
        for gram in own:
            weights[gram] = weights.get(gram, 0.0) + weight / len(own)
    return weights


def _stem_set(texts: Iterable[str]) -> dict[str, float]:
    return {stem(word): 1.0 for text in texts for word in topical_words(text)}


def _gram_set(texts: Iterable[str]) -> dict[str, float]:
    return {gram: 1.0 for text in texts for word in topical_words(text) for gram in grams(word)}


def _opposites(document: Document) -> frozenset[str]:
    found = (lexicon().opposite(word) for name in document.names for word in words(name))
    return frozenset(one for one in found if one)


def _counts(document: Document, terms: Callable[[str], Iterable[str]]) -> dict[str, float]:
    """How often a document has each of the terms that are made of its words, each field by its weight."""
    counts: dict[str, float] = {}
    weighted = [
        (document.names, 1.0),
        (document.examples, EXAMPLES_WEIGHT),
        ([document.summary], SUMMARY_WEIGHT),
        (document.modules, MODULES_WEIGHT),
    ]
    for texts, weight in weighted:
        for text in texts:
            for word in words(text):
                if lexicon().weight(word) > 0:
                    for term in terms(word):
                        counts[term] = counts.get(term, 0.0) + weight
    return counts


def _beginning_with(words: Sequence[str], start: str) -> Sequence[str]:
    """Those of sorted words that have a beginning."""
    return words[bisect_left(words, start) : bisect_left(words, start + "\U0010ffff")]


def _by_length(known: Iterable[str]) -> dict[int, list[str]]:
    table: dict[int, list[str]] = {}
    for word in sorted(known):
        table.setdefault(len(word), []).append(word)
    return table


def _idf(frequency: Scores, size: int) -> Scores:
    return np.asarray(np.log(1 + (size - frequency + 0.5) / (frequency + 0.5)))


def _saturated(matrix: sparse.csr_matrix, k: float = 1.2, b: float = 0.6) -> sparse.csr_matrix:
    """Term frequencies saturated as in BM25 (Robertson and Zaragoza 2009), scaled to stay below 1."""
    lengths = np.asarray(matrix.sum(axis=1)).ravel()
    norms = k * (1 - b + b * lengths / max(lengths.mean() if len(lengths) else 1.0, 1e-9))
    matrix.data = matrix.data / (matrix.data + np.repeat(norms, np.diff(matrix.indptr)))
    return matrix


def _unit_rows(matrix: sparse.csr_matrix, idf: Scores) -> sparse.csr_matrix:
    weighted = matrix @ sparse.diags(idf)
    norms = np.sqrt(np.asarray(weighted.multiply(weighted).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(norms, 1e-9)) @ weighted)


def _parts_of_mass(unit_rows: sparse.csr_matrix) -> sparse.csr_matrix:
    """Rows whose entries are the share of the row's mass that each term makes up."""
    totals = np.asarray(unit_rows.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(totals, 1e-9)) @ unit_rows)


def _unit(vector: Scores) -> Scores:
    # Not `np.linalg.norm`: on long vectors its BLAS starts threads, which cost more than they gain.
    norm = math.sqrt(float(np.square(vector).sum()))
    return vector / norm if norm else vector
