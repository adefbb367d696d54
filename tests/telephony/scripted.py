"""Calls as plays: a caller who says and presses what the script says, and a service that answers by it.

A play is a list of steps, see tests/telephony/calls/*.yaml:

    hears: TEXT         the bot says this (a part of a text, or several), after whatever was heard before
    says: TEXT          after the bot has finished; `sure: 0.3` for what was understood badly, `or: TEXT` beside it
    interrupts: TEXT    while the bot speaks
    murmurs: true       speech in which nothing was understood; `coughs: true` while the bot speaks
    presses: KEYS       one after the other, whether or not the bot speaks
    is silent: N        until the phone has noticed it N times
    service tells: {…}  an event of the service
    hangs up: true
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from telephony.call import Call, Caller, Manners
from telephony.chat import (
    Came,
    Chat,
    Choice,
    Lost,
    Message,
    Owner,
    Place,
    ServiceEvent,
    Site,
    Transfer,
    Turn,
)
from telephony.ears import Event, Heard, Partial, Pressed, Quiet, SpeechStarted
from telephony.endpointing import PROFILES, Profile
from telephony.errors import (
    ConversationGone,
    NotAccepted,
    NotReachable,
    PbxRefused,
    ServiceFailed,
    SynthesisFailed,
)
from telephony.inbox import Inbox
from telephony.mouth import Said
from telephony.phrases import Phrases
from telephony.prompts import Option
from telephony.recogniser import Alternative

CALLS = Path(__file__).parent / "calls"
SECONDS_PER_WORD = 0.4
PHRASES = Phrases(names={"city": "Jena", "phone": "03641 49-0"})
GREETING = (
    "Guten Tag. Ich bin der digitale Auskunftsdienst der Stadt Jena, ein Computerprogramm. "
    "Bitte nennen Sie keine persönlichen Daten. Was möchten Sie wissen?"
)


@dataclass
class ScriptedEars:
    """Gives the caller's events, and silence of its own accord where the caller does not answer."""

    profiles: list[Profile] = field(default_factory=list)
    _events: asyncio.Queue[Event | None] = field(default_factory=asyncio.Queue)

    def expect(self, profile: Profile) -> None:
        self.profiles.append(profile)

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._events.get()) is not None:
            yield event

    def tell(self, event: Event | None) -> None:
        self._events.put_nowait(event)


@dataclass
class ScriptedMouth:
    """Speaks as fast as people do, and keeps what it has said."""

    inbox: Inbox[Any]
    spoken: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    """Texts that no voice may keep."""
    times: list[float] = field(default_factory=list)
    """When each text was begun."""
    speaking: bool = False
    seconds_per_word: float = SECONDS_PER_WORD
    holding: list[bool] = field(default_factory=list)
    slow: bool = False
    dumb: bool = False
    """No voice speaks."""
    began: asyncio.Event = field(default_factory=asyncio.Event)

    async def say(self, text: str, *, interruptible: bool = True, private: bool = False) -> Said:
        if self.dumb:
            raise SynthesisFailed(text)
        self.inbox.forget_silence()
        if interruptible and (event := self.inbox.interrupting) is not None:
            return Said(False, event, text)
        self.spoken.append(text)
        self.private += [text] if private else []
        self.times.append(asyncio.get_running_loop().time())
        self.speaking = True
        self.began.set()
        seconds = self.seconds_per_word * len(text.split())
        try:
            if not interruptible:
                await asyncio.sleep(seconds)
                return Said(True)
            async with asyncio.timeout(seconds):
                return Said(False, await self.inbox.interruption(), f"Rest: {text}")
        except TimeoutError:
            return Said(True)
        finally:
            self.speaking = False

    def hold(self, on: bool) -> None:
        self.holding.append(on)

    def slow_down(self) -> None:
        self.slow = True

    async def drained(self) -> None:
        await asyncio.sleep(0.2)


@dataclass
class ScriptedPbx:
    """Keeps what it was told."""

    done: list[str] = field(default_factory=list)
    refuses: bool = False

    async def transfer(self, line_id: str, extension: str, *, summary: str = "") -> None:
        if self.refuses:
            raise PbxRefused(extension)
        self.done.append(f"transfer {extension} {summary}".strip())

    async def to_staff_queue(self, line_id: str) -> None:
        self.done.append("staff")

    async def hang_up(self, line_id: str) -> None:
        self.done.append("hang up")


@dataclass
class ScriptedService:
    """Answers as the script says: each utterance takes the next answer. It is its own only conversation, too."""

    answers: list[dict[str, Any]]
    greeting: Message
    human: dict[str, Any] = field(default_factory=dict)
    start_fails: int = 0
    start_takes_s: float = 0.05
    close_fails: int = 0
    callback: dict[str, Any] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    alternatives: list[Sequence[Alternative]] = field(default_factory=list)
    warmed: list[str] = field(default_factory=list)
    callbacks: list[dict[str, str]] = field(default_factory=list)
    caller: str | None = None
    begun: bool = False
    closed: bool = False
    _events: asyncio.Queue[ServiceEvent] = field(default_factory=asyncio.Queue)
    _seq: int = 1
    _answered: dict[str, Turn] = field(default_factory=dict)

    async def start(self, *, caller: str | None) -> ScriptedService:
        await asyncio.sleep(self.start_takes_s)
        if self.start_fails:
            self.start_fails -= 1
            raise ServiceFailed("no")
        self.caller, self.begun = caller, True
        self.tell(Owner("bot"))
        return self

    async def say(self, alternatives: Sequence[Alternative], *, client_id: str) -> Turn:
        return await self._answer(alternatives[0].text, client_id, alternatives)

    async def choose(self, value: str, *, client_id: str) -> Turn:
        return await self._answer(f"choice {value}", client_id, ())

    async def warm(self, text: str) -> None:
        self.warmed.append(text)

    async def request_human(self) -> Turn:
        self.said.append("human")
        if "refused" in self.human:
            raise NotReachable(self.human["refused"])
        return self._turn({"state": "queued", **self.human}, author="system")

    async def back_to_bot(self) -> Turn:
        self.said.append("back")
        self.tell(Owner("bot"))
        return Turn("bot")

    async def call_back(self, *, name: str, phone: str, concern: str, client_id: str) -> str:
        if self.callback.pop("wrong number", False):
            raise NotAccepted("invalid-callback", frozenset({"phone"}))
        self.callbacks.append({"name": name, "phone": phone, "concern": concern})
        return "Ihr Rückrufwunsch ist notiert. Die Zentrale meldet sich bis morgen bei Ihnen."

    async def events(self) -> AsyncIterator[ServiceEvent]:
        while True:
            yield await self._events.get()

    async def close(self) -> None:
        if self.close_fails:
            self.close_fails -= 1
            raise ServiceFailed("no")
        self.closed = True

    def tell(self, event: ServiceEvent) -> None:
        self._events.put_nowait(event)

    async def _answer(self, said: str, client_id: str, alternatives: Sequence[Alternative]) -> Turn:
        if not self.answers:
            raise AssertionError(f"nothing more is scripted, but {said!r} was said")
        answer = self.answers[0]
        await asyncio.sleep(float(answer.get("takes", 0.1)))
        if answer.get("fails", 0):
            answer["fails"] -= 1
            raise ServiceFailed("no")
        del self.answers[0]
        if answer.get("gone"):
            raise ConversationGone("no")
        if answer.get("not accepted"):
            raise NotAccepted("empty-text")
        self.said.append(said)
        self.alternatives.append(alternatives)
        return self._turn(answer)

    def _turn(self, answer: dict[str, Any], *, author: str = "bot") -> Turn:
        messages: tuple[Message, ...] = ()
        if "speech" in answer:
            self._seq += 1
            messages = (message_of(answer, seq=self._seq, author=answer.get("author", author)),)
            self.tell(Came(messages[0]))
        place = Place(1, answer["place"]) if "place" in answer else None
        return Turn(answer.get("state", "bot"), messages, place)


def message_of(answer: dict[str, Any], *, seq: int = 1, author: str = "bot") -> Message:
    """A message from its short form in a script; choices are labels, their values `#1`, `#2` …"""
    labels = answer.get("choices", [])
    return Message(
        seq=seq,
        author=author,
        speech=str(answer["speech"]),
        choices=tuple(Choice(label, f"#{number}") for number, label in enumerate(labels, start=1)),
        expects=answer.get("expects", "open"),
        kind=answer.get("kind"),
        title=answer.get("title"),
    )


@dataclass
class Play:
    """One call that is played."""

    script: dict[str, Any]
    chat: Chat | None = None
    """Where answers come from instead of the script."""
    ears: ScriptedEars = field(default_factory=ScriptedEars)
    pbx: ScriptedPbx = field(default_factory=ScriptedPbx)
    inbox: Inbox[ServiceEvent] = field(default_factory=Inbox)

    def __post_init__(self) -> None:
        script = self.script
        self.mouth = ScriptedMouth(self.inbox)
        greeting = script.get("greeting", {"speech": GREETING, "kind": "smalltalk"})
        self.service = ScriptedService(
            [dict(answer) for answer in script.get("service", [])],
            message_of(greeting),
            human=script.get("human", {}),
            start_fails=script.get("start fails", 0),
            close_fails=script.get("close fails", 0),
            callback=dict(script.get("callback", {})),
        )
        self.pbx.refuses = script.get("exchange refuses", False)
        self.mouth.dumb = script.get("no voice", False)
        self._heard = 0
        """Signs of all that was said up to which the script has looked."""

    async def act(self) -> None:
        """Play to the end; the call has to end by itself, or by the caller's hanging up."""
        caller = Caller("line-1", self.script.get("caller"), self.script.get("mode", "bot-first"))
        topics = [Option(label, text=text) for label, text in self.script.get("topics", {}).items()]
        call = Call(
            caller,
            chat=self.chat or self.service,
            ears=self.ears,
            mouth=self.mouth,
            inbox=self.inbox,
            pbx=self.pbx,
            phrases=PHRASES,
            profiles=PROFILES,
            topics=topics,
            manners=Manners(keys_only=self.script.get("keys only", False)),
        )
        running = asyncio.create_task(call.run())
        try:
            for step in self.script["steps"]:
                await self._step(step, running)
            async with asyncio.timeout(60):
                await running
        except TimeoutError:
            raise AssertionError(f"the call does not end after: {self.mouth.spoken[-3:]}") from None
        finally:
            running.cancel()
            await asyncio.wait({running})

    async def _step(self, step: dict[str, Any], running: asyncio.Task[None]) -> None:
        match step:
            case {"hears": wanted}:
                for text in wanted if isinstance(wanted, list) else [wanted]:
                    await self._hear(text, running)
            case {"says": text}:
                await self._silence()
                self._say(text, step)
            case {"interrupts": text}:
                await self._speech()
                self.ears.tell(SpeechStarted(interrupting=True))
                self._say(text, step)
            case {"coughs": _}:
                await self._speech()
                self.ears.tell(SpeechStarted(interrupting=True))
                self.ears.tell(Heard((), 0.0, 350))
            case {"murmurs": _}:
                await self._silence()
                self.ears.tell(Heard((), 0.0, 350))
            case {"presses": keys}:
                for key in str(keys):
                    self.ears.tell(Pressed(key))
                    await asyncio.sleep(0.2)
            case {"is silent": times}:
                for _ in range(times):
                    await self._silence()
                    await asyncio.sleep(7)
                    self.ears.tell(Quiet(7_000))
                    await asyncio.sleep(0.5)
            case {"waits": seconds}:
                await asyncio.sleep(seconds)
            case {"service tells": told}:
                for event in _events_of(told):
                    self.service.tell(event)
            case {"hangs up": _}:
                self.ears.tell(None)
            case _:
                raise AssertionError(f"what does {step} mean?")

    def _say(self, text: str, step: dict[str, Any]) -> None:
        first = text.rpartition(" ")[0]
        if first:
            self.ears.tell(Partial(first, stable=True))
        others = [Alternative(step["or"], 0.1)] if "or" in step else []
        self.ears.tell(Heard((Alternative(text, step.get("sure", 0.9)), *others), 0.0, 700))

    async def _hear(self, wanted: str, running: asyncio.Task[None]) -> None:
        """Until these words have been said, after everything that was heard before."""
        for _ in range(400):
            log = self._log
            if (at := log.find(wanted, self._heard)) >= 0:
                self._heard = at + len(wanted)
                return
            if running.done():
                running.result()
                break
            await asyncio.sleep(0.25)
        raise AssertionError(f"{wanted!r} was not heard, but: {self._log[self._heard :]!r}")

    @property
    def _log(self) -> str:
        return "\n".join(self.mouth.spoken)

    async def _silence(self) -> None:
        """Until the bot has finished, and waits for an answer."""
        quiet = 0
        while quiet < 4:
            await asyncio.sleep(0.1)
            quiet = 0 if self.mouth.speaking else quiet + 1
        self._heard = len(self._log)

    async def _speech(self) -> None:
        """Until the bot is in the middle of a text."""
        while not self.mouth.speaking:
            self.mouth.began.clear()
            await self.mouth.began.wait()
        await asyncio.sleep(0.5)
        self._heard = len(self._log)


def _events_of(told: dict[str, Any]) -> list[ServiceEvent]:
    make: dict[str, Callable[[Any], ServiceEvent]] = {
        "place": lambda speech: Place(int(re.sub(r"\D", "", speech) or 1), speech),
        "message": lambda speech: Came(Message(seq=900, author="system", speech=speech)),
        "state": Owner,
        "transfer": Transfer,
        "site": lambda site: Site(bot=site["bot"], notice=site.get("notice")),
        "lost": lambda _: Lost(),
    }
    return [make[name](value) for name, value in told.items()]


def plays() -> list[dict[str, Any]]:
    """All scripts."""
    found = []
    for file in sorted(CALLS.glob("*.yaml")):
        found += [{**script, "file": file.stem} for script in yaml.safe_load(file.read_text(encoding="utf-8"))]
    return found
