from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from bot.models import Channel
from bot.store import Conversation
from core.clock import FixedClock
from core.database import Database
from handover.callbacks import CallbackStore
from handover.errors import Taken, UnknownHandover
from handover.models import CallbackRow, CallbackWish
from tests.handover.house import House


@pytest.fixture
def callbacks(house: House) -> CallbackStore:
    return house.staffing.callbacks


@pytest.fixture
def conversation(house: House) -> Conversation:
    return house.conversations.create(site="jena", channel=Channel.WEB, language="de")[0]


def leave(callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, **fields: Any) -> tuple[str, bool]:
    """Leave a wish; gives its id and whether it is new."""
    department, due_in_h = fields.pop("department", "zentrale"), fields.pop("due_in_h", 2)
    values = {"name": "Ada Muster", "phone": "03641 491234", "concern": "Mein Pass", "consent": True, **fields}
    callback, new = callbacks.add(
        conversation,
        CallbackWish(**values),
        department=department,
        service_id=None,
        due_at=clock.now() + dt.timedelta(hours=due_in_h),
    )
    return callback.id, new


def test_a_wish_is_kept_and_read(callbacks: CallbackStore, conversation: Conversation, clock: FixedClock) -> None:
    id, new = leave(callbacks, conversation, clock, email="ada@muster.example")
    assert new
    [callback] = callbacks.open({"zentrale"})
    assert callback.id == id
    assert callback.wish is not None
    assert (callback.wish.name, callback.wish.phone) == ("Ada Muster", "03641 491234")
    assert callback.wish.email == "ada@muster.example"
    assert callback.expires_at == clock.now() + dt.timedelta(days=30)
    assert callbacks.open({"buergerservice"}) == []


def test_sent_twice_is_one(callbacks: CallbackStore, conversation: Conversation, clock: FixedClock) -> None:
    first = leave(callbacks, conversation, clock, client_id="one")
    again = leave(callbacks, conversation, clock, client_id="one")
    other = leave(callbacks, conversation, clock, client_id="two")
    assert (again, other[1]) == ((first[0], False), True)
    assert len(callbacks.open({"zentrale"})) == 2


def test_sent_twice_at_once_is_one(callbacks: CallbackStore, conversation: Conversation, clock: FixedClock) -> None:
    with ThreadPoolExecutor(6) as threads:
        sent = list(threads.map(lambda _: leave(callbacks, conversation, clock, client_id="one"), range(12)))
    assert len({id for id, _ in sent}) == 1
    assert sum(new for _, new in sent) == 1


def test_nothing_personal_is_readable_in_the_database(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House, database: Database
) -> None:
    agent = house.agent("agent1")
    id, _ = leave(callbacks, conversation, clock, concern="Mein Reisepass fehlt")
    callbacks.take(id, agent)
    callbacks.remark(id, agent, "Frau Muster ist ab 15 Uhr da")
    with database.reading() as session:
        everything = str(session.execute(sa.text("SELECT * FROM callbacks")).all())
        everything += str(session.execute(sa.text("SELECT act, subject, details FROM audit")).all())
    assert not any(word in everything for word in ("Muster", "491234", "Reisepass", "15 Uhr"))
    assert callbacks.get(id).remark == "Frau Muster ist ab 15 Uhr da"


def test_of_many_who_take_it_one_has_it(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House
) -> None:
    agents = [house.agent(f"agent{number}") for number in range(6)]
    id, _ = leave(callbacks, conversation, clock)

    def take(number: int) -> int | None:
        try:
            callbacks.take(id, agents[number])
        except Taken:
            return None
        return number

    with ThreadPoolExecutor(6) as threads:
        winners = [number for number in threads.map(take, range(6)) if number is not None]
    assert len(winners) == 1
    assert callbacks.get(id).taken_by == agents[winners[0]].id
    for number, agent in enumerate(agents):
        if number not in winners:
            with pytest.raises(Taken):
                callbacks.finish(id, agent)
            with pytest.raises(Taken):
                callbacks.remark(id, agent, "x")
            with pytest.raises(Taken):
                callbacks.move(id, agent, department="buergerservice")


def test_a_colleague_who_is_gone_is_replaced_once(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House
) -> None:
    first, second, third = (house.agent(login) for login in ("first", "second", "third"))
    id, _ = leave(callbacks, conversation, clock)
    callbacks.take(id, first)
    assert callbacks.take(id, second, instead_of=first.id).taken_by == second.id
    with pytest.raises(Taken):
        callbacks.take(id, third, instead_of=first.id)


def test_an_attempt_is_counted_and_the_remark_stays(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House
) -> None:
    agent = house.agent("agent1")
    id, _ = leave(callbacks, conversation, clock)
    callbacks.take(id, agent)
    back = callbacks.give_back(id, agent, tried=True, remark="Ab 15 Uhr")
    assert (back.attempts, back.taken_by, back.remark) == (1, None, "Ab 15 Uhr")
    callbacks.take(id, agent)
    back = callbacks.give_back(id, agent, tried=False)
    assert (back.attempts, back.remark) == (1, "Ab 15 Uhr")


def test_another_department_gets_it(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House
) -> None:
    agent = house.agent("agent1")
    id, _ = leave(callbacks, conversation, clock)
    callbacks.take(id, agent)
    callbacks.move(id, agent, department="buergerservice")
    assert callbacks.open({"zentrale"}, or_taken_by=agent.id) == []
    assert [one.taken_by for one in callbacks.open({"buergerservice"})] == [None]


def test_what_is_done_can_be_opened_for_a_while_then_it_is_erased(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House
) -> None:
    agent = house.agent("agent1")
    id, _ = leave(callbacks, conversation, clock)
    callbacks.take(id, agent)
    callbacks.finish(id, agent)
    with pytest.raises(UnknownHandover):
        callbacks.finish(id, agent)
    assert callbacks.open({"zentrale"}) == []
    assert callbacks.reopen(id, agent).taken_by == agent.id
    callbacks.remark(id, agent, "Erledigt")
    callbacks.finish(id, agent)
    clock.advance(minutes=14, seconds=59)
    callbacks.expire()
    assert callbacks.get(id).wish is not None
    clock.advance(seconds=1)
    callbacks.expire()
    [erased] = callbacks.done({"zentrale"})
    assert (erased.wish, erased.remark, erased.conversation_id, erased.taken_by) == (None, "", None, None)
    with pytest.raises(UnknownHandover):
        callbacks.reopen(id, agent)


def test_whoever_opens_a_colleagues_does_not_have_it(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House
) -> None:
    first, second = house.agent("first"), house.agent("second")
    id, _ = leave(callbacks, conversation, clock)
    callbacks.take(id, first)
    callbacks.finish(id, first)
    assert callbacks.reopen(id, second).taken_by is None


def test_one_that_nobody_makes_is_erased_in_the_end(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, database: Database
) -> None:
    leave(callbacks, conversation, clock)
    clock.advance(days=29, hours=23)
    callbacks.expire()
    assert len(callbacks.open({"zentrale"})) == 1
    clock.advance(hours=1)
    assert callbacks.expire() == 1
    with database.reading() as session:
        assert session.scalars(sa.select(CallbackRow)).all() == []


def test_the_most_urgent_comes_first_and_what_is_late_is_counted(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock
) -> None:
    late, _ = leave(callbacks, conversation, clock, due_in_h=5)
    early, _ = leave(callbacks, conversation, clock, due_in_h=1)
    leave(callbacks, conversation, clock, department="buergerservice", due_in_h=1)
    assert [one.id for one in callbacks.open({"zentrale"})] == [early, late]
    assert callbacks.count({"zentrale"}) == (2, 0)
    clock.advance(hours=2)
    assert callbacks.count({"zentrale"}) == (2, 1)
    assert callbacks.count(set()) == (0, 0)
    assert callbacks.count_open() == {"zentrale": 2, "buergerservice": 1}
    assert callbacks.departments() == {"zentrale", "buergerservice"}


def test_every_act_of_an_agent_is_in_the_audit_log(
    callbacks: CallbackStore, conversation: Conversation, clock: FixedClock, house: House
) -> None:
    agent = house.agent("agent1")
    id, _ = leave(callbacks, conversation, clock)
    callbacks.take(id, agent)
    callbacks.remark(id, agent, "Morgen")
    callbacks.give_back(id, agent, tried=True)
    callbacks.move(id, agent, department="buergerservice")
    callbacks.finish(id, agent)
    callbacks.reopen(id, agent)
    entries = [entry for entry in house.audit.entries() if entry.actor_login == "agent1"]
    assert [entry.act.removeprefix("callback_") for entry in reversed(entries)] == [
        "taken",
        "remarked",
        "given_back",
        "moved",
        "done",
        "reopened",
    ]
    assert {entry.subject for entry in entries} == {id}
