"""The demo city's catalogue, as the quality tests search it."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.embedding import embedder_of
from knowledge.evaluation import catalogue_of
from knowledge.importer import read_city
from knowledge.index import Index
from knowledge.settings import KnowledgeSettings

CITY = Path(__file__).parents[2] / "training_data" / "cities" / "jena"


@pytest.fixture(scope="session")
def city_index() -> Index:
    """The demo city's index with the bundled model."""
    return Index(catalogue_of(read_city(CITY)), embedder_of(KnowledgeSettings()))
