from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from bot.models import Author, Channel, DraftChoice, Reply, State, Target
from bot.store import TURN_LEASE, Conversation, ConversationClosed, ConversationGone, ConversationStore, TurnConflict
from core.clock import FixedClock
from core.database import Base, Database
from core.encryption import Keyring, new_key

LIFETIME = dt.timedelta(days=30)
REPLY = Reply(text="Antwort", speech="Antwort")


@pytest.fixture
def store(database: Database, clock: FixedClock) -> ConversationStore:
    return ConversationStore(database, clock, Keyring([new_key()]), lifetime=LIFETIME)


@pytest.fixture
def conversation(store: ConversationStore) -> Conversation:
    return store.create(site="jena", channel=Channel.WEB, language="de")[0]


def ask(store: ConversationStore, conversation: Conversation, text: str = "Frage", client_id: str | None = None) -> int:
    opened = store.open_turn(conversation.id, text=text, masked=text, client_id=client_id, body_hash=text, lang="de")
    if opened.mine:
        store.close_turn(opened, REPLY)
    return opened.seq


def test_messages_are_numbered_without_gaps(store: ConversationStore, conversation: Conversation) -> None:
    store.say(conversation.id, REPLY)
    ask(store, conversation)
    assert [message.seq for message in store.messages(conversation.id)] == [1, 2, 3]
    assert [message.author for message in store.messages(conversation.id, after=1)] == [Author.CITIZEN, Author.BOT]


def test_messages_from_many_threads_keep_every_number(store: ConversationStore, conversation: Conversation) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ask(store, conversation, f"Frage {number}"), range(24)))
    messages = store.messages(conversation.id)
    assert [message.seq for message in messages] == list(range(1, 49))
    assert {m.text for m in messages if m.author is Author.CITIZEN} == {f"Frage {number}" for number in range(24)}


def test_token_opens_its_conversation_only(store: ConversationStore) -> None:
    first, token = store.create(site="jena", channel=Channel.WEB, language="de")
    second, _ = store.create(site="jena", channel=Channel.WEB, language="de")
    assert store.authenticate(first.id, token) == first
    assert store.authenticate(second.id, token) is None
    with pytest.raises(ConversationGone):
        store.authenticate("0" * 32, token)


def test_same_client_id_says_it_once(store: ConversationStore, conversation: Conversation) -> None:
    first = ask(store, conversation, client_id="a")
    assert ask(store, conversation, client_id="a") == first
    assert len(store.messages(conversation.id)) == 2
    with pytest.raises(TurnConflict):
        ask(store, conversation, "etwas anderes", client_id="a")


def test_same_client_id_at_the_same_time_is_one_turn(store: ConversationStore, conversation: Conversation) -> None:
    def open_once(_number: int) -> bool:
        return store.open_turn(
            conversation.id, text="Frage", masked="Frage", client_id="a", body_hash="h", lang="de"
        ).mine

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(open_once, range(8))) == 1
    assert len(store.messages(conversation.id)) == 1


def test_turn_of_a_dead_process_is_taken_up(
    store: ConversationStore, conversation: Conversation, clock: FixedClock
) -> None:
    store.open_turn(conversation.id, text="Frage", masked="Frage", client_id="a", body_hash="Frage", lang="de")
    assert not store.open_turn(
        conversation.id, text="Frage", masked="Frage", client_id="a", body_hash="Frage", lang="de"
    ).mine
    clock.advance(seconds=TURN_LEASE.total_seconds())
    ask(store, conversation, client_id="a")
    assert [message.author for message in store.messages(conversation.id)] == [Author.CITIZEN, Author.BOT]


def test_reply_is_dropped_when_the_owner_changed(store: ConversationStore, conversation: Conversation) -> None:
    opened = store.open_turn(conversation.id, text="Frage", masked="Frage", client_id=None, body_hash="h", lang="de")
    store.transfer(conversation.id, expected=[State.BOT], to=State.QUEUED)
    assert store.close_turn(opened, REPLY) is None
    assert [message.author for message in store.messages(conversation.id)] == [Author.CITIZEN]


def test_only_one_transfer_wins(store: ConversationStore, conversation: Conversation) -> None:
    store.transfer(conversation.id, expected=[State.BOT], to=State.QUEUED)
    with ThreadPoolExecutor(8) as pool:
        wins = list(
            pool.map(lambda _: store.transfer(conversation.id, expected=[State.QUEUED], to=State.AGENT), range(8))
        )
    assert sum(win is not None for win in wins) == 1


def test_nothing_is_said_in_a_closed_conversation(store: ConversationStore, conversation: Conversation) -> None:
    store.transfer(conversation.id, expected=[State.BOT], to=State.CLOSED)
    with pytest.raises(ConversationClosed):
        ask(store, conversation)


def test_choice_leads_to_its_target_in_its_conversation_only(
    store: ConversationStore, conversation: Conversation
) -> None:
    target = Target(kind="service", id="reisepass")
    reply = REPLY.model_copy(update={"choices": [DraftChoice(label="Reisepass", target=target)]})
    offered = store.say(conversation.id, reply).choices[0]
    assert store.target(conversation.id, offered.value) == ("Reisepass", target)
    assert store.last_reply(conversation.id) == reply
    other, _ = store.create(site="jena", channel=Channel.WEB, language="de")
    assert store.target(other.id, offered.value) is None


def test_rating_needs_a_message_of_the_bot(store: ConversationStore, conversation: Conversation) -> None:
    seq = ask(store, conversation)
    with pytest.raises(LookupError):
        store.rate(conversation.id, seq=seq, rating="up", comment=None)
    store.rate(conversation.id, seq=seq + 1, rating="down", comment=None)
    store.rate(conversation.id, seq=seq + 1, rating="up", comment="doch gut")


def test_erasing_leaves_no_word(database: Database, store: ConversationStore, conversation: Conversation) -> None:
    seq = ask(store, conversation, "Seltenwort")
    store.rate(conversation.id, seq=seq + 1, rating="up", comment="Seltenwort")
    store.erase(conversation.id)
    assert "Seltenwort" not in everything_in(database)
    with pytest.raises(ConversationGone):
        store.get(conversation.id)


def test_conversations_expire_after_their_last_message(
    store: ConversationStore, conversation: Conversation, clock: FixedClock
) -> None:
    clock.advance(days=29)
    ask(store, conversation)
    clock.advance(days=29)
    assert store.expired() == []
    clock.advance(days=1)
    assert store.expired() == [conversation.id]


def test_marks_of_erased_conversations_are_forgotten(
    store: ConversationStore, conversation: Conversation, clock: FixedClock
) -> None:
    store.erase(conversation.id)
    assert store.erased() == [conversation.id]
    clock.advance(minutes=3)
    assert store.forget(before=clock.now()) == [conversation.id]
    assert store.erased() == []


def test_idle_conversations_are_found(store: ConversationStore, conversation: Conversation, clock: FixedClock) -> None:
    assert store.idle(dt.timedelta(minutes=30)) == []
    clock.advance(minutes=30)
    assert store.idle(dt.timedelta(minutes=30)) == [conversation.id]


def everything_in(database: Database) -> str:
    with database.reading() as session:
        return repr([session.execute(sa.select(table)).all() for table in Base.metadata.sorted_tables])
