"""Sentence vectors of a static model: a text's vector is the mean of its pieces' vectors.

Reads the folder of a sentence-transformers model whose only working part is `StaticEmbedding`, without torch, so that
any process may have it within a moment.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

BUNDLED_MODEL = Path(__file__).with_name("embedding_model")
"""The German model that comes with the project."""

_DTYPES = {"F16": "<f2", "F32": "<f4"}
_TENSOR = "embedding.weight"


class StaticEmbedding:
    """A static model. Safe for threads."""

    def __init__(self, folder: Path) -> None:
        """Load a model.

        Raises:
            FileNotFoundError: the folder is no static model.
        """
        self._tokenizer = Tokenizer.from_file(str(_file(folder, "tokenizer.json")))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._weights = _read_tensor(_file(folder, "model.safetensors"))

    @property
    def dimensions(self) -> int:
        return int(self._weights.shape[1])

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of unit length, shape (number of texts, dimensions); zero for a text without any piece."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, encoding in enumerate(self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)):
            if encoding.ids:
                vectors[row] = self._weights[encoding.ids].mean(axis=0, dtype=np.float32)
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        return np.asarray(vectors / np.maximum(norms, 1e-9)[:, None], dtype=np.float32)


def is_static(folder: Path) -> bool:
    """Whether a folder holds a sentence-transformers model that `StaticEmbedding` can read."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(modules, list) or not all(isinstance(module, dict) for module in modules):
        return False
    kinds = [str(module.get("type", "")).rpartition(".")[2] for module in modules]
    return kinds in (["StaticEmbedding"], ["StaticEmbedding", "Normalize"])


def _file(folder: Path, name: str) -> Path:
    found = sorted([*folder.glob(name), *folder.glob(f"*_StaticEmbedding/{name}")])
    if not found:
        raise FileNotFoundError(folder / name)
    return found[0]


def _read_tensor(file: Path) -> NDArray[np.floating]:
    """The weights out of a safetensors file: eight bytes of length, a header in JSON, the data."""
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        entry = json.loads(opened.read(length))[_TENSOR]
        begin, end = entry["data_offsets"]
        opened.seek(8 + length + begin)
        data = opened.read(end - begin)
    return np.frombuffer(data, dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
