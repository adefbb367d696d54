"""How near a question comes to the passages of each record: vectors in FAISS, its kind of index following from size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import PassageEmbedder, Vectors
from knowledge.lexical import Document
from knowledge.postings import Groups, Scores

FIELDS = ("name", "example", "text")
FEATURES = tuple(f"{field}_vector" for field in FIELDS)
"""Columns of `DenseIndex.features`, cosines."""

WINDOW = 40
"""Words of a passage: the mean of more words says less of each."""
MOST_COMPARED = 30_000
"""Passages up to which a question is compared with every one; beyond, only with the clusters that lie nearest."""
PROBED_SHARE = 1 / 16
NEAREST_PASSAGES = 2048
"""How many passages count there."""
EVERYTHING = -2.0
"""Less than any cosine."""
TEXTS_AT_ONCE = 20_000


class DenseIndex:
    """Vectors of passages. Immutable and safe for threads."""

    def __init__(self, documents: Sequence[Document], embedder: PassageEmbedder) -> None:
        """Embed the passages of documents, one per record; takes as long as the embedder does."""
        passages = [
            (at * len(FIELDS) + field, text)
            for at, document in enumerate(documents)
            for field, texts in enumerate((document.names, document.examples, windows(document)))
            for text in texts
        ]
        self.size = len(passages)
        self._documents = len(documents)
        self._slots = np.array([slot for slot, _ in passages], dtype=np.int64)
        self._of_slots = Groups(np.bincount(self._slots, minlength=len(documents) * len(FIELDS)))
        # One thread: the questions of several citizens already share the cores.
        faiss.omp_set_num_threads(1)
        self.kind = _kind(self.size)
        """FAISS's name for the kind of its index."""
        self._faiss: Any = None
        for start in range(0, max(1, len(passages)), TEXTS_AT_ONCE):
            vectors = embedder.encode([text for _, text in passages[start : start + TEXTS_AT_ONCE]])
            if self._faiss is None:
                self._faiss = _empty_index(vectors.shape[1], self.kind)
                if not self._faiss.is_trained:
                    self._faiss.train(embedder.encode([text for _, text in _sample(passages, self._faiss.nlist)]))
            self._faiss.add(np.ascontiguousarray(vectors))

    def features(self, query: Vectors) -> NDArray[np.float64]:
        """Best cosine per record and field, shape (number of records, number of `FEATURES`).

        In a large index fields none of whose passages is among the nearest count as the last of these.
        """
        best = self._among_all(query) if self.size <= MOST_COMPARED else self._among_nearest(query)
        return best.reshape(self._documents, len(FIELDS))

    def _among_all(self, query: Vectors) -> Scores:
        _, cosines, passages = self._faiss.range_search(query, EVERYTHING)  # four times as fast as to sort them all
        ordered = np.empty(self.size)
        ordered[passages] = cosines
        return np.maximum(self._of_slots.best(ordered), 0.0)

    def _among_nearest(self, query: Vectors) -> Scores:
        cosines, passages = self._faiss.search(query, NEAREST_PASSAGES)
        found = passages[0] >= 0
        best = np.full(self._documents * len(FIELDS), max(0.0, float(cosines[0][found].min(initial=1.0))))
        np.maximum.at(best, self._slots[passages[0][found]], cosines[0][found])
        return best


def windows(document: Document) -> list[str]:
    """The summary and the modules of a record, cut into overlapping windows of `WINDOW` words."""
    found = []
    for text in (document.summary, *document.modules):
        words = text.split()
        starts = range(0, max(1, len(words) - WINDOW // 2), WINDOW // 2)
        found += [" ".join(words[start : start + WINDOW]) for start in starts if words]
    return found


def _kind(size: int) -> str:
    return "Flat" if size <= MOST_COMPARED else f"IVF{1 << round(math.log2(4 * math.sqrt(size)))},SQfp16"


def _empty_index(dimensions: int, kind: str) -> Any:
    index: Any = faiss.index_factory(dimensions, kind, faiss.METRIC_INNER_PRODUCT)
    if kind != "Flat":
        index.nprobe = max(1, round(index.nlist * PROBED_SHARE))
    return index


def _sample(passages: Sequence[tuple[int, str]], clusters: int) -> Sequence[tuple[int, str]]:
    """As many passages as the clusters need to be found, spread evenly."""
    return passages[:: max(1, len(passages) // (clusters * 40))]
