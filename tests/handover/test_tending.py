from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from bot.models import Channel, State
from core.accounts import Account
from core.clock import FixedClock
from core.database import Database
from handover.models import Handover, Status
from handover.tending import Change
from tests.handover.conftest import build_house
from tests.handover.house import WORDS, House


def tend(house: House) -> list[Change]:
    return house.staffing.tending.round()


def later(house: House, *alive: Account, **span: float) -> None:
    """Time passes, in which these agents' workspaces and all citizens give signs of life."""
    house.clock.advance(**span)
    house.alive(*alive)
    store = house.staffing.store
    store.touch([one.conversation_id for one in (*store.waiting(), *store.with_agents())])


def offered_to(house: House, handover: Handover) -> str | None:
    return house.staffing.store.get(handover.id).offered_to


def state(house: House, handover: Handover) -> State:
    return house.conversations.get(handover.conversation_id).state


def status(house: House, agent: Account) -> Status:
    return house.staffing.agents.get(agent.id).status


# Offers


def test_who_has_most_room_is_asked_first(house: House) -> None:
    anna, berta = house.agent("anna", capacity=3), house.agent("berta", capacity=2)
    house.with_agent(anna)
    first = house.waiting()
    house.clock.advance(seconds=1)
    second = house.waiting()
    house.clock.advance(seconds=1)
    third = house.waiting()
    tend(house)
    assert offered_to(house, first) == berta.id  # 0 of 2 before 1 of 3
    assert offered_to(house, second) == anna.id  # 1 of 3 before 1 of 2
    assert offered_to(house, third) == berta.id


def test_nobody_is_asked_beyond_capacity_or_for_another_department(house: House) -> None:
    anna = house.agent("anna", capacity=1)
    house.agent("carla", departments=["buergerservice"])
    house.with_agent(anna)
    waiting = house.waiting()
    assert tend(house) == []
    assert offered_to(house, waiting) is None


def test_callers_are_offered_to_agents_with_a_telephone(house: House) -> None:
    house.agent("mute")
    anna = house.agent("anna", extension="321")
    house.with_agent(anna)
    caller = house.waiting(channel=Channel.PHONE)
    tend(house)
    assert offered_to(house, caller) == anna.id


def test_offer_that_lapses_goes_to_the_next_and_then_to_all_again(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta")
    waiting = house.waiting()
    tend(house)
    first = offered_to(house, waiting)
    later(house, anna, berta, seconds=29)
    tend(house)
    assert offered_to(house, waiting) == first
    later(house, anna, berta, seconds=1)
    assert [change.what for change in tend(house)] == ["lapsed", "offered"]
    assert {first, offered_to(house, waiting)} == {anna.id, berta.id}
    later(house, anna, berta, seconds=30)
    tend(house)
    tend(house)
    assert offered_to(house, waiting) is not None


def test_who_misses_two_offers_counts_as_away(house: House) -> None:
    anna = house.agent("anna")
    waiting = house.waiting()
    for expected in (Status.AVAILABLE, Status.AWAY):
        tend(house)
        tend(house)
        assert offered_to(house, waiting) == anna.id
        later(house, anna, seconds=30)
        tend(house)
        assert status(house, anna) is expected
    tend(house)
    assert offered_to(house, waiting) is None


def test_taking_a_conversation_forgets_missed_offers(house: House) -> None:
    anna = house.agent("anna")
    missed = house.waiting()
    tend(house)
    later(house, anna, seconds=30)
    tend(house)
    house.staffing.store.claim(missed.id, anna, words=WORDS)
    house.agent_says(missed.conversation_id, anna)
    house.waiting()
    tend(house)
    later(house, anna, seconds=30)
    tend(house)
    assert status(house, anna) is Status.AVAILABLE


def test_who_declines_is_not_asked_again_at_once(house: House) -> None:
    anna = house.agent("anna")
    waiting = house.waiting()
    tend(house)
    asyncio.run(house.staffing.workspace.decline(anna, waiting.id))
    for _ in range(3):
        tend(house)
        assert offered_to(house, waiting) is None
    assert house.staffing.store.claim(waiting.id, anna, words=WORDS)  # but may think better of it
    house.staffing.store.release(waiting.id, anna.id, words=WORDS)

    tend(house)
    asyncio.run(house.staffing.workspace.decline(anna, waiting.id))
    later(house, anna, seconds=30)
    tend(house)
    tend(house)
    assert offered_to(house, waiting) == anna.id
    assert status(house, anna) is Status.AVAILABLE


def test_offer_to_an_agent_who_goes_is_withdrawn_at_once(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta", capacity=2)
    house.with_agent(berta)
    waiting = house.waiting()
    tend(house)
    assert offered_to(house, waiting) == anna.id
    asyncio.run(house.staffing.workspace.set_status(anna, Status.AWAY, note="Pause"))
    tend(house)
    assert offered_to(house, waiting) == berta.id


def test_colleague_who_does_not_take_over_leaves_it_to_the_department(house: House) -> None:
    anna, berta, carla = house.agent("anna"), house.agent("berta"), house.agent("carla")
    handover = house.with_agent(anna)
    asyncio.run(house.staffing.workspace.transfer(anna, handover.conversation_id, department=None, colleague=berta.id))
    tend(house)
    assert offered_to(house, handover) == berta.id
    later(house, anna, berta, carla, seconds=30)
    tend(house)
    assert offered_to(house, handover) == carla.id


def test_fifty_who_wait_are_served_in_order(house: House) -> None:
    staff = {
        "zentrale": house.agent("anna", capacity=1),
        "buergerservice": house.agent("berta", departments=["buergerservice"], capacity=1),
    }
    expected: dict[str, list[str]] = {department: [] for department in staff}
    urgent: dict[str, list[str]] = {department: [] for department in staff}
    for number in range(50):
        department = "zentrale" if number % 3 else "buergerservice"
        handover = house.waiting(department=department)
        if number in (10, 20, 33, 45):
            house.staffing.store.claim(handover.id, staff[department], words=WORDS)
            house.clock.advance(seconds=1)
            house.staffing.store.release(handover.id, staff[department].id, words=WORDS)
            urgent[department].append(handover.id)
        else:
            expected[department].append(handover.id)
        house.clock.advance(seconds=1)

    served: dict[str, list[str]] = {department: [] for department in staff}
    while waiting := house.staffing.store.waiting():
        later(house, *staff.values(), seconds=1)
        tend(house)
        for one in house.staffing.store.waiting():
            if one.offered_to is not None:
                agent = staff[one.department]
                assert agent.id == one.offered_to
                house.staffing.store.claim(one.id, agent, words=WORDS)
                served[one.department].append(one.id)
                house.staffing.store.hung_up(one.conversation_id)
        assert len(house.staffing.store.waiting()) < len(waiting)
    assert served == {department: urgent[department] + expected[department] for department in staff}


# Agents who are gone


def test_who_was_with_an_agent_whose_workspace_is_gone_is_at_the_head(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta", status=Status.AWAY)
    handover = house.with_agent(anna)
    house.agent_says(handover.conversation_id, anna)
    waiting = house.waiting()
    later(house, berta, seconds=44)
    assert tend(house)[0].what == "offered"  # to anna, who may come back
    later(house, berta, seconds=1)
    tend(house)
    assert status(house, anna) is Status.OFFLINE
    assert [one.id for one in house.staffing.store.waiting()] == [handover.id, waiting.id]
    assert "abgebrochen" in house.texts(handover.conversation_id)[-1]
    assert [entry.act for entry in house.audit.entries(act="claim_lapsed")] == ["claim_lapsed"]


def test_citizen_who_gets_no_answer_gets_another_agent(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta")
    handover = house.with_agent(anna)
    house.agent_says(handover.conversation_id, anna)
    later(house, anna, berta, seconds=10)
    house.citizen_says(handover.conversation_id)
    later(house, anna, berta, minutes=4, seconds=59)
    asyncio.run(house.staffing.workspace.active(anna, handover.conversation_id, typing=True, read=2))
    assert tend(house) == []
    later(house, anna, berta, seconds=1)
    tend(house)  # that somebody types and reads is no answer
    assert state(house, handover) is State.QUEUED
    assert status(house, anna) is Status.AWAY
    assert offered_to(house, handover) == berta.id
    assert any("schon lange" in text for text in house.texts(handover.conversation_id))


def test_answer_in_time_keeps_the_conversation(house: House) -> None:
    anna = house.agent("anna")
    handover = house.with_agent(anna)
    for _ in range(3):
        later(house, anna, seconds=1)
        house.citizen_says(handover.conversation_id)
        later(house, anna, minutes=4)
        house.agent_says(handover.conversation_id, anna)
        assert tend(house) == []
    later(house, anna, hours=2)  # the citizen's turn
    assert tend(house) == []
    assert state(house, handover) is State.AGENT


def test_agent_who_takes_a_conversation_and_says_nothing_loses_it(house: House) -> None:
    anna = house.agent("anna")
    handover = house.with_agent(anna)
    later(house, anna, minutes=5)
    tend(house)
    assert state(house, handover) is State.QUEUED


def test_call_is_no_chat_in_which_one_has_to_write(house: House) -> None:
    anna = house.agent("anna", extension="321")
    handover = house.with_agent(anna, channel=Channel.PHONE)
    later(house, anna, minutes=30)
    assert tend(house) == []
    assert state(house, handover) is State.AGENT


def test_call_goes_on_when_the_workspace_is_gone(house: House) -> None:
    anna, berta = house.agent("anna", extension="321"), house.agent("berta", extension="322")
    handover = house.with_agent(anna, channel=Channel.PHONE)
    later(house, berta, minutes=30)
    tend(house)
    assert status(house, anna) is Status.OFFLINE
    assert state(house, handover) is State.AGENT


def test_account_that_is_deactivated_loses_its_conversations(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta")
    handover = house.with_agent(anna)
    house.accounts.change(anna.id, by=None, active=False)
    tend(house)
    assert state(house, handover) is State.QUEUED
    assert offered_to(house, handover) == berta.id


# Waiting in vain


def test_closing_time_sends_home_who_waits_but_not_who_is_with_an_agent(house: House) -> None:
    anna = house.agent("anna", capacity=1)
    talking, waiting = house.with_agent(anna), house.waiting()
    house.clock.moment = house.clock.moment.replace(hour=16, minute=59, second=59)  # 18 o'clock is near
    later(house, anna, seconds=0)
    house.agent_says(talking.conversation_id, anna)
    assert tend(house) == []
    later(house, anna, seconds=1)
    assert [change.what for change in tend(house)] == ["sent_home"]
    assert state(house, waiting) is State.BOT
    last = house.texts(waiting.conversation_id)[-1]
    assert "Schluss" in last and "rufen wir Sie zurück" in last and "jetzt jemand" not in last
    assert state(house, talking) is State.AGENT


def test_who_waits_where_an_office_closes_is_put_through_to_the_central_office(house: House) -> None:
    house.enable("buergerservice", hours="Tu 08:30-12:00")
    anna = house.agent("anna")
    berta = house.agent("berta", departments=["buergerservice"], capacity=1)
    talking = house.waiting(department="buergerservice", topic="reisepass")
    house.staffing.store.claim(talking.id, berta, words=WORDS)
    waiting = house.waiting(department="buergerservice", topic="reisepass")
    house.clock.moment = house.clock.moment.replace(hour=11)
    later(house, anna, berta, seconds=0)
    house.agent_says(talking.conversation_id, berta)
    assert [change.what for change in tend(house)] == ["moved", "offered"]
    assert offered_to(house, waiting) == anna.id
    assert "Zentrale" in house.texts(waiting.conversation_id)[-1]
    assert house.staffing.store.get(waiting.id).queued_at == waiting.queued_at
    assert state(house, talking) is State.AGENT


@pytest.mark.parametrize(
    ("begin", "closing"),
    [
        (dt.datetime(2026, 3, 29, 0, 30, tzinfo=dt.UTC), dt.datetime(2026, 3, 29, 2, 0, tzinfo=dt.UTC)),
        (dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 3, 0, tzinfo=dt.UTC)),
    ],
)
def test_closing_time_in_the_nights_of_the_changes_of_the_clock(
    house: House, begin: dt.datetime, closing: dt.datetime
) -> None:
    house.clock.moment = begin
    house.enable("zentrale", hours="Su 01:00-04:00")
    anna = house.agent("anna", capacity=1)
    talking, waiting = house.with_agent(anna), house.waiting()
    house.clock.moment = closing - dt.timedelta(seconds=1)
    later(house, anna, seconds=0)
    house.agent_says(talking.conversation_id, anna)
    tend(house)
    assert state(house, waiting) is State.QUEUED
    later(house, anna, seconds=1)
    tend(house)
    assert state(house, waiting) is State.BOT


@pytest.mark.parametrize("how", [Status.OFFLINE, Status.AWAY])
def test_when_the_last_agent_is_gone_the_queue_is_kept_for_two_minutes(house: House, how: Status) -> None:
    anna = house.agent("anna", capacity=1)
    talking, waiting = house.with_agent(anna), house.waiting()
    house.agent_says(talking.conversation_id, anna)
    house.staffing.agents.set_status(anna.id, how)
    tend(house)
    later(house, anna, seconds=119)
    tend(house)
    assert state(house, waiting) is State.QUEUED
    house.staffing.agents.set_status(anna.id, Status.AVAILABLE)
    tend(house)
    house.staffing.agents.set_status(anna.id, how)
    later(house, anna, seconds=60)
    tend(house)
    assert state(house, waiting) is State.QUEUED  # the two minutes begin anew
    later(house, anna, seconds=120)
    tend(house)
    assert state(house, waiting) is State.BOT
    last = house.texts(waiting.conversation_id)[-1]
    assert "niemand mehr da" in last and "rufen wir Sie zurück" in last


def test_nobody_pays_for_those_who_were_alone_before(house: House) -> None:
    anna = house.agent("anna", status=Status.AWAY)
    early = house.waiting()
    tend(house)
    later(house, anna, minutes=3)
    tend(house)
    assert state(house, early) is State.BOT
    tend(house)
    later(house, anna, hours=1)
    late = house.waiting()
    tend(house)
    assert state(house, late) is State.QUEUED


def test_caller_does_not_wait_for_agents_without_a_telephone(house: House) -> None:
    mute, anna = house.agent("mute"), house.agent("anna", extension="321")
    caller, writer = house.waiting(channel=Channel.PHONE), house.waiting()
    house.with_agent(mute)
    house.staffing.agents.set_status(anna.id, Status.OFFLINE)
    tend(house)
    later(house, mute, anna, minutes=2)
    tend(house)
    assert state(house, caller) is State.BOT
    assert state(house, writer) is State.QUEUED


def test_citizen_who_is_gone_for_ten_minutes_leaves_the_queue(house: House) -> None:
    anna = house.agent("anna", capacity=1)
    house.agent_says(house.with_agent(anna).conversation_id, anna)
    gone = house.waiting()
    house.clock.advance(minutes=5)
    there = house.waiting()
    house.clock.advance(minutes=4, seconds=59)
    house.alive(anna)
    tend(house)
    assert state(house, gone) is State.QUEUED
    house.clock.advance(seconds=1)
    house.alive(anna)
    tend(house)
    assert (state(house, gone), state(house, there)) == (State.BOT, State.QUEUED)
    assert "nicht da" in house.texts(gone.conversation_id)[-1]


# Several processes


def test_of_two_processes_one_tends(house: House, database: Database, clock: FixedClock) -> None:
    other = build_house(
        database=database,
        clock=clock,
        keyring=house.keyring,
        audit=house.audit,
        accounts=house.accounts,
        knowledge=house.knowledge,
        holder="second",
    )
    anna = house.agent("anna")
    waiting = house.waiting()
    asyncio.run(house.staffing.desk.round())
    assert offered_to(house, waiting) == anna.id
    house.staffing.store.pass_on(waiting.id, anna.id)
    asyncio.run(other.staffing.desk.round())
    assert offered_to(house, waiting) is None
    clock.advance(seconds=5)  # the first one has died
    for _ in range(2):
        asyncio.run(other.staffing.desk.round())
    assert offered_to(house, waiting) == anna.id
