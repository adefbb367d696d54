"""What citizens and staff are told, and in which order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from bot.models import Channel, State
from core.events import Event
from handover.models import Reason, Status
from handover.telling import STAFF
from tests.handover.house import WORDS, House


def told(house: House, topic: str, *acts: Callable[[], Awaitable[object]]) -> list[Event]:
    """What subscribers of a topic hear while things are done one after the other."""

    async def listen() -> list[Event]:
        with house.events.subscribe(topic) as queue:
            for act in acts:
                await act()
            return [queue.get_nowait() for _ in range(queue.qsize())]

    return asyncio.run(listen())


def brief(events: list[Event]) -> list[str]:
    return [f"state {event.data['state']}" if event.name == "state" else event.name for event in events]


def test_who_asks_for_a_human_hears_the_message_then_the_state_then_the_place(house: House) -> None:
    house.agent("anna")
    conversation_id = house.conversation()
    heard = told(house, conversation_id, lambda: house.staffing.desk.request(conversation_id))
    assert brief(heard) == ["message", "presence", "state queued", "queue"]
    assert heard[-1].data["position"] == 1
    assert house.staffing.store.of(conversation_id) is not None


def test_who_asks_where_nobody_is_hears_nothing(house: House) -> None:
    conversation_id = house.conversation()
    assert told(house, conversation_id, lambda: house.staffing.desk.request(conversation_id)) == []
    assert house.staffing.store.of(conversation_id) is None


def test_agent_who_joins_is_introduced_before_the_state_changes(house: House) -> None:
    anna = house.agent("anna")
    waiting = house.waiting()
    heard = told(house, waiting.conversation_id, lambda: house.staffing.workspace.claim(anna, waiting.id))
    assert brief(heard) == ["message", "presence", "state agent"]
    assert heard[1].data == {"agent": {"name": "Anna", "department": "Zentrale"}}
    assert "Anna (Zentrale)" in house.texts(waiting.conversation_id)[-1]


def test_call_is_put_through_before_the_state_changes(house: House) -> None:
    anna = house.agent("anna", extension="321")
    waiting = house.waiting(channel=Channel.PHONE)
    heard = told(house, waiting.conversation_id, lambda: house.staffing.workspace.claim(anna, waiting.id))
    assert brief(heard) == ["message", "presence", "transfer", "state agent"]
    assert heard[2].data == {"extension": "321"}


def test_what_an_agent_says_ends_the_sign_of_typing_first(house: House) -> None:
    anna = house.agent("anna")
    handover = house.with_agent(anna)
    say = house.staffing.workspace.say
    heard = told(
        house,
        handover.conversation_id,
        lambda: say(anna, handover.conversation_id, text="Guten Tag.", client_id="a"),
    )
    assert brief(heard) == ["typing", "message"]
    assert heard[0].data == {"author": "agent", "typing": False}


def test_every_end_is_told_with_the_message_first_and_that_nobody_is_there(house: House) -> None:
    anna = house.agent("anna")
    for to_bot, state in ((True, State.BOT), (False, State.CLOSED)):
        conversation_id = house.with_agent(anna).conversation_id

        async def finish(conversation_id: str = conversation_id, to_bot: bool = to_bot) -> None:
            await house.staffing.workspace.finish(anna, conversation_id, to_bot=to_bot, reason=Reason.SOLVED, tags=[])

        heard = told(house, conversation_id, finish)
        assert brief(heard) == ["message", "presence", f"state {state}"]
        assert heard[1].data == {"agent": None}


def test_place_is_told_only_when_it_has_changed(house: House) -> None:
    anna = house.agent("anna", capacity=1)
    house.with_agent(anna)
    first = house.waiting()
    house.clock.advance(seconds=1)
    second = house.waiting()
    desk = house.staffing.desk
    heard = told(
        house,
        second.conversation_id,
        house.staffing.telling.places,
        house.staffing.telling.places,
        desk.round,
        lambda: desk.cancel(first.conversation_id),
        desk.round,
    )
    assert [event.data["position"] for event in heard if event.name == "queue"] == [2, 1]


def test_who_is_erased_makes_room_for_those_behind(house: House) -> None:
    house.agent("anna", status=Status.AWAY)
    first = house.waiting()
    house.clock.advance(seconds=1)
    second = house.waiting()
    desk = house.staffing.desk

    async def erase() -> None:
        house.conversations.erase(first.conversation_id)
        desk.erased(first.conversation_id)

    heard = told(house, second.conversation_id, house.staffing.telling.places, erase, desk.round)
    assert [event.data["position"] for event in heard if event.name == "queue"] == [2, 1]


def test_agents_hear_of_offers_to_them_and_of_every_change(house: House) -> None:
    anna = house.agent("anna")
    waiting = house.waiting()
    heard = told(house, STAFF, house.staffing.desk.round)
    offered = next(event for event in heard if event.name == "offered")
    assert offered.data == {"agent": anna.id, "conversation": waiting.conversation_id}
    assert heard[-1].name == "board"


def test_message_of_a_citizen_is_told_to_staff(house: House) -> None:
    conversation_id = house.with_agent(house.agent("anna")).conversation_id
    heard = told(house, STAFF, lambda: house.staffing.desk.heard(conversation_id))
    assert [(event.name, event.data) for event in heard] == [("message", {"conversation": conversation_id})]


def test_who_was_quick_after_a_release_is_told_as_there(house: House) -> None:
    """Between a round and what is told of it a colleague has claimed the conversation."""
    anna, berta = house.agent("anna"), house.agent("berta")
    handover = house.with_agent(anna)
    house.staffing.agents.set_status(anna.id, Status.OFFLINE)
    house.clock.advance(seconds=50)
    house.alive(berta)
    changes = house.staffing.tending.round

    def round_and_claim() -> object:
        found = changes()
        house.staffing.store.claim(handover.id, berta, words=WORDS)
        return found

    house.staffing.tending.round = round_and_claim  # type: ignore[method-assign,assignment]
    heard = told(house, handover.conversation_id, house.staffing.desk.round)
    assert brief(heard)[-1] == "state agent"
    assert [event.data["agent"]["name"] for event in heard if event.name == "presence"] == ["Berta"]


def test_who_leaves_and_comes_back_is_there(house: House) -> None:
    desk, citizens = house.staffing.desk, house.staffing.citizens
    conversation_id = house.waiting().conversation_id

    async def come_and_go() -> None:
        await desk.joined(conversation_id)
        await desk.joined(conversation_id)
        desk.left(conversation_id)
        assert citizens.is_there(conversation_id)
        desk.left(conversation_id)

    asyncio.run(come_and_go())
    assert citizens.is_there(conversation_id)  # a reload takes a moment
    house.clock.advance(seconds=20)
    assert not citizens.is_there(conversation_id)
    assert citizens.everyone() == set()


def test_who_follows_is_told_at_once_who_is_there(house: House) -> None:
    anna = house.agent("anna", extension="321")
    desk = house.staffing.desk
    waiting = house.waiting(channel=Channel.PHONE)
    assert brief(list(asyncio.run(desk.joined(waiting.conversation_id)))) == ["queue"]
    house.staffing.store.claim(waiting.id, anna, words=WORDS)
    assert brief(list(asyncio.run(desk.joined(waiting.conversation_id)))) == ["presence", "transfer"]
    house.staffing.store.hung_up(waiting.conversation_id)
    assert list(asyncio.run(desk.joined(waiting.conversation_id))) == []


def test_nobody_pays_for_the_time_in_which_the_service_was_away(house: House) -> None:
    handover = house.with_agent(house.agent("anna"))
    waiting = house.waiting()
    house.clock.advance(minutes=3)

    async def begin_again() -> None:
        tending = asyncio.create_task(house.staffing.desk.tend())
        await asyncio.sleep(0.5)
        tending.cancel()

    asyncio.run(begin_again())
    states = [house.conversations.get(one.conversation_id).state for one in (handover, waiting)]
    assert states == [State.AGENT, State.QUEUED]
