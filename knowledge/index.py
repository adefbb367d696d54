"""The search index: vectors and words of every published record, immutable, and the holder that swaps it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge import dense
from knowledge.catalogue import LifeSituation, Office, Service
from knowledge.dense import DenseIndex
from knowledge.embedding import Embedder, PassageEmbedder, Vectors
from knowledge.entries import Entry as Entry
from knowledge.entries import Kind as Kind
from knowledge.lexical import Document, LexicalIndex
from knowledge.store import Catalogue, CatalogueStore
from knowledge.topics import Topics
from knowledge.usage import Usage, usage

MODULES = ("full", "requirements", "documents", "fees", "deadlines", "duration", "procedure", "notes")
RECENT_CHOICES = 16
RECENT_TEXTS = 64
"""How many questions' vectors are kept in memory."""


class Index:
    """Everything that a question is compared with. Safe for threads."""

    def __init__(
        self,
        catalogue: Catalogue,
        embedder: Embedder | None,
        *,
        passages_by: PassageEmbedder | None = None,
        words_of: Usage | None = None,
    ) -> None:
        """Build the index, which takes as long as the embedder does.

        Args:
            catalogue: the records; services that are not published stay out.
            embedder: for questions; without one only words are compared.
            passages_by: for the catalogue's passages, where that is another one of the same model, such as a cache:
                what citizens ask must never get into a cache that is kept.
            words_of: what citizens call services; with an embedder the whole practice catalogue if not given.
        """
        records = _records(catalogue)
        self.catalogue = catalogue
        self.embedder = embedder
        self.entries = tuple(entry for entry, _ in records)
        kinds = np.array([entry.kind for entry in self.entries], dtype=object)
        self.is_service, self.is_situation = kinds == "service", kinds == "life_situation"
        """Of which kind each entry is, shape (number of entries,)."""
        self.allowed = lru_cache(RECENT_CHOICES)(self._allowed)
        self.position = {(entry.kind, entry.id): at for at, entry in enumerate(self.entries)}
        documents = [document for _, document in records]
        self.lexical = LexicalIndex(documents)
        self._usage = (words_of or usage()) if embedder else None
        self._likeness = self._usage.likeness(documents) if self._usage and documents else None
        self.topics = Topics(self.entries, documents, self.lexical)
        # A text is often asked for twice within a moment, see `Knowledge.warm`; only memory keeps it, and not for long.
        self._encoding = threading.Lock()
        self._encode = lru_cache(RECENT_TEXTS)(self._vector)
        self._dense = DenseIndex(documents, passages_by or embedder) if embedder and documents else None

    def _allowed(self, kinds: frozenset[Kind], day: dt.date) -> NDArray[np.int64]:
        """Numbers of the entries of some kinds that are valid on a day."""
        return np.array(
            [at for at, one in enumerate(self.entries) if one.kind in kinds and one.is_valid(day)], dtype=int
        )

    def _vector(self, text: str) -> Vectors:
        assert self.embedder is not None
        return self.embedder.encode_queries([text])

    @property
    def version(self) -> int:
        """The catalogue's version of which this index is."""
        return self.catalogue.version

    @property
    def passages(self) -> int:
        """Number of vectors."""
        return self._dense.size if self._dense else 0

    @property
    def kind_of_vectors(self) -> str:
        """FAISS's name for the kind of index that the vectors are in; empty without vectors."""
        return self._dense.kind if self._dense else ""

    def entry(self, kind: Kind, id: str) -> Entry | None:
        """The entry of a record that can be found; None for drafts and unknown ids."""
        at = self.position.get((kind, id))
        return None if at is None else self.entries[at]

    def usage(self, text: str) -> tuple[NDArray[np.float64], float]:
        """Per entry how alike it is to what citizens elsewhere mean who speak so, and how well that fits the text."""
        if self._usage is None or self._likeness is None:
            return np.zeros(len(self.entries)), 0.0
        return self._usage.scores(text, self._likeness)

    def vectors(self, text: str) -> NDArray[np.float64]:
        """Best cosine per record and kind of passage, shape (number of entries, number of `dense.FEATURES`)."""
        if self._dense is None or self.embedder is None or not self.entries:
            return np.zeros((len(self.entries), len(dense.FEATURES)))
        with self._encoding:
            query = self._encode(text)
        return self._dense.features(query)


def _records(catalogue: Catalogue) -> list[tuple[Entry, Document]]:
    services = [service for service in catalogue.services.values() if service.status == "published"]
    found = {service.id for service in services}
    return [
        *((_service_entry(service), service_document(service)) for service in services),
        *((_situation_entry(situation, found), _situation_document(situation)) for situation in _situations(catalogue)),
        *((Entry("office", office.id, office.name), _office_document(office)) for office in catalogue.offices.values()),
    ]


def _situations(catalogue: Catalogue) -> list[LifeSituation]:
    return list(catalogue.life_situations.values())


def _service_entry(service: Service) -> Entry:
    return Entry(
        "service",
        service.id,
        service.title,
        valid_from=service.valid_from,
        valid_until=service.valid_until,
        areas=tuple(service.areas),
    )


def _situation_entry(situation: LifeSituation, found: set[str]) -> Entry:
    services = tuple(id for id in situation.services if id in found)
    return Entry("life_situation", situation.id, situation.title, services=services)


def service_document(service: Service) -> Document:
    """The passages of a service."""
    names = dict.fromkeys([service.title, service.official_title or service.title, *service.synonyms])
    return Document(
        names=tuple(names),
        examples=tuple(service.examples),
        summary=service.summary,
        modules=tuple(text for module in MODULES if (text := _module_text(service, module))),
    )


def _module_text(service: Service, module: str) -> str:
    value = getattr(service, module)
    return "\n".join(item.text for item in value) if isinstance(value, list) else value or ""


def _situation_document(situation: LifeSituation) -> Document:
    return Document((situation.title, *situation.synonyms), tuple(situation.examples), situation.summary)


def _office_document(office: Office) -> Document:
    return Document(tuple(dict.fromkeys([office.name, *office.synonyms])))


class IndexHolder:
    """Has the index of the moment and swaps it as a whole when the catalogue's version has changed."""

    def __init__(
        self,
        store: CatalogueStore,
        build: Callable[[Catalogue], Index],
        *,
        build_first: Callable[[Catalogue], Index] | None = None,
    ) -> None:
        """Hold no index yet; `refresh` builds the first one.

        Args:
            store: the catalogue.
            build: builds an index, however long it takes.
            build_first: builds one that answers until the first of `build` is there; none if not given.
        """
        self._store = store
        self._build = build
        self._build_first = build_first
        self._index: Index | None = None
        self._built: int | None = None
        self._building = threading.Lock()

    @property
    def ready(self) -> bool:
        return self._index is not None

    @property
    def index(self) -> Index:
        """The index of the moment; built at once if there is none yet."""
        if self._index is None:
            self.refresh()
        assert self._index is not None
        return self._index

    def refresh(self) -> bool:
        """Build and swap the index if the catalogue has changed; returns whether it had.

        Meanwhile the old index goes on answering.
        """
        with self._building:
            if self._built is not None and self._built == self._store.version():
                return False
            catalogue = self._store.load()
            if self._index is None and self._build_first is not None:
                self._index = self._build_first(catalogue)
            self._index = self._build(catalogue)
            self._built = catalogue.version
            return True
