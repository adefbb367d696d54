from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from bot.models import Author, Channel, State
from bot.store import ConversationGone, TurnConflict
from core.accounts import Account
from core.database import Base
from handover.errors import AtCapacity, HandoverError, NoExtension, NotYours, Taken, UnknownHandover
from handover.models import CallbackWish, End, Handover, Reason, Tag
from tests.handover.house import WORDS, House
from tests.handover.invariant import assert_consistent

OFFER = dt.timedelta(seconds=30)


def state(house: House, handover: Handover) -> State:
    return house.conversations.get(handover.conversation_id).state


def finish(house: House, handover: Handover, by: Account, *, to: State = State.CLOSED) -> Handover:
    end = End.CLOSED if to is State.CLOSED else End.RETURNED
    return house.staffing.store.finish(
        handover.conversation_id, by=by, to=to, end=end, reason=Reason.SOLVED, tags=[Tag.ANSWER_MISSING], words=WORDS
    )


def transfer(house: House, handover: Handover, by: Account, *, to: Account | None = None) -> Handover:
    return house.staffing.store.transfer(
        handover.conversation_id,
        by,
        department="zentrale",
        colleague=to.id if to else None,
        until=house.clock.now() + OFFER,
        words=WORDS,
    )


def in_parallel(*acts: Callable[[], object]) -> list[object]:
    """Results or refusals of acts that are done at the same time."""

    def attempt(act: Callable[[], object]) -> object:
        try:
            return act()
        except (HandoverError, ConversationGone) as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result() for one in [pool.submit(attempt, act) for act in acts]]


# Into the queue


def test_asking_twice_queues_once(house: House) -> None:
    conversation_id = house.conversation()
    house.ask(conversation_id)
    again = house.staffing.store.request(
        conversation_id, department="zentrale", service_id=None, channel=Channel.WEB, words=WORDS
    )
    assert again is None
    assert house.texts(conversation_id) == ["Guten Tag.", WORDS.text]
    assert_consistent(house.database)


def test_asking_eight_times_at_once_queues_once(house: House) -> None:
    conversation_id = house.conversation()

    def ask() -> object:
        return house.staffing.store.request(
            conversation_id, department="zentrale", service_id=None, channel=Channel.WEB, words=WORDS
        )

    assert sum(found is not None for found in in_parallel(*[ask] * 8)) == 1
    assert_consistent(house.database)


def test_closed_conversation_is_not_queued(house: House) -> None:
    conversation_id = house.conversation()
    house.staffing.store.hung_up(conversation_id)
    assert (
        house.staffing.store.request(
            conversation_id, department="zentrale", service_id=None, channel=Channel.WEB, words=WORDS
        )
        is None
    )


def test_order_of_the_queue(house: House) -> None:
    anna = house.agent("anna")
    let_down = house.with_agent(anna)
    order = []
    for _ in range(3):
        order.append(house.waiting().id)
        house.clock.advance(seconds=1)
    house.staffing.store.release(let_down.id, anna.id, words=WORDS)
    assert [one.id for one in house.staffing.store.waiting()] == [let_down.id, *order]


# Claims


def test_of_eight_agents_who_claim_at_once_one_wins(house: House) -> None:
    agents = [house.agent(f"agent{number}") for number in range(8)]
    waiting = house.waiting()

    results = in_parallel(*[partial(house.staffing.store.claim, waiting.id, agent, words=WORDS) for agent in agents])

    won = [one for one in results if isinstance(one, Handover)]
    assert len(won) == 1
    assert sum(isinstance(one, Taken) for one in results) == 7
    assert [one.agent_id for one in house.staffing.store.with_agents()] == [won[0].agent_id]
    assert house.texts(waiting.conversation_id).count(WORDS.text) == 2  # queued once, joined once
    assert [entry.act for entry in house.audit.entries(act="claim")] == ["claim"]
    assert_consistent(house.database)


def test_one_agent_cannot_get_over_capacity_by_claiming_at_once(house: House) -> None:
    anna = house.agent("anna", capacity=2)
    waiting = [house.waiting() for _ in range(6)]

    results = in_parallel(*[partial(house.staffing.store.claim, one.id, anna, words=WORDS) for one in waiting])

    assert sum(isinstance(one, Handover) for one in results) == 2
    assert sum(isinstance(one, AtCapacity) for one in results) == 4
    assert_consistent(house.database)


def test_claiming_again_changes_nothing(house: House) -> None:
    anna = house.agent("anna", capacity=1)
    handover = house.with_agent(anna)
    said = house.texts(handover.conversation_id)
    assert house.staffing.store.claim(handover.id, anna, words=WORDS) == handover
    assert house.texts(handover.conversation_id) == said


def test_other_departments_conversations_cannot_be_claimed_unless_offered(house: House) -> None:
    carla = house.agent("carla", departments=["buergerservice"])
    waiting = house.waiting(department="zentrale")
    with pytest.raises(UnknownHandover):
        house.staffing.store.claim(waiting.id, carla, words=WORDS)
    house.staffing.store.offer(waiting.id, carla.id, until=house.clock.now() + OFFER)
    assert house.staffing.store.claim(waiting.id, carla, words=WORDS).agent_id == carla.id


def test_caller_needs_an_agent_with_a_telephone(house: House) -> None:
    mute, anna = house.agent("mute"), house.agent("anna", extension="321")
    waiting = house.waiting(channel=Channel.PHONE)
    with pytest.raises(NoExtension):
        house.staffing.store.claim(waiting.id, mute, words=WORDS)
    assert house.staffing.store.claim(waiting.id, anna, words=WORDS).agent_id == anna.id


def test_claim_of_what_has_ended(house: House) -> None:
    anna = house.agent("anna")
    waiting = house.waiting()
    house.staffing.store.back_to_bot(waiting.conversation_id, end=End.CANCELLED, words=WORDS)
    again = house.ask(waiting.conversation_id)
    with pytest.raises(UnknownHandover):
        house.staffing.store.claim(waiting.id, anna, words=WORDS)
    assert not house.staffing.store.offer(waiting.id, anna.id, until=house.clock.now() + OFFER)
    assert house.staffing.store.of(waiting.conversation_id) == again


# Offers


def test_offer_keeps_others_away_until_it_lapses(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta")
    waiting = house.waiting()
    assert house.staffing.store.offer(waiting.id, anna.id, until=house.clock.now() + OFFER)
    assert not house.staffing.store.offer(waiting.id, berta.id, until=house.clock.now() + OFFER)
    with pytest.raises(Taken):
        house.staffing.store.claim(waiting.id, berta, words=WORDS)
    house.clock.advance(seconds=30)
    assert house.staffing.store.claim(waiting.id, berta, words=WORDS).agent_id == berta.id


def test_offer_that_is_passed_on_is_open_for_all_and_remembers_who_passed(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta")
    waiting = house.waiting()
    house.staffing.store.offer(waiting.id, anna.id, until=house.clock.now() + OFFER)
    assert not house.staffing.store.pass_on(waiting.id, berta.id)
    assert house.staffing.store.pass_on(waiting.id, anna.id)
    assert house.staffing.store.get(waiting.id).passed_by == (anna.id,)
    assert house.staffing.store.claim(waiting.id, berta, words=WORDS).agent_id == berta.id
    assert not house.staffing.store.pass_on(waiting.id, berta.id)


# With an agent


def test_what_an_agent_says_twice_is_said_once(house: House) -> None:
    anna = house.agent("anna")
    handover = house.with_agent(anna)
    store, client_id = house.staffing.store, uuid.uuid4().hex

    def say() -> object:
        return store.say(handover.conversation_id, anna.id, text="Guten Morgen.", client_id=client_id)

    assert len({str(number) for number in in_parallel(*[say] * 6)}) == 1
    assert house.texts(handover.conversation_id).count("Guten Morgen.") == 1
    with pytest.raises(TurnConflict):
        store.say(handover.conversation_id, anna.id, text="Etwas anderes.", client_id=client_id)
    assert_consistent(house.database)


def test_what_was_said_is_not_reported_as_lost_after_the_conversation_moved_on(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta")
    handover = house.with_agent(anna)
    seq = house.staffing.store.say(handover.conversation_id, anna.id, text="Ja.", client_id="a")
    finish(house, handover, anna)
    assert house.staffing.store.say(handover.conversation_id, anna.id, text="Ja.", client_id="a") == seq
    with pytest.raises(TurnConflict):
        house.staffing.store.say(handover.conversation_id, berta.id, text="Ja.", client_id="a")
    with pytest.raises(NotYours):
        house.staffing.store.say(handover.conversation_id, anna.id, text="Ja.", client_id="b")


def test_citizens_ids_of_messages_do_not_stand_for_agents_messages(house: House) -> None:
    anna = house.agent("anna")
    handover = house.with_agent(anna)
    for client_id in ("a", "agent:b"):
        house.conversations.open_turn(
            handover.conversation_id, text="Ja.", masked="Ja.", client_id=client_id, body_hash="", lang="de"
        )
    house.staffing.store.say(handover.conversation_id, anna.id, text="Ja.", client_id="a")
    with pytest.raises(TurnConflict):
        house.staffing.store.say(handover.conversation_id, anna.id, text="Ja.", client_id="b")


@pytest.mark.parametrize("moved", ["transfer", "release", "closed", "bot", "cancelled", "hung up", "erased"])
def test_agent_who_has_lost_a_conversation_can_say_nothing_in_it(house: House, moved: str) -> None:
    anna = house.agent("anna")
    handover = house.with_agent(anna)
    conversation_id = handover.conversation_id
    match moved:
        case "transfer":
            transfer(house, handover, anna)
        case "release":
            house.staffing.store.release(handover.id, anna.id, words=WORDS)
        case "closed" | "bot":
            finish(house, handover, anna, to=State(moved))
        case "cancelled":
            house.staffing.store.back_to_bot(conversation_id, end=End.CANCELLED, words=WORDS)
        case "hung up":
            house.staffing.store.hung_up(conversation_id)
        case "erased":
            house.conversations.erase(conversation_id)
    before = house.texts(conversation_id)
    with pytest.raises(ConversationGone if moved == "erased" else NotYours):
        house.agent_says(conversation_id, anna)
    with pytest.raises(NotYours):
        transfer(house, handover, anna)
    with pytest.raises(NotYours):
        finish(house, handover, anna)
    assert house.staffing.store.release(handover.id, anna.id, words=WORDS) is None
    assert house.texts(conversation_id) == before
    assert_consistent(house.database)


def test_who_was_let_down_or_handed_on_is_at_the_head(house: House) -> None:
    anna = house.agent("anna")
    let_down, handed_on = house.with_agent(anna), house.with_agent(anna)
    first = house.waiting()
    house.clock.advance(minutes=1)
    house.staffing.store.release(let_down.id, anna.id, words=WORDS)
    house.clock.advance(minutes=1)
    transfer(house, handed_on, anna)
    waiting = house.staffing.store.waiting()
    assert [one.id for one in waiting] == [let_down.id, handed_on.id, first.id]
    assert waiting[1].passed_by == (anna.id,)
    assert state(house, let_down) is State.QUEUED
    assert_consistent(house.database)


def test_transfer_to_a_colleague_is_an_offer(house: House) -> None:
    anna, berta, carla = house.agent("anna"), house.agent("berta"), house.agent("carla")
    handover = house.with_agent(anna)
    transfer(house, handover, anna, to=berta)
    with pytest.raises(Taken):
        house.staffing.store.claim(handover.id, carla, words=WORDS)
    assert house.staffing.store.claim(handover.id, berta, words=WORDS).agent_id == berta.id


def test_read_marks_only_rise_and_not_beyond_the_newest_message(house: House) -> None:
    anna, berta = house.agent("anna"), house.agent("berta")
    handover = house.with_agent(anna)
    newest = house.citizen_says(handover.conversation_id)
    store = house.staffing.store
    assert store.read(handover.conversation_id, seq=newest + 1, account_id=anna.id) is None
    assert store.read(handover.conversation_id, seq=newest, account_id=berta.id) is None
    assert store.read(handover.conversation_id, seq=newest, account_id=anna.id) is not None
    assert store.read(handover.conversation_id, seq=newest - 1, account_id=anna.id) is None
    assert store.read(handover.conversation_id, seq=newest, account_id=None) is not None
    assert (store.get(handover.id).agent_read, store.get(handover.id).citizen_read) == (newest, newest)


# Ends


@pytest.mark.parametrize(("to", "last_author"), [(State.CLOSED, Author.SYSTEM), (State.BOT, Author.SYSTEM)])
def test_finishing_ends_the_handover_with_a_message(house: House, to: State, last_author: Author) -> None:
    anna = house.agent("anna")
    handover = house.with_agent(anna)
    ended = finish(house, handover, anna, to=to)
    assert ended.ended_at == house.clock.now()
    assert state(house, handover) is to
    assert house.conversations.messages(handover.conversation_id)[-1].author is last_author
    assert house.staffing.store.of(handover.conversation_id) is None
    assert_consistent(house.database)


@pytest.mark.parametrize("owner", [State.BOT, State.QUEUED, State.AGENT, State.CLOSED])
def test_caller_may_hang_up_at_any_time(house: House, owner: State) -> None:
    anna = house.agent("anna", extension="321")
    conversation_id = house.conversation(channel=Channel.PHONE)
    if owner in (State.QUEUED, State.AGENT):
        waiting = house.ask(conversation_id)
    if owner is State.AGENT:
        house.staffing.store.claim(waiting.id, anna, words=WORDS)
    for _ in range(2 if owner is State.CLOSED else 1):
        house.staffing.store.hung_up(conversation_id)
    assert house.conversations.get(conversation_id).state is State.CLOSED
    assert_consistent(house.database)


def test_citizen_who_cancels_while_agents_claim(house: House) -> None:
    agents = [house.agent(f"agent{number}") for number in range(3)]
    store = house.staffing.store
    for _ in range(8):
        waiting = house.waiting()
        cancel = partial(store.back_to_bot, waiting.conversation_id, end=End.CANCELLED, words=WORDS)
        first, *others = [partial(store.claim, waiting.id, agent, words=WORDS) for agent in agents]
        results = in_parallel(first, cancel, *others)
        assert sum(isinstance(one, Handover) for one in results) <= 1
        assert state(house, waiting) is State.BOT
        assert store.of(waiting.conversation_id) is None
        assert_consistent(house.database)


def test_citizen_who_cancels_while_the_agent_speaks(house: House) -> None:
    anna = house.agent("anna", capacity=100)
    store = house.staffing.store
    for _ in range(8):
        handover = house.with_agent(anna)
        said, _cancelled = in_parallel(
            partial(store.say, handover.conversation_id, anna.id, text="Hier bin ich.", client_id="a"),
            partial(store.back_to_bot, handover.conversation_id, end=End.CANCELLED, words=WORDS),
        )
        texts = house.texts(handover.conversation_id)
        assert ("Hier bin ich." in texts) == isinstance(said, int)
        assert texts[-1] == WORDS.text, "an agent spoke after the bot had the conversation again"
        assert_consistent(house.database)


def test_erasing_while_everybody_acts(house: House) -> None:
    anna, berta = house.agent("anna", capacity=100), house.agent("berta", capacity=100)
    store = house.staffing.store
    for _ in range(6):
        handover = house.with_agent(anna)
        conversation_id = handover.conversation_id

        note = partial(store.add_note, conversation_id, author="anna", text="Eine Notiz.")
        in_parallel(
            note,
            partial(transfer, house, handover, anna, to=berta),
            partial(house.conversations.erase, conversation_id),
            partial(house.agent_says, conversation_id, anna),
            note,
        )
        assert store.notes(conversation_id) == []
        assert store.all_of(conversation_id) == []
        assert_consistent(house.database)


# What is stored, and how long


def wish(house: House, conversation_id: str) -> CallbackWish:
    made = CallbackWish(name="Sabine Mustermann", phone="03641 123456", concern="Mustermann wartet", consent=True)
    house.staffing.callbacks.add(
        house.conversations.get(conversation_id),
        made,
        department="zentrale",
        service_id=None,
        due_at=house.clock.now(),
    )
    return made


def everything_in(house: House) -> str:
    """Every value of every table and, on SQLite, every byte of the files."""
    with house.database.reading() as session:
        found = repr([session.execute(sa.select(table)).all() for table in Base.metadata.sorted_tables])
    path = house.database.url.database
    if house.database.engine.dialect.name == "sqlite" and path:
        for suffix in ("", "-wal"):
            with open(f"{path}{suffix}", "rb") as file:
                found += file.read().decode("utf-8", errors="replace")
    return found


@pytest.mark.parametrize("owner", [State.QUEUED, State.AGENT, State.BOT, State.CLOSED])
def test_nothing_is_left_of_a_conversation_in_whatever_state_it_is_erased(house: House, owner: State) -> None:
    anna = house.agent("anna")
    handover = house.waiting()
    store, conversation_id = house.staffing.store, handover.conversation_id
    if owner is not State.QUEUED:
        store.claim(handover.id, anna, words=WORDS)
    if owner is State.CLOSED:
        finish(house, handover, anna)
    if owner is State.BOT:
        store.back_to_bot(conversation_id, end=End.CANCELLED, words=WORDS)
    store.add_note(conversation_id, author="anna", text="Eine Notiz.")
    kept = wish(house, conversation_id)

    house.conversations.erase(conversation_id)

    assert store.all_of(conversation_id) == [] and store.notes(conversation_id) == []
    assert [one.wish for one in house.staffing.callbacks.open(["zentrale"])] == [kept]
    acts: list[Callable[[], object]] = [
        partial(house.agent_says, conversation_id, anna),
        partial(store.add_note, conversation_id, author="anna", text="Noch eine."),
        partial(store.hung_up, conversation_id),
    ]
    for act in acts:
        with pytest.raises(ConversationGone):
            act()
    assert store.back_to_bot(conversation_id, end=End.CANCELLED, words=WORDS) is None
    assert_consistent(house.database)


def test_expired_conversation_that_somebody_still_has_is_erased(house: House) -> None:
    anna = house.agent("anna")
    handover, waiting = house.with_agent(anna), house.waiting()
    house.clock.advance(days=31)
    assert set(house.conversations.expired()) == {handover.conversation_id, waiting.conversation_id}
    for conversation_id in house.conversations.expired():
        house.conversations.erase(conversation_id)
    house.conversations.forget(before=house.clock.now() + dt.timedelta(minutes=3))
    assert house.staffing.store.with_agents() == house.staffing.store.waiting() == []
    assert_consistent(house.database)


def test_what_staff_and_citizens_say_to_each_other_is_stored_sealed(house: House) -> None:
    anna = house.agent("anna")
    handover = house.waiting()
    conversation_id = handover.conversation_id
    house.citizen_says(conversation_id, "Ich bin Sabine Mustermann.")
    house.staffing.store.claim(handover.id, anna, words=WORDS)
    house.citizen_says(conversation_id, "Nochmals: Mustermann.")
    house.agent_says(conversation_id, anna, "Guten Tag, Frau Mustermann.")
    house.staffing.store.add_note(conversation_id, author="anna", text="Frau Mustermann ist verärgert.")
    callback = wish(house, conversation_id)
    house.staffing.callbacks.remark(
        house.staffing.callbacks.open(["zentrale"])[0].id, anna, "Frau Mustermann kommt morgen."
    )
    caller, _ = house.conversations.create(site="jena", channel=Channel.PHONE, language="de", caller="03641 123456")

    stored = everything_in(house)

    assert "Mustermann" not in stored and "123456" not in stored
    assert "Guten Tag, Frau Mustermann." in house.texts(conversation_id)
    assert house.staffing.store.notes(conversation_id)[0].text == "Frau Mustermann ist verärgert."
    assert house.staffing.callbacks.open(["zentrale"])[0].wish == callback
    assert house.conversations.caller(caller.id) == "03641 123456"
