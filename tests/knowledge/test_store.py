from __future__ import annotations

from dataclasses import replace

import pytest

from core.clock import FixedClock
from core.database import Database
from knowledge.errors import UnknownRecord
from knowledge.store import CatalogueStore, OutcomeStore, QuestionOutcome
from tests.knowledge.samples import LIFE_SITUATIONS, OFFICES, SERVICES, service


@pytest.fixture
def store(database: Database, clock: FixedClock) -> CatalogueStore:
    return CatalogueStore(database, clock)


def question(conversation_id: str = "a") -> QuestionOutcome:
    return QuestionOutcome(
        site="jena", channel="web", text="Perso weg", outcome="sure", conversation_id=conversation_id
    )


def test_an_empty_catalogue_has_version_zero(store: CatalogueStore) -> None:
    assert store.version() == 0
    assert store.load().services == {}


def test_import_keeps_whole_records(store: CatalogueStore) -> None:
    added = store.import_missing(SERVICES, OFFICES, LIFE_SITUATIONS)
    loaded = store.load()
    assert added == len(SERVICES) + len(OFFICES) + len(LIFE_SITUATIONS)
    assert loaded.services == {record.id: record for record in SERVICES}
    assert loaded.offices == {record.id: record for record in OFFICES}
    assert loaded.life_situations == {record.id: record for record in LIFE_SITUATIONS}
    assert loaded.version == store.version() == 1


def test_starting_again_overwrites_no_edit(store: CatalogueStore) -> None:
    store.import_missing(SERVICES)
    edited = SERVICES[0].model_copy(update={"title": "Der neue Ausweis"})
    store.put_service(edited)
    version = store.version()

    assert store.import_missing(SERVICES) == 0
    assert store.service(edited.id).title == "Der neue Ausweis"
    assert store.version() == version


def test_a_later_import_adds_only_what_is_missing(store: CatalogueStore) -> None:
    store.import_missing(SERVICES)
    assert store.import_missing([*SERVICES, service("jagdschein", "Jagdschein")]) == 1
    assert store.version() == 2


def test_every_change_raises_the_versions(store: CatalogueStore) -> None:
    assert store.put_service(SERVICES[0]) == 1
    assert store.put_service(SERVICES[0]) == 2
    assert store.version() == 2


def test_an_unknown_service_is_an_error(store: CatalogueStore) -> None:
    with pytest.raises(UnknownRecord, match="einhornschein"):
        store.service("einhornschein")


def test_outcomes_expire(database: Database, clock: FixedClock) -> None:
    outcomes = OutcomeStore(database, clock)
    outcomes.add(question())
    clock.advance(days=100)
    outcomes.add(question())
    assert outcomes.expire() == 0
    clock.advance(days=80)
    assert outcomes.expire() == 1
    clock.advance(days=100)
    assert outcomes.expire() == 1


def test_a_rating_goes_to_the_outcome_of_its_reply(database: Database, clock: FixedClock) -> None:
    outcomes = OutcomeStore(database, clock)
    outcomes.add(replace(question("a"), seq=3))
    rated = outcomes.add(replace(question("a"), seq=5))
    outcomes.add(replace(question("b"), seq=5))
    assert outcomes.rate("a", seq=5, rating="up")
    assert [row.id for row in outcomes.newest(10) if row.rating == "up"] == [rated]
    assert not outcomes.rate("c", seq=5, rating="up")


def test_an_erased_conversation_leaves_no_outcome(database: Database, clock: FixedClock) -> None:
    outcomes = OutcomeStore(database, clock)
    outcomes.add(question("a"))
    outcomes.add(question("b"))
    outcomes.erase(["a"])
    assert [row.conversation_id for row in outcomes.newest(10)] == ["b"]


def test_an_expired_conversation_is_forgotten_but_its_outcome_stays(database: Database, clock: FixedClock) -> None:
    outcomes = OutcomeStore(database, clock)
    outcomes.add(question("a"))
    outcomes.detach(["a"])
    assert [row.conversation_id for row in outcomes.newest(10)] == [None]
