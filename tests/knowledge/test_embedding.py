from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.database import Database
from knowledge.embedding import (
    BUNDLED_NAME,
    CachedEmbedder,
    SentenceTransformerEmbedder,
    StaticEmbedder,
    embedder_of,
)
from knowledge.errors import ModelMissing
from knowledge.settings import KnowledgeSettings
from nlu.static_embedding import BUNDLED_MODEL
from nlu.training.teacher import teacher_folder
from tests.knowledge.samples import HashingEmbedder
from tests.running import ROOT


def test_only_new_texts_are_computed(database: Database) -> None:
    model = HashingEmbedder()
    first = CachedEmbedder(model, database).encode(["Hund", "Pass", "Hund"])
    again = CachedEmbedder(model, database).encode(["Pass", "Miete", "Hund"])
    assert model.asked == ["Hund", "Pass", "Miete"]
    np.testing.assert_array_equal(first[0], again[2])
    np.testing.assert_array_equal(first[0], first[2])


def test_models_do_not_share_vectors(database: Database) -> None:
    model, other = HashingEmbedder(), HashingEmbedder()
    other.version = "another"
    CachedEmbedder(model, database).encode(["Hund"])
    CachedEmbedder(other, database).encode(["Hund"])
    assert other.asked == ["Hund"]


def test_no_text_gives_no_vector(database: Database) -> None:
    assert CachedEmbedder(HashingEmbedder(), database).encode([]).shape == (0, 64)


@pytest.fixture(scope="module")
def model_folder_of_package() -> Path:
    return teacher_folder()


@pytest.fixture(scope="module")
def transformer(model_folder_of_package: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(model_folder_of_package, name="minilm", query_prefix="query: ")


def test_a_transformer_gives_unit_vectors(transformer: SentenceTransformerEmbedder) -> None:
    vectors = transformer.encode(["identity card", "passport", "a stew of lentils"])
    assert vectors.shape == (3, 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]


def test_prefixes_go_before_questions_only(transformer: SentenceTransformerEmbedder) -> None:
    question, passage = transformer.encode_queries(["passport"]), transformer.encode(["query: passport"])
    np.testing.assert_allclose(question, passage, atol=1e-5)
    assert float(question[0] @ transformer.encode(["passport"])[0]) < 0.999


def test_a_models_version_follows_its_files_and_its_prefix(tmp_path: Path) -> None:
    def version(content: str, prefix: str) -> str:
        (tmp_path / "config.json").write_text(content, encoding="utf-8")
        return SentenceTransformerEmbedder(tmp_path, passage_prefix=prefix).version

    assert len({version("{}", ""), version("{}", "passage: "), version("[]", "")}) == 3
    assert version("{}", "") == version("{}", "")


def test_settings_choose_the_model(model_folder_of_package: Path) -> None:
    assert embedder_of(KnowledgeSettings()).name == BUNDLED_NAME
    assert isinstance(embedder_of(KnowledgeSettings(embedding_model=str(BUNDLED_MODEL))), StaticEmbedder)
    other = embedder_of(KnowledgeSettings(embedding_model=str(model_folder_of_package)))
    assert isinstance(other, SentenceTransformerEmbedder)


@pytest.mark.parametrize("model", ["nowhere/no-such-model", "/no/such/folder", "", "a b"])
def test_a_model_that_is_not_here_is_named(model: str) -> None:
    with pytest.raises(ModelMissing, match="models fetch"):
        embedder_of(KnowledgeSettings(embedding_model=model))


def test_the_bundled_model_is_what_sentence_transformers_reads() -> None:
    texts = ["Personalausweis verlängern", "Wo melde ich meinen Hund an?", "moving house"]
    ours = StaticEmbedder(BUNDLED_MODEL).encode(texts)
    theirs = SentenceTransformerEmbedder(BUNDLED_MODEL).encode(texts)
    np.testing.assert_allclose(ours, theirs, atol=2e-3)  # 16 bits


def test_a_process_that_searches_needs_no_torch() -> None:
    script = """
import sys
from knowledge.evaluation import Standing, catalogue_of
from knowledge.index import Index
from knowledge.embedding import embedder_of
from knowledge.search import Search
from knowledge.settings import KnowledgeSettings
from knowledge.importer import CityRecords
from tests.knowledge.samples import SERVICES
search = Search(Standing(Index(catalogue_of(CityRecords(SERVICES)), embedder_of(KnowledgeSettings()))))
print(search.find("Mein Hund").candidates[0].id, "torch" in sys.modules, "transformers" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["hundesteuer", "False", "False"]
