"""What citizens anywhere call the services of a municipality: a bridge from their words to a city's own records.

A city's catalogue seldom has the words people use. The practice catalogue has them for the usual services of German
municipalities: a question is first compared with its phrases, and what is found there points to the records that are
most alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from knowledge.embedding import bundled_model
from knowledge.lexical import Document, LexicalIndex
from knowledge.postings import Scores
from nlu.static_embedding import StaticEmbedding
from nlu.training.pairs import practice_services

FOLDER = Path(__file__).with_name("practice")

VECTOR_SHARE, GRAM_SHARE, STEM_SHARE = 0.4, 0.3, 0.3
TEMPERATURE = 0.08
MOST_SERVICES = 12
NEAREST_NAMES = 128
WORDS_OF_TEXT = 200
"""How much of a record's text is compared; what a service is about is said first."""


class Usage:
    """The services of the practice catalogue with their phrases. Immutable and safe for threads."""

    def __init__(self, services: Sequence[dict[str, Any]], model: StaticEmbedding) -> None:
        """Take `{"title", "text", "phrases"}` of each service."""
        names = [[service["title"], *service["phrases"]] for service in services]
        self._lexical = LexicalIndex([Document(names=own) for own in names])
        self._model = model
        self._size = len(services)
        self._of_name = np.repeat(np.arange(self._size), [len(own) for own in names])
        vectors = model.encode([name for own in names for name in own])
        self._names = faiss.IndexFlatIP(model.dimensions)
        self._names.add(vectors)
        self._titles = vectors[np.flatnonzero(np.diff(self._of_name, prepend=-1))]
        self._texts = model.encode([service["text"] for service in services])
        means = np.stack([vectors[self._of_name == at].mean(axis=0) for at in range(self._size)])
        self._means = means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)

    def likeness(self, documents: Sequence[Document]) -> NDArray[np.float32]:
        """How alike practice services and some records are, shape (number of practice services, number of records)."""
        titles = self._model.encode([document.names[0] if document.names else "" for document in documents])
        texts = self._model.encode([_text(document) for document in documents])
        alike = self._titles @ titles.T + self._texts @ texts.T + self._means @ titles.T
        return np.asarray(alike / 3, dtype=np.float32)

    def scores(self, text: str, likeness: NDArray[np.float32]) -> tuple[Scores, float]:
        """Per record how alike it is to the practice services that a question means, and how well the best one fits."""
        terms = self._lexical.analyse(text)
        fit = GRAM_SHARE * self._lexical.feature("name_gram_cosine", terms)
        fit += STEM_SHARE * self._lexical.feature("name_stem_cosine", terms)
        cosines, names = self._names.search(self._model.encode([text]), min(NEAREST_NAMES, self._names.ntotal))
        vector = np.zeros(self._size)
        np.maximum.at(vector, self._of_name[names[0]], cosines[0])
        fit += VECTOR_SHARE * vector
        best = (
            np.argpartition(-fit, MOST_SERVICES)[:MOST_SERVICES]
            if self._size > MOST_SERVICES
            else np.arange(self._size)
        )
        weights = np.exp((fit[best] - fit[best].max()) / TEMPERATURE)
        return np.asarray(weights / weights.sum() @ likeness[best], dtype=np.float64), float(fit.max())


@cache
def usage(part: str | None = None) -> Usage | None:
    """The practice catalogue, or a part of it; loaded once. None where the bundled model is missing."""
    model = bundled_model()
    parts = [part] if part else ["embedding", "ranking"]
    services = [service for one in parts for service in practice_services(FOLDER, one)]
    return Usage(services, model) if model and services else None


def _text(document: Document) -> str:
    words = " ".join((document.summary, *document.modules)).split()
    return " ".join(words[:WORDS_OF_TEXT])
