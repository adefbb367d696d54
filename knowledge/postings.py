"""Which rows have a term, and how much of it: an inverted index in arrays.

A question costs as much as its terms occur, whatever the number of rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Scores = NDArray[np.float64]


class TermRows:
    """Rows of weighted terms, gathered one by one; several may share a vocabulary."""

    def __init__(self, vocabulary: dict[str, int] | None = None) -> None:
        """Begin without a row.

        Args:
            vocabulary: the number of each term; grows as rows come.
        """
        self.vocabulary = {} if vocabulary is None else vocabulary
        self._terms = array("i")
        self._values = array("f")
        self._ends = array("q", [0])

    def add(self, row: Mapping[str, float]) -> None:
        """One more row."""
        number = self.vocabulary.setdefault
        self._terms.extend([number(term, len(self.vocabulary)) for term in row])
        self._values.extend(row.values())
        self._ends.append(len(self._terms))

    def matrix(self) -> sparse.csr_matrix:
        """The weights, shape (number of rows, number of terms); to be asked once the vocabulary is complete."""
        data = np.array(self._values, dtype=np.float32), np.array(self._terms), np.array(self._ends)
        return sparse.csr_matrix(data, shape=(len(self._ends) - 1, len(self.vocabulary)))


def document_frequency(matrix: sparse.csr_matrix) -> Scores:
    """In how many rows each term occurs."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1]).astype(np.float64)


class Postings:
    """The rows of each term. Immutable and safe for threads."""

    def __init__(self, matrix: sparse.csr_matrix) -> None:
        """Turn a matrix of shape (number of rows, number of terms) into postings."""
        by_term = matrix.tocsc()
        self._starts = by_term.indptr.astype(np.int64)
        self._rows = by_term.indices
        self._values = by_term.data
        self.size = int(matrix.shape[0])

    def sums(self, terms: NDArray[np.int64], weights: Scores) -> Scores:
        """Per row the sum of its terms' values times the weights."""
        at, lengths = self._places(terms)
        values = self._values[at] * np.repeat(weights, lengths)
        return np.bincount(self._rows[at], values, minlength=self.size).astype(np.float64)

    def _places(self, terms: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        starts = self._starts[terms]
        lengths = self._starts[terms + 1] - starts
        begins = np.cumsum(lengths) - lengths
        return np.arange(int(lengths.sum())) + np.repeat(starts - begins, lengths), lengths


class Groups:
    """Consecutive rows that belong together: the names of one record, its examples."""

    def __init__(self, lengths: Sequence[int] | NDArray[np.int64]) -> None:
        counts = np.asarray(lengths, dtype=np.int64)
        self._size = len(counts)
        self._filled = np.flatnonzero(counts)
        self._starts = (np.cumsum(counts) - counts)[self._filled]

    def best(self, scores: Scores) -> Scores:
        """The largest score of each group, 0 for an empty one."""
        best = np.zeros(self._size)
        if len(self._filled):
            best[self._filled] = np.maximum.reduceat(scores, self._starts)
        return best
