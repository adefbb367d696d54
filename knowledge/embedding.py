"""Sentence embeddings: what the search needs of a model, the models it can have, and a cache in the database."""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from core.database import Database
from knowledge.errors import ModelMissing
from knowledge.settings import KnowledgeSettings
from knowledge.store import upsert
from knowledge.tables import EmbeddingRow
from nlu.static_embedding import BUNDLED_MODEL, StaticEmbedding, is_static

Vectors = NDArray[np.float32]

BUNDLED_NAME = "stadtbot-embedding-de"
QUERIES_AT_ONCE = 500
BATCH_SIZE = 64
MAX_TOKENS = 128
"""What is longer is cut: a passage's topic shows in its first sentences, and its cost grows with its length."""


class PassageEmbedder(Protocol):
    """Turns a catalogue's passages into vectors. Safe to call from several threads."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions)."""
        ...


class Embedder(PassageEmbedder, Protocol):
    """Turns questions into vectors too."""

    @property
    def name(self) -> str:
        """Name of the model, after which its calibration file is called."""
        ...

    @property
    def version(self) -> str:
        """Changes with everything that changes the vectors of passages."""
        ...

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what citizens ask, comparable with those of `encode`."""
        ...


def embedder_of(settings: KnowledgeSettings) -> Embedder:
    """The model that the settings name.

    Raises:
        ModelMissing: it is not on this machine.
    """
    if settings.embedding_model is None:
        return StaticEmbedder(BUNDLED_MODEL, name=BUNDLED_NAME)
    folder = Path(settings.embedding_model)
    if is_static(folder):
        return StaticEmbedder(folder)
    return SentenceTransformerEmbedder(
        model_folder(settings.embedding_model),
        name=folder.name,
        query_prefix=settings.query_prefix,
        passage_prefix=settings.passage_prefix,
        threads=settings.embedding_threads,
    )


def model_folder(model: str) -> Path:
    """Where a model lies: the folder itself, or the local copy of a model of the hub.

    Raises:
        ModelMissing: it is not on this machine; nothing is ever downloaded here.
    """
    if (Path(model) / "modules.json").is_file() or (Path(model) / "config.json").is_file():
        return Path(model)
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, local_files_only=True))
    except (HFValidationError, LocalEntryNotFoundError) as error:
        raise ModelMissing(model) from error


@cache
def bundled_model(folder: Path = BUNDLED_MODEL) -> StaticEmbedding | None:
    """The German model that comes with the project, loaded once; None where it is missing."""
    return StaticEmbedding(folder) if is_static(folder) else None


class StaticEmbedder:
    """A static sentence-transformers model, read without torch within a moment."""

    def __init__(self, folder: Path, *, name: str | None = None) -> None:
        """Load a model.

        Raises:
            ModelMissing: the folder holds none, or not all of its files.
        """
        if not is_static(folder):
            raise ModelMissing(str(folder))
        try:
            self._model = (bundled_model() if folder == BUNDLED_MODEL else None) or StaticEmbedding(folder)
        except FileNotFoundError as error:
            raise ModelMissing(str(folder)) from error
        self.name = name or folder.name
        self.version = self.name  # its vectors are cheaper to compute than to keep

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions)."""
        return self._model.encode(texts)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._model.encode(texts)


class SentenceTransformerEmbedder:
    """A sentence-transformers model from a folder; loaded on first use, never from a hub."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str | None = None,
        query_prefix: str = "",
        passage_prefix: str = "",
        threads: int = 1,
    ) -> None:
        """Name a model without loading it.

        Args:
            folder: the model's folder.
            name: name for the calibration file; the folder's if not given.
            query_prefix: what the model wants before a question ("query: "), if its own files do not say it.
            passage_prefix: the same for passages ("passage: ").
            threads: threads of torch for one call. Questions are short: more than one gains next to nothing on them.
        """
        self._folder = folder
        self.name = name or folder.name
        self._query_prefix = query_prefix
        self._passage_prefix = passage_prefix
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def version(self) -> str:
        digest = hashlib.sha256(self._passage_prefix.encode())
        for file in sorted(self._folder.rglob("*")):
            if file.suffix in (".safetensors", ".bin", ".json"):
                with file.open("rb") as opened:
                    digest.update(hashlib.file_digest(opened, "sha256").digest())
        return f"{self.name}:{digest.hexdigest()[:16]}"

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions)."""
        return self._encode("encode_document", texts, self._passage_prefix)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """The same with the prefix for questions."""
        return self._encode("encode_query", texts, self._query_prefix)

    def _encode(self, method: str, texts: Sequence[str], prefix: str) -> Vectors:
        # The tokenizer keeps state between calls and torch would only share the same cores: one at a time.
        with self._lock:
            vectors = getattr(self._model(), method)(
                list(texts),
                prompt=prefix or None,
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32)

    def _model(self) -> Any:
        if self._loaded is None:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()  # type: ignore[no-untyped-call]
            torch.set_num_threads(self._threads)
            self._loaded = SentenceTransformer(str(self._folder), device="cpu", local_files_only=True)
            if self._loaded.max_seq_length != math.inf:  # a static model has no limit, nor needs one
                self._loaded.max_seq_length = min(self._loaded.max_seq_length or MAX_TOKENS, MAX_TOKENS)
        return self._loaded


class CachedEmbedder:
    """Keeps the vectors of the catalogue's texts in the database, so that only new texts cost time at the start."""

    def __init__(self, embedder: Embedder, database: Database) -> None:
        self._embedder = embedder
        self._database = database

        self.version = embedder.version

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions); computes and keeps those not seen before."""
        if not texts:
            return self._embedder.encode(texts)
        hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        known = self._read(hashes)
        missing = {hash: text for hash, text in zip(hashes, texts, strict=True) if hash not in known}
        if missing:
            vectors = self._embedder.encode(list(missing.values()))
            fresh = {hash: vector.astype("<f4").tobytes() for hash, vector in zip(missing, vectors, strict=True)}
            self._write(fresh)
            known |= fresh
        return np.frombuffer(b"".join(known[hash] for hash in hashes), dtype="<f4").reshape(len(hashes), -1)

    def _read(self, hashes: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with self._database.reading() as session:
            for start in range(0, len(hashes), QUERIES_AT_ONCE):
                part = hashes[start : start + QUERIES_AT_ONCE]
                rows = session.execute(
                    sa.select(EmbeddingRow.text_hash, EmbeddingRow.vector).where(
                        EmbeddingRow.model == self.version, EmbeddingRow.text_hash.in_(part)
                    )
                )
                found.update({hash: vector for hash, vector in rows})
        return found

    def _write(self, vectors: dict[str, bytes]) -> None:
        rows = [{"model": self.version, "text_hash": hash, "vector": vector} for hash, vector in vectors.items()]
        with self._database.session() as session:
            session.execute(upsert(session)(EmbeddingRow).on_conflict_do_nothing(), rows)
