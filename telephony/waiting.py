"""Waiting for a human: the caller stays with us, hears the place in the queue, and may change plans at any time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from nlu import emergency
from telephony.chat import Came, Lost, Message, Owner, Place, ServiceEvent, Transfer, Turn
from telephony.ears import Event, Heard, Pressed
from telephony.errors import ServiceFailed
from telephony.inbox import Inbox
from telephony.mouth import Mouth
from telephony.phrases import Phrases
from telephony.prompts import Expects, Words
from telephony.turns import Turns
from telephony.wishes import Wish, wish_of


class Change(Enum):
    """What ends the waiting."""

    BACK = "back"
    """The caller wants to talk to the bot."""
    CALLBACK = "callback"
    """The caller wants a callback rather than to wait."""
    SENT_BACK = "sent back"
    """Nobody will come: closing time, or the last one has gone."""
    CLOSED = "closed"
    """Staff have ended the conversation."""
    GOODBYE = "goodbye"
    """The caller takes leave."""


Outcome = Change | Transfer | Words
"""Words are an emergency, which is for the service."""

_KEYS = {"0": Change.BACK, "*": Change.BACK, "1": Change.CALLBACK}
_WISHES = {
    Wish.BACK: Change.BACK,
    Wish.CALLBACK: Change.CALLBACK,
    Wish.GOODBYE: Change.GOODBYE,
}


@dataclass
class Waiting:
    """One caller's time in the queue; told in words every `again_s` seconds, and whenever the place changes."""

    inbox: Inbox[Any]
    mouth: Mouth
    turns: Turns
    phrases: Phrases
    again_s: float
    _place: Place | None = None
    _told: set[int] = field(default_factory=set)
    _times: int = 0
    _due: float = 0.0

    async def outcome(self, turn: Turn, *, first: bool = True) -> Outcome:
        """Wait until something ends it; `turn` put the caller into the queue.

        Raises:
            ServiceFailed: the service is gone.
        """
        self.turns.expect(Expects.OPEN, for_ever=True)
        await self._begin(turn, first=first)
        self.mouth.hold(True)
        try:
            while True:
                event = await self._next()
                outcome = await (self._again() if event is None else self._take(event))
                if outcome is not None:
                    return outcome
        finally:
            self.mouth.hold(False)

    async def _begin(self, turn: Turn, *, first: bool) -> None:
        news = [message for message in turn.messages if message.author == "system"]
        self._told |= {message.seq for message in news}
        self._place = turn.place or self._place
        begin = [message.speech for message in news] or ([self.phrases.text("wait.begin")] if first else [])
        if turn.place is not None:
            begin.append(turn.place.speech)
        for text in begin:
            await self.mouth.say(text, interruptible=False)
        self.inbox.forget_keys()
        if first:
            await self._say(self.phrases.text("wait.help"))
        self._later()

    async def _next(self) -> Event | ServiceEvent | None:
        """What happens next; None when it is time to tell the place again."""
        try:
            async with asyncio.timeout_at(self._due):
                return await self.inbox.either()
        except TimeoutError:
            return None

    async def _take(self, event: Event | ServiceEvent) -> Outcome | None:
        match event:
            case Pressed(symbol):
                return _KEYS.get(symbol)
            case Heard(alternatives) if alternatives:
                return await self._hear(event)
            case Place():
                await self._stand(event)
            case Came(message) if message.author in ("system", "agent"):
                await self._tell(message)
            case Transfer():
                return event
            case Owner("bot"):
                return Change.SENT_BACK
            case Owner("closed"):
                return Change.CLOSED
            case Lost():
                raise ServiceFailed("nothing heard of the service")
        return None

    async def _hear(self, heard: Heard) -> Outcome | None:
        text = heard.alternatives[0].text
        if emergency.detect(text) is not None:
            return Words(heard.alternatives, emergency=True)
        wish = wish_of(text)
        if wish is Wish.REPEAT:
            await self._say(self._standing)
        elif wish is Wish.SLOWER:
            self.turns.slow_down()
            await self._say(self.phrases.text("slower", text=self._standing))
        elif wish is not None:
            return _WISHES.get(wish)
        return None

    async def _tell(self, message: Message) -> None:
        """Say a message once, by whichever way it has come."""
        if message.seq not in self._told:
            self._told.add(message.seq)
            await self._say(message.speech)

    async def _stand(self, place: Place) -> None:
        if place != self._place:
            self._place = place
            await self._say(place.speech)
            self._later()

    async def _again(self) -> None:
        """The place once more, with other words around it than last time."""
        self._times += 1
        key = "wait.again.1" if self._times % 2 else "wait.again.2"
        await self._say(self.phrases.text(key, place=self._standing))
        self._later()

    @property
    def _standing(self) -> str:
        return self._place.speech if self._place else self.phrases.text("wait.unknown")

    def _later(self) -> None:
        self._due = asyncio.get_running_loop().time() + self.again_s

    async def _say(self, text: str) -> None:
        await self.mouth.say(text)
