"""One call, from the greeting to the goodbye."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from telephony.callbacks import Callbacks, Failed, Left
from telephony.chat import Chat, Conversation, ServiceEvent, Site, Transfer, Turn
from telephony.endpointing import Profile
from telephony.errors import (
    ConversationGone,
    LineClosed,
    NotAccepted,
    NotReachable,
    PbxRefused,
    PbxUnreachable,
    ServiceFailed,
    SynthesisFailed,
)
from telephony.inbox import Inbox
from telephony.menus import Menus
from telephony.mouth import Mouth
from telephony.phrases import Phrases
from telephony.prompts import Expects, GaveUp, Offer, Option, Picked, Prompt, Reply, Wanted, Words
from telephony.recogniser import Alternative
from telephony.turns import Attention, Turns
from telephony.waiting import Change, Outcome, Waiting
from telephony.wishes import Wish, wish_of

log = logging.getLogger(__name__)

CLOSE_TRIES_S = (0.0, 0.5, 2.0)
"""When to try to close a conversation whose caller has gone."""
RETRY_S = 0.4
AFTER_HOURS = "after-hours"
MODES = frozenset({"overflow", AFTER_HOURS})

Result = TypeVar("Result")


@dataclass(frozen=True)
class Caller:
    """Who calls, as the exchange knows it: `number` is None if it is withheld, `mode` as in telephony.pbx."""

    line_id: str
    number: str | None = None
    mode: str = "bot-first"


@dataclass(frozen=True)
class Manners:
    """How a call is held; in seconds, and as a share of certainty."""

    comfort_s: float = 1.5
    """After so long without an answer the caller is asked for patience."""
    place_again_s: float = 30.0
    """How often who waits is told the place in the queue."""
    unsure_below: float = 0.5
    """What is less sure than this is read back."""
    at_once: int = 3
    """Sentences of an answer, or entries of a list, at a time."""
    keys_only: bool = False
    """There is no recogniser."""


class PbxControl(Protocol):
    """What a call needs of the exchange, as in telephony.pbx."""

    async def transfer(self, line_id: str, extension: str, *, summary: str = "") -> None: ...

    async def to_staff_queue(self, line_id: str) -> None: ...

    async def hang_up(self, line_id: str) -> None: ...


class Call:
    """Talks to one caller. `run()` ends when the call does, and leaves nothing behind."""

    def __init__(
        self,
        caller: Caller,
        *,
        chat: Chat,
        ears: Attention,
        mouth: Mouth,
        inbox: Inbox[ServiceEvent],
        pbx: PbxControl,
        phrases: Phrases,
        profiles: Mapping[str, Profile],
        topics: Sequence[Option] = (),
        manners: Manners = Manners(),
    ) -> None:
        """
        Args:
            caller: who calls.
            chat: where the answers come from.
            ears: what the caller does.
            mouth: what the caller hears; looks into the same inbox.
            inbox: of this call alone.
            pbx: the exchange.
            phrases: what the phone says of its own accord.
            profiles: how patient to be, by what is expected.
            topics: questions that keys stand for.
            manners: times and measures.
        """
        self._caller = caller
        self._chat = chat
        self._ears = ears
        self._mouth = mouth
        self._inbox = inbox
        self._pbx = pbx
        self._phrases = phrases
        self._manners = manners
        self._menus = Menus(phrases, topics=topics, at_once=manners.at_once, keys_only=manners.keys_only)
        self._turns = Turns(inbox=inbox, mouth=mouth, ears=ears, phrases=phrases, profiles=profiles, warm=self._warm_up)
        self._callbacks = Callbacks(self._turns, self._menus, phrases, self._served, keys_only=manners.keys_only)
        self._starting: asyncio.Task[Conversation] | None = None
        self._conversation: Conversation | None = None
        self._following: asyncio.Task[None] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._site = Site(bot=True, notice=None)
        self._concern: str | None = None
        self._topic = ""
        self._handed_over = False

    async def run(self) -> None:
        """Hold the conversation until it is over, or until the caller hangs up."""
        talking = asyncio.create_task(self._talk())
        listening = asyncio.create_task(self._inbox.listen(self._ears.events()))
        try:
            await asyncio.wait({talking, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await _end(talking, listening, self._warming)
            if self._starting is not None:
                await asyncio.wait({self._starting})
            await _end(self._following)
            await self._close()
        for task in (talking, listening):
            if not task.cancelled():
                task.result()

    # The conversation

    async def _talk(self) -> None:
        prompt: Prompt | None
        try:
            prompt = await self._greet()
            while prompt is not None:
                prompt = await self._turn(prompt)
        except ServiceFailed as error:
            log.warning("call %s: no answer from the service (%s)", self._caller.line_id, error)
            await self._give_up()
        except SynthesisFailed:
            log.error("call %s: no voice speaks", self._caller.line_id)
            await self._to_staff()

    async def _greet(self) -> Prompt:
        """Who is talking, while the conversation is begun; then the first question."""
        self._starting = asyncio.create_task(self._begin())
        await self._turns.tell(self._phrases.text("disclosure"), interruptible=False)
        conversation = await self._served(self._begun)
        key = "disclosure.callback" if self._caller.mode == AFTER_HOURS else "disclosure.human"
        before = [self._phrases.text(f"{key}.keys" if self._manners.keys_only else key)]
        if self._caller.mode in MODES:
            before.append(self._phrases.text(f"mode.{self._caller.mode}"))
        if self._site.bot and self._site.notice:
            before.append(self._site.notice)
        return self._menus.greeting(conversation.greeting, before=" ".join(before))

    async def _begin(self) -> Conversation:
        conversation = self._conversation = await self._chat.start(caller=self._caller.number)
        self._following = asyncio.create_task(self._follow(conversation))
        return conversation

    async def _begun(self) -> Conversation:
        """The conversation that is being begun; a new one if that has failed."""
        if self._starting is None or (self._starting.done() and self._starting.exception() is not None):
            self._starting = asyncio.create_task(self._begin())
        return await asyncio.shield(self._starting)

    async def _turn(self, prompt: Prompt) -> Prompt | None:
        """Ask, and act on what comes; the next question, or None at the end."""
        reply = await self._turns.ask(prompt)
        if not isinstance(reply, GaveUp):
            self._turns.ladders.silence.reset()
        return await self._act(reply, prompt)

    async def _act(self, reply: Reply, prompt: Prompt) -> Prompt | None:
        match reply:
            case Words():
                return await self._hear(reply, prompt)
            case Picked(option):
                return await self._pick(option)
            case Wanted(wish):
                return await self._grant(wish, prompt.offer)
            case _:
                return await self._rescue(prompt.offer)

    async def _grant(self, wish: Wish, offer: Offer | None) -> Prompt | None:
        """Do what the caller wants of the phone itself."""
        match wish, offer:
            case (Wish.HUMAN, _) | (Wish.YES, Offer.HUMAN):
                return await self._human()
            case (Wish.CALLBACK, _) | (Wish.YES, Offer.CALLBACK):
                return await self._call_back()
            case (Wish.GOODBYE, _) | (Wish.NO, Offer.ANOTHER_QUESTION):
                return await self._farewell()
            case Wish.YES, _:
                return self._menus.open("question.which")
            case Wish.NO, _:
                return self._menus.open("question.instead") if self._site.bot else await self._farewell()
        return self._menus.open()

    async def _hear(self, words: Words, prompt: Prompt) -> Prompt | None:
        """Words for the service; what is not sure is read back first."""
        best = words.alternatives[0]
        is_question = prompt.expects is Expects.OPEN
        doubtful = best.confidence < self._manners.unsure_below and len(best.text.split()) > 1
        if doubtful and is_question and not words.emergency:
            return await self._read_back(words)
        return await self._say(words.alternatives, is_question=is_question)

    async def _read_back(self, words: Words) -> Prompt | None:
        question = self._phrases.text("heard", text=words.text)
        short = self._phrases.text("heard.short")
        reply = await self._turns.ask(self._menus.yes_no(question, short=short, offer=Offer.HEARD, private=True))
        if reply == Wanted(Wish.YES):
            return await self._say(words.alternatives)
        if reply == Wanted(Wish.NO):
            rung = self._turns.ladders.no_match.climb()
            if rung is None:
                return await self._rescue(None)
            return self._menus.open("heard.no" if rung == 1 else "heard.no.again")
        if isinstance(reply, Words):
            return await self._say(reply.alternatives)
        return await self._act(reply, self._menus.open())

    async def _say(self, alternatives: Sequence[Alternative], *, is_question: bool = True) -> Prompt | None:
        if is_question and wish_of(alternatives[0].text) is None:
            self._concern = alternatives[0].text
        client_id = uuid.uuid4().hex
        return await self._answered(lambda conversation: conversation.say(alternatives, client_id=client_id))

    async def _pick(self, option: Option) -> Prompt | None:
        if option.text is not None:
            return await self._say([Alternative(option.text, 1.0)])
        value, client_id = option.choice or "", uuid.uuid4().hex
        return await self._answered(lambda conversation: conversation.choose(value, client_id=client_id))

    async def _answered(self, ask: Callable[[Conversation], Awaitable[Turn]]) -> Prompt | None:
        """The service's answer as the next question."""
        conversation = self._here
        try:
            turn = await self._served(lambda: ask(conversation))
        except NotAccepted:
            rung = self._turns.ladders.no_match.climb()
            return await self._rescue(None) if rung is None else self._menus.open("heard.no.again")
        self._inbox.forget_keys(but="0")
        if turn.state in ("queued", "agent"):
            return await self._wait(turn)
        if turn.reply is None or turn.state == "closed":
            raise ConversationGone(turn.state)
        if turn.reply.kind != "abstain":
            self._turns.ladders.reset()
        elif self._turns.ladders.no_match.climb() is None:
            return await self._rescue(None)
        self._topic = turn.reply.title or self._topic
        return self._menus.of(turn.reply)

    # Humans

    async def _human(self) -> Prompt | None:
        """Into the queue, or, where nobody can be reached, the offer of a callback."""
        try:
            turn = await self._served(self._here.request_human)
        except NotReachable as error:
            return self._menus.callback_offer(error.speech or self._phrases.text("human.none"))
        return await self._wait(turn)

    async def _wait(self, turn: Turn) -> Prompt | None:
        waiting = Waiting(self._inbox, self._mouth, self._turns, self._phrases, self._manners.place_again_s)
        outcome: Outcome = await waiting.outcome(turn)
        while isinstance(outcome, Words):
            turn = await self._cry_for_help(outcome)
            outcome = await waiting.outcome(turn, first=False)
        self._turns.ladders.reset()
        match outcome:
            case Transfer(extension):
                await self._transfer(extension)
                return None
            case Change.SENT_BACK:
                return self._menus.callback_offer("")
            case Change.CLOSED | Change.GOODBYE:
                return await self._farewell()
        await self._served(self._here.back_to_bot)
        return await self._call_back() if outcome is Change.CALLBACK else self._menus.open("wait.back")

    async def _cry_for_help(self, words: Words) -> Turn:
        """An emergency of someone who waits: the service knows what to say, and the place is kept."""
        client_id = uuid.uuid4().hex
        turn = await self._served(lambda: self._here.say(words.alternatives, client_id=client_id))
        if turn.reply is not None:
            await self._turns.tell(" ".join(self._menus.of(turn.reply).pages))
        return Turn(turn.state)

    async def _transfer(self, extension: str | None) -> None:
        """To the agent's phone; if that cannot be, to the exchange's own queue."""
        await self._mouth.drained()
        self._handed_over = True
        try:
            if extension is None:
                raise PbxRefused("the agent has no extension")
            await self._pbx.transfer(self._caller.line_id, extension, summary=self._topic)
        except (PbxRefused, PbxUnreachable) as error:
            log.warning("call %s: not put through (%s)", self._caller.line_id, error)
            self._handed_over = False
            await self._turns.tell(self._phrases.text("wait.failed"), interruptible=False)
            await self._to_staff()
        except LineClosed:
            self._handed_over = False

    async def _call_back(self) -> Prompt | None:
        try:
            speech = await self._callbacks.take(self._here, caller=self._caller.number, concern=self._concern)
        except Left as left:
            return await self._act(left.reply, self._menus.open())
        except Failed:
            await self._turns.tell(self._phrases.text("callback.failed"))
            return await self._farewell()
        if speech is None:
            return self._menus.open("callback.declined") if self._site.bot else await self._farewell()
        await self._turns.tell(speech, interruptible=False)
        return await self._farewell()

    async def _rescue(self, offer: Offer | None) -> Prompt | None:
        """Nothing helps: a human, or a callback; who does not want that either, or has gone, is left in peace."""
        if offer is Offer.CALLBACK:
            return await self._farewell("goodbye.silent")
        await self._turns.tell(self._phrases.text("rescue"), interruptible=False)
        return await self._human()

    # The end

    async def _farewell(self, key: str = "goodbye") -> Prompt | None:
        """Take leave; no question follows."""
        await self._turns.tell(self._phrases.text(key), interruptible=False)
        await self._mouth.drained()
        try:
            await self._pbx.hang_up(self._caller.line_id)
        except (LineClosed, PbxRefused, PbxUnreachable) as error:
            log.warning("call %s: not hung up (%s)", self._caller.line_id, error)
        return None

    async def _give_up(self) -> None:
        """The service is gone: the exchange's own queue takes the caller."""
        with contextlib.suppress(SynthesisFailed):
            await self._turns.tell(self._phrases.text("apology.staff"), interruptible=False)
            await self._mouth.drained()
        await self._to_staff()

    async def _to_staff(self) -> None:
        try:
            await self._pbx.to_staff_queue(self._caller.line_id)
        except LineClosed:
            pass
        except (PbxRefused, PbxUnreachable) as error:
            log.warning("call %s: to staff by closing the line (%s)", self._caller.line_id, error)

    async def _close(self) -> None:
        """Close the conversation, unless an agent has it now."""
        if self._conversation is None or self._handed_over:
            return
        for pause in CLOSE_TRIES_S:
            await asyncio.sleep(pause)
            try:
                return await self._conversation.close()
            except ConversationGone:
                return
            except ServiceFailed:
                continue
        log.warning("call %s: its conversation could not be closed", self._caller.line_id)

    # The service

    async def _served(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """What the service answers; with a word to the caller where that takes long, and one more chance if it fails.

        Raises:
            ServiceFailed: the second chance was in vain, too.
        """
        self._inbox.forget_service()
        try:
            return await self._patiently(work())
        except ConversationGone:
            raise
        except ServiceFailed:
            return await self._apologising(work)

    async def _patiently(self, work: Awaitable[Result]) -> Result:
        task = asyncio.ensure_future(work)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._manners.comfort_s)
            if not done:
                await self._turns.tell(self._phrases.text("moment"), interruptible=False)
                self._mouth.hold(True)
                await asyncio.wait({task})
            return task.result()
        finally:
            self._mouth.hold(False)
            task.cancel()

    async def _apologising(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Try again for as long as the apology lasts."""
        trying = asyncio.create_task(_until_it_works(work))
        try:
            await self._turns.tell(self._phrases.text("apology"), interruptible=False)
            if not trying.done():
                raise ServiceFailed("no answer")
            return trying.result()
        finally:
            await _end(trying)

    async def _follow(self, conversation: Conversation) -> None:
        """Take in what the service tells, the site's state on the side."""
        async for event in conversation.events():
            if isinstance(event, Site):
                self._site = event
            else:
                self._inbox.tell(event)

    def _warm_up(self, text: str) -> None:
        """Let the search begin; one at a time, and without waiting for it."""
        if self._conversation is None or (self._warming is not None and not self._warming.done()):
            return
        self._warming = asyncio.create_task(_warm(self._conversation, text))

    @property
    def _here(self) -> Conversation:
        if self._conversation is None:
            raise ServiceFailed("no conversation")
        return self._conversation


async def _warm(conversation: Conversation, text: str) -> None:
    with contextlib.suppress(ServiceFailed, NotAccepted):  # it only saves time
        await conversation.warm(text)


async def _until_it_works(work: Callable[[], Awaitable[Result]]) -> Result:
    while True:
        await asyncio.sleep(RETRY_S)
        try:
            return await work()
        except ConversationGone:
            raise
        except ServiceFailed:
            continue


async def _end(*tasks: asyncio.Task[Result] | asyncio.Task[None] | None) -> None:
    """Cancel tasks and wait until they have ended."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)
