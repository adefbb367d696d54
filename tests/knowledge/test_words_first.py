"""The first minutes with a slow model: words alone answer until its index is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from core.clock import FixedClock
from core.database import Database
from knowledge.embedding import Vectors
from knowledge.index import Index, IndexHolder
from knowledge.models import Outcome
from knowledge.search import Search
from knowledge.service import Knowledge
from knowledge.store import Catalogue, CatalogueStore
from tests.knowledge.conftest import CITY
from tests.knowledge.samples import LIFE_SITUATIONS, OFFICES, SERVICES, HashingEmbedder, service

WITHIN_S = 30.0
"""After this a test gives up on the other thread."""


class SlowEmbedder(HashingEmbedder):
    """Embeds nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.may_end = threading.Event()

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.begun.set()
        assert self.may_end.wait(WITHIN_S)
        return super().encode(texts)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def store(database: Database, clock: FixedClock) -> CatalogueStore:
    store = CatalogueStore(database, clock)
    store.import_missing(SERVICES, OFFICES, LIFE_SITUATIONS)
    return store


@pytest.fixture
def model() -> Iterator[SlowEmbedder]:
    model = SlowEmbedder()
    yield model
    model.may_end.set()


@pytest.fixture
def beside(model: SlowEmbedder) -> Iterator[Callable[[Callable[[], bool]], Future[bool]]]:
    """Runs something in another thread, which ends with the test."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit
        model.may_end.set()


def words_only(catalogue: Catalogue) -> Index:
    return Index(catalogue, None)


def finds(search: Search | Knowledge, text: str) -> str | None:
    found = search.find(text)
    return found.candidates[0].id if found.outcome is not Outcome.NOTHING else None


def test_words_answer_while_the_model_is_busy(
    store: CatalogueStore,
    clock: FixedClock,
    model: SlowEmbedder,
    beside: Callable[[Callable[[], bool]], Future[bool]],
) -> None:
    holder = IndexHolder(store, lambda catalogue: Index(catalogue, model), build_first=words_only)
    search = Search(holder, clock=clock)
    building = beside(holder.refresh)
    assert model.begun.wait(WITHIN_S)
    first = holder.index
    assert (holder.ready, first.embedder, first.passages) == (True, None, 0)
    assert finds(search, "Hundesteuer") == "hundesteuer"
    assert not building.done()

    model.may_end.set()

    assert building.result(WITHIN_S)
    assert holder.index is not first
    assert holder.index.embedder is model
    assert holder.index.passages > len(SERVICES)
    assert finds(search, "Hundesteuer") == "hundesteuer"


def test_a_changed_catalogue_is_not_answered_with_words_alone_again(
    store: CatalogueStore, model: SlowEmbedder, beside: Callable[[Callable[[], bool]], Future[bool]]
) -> None:
    holder = IndexHolder(store, lambda catalogue: Index(catalogue, model), build_first=words_only)
    model.may_end.set()
    holder.refresh()
    whole = holder.index
    model.begun.clear()
    model.may_end.clear()
    store.put_service(service("pilzberatung", "Pilzberatung"))
    building = beside(holder.refresh)
    assert model.begun.wait(WITHIN_S)
    assert holder.index is whole
    model.may_end.set()
    assert building.result(WITHIN_S)
    assert holder.index.entry("service", "pilzberatung") is not None


def test_a_build_that_failed_is_tried_again(store: CatalogueStore, clock: FixedClock) -> None:
    tries: list[int] = []

    def build(catalogue: Catalogue) -> Index:
        tries.append(1)
        if len(tries) < 3:
            raise MemoryError("no room for the model")
        return Index(catalogue, HashingEmbedder())

    holder = IndexHolder(store, build, build_first=words_only)
    search = Search(holder, clock=clock)
    for _ in range(2):
        with pytest.raises(MemoryError):
            holder.refresh()
        assert holder.ready
        assert holder.index.embedder is None
        assert finds(search, "Hundesteuer") == "hundesteuer"
    assert holder.refresh()
    assert holder.index.embedder is not None
    assert not holder.refresh()


def test_a_failed_build_leaves_the_whole_index_in_place(store: CatalogueStore) -> None:
    broken = False

    def build(catalogue: Catalogue) -> Index:
        if broken:
            raise MemoryError("no room for the model")
        return Index(catalogue, HashingEmbedder())

    holder = IndexHolder(store, build, build_first=words_only)
    holder.refresh()
    whole = holder.index
    store.put_service(service("pilzberatung", "Pilzberatung"))
    broken = True
    with pytest.raises(MemoryError):
        holder.refresh()
    assert holder.index is whole
    broken = False
    assert holder.refresh()
    assert holder.index.entry("service", "pilzberatung") is not None


def test_without_a_first_build_nothing_is_ready_before_the_index(
    store: CatalogueStore, model: SlowEmbedder, beside: Callable[[Callable[[], bool]], Future[bool]]
) -> None:
    holder = IndexHolder(store, lambda catalogue: Index(catalogue, model))
    building = beside(holder.refresh)
    assert model.begun.wait(WITHIN_S)
    assert not holder.ready
    model.may_end.set()
    assert building.result(WITHIN_S)
    assert holder.ready


def test_a_city_with_a_slow_model_answers_from_the_first_moment(
    database: Database,
    clock: FixedClock,
    model: SlowEmbedder,
    beside: Callable[[Callable[[], bool]], Future[bool]],
) -> None:
    knowledge = Knowledge(database, clock, city_folder=CITY, embedder=model)
    building = beside(knowledge.refresh)
    assert model.begun.wait(WITHIN_S)
    assert knowledge.ready
    assert finds(knowledge, "Personalausweis") == "personalausweis"
    assert knowledge.find_office("Telefonnummer vom Standesamt") is not None
    assert not building.done()
    asked = len(model.asked)

    model.may_end.set()

    assert building.result(WITHIN_S)
    assert len(model.asked) > asked
    assert finds(knowledge, "Personalausweis") == "personalausweis"
    assert model.asked[-1] == "Personalausweis", "the model is asked now"


def test_a_catalogue_that_is_cached_still_loads_the_model_before_it_answers(
    database: Database, clock: FixedClock, model: SlowEmbedder
) -> None:
    model.may_end.set()
    Knowledge(database, clock, city_folder=CITY, embedder=model).refresh()
    again = HashingEmbedder()
    knowledge = Knowledge(database, clock, city_folder=CITY, embedder=again)
    knowledge.refresh()
    assert again.asked == [knowledge.city.name]
