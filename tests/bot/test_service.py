"""The chat service with a Rasa that the test plays itself."""

from __future__ import annotations

import datetime as dt
import json
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest
from anyio import run

from bot.contact import Contact, SiteNotice
from bot.models import Author, Channel, DraftChoice, Expects, Reply, State, Target, Utterance
from bot.rasa_client import RasaClient, RasaTracker
from bot.replies import Replies
from bot.service import ChatService, InvalidUtterance
from bot.store import Conversation, ConversationStore
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring, new_key
from core.events import Event, EventHub
from core.i18n import Phrases
from knowledge.store import OutcomeStore

PHRASES = Phrases(Path(__file__).parents[2] / "bot" / "locale")
REPLY = Reply(text="Antwort", speech="Antwort")

Handler = Callable[[httpx.Request], httpx.Response]


def answering(reply: Reply) -> Handler:
    return lambda _request: httpx.Response(200, json=[{"recipient_id": "x", "custom": reply.model_dump(mode="json")}])


class NobodyThere:
    """Staff of whom nobody can be reached; remembers what was asked of it."""

    def __init__(self) -> None:
        self.requested: list[str] = []
        self.message: int | None = None

    def contact(self, service_id: str | None = None) -> Contact:
        return Contact(False, "Gerade ist niemand da.", "Gerade ist niemand da.")

    def contact_about(self, conversation_id: str) -> Contact:
        return self.contact()

    async def request(self, conversation_id: str) -> int | None:
        self.requested.append(conversation_id)
        return self.message

    async def heard(self, conversation_id: str) -> None: ...

    async def hung_up(self, conversation_id: str) -> None: ...

    async def joined(self, conversation_id: str) -> Sequence[Event]:
        return ()

    def seen(self, conversation_id: str) -> None: ...

    def left(self, conversation_id: str) -> None: ...

    def erased(self, conversation_id: str) -> None: ...


class Announced:
    """What is announced, as the test sets it."""

    def __init__(self) -> None:
        self.notice = SiteNotice()

    def current(self, *, site: str, channel: str) -> SiteNotice:
        return self.notice


class Bot:
    """A chat service, what Rasa was asked, and one conversation."""

    def __init__(self, database: Database, clock: FixedClock, handler: Handler, folder: Path) -> None:
        self.asked: list[dict[str, object]] = []
        self.store = ConversationStore(database, clock, Keyring([new_key()]), lifetime=dt.timedelta(days=30))
        self.staff = NobodyThere()
        self.notices = Announced()

        def record(request: httpx.Request) -> httpx.Response:
            self.asked.append(json.loads(request.content))
            return handler(request)

        self.service = ChatService(
            store=self.store,
            rasa=RasaClient("http://rasa", transport=httpx.MockTransport(record)),
            tracker=RasaTracker(f"sqlite:///{folder / 'rasa.db'}"),
            replies=Replies(PHRASES, names={"city": "Jena", "phone": "03641 49-0"}),
            events=EventHub(),
            clock=clock,
            outcomes=OutcomeStore(database, clock),
            public_contacts=lambda: ("03641 49-0",),
            warm=lambda _text: None,
            staff=self.staff,
            notices=self.notices,
        )
        self.conversation, self.token = self.store.create(site="jena", channel=Channel.WEB, language="de")

    def say(self, **utterance: object) -> list[str]:
        async def turn() -> list[str]:
            said = Utterance.model_validate(utterance)
            result = await self.service.say(self.current(), said, token=self.token)
            return [f"{message.author}: {message.text}" for message in result.messages]

        return run(turn)

    def current(self) -> Conversation:
        return self.store.get(self.conversation.id)


@pytest.fixture
def make_bot(database: Database, clock: FixedClock, tmp_path: Path) -> Callable[[Handler], Bot]:
    return lambda handler: Bot(database, clock, handler, tmp_path)


def test_reply_of_rasa_is_stored_and_returned(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY))
    assert bot.say(text="Frage") == ["citizen: Frage", "bot: Antwort"]
    assert [message.author for message in bot.store.messages(bot.conversation.id)] == [Author.CITIZEN, Author.BOT]


@pytest.mark.parametrize(
    "handler",
    [
        lambda _: httpx.Response(200, json=[]),
        lambda _: httpx.Response(200, json=[{"text": "Antwort"}]),
        lambda _: httpx.Response(200, json=[{"custom": {"text": ""}}]),
        lambda _: httpx.Response(200, json=[{"custom": REPLY.model_dump(mode="json")}] * 2),
        lambda _: httpx.Response(200, content=b"<html>"),
        lambda _: httpx.Response(500),
    ],
    ids=["empty list", "text", "invalid", "two", "html", "500"],
)
def test_anything_but_one_whole_message_is_a_failure_with_a_sentence(
    make_bot: Callable[[Handler], Bot], handler: Handler
) -> None:
    mine, reply = make_bot(handler).say(text="Frage")
    assert mine == "citizen: Frage"
    assert "03641 49-0" in reply


def test_rasa_that_hangs_is_given_up(make_bot: Callable[[Handler], Bot]) -> None:
    def hang(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow", request=request)

    assert "03641 49-0" in make_bot(hang).say(text="Frage")[1]


def test_failure_does_not_quote_the_citizen(
    caplog: pytest.LogCaptureFixture, make_bot: Callable[[Handler], Bot]
) -> None:
    make_bot(lambda _: httpx.Response(200, json=[{"custom": {"text": "Geheimwort"}}])).say(text="Geheimwort")
    assert "Geheimwort" not in caplog.text


def test_rasa_gets_masked_and_neutral_text(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY))
    bot.say(text="/ask_human ich heiße Sabine Mustermann, Tel. 03641 49-0")
    message = str(bot.asked[0]["message"])
    assert not message.startswith("/")
    assert "Mustermann" not in message
    assert "03641 49-0" in message


def test_emergency_needs_no_rasa(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY))
    assert "112" in bot.say(text="Hilfe, es brennt!")[1]
    assert bot.asked == []


def test_typed_number_takes_the_choice(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY))
    targets = [Target(kind="service", id="personalausweis"), Target(kind="service", id="reisepass")]
    choices = [DraftChoice(label=str(target.id).title(), target=target) for target in targets]
    offer = REPLY.model_copy(update={"choices": choices, "expects": Expects.CHOICE})
    bot.store.say(bot.conversation.id, offer)
    bot.say(text="2")
    assert bot.asked[0]["message"] == "/choose"
    assert bot.asked[0]["metadata"]["chosen"]["id"] == "reisepass"  # type: ignore[index]


def test_bot_is_silent_while_an_agent_owns_the_conversation(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY))
    bot.store.transfer(bot.conversation.id, expected=[State.BOT], to=State.QUEUED)
    bot.store.transfer(bot.conversation.id, expected=[State.QUEUED], to=State.AGENT)
    assert bot.say(text="Sind Sie ein Mensch?") == ["citizen: Sind Sie ein Mensch?"]
    assert bot.asked == []


def test_reply_that_comes_after_a_handover_is_dropped(make_bot: Callable[[Handler], Bot]) -> None:
    def hand_over(request: httpx.Request) -> httpx.Response:
        bot.store.transfer(bot.conversation.id, expected=[State.BOT], to=State.QUEUED)
        return answering(REPLY)(request)

    bot = make_bot(hand_over)
    assert bot.say(text="Frage") == ["citizen: Frage"]


def test_process_that_died_in_the_middle_of_a_turn(make_bot: Callable[[Handler], Bot], clock: FixedClock) -> None:
    def die(_request: httpx.Request) -> httpx.Response:
        raise CancelledError  # which, unlike a KeyboardInterrupt, lets the event loop stop its threads

    bot = make_bot(die)
    with pytest.raises(CancelledError):
        bot.say(text="Frage", client_id="a")
    clock.advance(minutes=1)
    bot.service._rasa = RasaClient("http://rasa", transport=httpx.MockTransport(answering(REPLY)))
    assert bot.say(text="Frage", client_id="a") == ["citizen: Frage", "bot: Antwort"]


@pytest.mark.parametrize(("text", "code"), [("\u200b", "empty-text"), ("x" * 2001, "text-too-long")])
def test_what_cannot_be_used_is_refused(make_bot: Callable[[Handler], Bot], text: str, code: str) -> None:
    bot = make_bot(answering(REPLY))
    with pytest.raises(InvalidUtterance) as caught:
        bot.say(text=text)
    assert caught.value.code == code
    assert bot.store.messages(bot.conversation.id) == []


def test_idle_conversations_close_and_expired_ones_are_erased(
    make_bot: Callable[[Handler], Bot], clock: FixedClock
) -> None:
    bot = make_bot(answering(REPLY))
    bot.say(text="Frage")
    clock.advance(minutes=31)
    assert bot.service.close_idle(dt.timedelta(minutes=30)) == [bot.conversation.id]
    assert bot.current().state is State.CLOSED
    clock.advance(days=30)
    assert bot.service.erase_expired() == 1
    assert bot.store.erased() == [bot.conversation.id]
    clock.advance(minutes=5)
    bot.service.erase_expired()
    assert bot.store.erased() == []


def test_who_asks_for_a_human_is_handed_over_only_where_one_can_be_reached(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY.model_copy(update={"wants_human": True})))
    assert bot.say(text="Einen Menschen bitte") == [
        "citizen: Einen Menschen bitte",
        "bot: Gern. Gerade ist niemand da.",
    ]
    assert bot.staff.requested == [bot.conversation.id]


def test_bot_that_is_switched_off_says_so_and_does_not_ask_rasa(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY))
    bot.notices.notice = SiteNotice(text="Wir arbeiten daran.", speech="Wir arbeiten daran.", bot=False)

    said = bot.say(text="Was kostet ein Reisepass?")[1]

    assert "ausgeschaltet" in said and "Wir arbeiten daran." in said and "Gerade ist niemand da." in said
    assert bot.asked == []
    assert "112" in bot.say(text="Hilfe, es brennt!")[1]


def test_emergency_is_recognised_while_waiting_for_a_human(make_bot: Callable[[Handler], Bot]) -> None:
    bot = make_bot(answering(REPLY))
    bot.store.transfer(bot.conversation.id, expected=[State.BOT], to=State.QUEUED)

    mine, warning = bot.say(text="Hilfe, es brennt!")

    assert mine == "citizen: Hilfe, es brennt!"
    assert warning.startswith("system: ") and "112" in warning
    answer = bot.store.messages(bot.conversation.id)[-1].answer
    assert answer and answer.kind == "emergency" and answer.actions[0].url == "tel:112"
    assert bot.asked == []


def test_what_staff_get_is_neither_masked_nor_readable_in_the_database(
    make_bot: Callable[[Handler], Bot], database: Database
) -> None:
    bot = make_bot(answering(REPLY))
    bot.store.transfer(bot.conversation.id, expected=[State.BOT], to=State.QUEUED)
    bot.say(text="Ich heiße Sabine Mustermann, 0170 1234567.")

    assert "Sabine Mustermann, 0170 1234567" in bot.store.messages(bot.conversation.id)[-1].text
    with database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT text, sealed FROM messages").all()
    assert [row[0] for row in rows] == [""]
    assert "Mustermann" not in rows[0][1]
