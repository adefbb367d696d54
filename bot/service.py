"""Conversations: what happens from a citizen's utterance to the stored reply."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool

from bot.choices import by_label, chosen
from bot.contact import Contact, Notices, SiteNotice, Staff
from bot.emergencies import emergency_reply
from bot.models import (
    MAX_TEXT_LENGTH,
    Author,
    Channel,
    Expects,
    Message,
    Reply,
    State,
    Target,
    Turn,
    Utterance,
)
from bot.rasa_client import RasaClient, RasaFailure, RasaTracker
from bot.replies import Replies
from bot.store import Conversation, ConversationStore, OpenedTurn
from core.clock import Clock
from core.events import Event, EventHub
from knowledge.store import OutcomeStore, QuestionOutcome
from nlu import emergency
from nlu.masking import mask
from nlu.text import clean

log = logging.getLogger(__name__)

REPORTED = {"service", "clarify", "abstain", "refuse", "office", "handover"}
"""Kinds of answers that tell the editors something about the catalogue."""
WAIT_STEP_S = 0.05
ERASE_AGAIN_AFTER = dt.timedelta(minutes=2)
"""Rasa may write a turn that was under way after its conversation was erased; so it is erased a second time."""


class InvalidUtterance(ValueError):
    """Nothing can be done with what was said; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Said:
    """An utterance made ready: what is stored, what Rasa gets, and the choice it stands for."""

    text: str
    masked: str
    target: Target | None = None

    @property
    def message(self) -> str:
        return "/choose" if self.target else _neutral(self.masked)


class ChatService:
    """What can be done with a conversation. Database work runs in threads; none is held while Rasa is asked."""

    def __init__(
        self,
        *,
        store: ConversationStore,
        rasa: RasaClient,
        tracker: RasaTracker,
        replies: Replies,
        events: EventHub,
        clock: Clock,
        outcomes: OutcomeStore,
        public_contacts: Callable[[], Collection[str]],
        warm: Callable[[str], None],
        staff: Staff,
        notices: Notices,
    ) -> None:
        """
        Args:
            store: the conversations.
            rasa: who decides the reply.
            tracker: Rasa's record, to erase in.
            replies: the bot's words where Rasa is not asked.
            events: wakes those who follow a conversation.
            clock: the time.
            outcomes: keeps what became of questions, for the editors.
            public_contacts: the offices' own names, addresses and numbers, which are not masked.
            warm: begins the search for a text while Rasa is still reading it.
            staff: who takes over.
            notices: whether the bot may answer.
        """
        self._store = store
        self._rasa = rasa
        self._tracker = tracker
        self._replies = replies
        self._events = events
        self._clock = clock
        self._outcomes = outcomes
        self._public_contacts = public_contacts
        self._warm = warm
        self._staff = staff
        self._notices = notices

    async def start(
        self, *, site: str, channel: Channel, language: str, caller: str | None = None
    ) -> tuple[Conversation, str, list[Message]]:
        """A new conversation with its token and the disclosure that a machine is talking."""
        conversation, token = await run_in_threadpool(
            self._store.create, site=site, channel=channel, language=language, caller=caller
        )
        notice = self._notices.current(site=site, channel=channel)
        greeting = self._replies.say("greeting") if notice.bot else self._silenced(notice)
        message = await run_in_threadpool(self._store.say, conversation.id, greeting)
        return conversation, token, [message]

    async def authenticate(self, conversation_id: str, token: str) -> Conversation | None:
        """The conversation, or None where the token is wrong.

        Raises:
            ConversationGone: there is no such conversation.
        """
        return await run_in_threadpool(self._store.authenticate, conversation_id, token)

    async def say(self, conversation: Conversation, utterance: Utterance, *, token: str) -> Turn:
        """Store what a citizen says, find the reply and store it too.

        Raises:
            InvalidUtterance: empty, too long, or a choice that was never offered.
            ConversationClosed: the conversation has ended.
            ConversationGone: it was erased meanwhile.
            TurnConflict: the client's id was used for something else.
        """
        said = await run_in_threadpool(self._understand, conversation, utterance)
        opened = await run_in_threadpool(
            self._store.open_turn,
            conversation.id,
            text=said.text,
            masked=said.masked,
            client_id=utterance.client_id,
            body_hash=_body_hash(utterance, token),
            lang=conversation.language,
        )
        if opened.mine:
            self._wake(conversation.id)
            await self._reply(opened, said, utterance)
            self._wake(conversation.id)
        elif not opened.done:
            await self._wait(opened)
        return await run_in_threadpool(self._turn, opened)

    async def warm(self, text: str) -> None:
        """Begin the search for words that are still being said; only memory keeps them, and not for long."""
        masked = mask(clean(text), keep=self._public_contacts()).text
        if message := _neutral(masked):
            await run_in_threadpool(self._warm, message)

    async def messages(self, conversation_id: str, *, after: int) -> list[Message]:
        return await run_in_threadpool(self._store.messages, conversation_id, after=after)

    async def current(self, conversation_id: str) -> Conversation:
        """
        Raises:
            ConversationGone: there is no such conversation.
        """
        return await run_in_threadpool(self._store.get, conversation_id)

    async def rate(self, conversation_id: str, *, seq: int, rating: str, comment: str | None) -> None:
        """Store a citizen's rating, its comment masked.

        Raises:
            LookupError: there is no such message of the bot.
        """
        masked = mask(clean(comment), keep=self._public_contacts()).text if comment else None
        await run_in_threadpool(self._store.rate, conversation_id, seq=seq, rating=rating, comment=masked)
        await run_in_threadpool(self._outcomes.rate, conversation_id, seq=seq, rating=rating)

    async def set_language(self, conversation_id: str, language: str) -> None:
        await run_in_threadpool(self._store.set_language, conversation_id, language)

    async def hang_up(self, conversation_id: str) -> None:
        """Close a conversation that ends with its call; what was said stays for its time."""
        await self._staff.hung_up(conversation_id)
        self.announce_closed(conversation_id)

    async def erase(self, conversation_id: str) -> None:
        """End a conversation and erase all that was said, here and in Rasa."""
        await run_in_threadpool(self._store.erase, conversation_id)
        self._staff.erased(conversation_id)
        await run_in_threadpool(self._outcomes.erase, [conversation_id])
        self.announce_closed(conversation_id)
        await run_in_threadpool(self._tracker.erase, [conversation_id])

    def announce_closed(self, conversation_id: str) -> None:
        """Tell those who follow a conversation that it is closed."""
        self._events.publish(conversation_id, Event("state", {"state": State.CLOSED}))

    def close_idle(self, span: dt.timedelta) -> list[str]:
        """Close conversations of the bot in which nothing was said for a while; returns their ids."""
        return [
            conversation_id
            for conversation_id in self._store.idle(span)
            if self._store.transfer(conversation_id, expected=[State.BOT], to=State.CLOSED)
        ]

    def erase_expired(self) -> int:
        """Erase what has outlived its time, here and in Rasa; returns the number of conversations."""
        expired = self._store.expired()
        for conversation_id in expired:
            self._store.erase(conversation_id)
        self._outcomes.detach(expired)
        self._tracker.erase(self._store.erased())
        self._store.forget(before=self._clock.now() - ERASE_AGAIN_AFTER)
        return len(expired)

    def _understand(self, conversation: Conversation, utterance: Utterance) -> _Said:
        if utterance.choice is not None:
            offered = self._store.target(conversation.id, utterance.choice)
            if offered is None:
                raise InvalidUtterance("unknown-choice")
            return _Said(offered[0], offered[0], offered[1])
        text = utterance.speech.alternatives[0].text if utterance.speech else utterance.text or ""
        text = clean(text)
        if not text:
            raise InvalidUtterance("empty-text")
        if len(text) > MAX_TEXT_LENGTH:
            raise InvalidUtterance("text-too-long")
        masked = mask(text, keep=self._public_contacts()).text
        if conversation.state is not State.BOT:
            return _Said(text, masked)
        return _Said(text, masked, self._named_choice(conversation.id, text))

    def _named_choice(self, conversation_id: str, text: str) -> Target | None:
        """The choice that typed or spoken words stand for: numbers only where a choice was asked for."""
        last = self._store.last_reply(conversation_id)
        if last is None or not last.choices:
            return None
        find = chosen if last.expects is Expects.CHOICE else by_label
        index = find(text, [choice.label for choice in last.choices])
        return last.choices[index].target if index is not None else None

    async def _reply(self, opened: OpenedTurn, said: _Said, utterance: Utterance) -> None:
        conversation = opened.conversation
        if conversation.state is not State.BOT:
            warned = await run_in_threadpool(self._warn, conversation, said)
            await self._staff.heard(conversation.id)
            await run_in_threadpool(self._store.close_turn, opened, None, said=warned)
            return
        self._events.publish(conversation.id, Event("typing", {"author": Author.BOT, "typing": True}))
        try:
            reply = await self._find_reply(conversation, said, utterance)
        finally:
            self._events.publish(conversation.id, Event("typing", {"author": Author.BOT, "typing": False}))
        handed_over = await self._staff.request(conversation.id) if reply.wants_human else None
        if reply.wants_human and handed_over is None:
            reply = await run_in_threadpool(self._not_reached, conversation)
        message = await run_in_threadpool(self._store.close_turn, opened, reply, said=handed_over)
        if message is not None and message.answer and message.answer.kind in REPORTED:
            await run_in_threadpool(self._outcomes.add, _outcome(conversation, said.masked, message))

    async def _find_reply(self, conversation: Conversation, said: _Said, utterance: Utterance) -> Reply:
        found = emergency.detect(said.text) if utterance.choice is None else None
        if found is not None:
            return emergency_reply(self._replies, found)
        notice = self._notices.current(site=conversation.site, channel=conversation.channel)
        if not notice.bot:
            asks_for_human = said.target is not None and said.target.kind == "human"
            return self._silenced(notice).model_copy(update={"wants_human": asks_for_human})
        if not said.message:
            return self._replies.say("help")
        try:
            asked = self._rasa.reply(
                sender=conversation.id, text=said.message, metadata=_metadata(conversation, said.target)
            )
            if said.target is not None:
                return await asked
            reply, _ = await asyncio.gather(asked, run_in_threadpool(self._warm, said.message))
            return reply
        except RasaFailure as failure:
            log.warning("no reply from Rasa: %s", failure)
            return self._replies.say("out_of_order", kind="abstain", choices=[self._replies.human_choice()])

    def _not_reached(self, conversation: Conversation) -> Reply:
        """What is said to who asked for a human and cannot have one after all."""
        contact = self._staff.contact_about(conversation.id)
        notice = self._notices.current(site=conversation.site, channel=conversation.channel)
        if not notice.bot:
            return self._silenced(notice, contact)
        reply = self._replies.say("human", kind="handover", values={"contact": contact.text})
        return reply.model_copy(update={"speech": self._replies.spoken("human", contact=contact.speech)})

    def _silenced(self, notice: SiteNotice, contact: Contact | None = None) -> Reply:
        """What the bot says while it is switched off: the notice, and the way to a human."""
        contact = contact or self._staff.contact()
        values = {"notice": notice.text or "", "contact": contact.text}
        choices = [self._replies.human_choice()] if contact.open else []
        reply = self._replies.say("silenced", kind="handover", choices=choices, values=values)
        spoken = self._replies.spoken("silenced", notice=notice.speech or notice.text or "", contact=contact.speech)
        return reply.model_copy(update={"speech": spoken})

    def _warn(self, conversation: Conversation, said: _Said) -> int | None:
        """Who waits for a human is not left alone in an emergency; the number of the message that helps."""
        found = emergency.detect(said.text) if conversation.state is State.QUEUED else None
        if found is None:
            return None
        reply = emergency_reply(self._replies, found)
        return self._store.tell(conversation.id, text=reply.text, speech=reply.speech, answer=reply.answer)

    async def _wait(self, opened: OpenedTurn) -> None:
        """Until the other request that carries the same utterance has finished, or seems to be dead."""
        for _ in range(int(6 / WAIT_STEP_S)):
            done, _reply_seq = await run_in_threadpool(self._store.turn, opened.conversation.id, opened.seq)
            if done:
                return
            await asyncio.sleep(WAIT_STEP_S)

    def _turn(self, opened: OpenedTurn) -> Turn:
        conversation = self._store.get(opened.conversation.id)
        _done, reply_seq = self._store.turn(conversation.id, opened.seq)
        numbers = {opened.seq, reply_seq}
        messages = [
            message
            for message in self._store.messages(conversation.id, after=opened.seq - 1, upto=reply_seq or opened.seq)
            if message.seq in numbers
        ]
        return Turn(messages=messages, state=conversation.state, version=conversation.version)

    def _wake(self, conversation_id: str) -> None:
        self._events.publish(conversation_id, Event("message"))


def _outcome(conversation: Conversation, text: str, reply: Message) -> QuestionOutcome:
    assert reply.answer is not None
    return QuestionOutcome(
        site=conversation.site,
        channel=conversation.channel,
        text=text,
        outcome=reply.answer.kind,
        service_id=reply.answer.service_id,
        aspect=reply.answer.aspect,
        conversation_id=conversation.id,
        seq=reply.seq,
    )


def _neutral(text: str) -> str:
    """A text that Rasa cannot take for an intent: those begin with a slash."""
    return text.lstrip("/ \n")


def _metadata(conversation: Conversation, target: Target | None) -> dict[str, Any]:
    return {
        "site": conversation.site,
        "channel": conversation.channel,
        "language": conversation.language,
        "chosen": target.model_dump(mode="json") if target else None,
    }


def _body_hash(utterance: Utterance, token: str) -> str:
    body = utterance.model_dump_json(exclude={"client_id"})
    return hmac.new(token.encode(), body.encode(), hashlib.sha256).hexdigest()
