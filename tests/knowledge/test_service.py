from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import FixedClock
from core.database import Database
from knowledge.catalogue import Aspect, Circumstance
from knowledge.errors import UnknownRecord
from knowledge.models import Outcome
from knowledge.service import Knowledge
from knowledge.store import QuestionOutcome
from tests.knowledge.conftest import CITY
from tests.knowledge.samples import HashingEmbedder, service


@pytest.fixture
def knowledge(tmp_path: Path, clock: FixedClock) -> Knowledge:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.upgrade()
    return open_city(database, clock)


def open_city(database: Database, clock: FixedClock) -> Knowledge:
    knowledge = Knowledge(database, clock, city_folder=CITY, embedder=HashingEmbedder())
    assert not knowledge.ready
    assert knowledge.refresh()
    assert knowledge.ready
    return knowledge


def test_a_question_leads_to_an_answer(knowledge: Knowledge) -> None:
    found = knowledge.find("Was kostet ein neuer Personalausweis?")
    assert found.outcome is Outcome.SURE
    answer = knowledge.answer(found.candidates[0].id, Aspect.FEES, circumstances=[Circumstance.CHILD])
    assert (answer.service_id, answer.aspect, answer.known) == ("personalausweis", Aspect.FEES, True)
    assert "Euro" in answer.text
    assert answer.office is not None and answer.office.id == "buergerservice"


def test_a_service_has_a_full_and_a_brief_answer(knowledge: Knowledge) -> None:
    assert knowledge.answer_in_full("personalausweis").text
    assert knowledge.answer_in_brief("personalausweis", Aspect.OVERVIEW).text


def test_an_office_is_found_and_answers(knowledge: Knowledge) -> None:
    office = knowledge.find_office("Telefonnummer vom Standesamt")
    assert office is not None
    assert knowledge.answer_office(office.id, aspect=Aspect.HOURS).office.id == "standesamt"


def test_unknown_records_are_lookup_errors(knowledge: Knowledge) -> None:
    assert knowledge.service("einhornschein") is None
    assert knowledge.office("mondamt") is None
    assert knowledge.life_situation("mondreise") is None
    with pytest.raises(UnknownRecord):
        knowledge.answer("einhornschein", Aspect.FEES)
    with pytest.raises(LookupError):
        knowledge.answer_office("mondamt")


def test_a_draft_is_not_answered_from(knowledge: Knowledge) -> None:
    assert knowledge.service("zweitwohnungsteuer") is None
    with pytest.raises(UnknownRecord):
        knowledge.answer("zweitwohnungsteuer", Aspect.OVERVIEW)


def test_an_edit_survives_the_next_start(tmp_path: Path, clock: FixedClock) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.upgrade()
    first = open_city(database, clock)
    old = first.service("wohngeld")
    assert old is not None
    first.catalogue_store.put_service(old.model_copy(update={"title": "Wohngeld neu"}))
    again = open_city(database, clock)
    new = again.service("wohngeld")
    assert new is not None and new.title == "Wohngeld neu"


def test_a_new_service_is_answered_without_training(knowledge: Knowledge) -> None:
    knowledge.catalogue_store.put_service(service("pilzberatung", "Pilzberatung", "Pilze bestimmen lassen"))
    assert knowledge.refresh()
    found = knowledge.find("Wo kann ich meine Pilze bestimmen lassen?")
    assert (found.outcome, found.candidates[0].id) == (Outcome.SURE, "pilzberatung")
    assert knowledge.answer("pilzberatung", Aspect.OVERVIEW).text.startswith("Pilzberatung: so geht es.")
    assert not knowledge.refresh()


def test_the_responsible_office_is_known(knowledge: Knowledge) -> None:
    assert knowledge.office_of("eheschliessung").id == "standesamt"
    assert knowledge.office_of("einhornschein") == knowledge.office_of(None) == knowledge.central_office
    assert knowledge.central_office.id == knowledge.city.central_office
    assert knowledge.office(knowledge.city.main_office) in knowledge.offices()


def test_contacts_of_offices_are_public(knowledge: Knowledge) -> None:
    contacts = knowledge.public_contacts()
    office = knowledge.office("buergerservice")
    assert office is not None and office.phone and office.street
    assert {office.name, office.phone, office.street, knowledge.city.hotline} <= contacts


def test_alternatives_are_other_services(knowledge: Knowledge) -> None:
    assert len(knowledge.alternatives("Führerschein")) >= 2


def test_outcomes_are_kept_for_a_time(knowledge: Knowledge, clock: FixedClock) -> None:
    knowledge.record_outcome(QuestionOutcome(site="jena", channel="web", text="Perso weg", outcome="sure"))
    assert knowledge.expire_outcomes() == 0
    clock.advance(days=180)
    assert knowledge.expire_outcomes() == 1
