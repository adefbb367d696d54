from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from nlu.static_embedding import BUNDLED_MODEL, StaticEmbedding, is_static
from nlu.training.teacher import teacher_folder
from stadtbot.settings import ROOT

PIECES = [("<unk>", 0.0), ("▁hund", -2.0), ("e", -3.0), ("steuer", -2.0), ("▁was", -2.0), ("▁kostet", -2.0)]
DIMENSIONS = 4
STATIC = "sentence_transformers.models.StaticEmbedding"
NORMALIZE = "sentence_transformers.models.Normalize"
LARGEST_FOLDER = 25_000_000
"""Bytes; the model comes with every copy of the project."""


def weights(dtype: type[np.floating] = np.float32) -> NDArray[np.floating]:
    return np.random.default_rng(3).normal(size=(len(PIECES), DIMENSIONS)).astype(dtype)


def save(folder: Path, values: NDArray[np.floating], *, subfolder: str = "", most_pieces: int | None = None) -> Path:
    """A folder as sentence-transformers saves it."""
    files = folder / subfolder
    files.mkdir(exist_ok=True)
    tokenizer = Tokenizer(models.Unigram(PIECES, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    if most_pieces is not None:
        tokenizer.enable_truncation(most_pieces)
        tokenizer.enable_padding()
    tokenizer.save(str(files / "tokenizer.json"))
    save_file({"embedding.weight": values}, files / "model.safetensors")
    modules = [{"idx": 0, "name": "0", "path": subfolder, "type": STATIC}]
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def bundled() -> StaticEmbedding:
    return StaticEmbedding(BUNDLED_MODEL)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("subfolder", ["", "0_StaticEmbedding"])
def test_a_texts_vector_is_the_mean_of_its_pieces(tmp_path: Path, dtype: type[np.floating], subfolder: str) -> None:
    values = weights(dtype)
    model = StaticEmbedding(save(tmp_path, values, subfolder=subfolder))
    mean = values[[1, 2, 3]].astype(np.float32).mean(axis=0)
    assert model.dimensions == DIMENSIONS
    found = model.encode(["hundesteuer"])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[0], mean / np.linalg.norm(mean), rtol=1e-3 if dtype is np.float16 else 1e-5)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_sentence_transformers_reads_the_same_vectors(tmp_path: Path, dtype: type[np.floating]) -> None:
    from sentence_transformers import SentenceTransformer

    save(tmp_path, weights(dtype))
    texts = ["hundesteuer", "was kostet hundesteuer", "zzz hund"]
    theirs = SentenceTransformer(str(tmp_path), device="cpu", local_files_only=True).encode(
        texts, normalize_embeddings=True
    )
    np.testing.assert_allclose(StaticEmbedding(tmp_path).encode(texts), theirs, atol=2e-3)


def test_the_other_texts_of_a_call_change_nothing(tmp_path: Path) -> None:
    model = StaticEmbedding(save(tmp_path, weights(), most_pieces=2))
    long = "was kostet hundesteuer"
    together = model.encode(["hund", long])
    np.testing.assert_allclose(together[0], model.encode(["hund"])[0], rtol=1e-6)
    assert not np.allclose(together[1], model.encode(["was kostet"])[0]), "the long text was cut"


def test_vectors_are_of_unit_length(bundled: StaticEmbedding) -> None:
    vectors = bundled.encode(["Perso", "Was kostet es, wenn ich meinen Hund anmelde?", "🙂"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_text_has_no_direction(bundled: StaticEmbedding) -> None:
    assert not bundled.encode(["", " \n"]).any()
    assert bundled.encode([]).shape == (0, bundled.dimensions)


@pytest.mark.parametrize(
    ("one", "others"),
    [("Führerschein", ("Fuehrerschein", "FÜHRERSCHEIN", "Fu\u0308hrerschein")), ("Straße", ("STRASSE", "strasse"))],
)
def test_spellings_of_a_word_are_the_same(bundled: StaticEmbedding, one: str, others: tuple[str, ...]) -> None:
    expected, *found = bundled.encode([one, *others])
    for vector in found:
        np.testing.assert_array_equal(vector, expected)


def test_like_meaning_is_nearer_than_another(bundled: StaticEmbedding) -> None:
    identity, passport, rubbish = bundled.encode(["Personalausweis", "Perso", "Sperrmüll abholen"])
    assert identity @ passport > identity @ rubbish + 0.2


def test_the_bundled_model_is_small(bundled: StaticEmbedding) -> None:
    assert bundled.dimensions == 256
    assert sum(file.stat().st_size for file in BUNDLED_MODEL.rglob("*") if file.is_file()) <= LARGEST_FOLDER


@pytest.mark.parametrize("kinds", [[STATIC], [STATIC, NORMALIZE]])
def test_a_static_model_is_known_by_its_modules(tmp_path: Path, kinds: list[str]) -> None:
    (tmp_path / "modules.json").write_text(json.dumps([{"type": kind} for kind in kinds]), encoding="utf-8")
    assert is_static(tmp_path)
    assert is_static(BUNDLED_MODEL)


@pytest.mark.parametrize(
    "modules",
    [
        b"[",
        b"",
        b"{}",
        b"[]",
        b"null",
        b'"StaticEmbedding"',
        b'{"type": "StaticEmbedding"}',
        b'["StaticEmbedding"]',
        b'[{"type": "StaticEmbedding", "name": "\xff"}]',
        json.dumps([{"type": "sentence_transformers.models.Transformer"}, {"type": NORMALIZE}]).encode(),
        json.dumps([{"type": STATIC}, {"type": "sentence_transformers.models.Dense"}]).encode(),
    ],
)
def test_other_folders_hold_no_static_model(tmp_path: Path, modules: bytes) -> None:
    (tmp_path / "modules.json").write_bytes(modules)
    assert not is_static(tmp_path)


def test_neither_an_empty_folder_nor_a_transformer_is_static(tmp_path: Path) -> None:
    assert not is_static(tmp_path)
    assert not is_static(tmp_path / "absent")
    assert not is_static(teacher_folder())


@pytest.mark.parametrize("name", ["tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    save(tmp_path, weights())
    (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=name):
        StaticEmbedding(tmp_path)


def test_torch_is_not_needed() -> None:
    script = """
import sys
from nlu.static_embedding import BUNDLED_MODEL, StaticEmbedding
StaticEmbedding(BUNDLED_MODEL).encode(["Hund"])
print(sorted({"torch", "transformers", "sentence_transformers", "huggingface_hub"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
