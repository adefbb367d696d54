from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from core.clock import FixedClock
from core.database import Database
from handover.departments import Departments
from handover.errors import Changed
from knowledge.hours import HoursState
from knowledge.hours_exceptions import HoursException
from knowledge.service import Knowledge
from tests.handover.small_city import small_city
from tests.knowledge.samples import HashingEmbedder

SIX = dt.datetime(2026, 3, 10, 17, 0, tzinfo=dt.UTC)
"""18 o'clock in Germany, on the day of the clock."""


@pytest.fixture
def knowledge(database: Database, clock: FixedClock, tmp_path: Path) -> Knowledge:
    knowledge = Knowledge(database, clock, city_folder=small_city(tmp_path), embedder=HashingEmbedder())
    knowledge.refresh()
    return knowledge


@pytest.fixture
def departments(database: Database, clock: FixedClock, knowledge: Knowledge) -> Departments:
    return Departments(database, knowledge, clock)


def put(
    database: Database, departments: Departments, id: str, *, hours: str | None, enabled: bool = True, expected: int
) -> None:
    with database.session() as session:
        departments.set_hours(session, id, enabled=enabled, phone_queue=True, hours=hours, expected=expected)
    departments.changed()


def test_at_first_the_central_and_the_main_office_answer(departments: Departments) -> None:
    assert [department.id for department in departments.enabled()] == ["zentrale", "buergerservice"]
    assert [department.id for department in departments.all()] == ["zentrale", "buergerservice", "standesamt"]


def test_what_is_switched_off_stays_off_at_the_next_start(
    departments: Departments, database: Database, clock: FixedClock, knowledge: Knowledge
) -> None:
    put(database, departments, "buergerservice", hours=None, enabled=False, expected=1)
    assert [department.id for department in Departments(database, knowledge, clock).enabled()] == ["zentrale"]


def test_a_service_leads_to_the_department_that_answers_for_it(departments: Departments, database: Database) -> None:
    assert departments.for_service("reisepass") == "buergerservice"
    assert departments.for_service("heirat") == "zentrale"
    put(database, departments, "standesamt", hours=None, expected=0)
    assert departments.for_service("heirat") == "standesamt"
    assert departments.for_service(None) == departments.for_service("einhornschein") == "zentrale"


def test_hours_are_the_offices_own_or_those_of_the_hotline(departments: Departments) -> None:
    assert departments.hours_state("buergerservice") == HoursState(open=True, closes_at=SIX)
    assert departments.hours_state("zentrale") == HoursState(open=True, closes_at=SIX)
    assert departments.today_text("zentrale") == "heute bis 18 Uhr geöffnet"
    assert departments.hours_state("mondamt") == HoursState(open=None)
    assert departments.today_text("mondamt") is None


def test_staff_may_answer_at_other_times_than_the_door_is_open(departments: Departments, database: Database) -> None:
    put(database, departments, "buergerservice", hours="Tu 13:00-15:00", expected=1)
    state = departments.hours_state("buergerservice")
    assert (state.open, state.opens_at) == (False, dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC))
    assert departments.today_text("buergerservice", spoken=True) == "heute von 13 Uhr bis 15 Uhr geöffnet"


@pytest.mark.parametrize("office", ["buergerservice", None])
def test_a_closure_holds_for_the_department_too(
    departments: Departments, database: Database, knowledge: Knowledge, office: str | None
) -> None:
    today = dt.date(2026, 3, 10)
    with database.session() as session:
        knowledge.hours_exceptions.add(session, HoursException(office=office, first=today, last=today, reason="Umzug"))
    knowledge.hours_exceptions.changed()
    assert departments.hours_state("buergerservice").open is False
    assert departments.hours_state("zentrale").open is (office is not None)


def test_who_edits_second_learns_of_the_first(departments: Departments, database: Database) -> None:
    put(database, departments, "standesamt", hours="Mo 09:00-10:00", expected=0)
    with pytest.raises(Changed):
        put(database, departments, "standesamt", hours="Mo 09:00-11:00", expected=0)
    department = departments.get("standesamt")
    assert department is not None and department.hours == "Mo 09:00-10:00"


def test_another_process_follows_within_a_second(
    departments: Departments, database: Database, clock: FixedClock, knowledge: Knowledge
) -> None:
    elsewhere = Departments(database, knowledge, clock)
    assert len(elsewhere.enabled()) == 2
    put(database, departments, "standesamt", hours=None, expected=0)
    clock.advance(seconds=1)
    assert len(elsewhere.enabled()) == 3
