"""How well a question's words fit the words of a record.

Every topical word carries its inverse document frequency among the records' names; a word that the catalogue does not
know weighs most, so that a question about something else is not explained by a chance word. What noise this lets in,
`knowledge.focus` takes out before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA
from scipy import sparse

from knowledge.words import MIN_FUZZY_LENGTH, MIN_FUZZY_SIMILARITY, grams, lexicon, plain, stem, topical_words, words
from nlu.text import fold

Scores = NDArray[np.float64]

PART_SIMILARITY = 0.85
"""Similarity of a word with a compound of which it is a part, or of a compound with its first part."""
MAX_COMPOUNDS = 3
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
    "field_cover",
    "gram_cover",
    "name_stem_cosine",
    "name_gram_cosine",
    "example_stem_cosine",
    "example_gram_cosine",
    "name_contained",
    "bm25",
    "opposed",
)
"""Columns of `LexicalIndex.features`, each between 0 and 1."""


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """A question's topic in the terms of one index."""

    stems: NDArray[np.float64]
    """Weight per stem of the vocabulary."""
    grams: NDArray[np.float64]
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
        names = [name for document in documents for name in document.names]
        examples = [example for document in documents for example in document.examples]
        self._name_starts = _starts([len(document.names) for document in documents])
        self._example_starts = _starts([len(document.examples) for document in documents])
        fields = [_field_weights(document) for document in documents]
        self._stems = _vocabulary(fields)
        known_words = {word for document in documents for text in _texts(document) for word in topical_words(text)}
        self._known_words = _by_length(known_words)
        self._compound_words = _by_length({word for name in names for word in topical_words(name)})
        name_grams = [_gram_set([*document.names, *document.examples]) for document in documents]
        self._grams = _vocabulary(name_grams)
        self._idf = _idf([_presence(document) for document in documents], self._stems, self.size)
        self._gram_idf = _idf(name_grams, self._grams, self.size)
        self._unknown_idf = math.log(1 + (self.size + 0.5) / 0.5)
        self.opposites = [_opposites(document) for document in documents]
        self._field_cover = _matrix(fields, self._stems)
        self._name_cover = _matrix([_stem_set(document.names) for document in documents], self._stems)
        self._gram_cover = _matrix(name_grams, self._grams)
        self._bm25 = _bm25([_counts(document) for document in documents], self._stems)
        self._name_stems = self._unit_rows([_stem_weights(text) for text in names], self._stems, self._idf)
        self._name_grams = self._unit_rows([_gram_weights(text) for text in names], self._grams, self._gram_idf)
        self._example_stems = self._unit_rows([_stem_weights(text) for text in examples], self._stems, self._idf)
        self._example_grams = self._unit_rows([_gram_weights(text) for text in examples], self._grams, self._gram_idf)
        fullness = [max(topical_words(name).values(), default=0.0) for name in names]
        self._name_parts = sparse.csr_matrix(sparse.diags(fullness) @ _parts_of_mass(self._name_stems))

    def analyse(self, text: str) -> QueryTerms:
        """The topic of a question in the terms of this index; misspelled words count as what they resemble."""
        stems = np.zeros(len(self._stems))
        gram_weights = np.zeros(len(self._grams))
        mass = known = count = 0.0
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
                stems[at] = max(stems[at], weight * similarity)
            spelled = next((one for one, similarity in expansions.items() if similarity == best), word)
            understood.append((spelled, share))
            own = grams(spelled)
            for gram in own:
                if (at_gram := self._grams.get(gram)) is not None:
                    gram_weights[at_gram] += weight * (best or 1.0) / len(own)
        opposites = frozenset(end for word in words(joined) if (end := lexicon().opposite(word)))
        return QueryTerms(stems, gram_weights, mass, known / mass if mass else 0.0, count, tuple(understood), opposites)

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

    def features(self, terms: QueryTerms) -> NDArray[np.float64]:
        """How well each record fits, shape (number of records, number of `FEATURES`)."""
        if not terms.mass:
            return np.zeros((self.size, len(FEATURES)))
        stem_unit = _unit(terms.stems)
        gram_unit = _unit(terms.grams * self._gram_idf)
        contained = self._name_parts @ (terms.stems > 0)
        bm25 = self._bm25 @ terms.stems
        columns = [
            self._name_cover @ terms.stems / terms.mass,
            self._field_cover @ terms.stems / terms.mass,
            self._gram_cover @ terms.grams / terms.mass,
            _best(self._name_stems @ stem_unit, self._name_starts),
            _best(self._name_grams @ gram_unit, self._name_starts),
            _best(self._example_stems @ stem_unit, self._example_starts),
            _best(self._example_grams @ gram_unit, self._example_starts),
            _best(contained, self._name_starts),
            bm25 / terms.mass,
            self._opposed(terms),
        ]
        return np.column_stack(columns)

    def _opposed(self, terms: QueryTerms) -> Scores:
        """1 for each record that is about the opposite of the question: leaving instead of coming."""
        if not terms.opposites:
            return np.zeros(self.size)
        return np.array([float(bool(own) and not own & terms.opposites) for own in self.opposites])

    def _expand(self, word: str) -> dict[str, float]:
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
        whole = [
            one
            for size in range(len(word) + 2, 2 * len(word))
            for one in self._compound_words.get(size, ())
            if one.endswith(word) or one.startswith(word)
        ]
        return dict.fromkeys(whole[:MAX_COMPOUNDS], PART_SIMILARITY)

    def _unit_rows(self, rows: Sequence[Mapping[str, float]], vocabulary: Mapping[str, int], idf: Scores) -> Any:
        matrix = _matrix(rows, vocabulary) @ sparse.diags(idf)
        norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        return sparse.csr_matrix(sparse.diags(1 / np.maximum(norms, 1e-9)) @ matrix)


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


def _presence(document: Document) -> dict[str, float]:
    """What a document counts for the document frequency of its stems."""
    elsewhere = _stem_set(_texts(document))
    return dict.fromkeys(elsewhere, ELSEWHERE_FREQUENCY) | _stem_set(document.names)


def _opposites(document: Document) -> frozenset[str]:
    found = (lexicon().opposite(word) for name in document.names for word in words(name))
    return frozenset(one for one in found if one)


def _field_weights(document: Document) -> dict[str, float]:
    """The stems of a document, each with the weight of the best field it stands in."""
    weights = {stem: MODULES_WEIGHT for stem in _stem_set(document.modules)}
    weights |= {stem: SUMMARY_WEIGHT for stem in _stem_set([document.summary])}
    weights |= {stem: EXAMPLES_WEIGHT for stem in _stem_set(document.examples)}
    return weights | {stem: 1.0 for stem in _stem_set(document.names)}


def _counts(document: Document) -> dict[str, float]:
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
                    counts[stem(word)] = counts.get(stem(word), 0.0) + weight
    return counts


def _vocabulary(rows: Iterable[Mapping[str, float]]) -> dict[str, int]:
    return {term: at for at, term in enumerate(sorted({term for row in rows for term in row}))}


def _by_length(known: Iterable[str]) -> dict[int, list[str]]:
    table: dict[int, list[str]] = {}
    for word in sorted(known):
        table.setdefault(len(word), []).append(word)
    return table


def _matrix(rows: Sequence[Mapping[str, float]], vocabulary: Mapping[str, int]) -> Any:
    columns = [vocabulary[term] for row in rows for term in row]
    values = [value for row in rows for value in row.values()]
    ends = np.cumsum([0, *(len(row) for row in rows)])
    return sparse.csr_matrix((values, columns, ends), shape=(len(rows), len(vocabulary)), dtype=np.float64)


def _idf(rows: Sequence[Mapping[str, float]], vocabulary: Mapping[str, int], size: int) -> Scores:
    frequency = np.zeros(len(vocabulary))
    for row in rows:
        for term, count in row.items():
            frequency[vocabulary[term]] += count
    return np.asarray(np.log(1 + (size - frequency + 0.5) / (frequency + 0.5)))


def _bm25(rows: Sequence[Mapping[str, float]], vocabulary: Mapping[str, int], k: float = 1.2, b: float = 0.6) -> Any:
    """Term frequencies saturated as in BM25 (Robertson and Zaragoza 2009), scaled to stay below 1."""
    matrix = _matrix(rows, vocabulary)
    lengths = np.asarray(matrix.sum(axis=1)).ravel()
    norms = k * (1 - b + b * lengths / max(lengths.mean() if len(lengths) else 1.0, 1e-9))
    matrix.data = matrix.data / (matrix.data + np.repeat(norms, np.diff(matrix.indptr)))
    return matrix


def _parts_of_mass(unit_rows: Any) -> Any:
    """Rows whose entries are the share of the row's mass that each term makes up."""
    totals = np.asarray(unit_rows.sum(axis=1)).ravel()
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(totals, 1e-9)) @ unit_rows)


def _unit(vector: Scores) -> Scores:
    # Not `np.linalg.norm`: on long vectors its BLAS starts threads, which cost more than they gain.
    norm = math.sqrt(float(np.square(vector).sum()))
    return vector / norm if norm else vector


def _starts(lengths: Sequence[int]) -> NDArray[np.int64]:
    return np.cumsum([0, *lengths])


def _best(scores: Scores, starts: NDArray[np.int64]) -> Scores:
    """The largest score of each record, 0 for a record without passages."""
    best = np.zeros(len(starts) - 1)
    filled = np.flatnonzero(np.diff(starts))
    if len(filled):
        best[filled] = np.maximum.reduceat(scores, starts[filled])
    return best
