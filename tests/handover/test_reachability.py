from __future__ import annotations

import datetime as dt

import pytest

from bot.models import Channel
from handover.models import Status
from tests.handover.house import House


def test_open_and_somebody_there(house: House) -> None:
    house.agent("anna")
    contact = house.staffing.reachability.contact()
    assert contact.open
    assert "jetzt jemand für Sie da" in contact.text and "0000 0" in contact.text


def test_open_but_nobody_there(house: House) -> None:
    house.agent("anna", status=Status.AWAY)
    house.agent("carla", departments=["buergerservice"])
    contact = house.staffing.reachability.contact()
    assert not contact.open
    assert "niemand frei" in contact.text and "rufen wir Sie zurück" in contact.text


def test_somebody_there_but_closed(house: House) -> None:
    house.clock.moment = house.clock.moment.replace(hour=18)
    house.agent("anna")
    contact = house.staffing.reachability.contact()
    assert not contact.open
    assert "niemand da" in contact.text and "8 Uhr" in contact.text


def test_who_gives_no_sign_of_life_is_not_there(house: House) -> None:
    house.agent("anna")
    house.clock.advance(seconds=45)
    assert not house.staffing.reachability.contact().open


def test_account_without_the_role_or_deactivated_is_nobody(house: House) -> None:
    anna = house.agent("anna")
    house.accounts.change(anna.id, by=None, active=False)
    assert not house.staffing.reachability.contact().open
    house.accounts.change(anna.id, by=None, active=True, roles=[])
    assert not house.staffing.reachability.contact().open


@pytest.mark.parametrize("day", [dt.date(2026, 5, 1), dt.date(2026, 9, 20), dt.date(2026, 10, 31)])
def test_nobody_is_there_on_holidays_of_the_state(house: House, day: dt.date) -> None:
    """Labour day, the Thuringian children's day (a Sunday in 2026), Reformation day."""
    house.enable("zentrale", hours="Mo-Su 08:00-18:00; PH off")
    house.clock.moment = dt.datetime(day.year, day.month, day.day, 9, tzinfo=dt.UTC)
    house.agent("anna")
    assert not house.staffing.reachability.contact().open


def test_service_is_answered_by_its_office_or_else_by_the_central_one(house: House) -> None:
    reachability = house.staffing.reachability
    house.agent("anna")
    assert reachability.best("reisepass").department == "zentrale"
    carla = house.agent("carla", departments=["buergerservice"])
    assert reachability.best("reisepass").department == "buergerservice"
    house.staffing.agents.set_status(carla.id, Status.OFFLINE)
    assert reachability.best("reisepass").department == "zentrale"
    assert reachability.best("heirat").department == "zentrale"  # staff do not answer at the registry office


def test_office_whose_hours_are_not_known_is_not_promised(house: House) -> None:
    house.enable("zentrale", hours="nach Vereinbarung")
    house.agent("anna")
    contact = house.staffing.reachability.contact()
    assert not contact.open
    assert "kenne ich leider nicht" in contact.text


def test_callers_need_an_agent_with_a_telephone_and_a_queue(house: House) -> None:
    house.agent("mute")
    reachability = house.staffing.reachability
    assert reachability.contact().open
    assert not reachability.contact(channel=Channel.PHONE).open
    house.agent("anna", extension="321")
    assert reachability.contact(channel=Channel.PHONE).open
    house.enable("zentrale", phone_queue=False)
    assert not reachability.contact(channel=Channel.PHONE).open
    assert reachability.contact().open


def test_nobody_answers_where_staff_do_not_answer(house: House) -> None:
    house.agent("sofia", departments=["standesamt"])
    assert not house.staffing.reachability.of("standesamt").staffed
    house.enable("standesamt")
    assert house.staffing.reachability.of("standesamt").reachable
    assert not house.staffing.reachability.of("mars").reachable


def test_caller_is_told_nothing_that_one_cannot_hear(house: House) -> None:
    for status in (Status.AVAILABLE, Status.OFFLINE):
        house.agent(f"agent-{status}", extension="321", status=status)
        speech = house.staffing.reachability.contact(channel=Channel.PHONE).speech
        assert "0000" not in speech and "(" not in speech
