"""The demo city's catalogue, as the quality tests search it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.database import Database
from knowledge.embedding import CachedEmbedder, SentenceTransformerEmbedder
from knowledge.evaluation import catalogue_of
from knowledge.importer import read_city
from knowledge.index import Index

CITY = Path(__file__).parents[2] / "training_data" / "cities" / "jena"


@pytest.fixture(scope="session")
def kept_embeddings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Vectors of the catalogue's passages, kept between two runs of the tests."""
    cache = getattr(request.config, "cache", None)
    folder = cache.mkdir("embeddings") if cache else tmp_path_factory.mktemp("embeddings")
    database = Database(f"sqlite:///{folder / 'embeddings.db'}")
    database.upgrade()
    yield database
    database.close()


@pytest.fixture(scope="session")
def city_index(kept_embeddings: Database) -> Index:
    """The demo city's index with the interim model."""
    model = SentenceTransformerEmbedder()
    return Index(catalogue_of(read_city(CITY)), model, passages_by=CachedEmbedder(model, kept_embeddings))
