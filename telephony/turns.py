"""Asking and listening: one question to the caller until there is an answer, or until it is given up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from nlu import emergency
from telephony.ears import Event, Heard, Partial, Pressed, Quiet
from telephony.endpointing import Profile
from telephony.inbox import Inbox
from telephony.ladders import Ladder, Ladders
from telephony.mouth import Mouth
from telephony.numbers import callable_number, spoken_digits
from telephony.phrases import Phrases
from telephony.prompts import Expects, GaveUp, Keyed, Picked, Prompt, Reply, Wanted, Words
from telephony.wishes import Wish, answer_of, wish_of

DEAF_S = 90.0
"""So long without any event from the line counts as silence, whatever has happened to it."""
NOISES = 2
"""Times that a text is taken up again after a noise that was no word."""
MOST_DIGITS = 20
_YES_NO_KEYS = {"1": Wish.YES, "2": Wish.NO}
_ALWAYS = frozenset({Wish.HUMAN, Wish.CALLBACK, Wish.GOODBYE, Wish.BACK})


class Attention(Protocol):
    """What a conversation needs of the ears."""

    def expect(self, profile: Profile) -> None:
        """Be so patient from now on."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """What the caller does, until the line is closed."""
        ...


class Turns:
    """Asks the caller of one line."""

    def __init__(
        self,
        *,
        inbox: Inbox[Any],
        mouth: Mouth,
        ears: Attention,
        phrases: Phrases,
        profiles: Mapping[str, Profile],
        warm: Callable[[str], None],
    ) -> None:
        """
        Args:
            inbox: where the caller's events are.
            mouth: says the questions.
            ears: is told how patient to be.
            phrases: what is said when there is no answer.
            profiles: how patient, by what is expected.
            warm: is told what has been understood of an utterance that goes on.
        """
        self._inbox = inbox
        self._mouth = mouth
        self._ears = ears
        self._phrases = phrases
        self._profiles = profiles
        self._warm = warm
        self._slow = False
        self.ladders = Ladders()

    async def tell(self, text: str, *, interruptible: bool = True) -> None:
        """Say something that needs no answer."""
        await self._mouth.say(text, interruptible=interruptible)

    async def ask(self, prompt: Prompt, *, ladders: Ladders | None = None) -> Reply:
        """Ask until something comes that the conversation can go on with."""
        asking = _Asking(prompt, self._phrases, ladders or self.ladders)
        text = asking.text
        while True:
            rest = await self._say(text, prompt)
            self.expect(Expects.CHOICE if asking.more_to_come else prompt.expects)
            event = await self._event(warm=prompt.expects is Expects.OPEN)
            if _wishes(event, Wish.SLOWER):
                self.slow_down()
            step = asking.take(event, rest)
            if not isinstance(step, str):
                return step
            text = step

    async def number(self, prompt: Prompt, *, ladders: Ladders) -> Reply:
        """Ask for digits, keyed in and ended by the hash key, or said."""
        asking = _Asking(prompt, self._phrases, ladders)
        text, digits = asking.text, ""
        while True:
            await self._say(text, prompt)
            text = ""
            self.expect(Expects.NUMBER)
            event = await self._event(warm=False)
            match event:
                case Pressed(symbol) if symbol.isdecimal() and len(digits) < MOST_DIGITS:
                    digits += symbol
                case Pressed("*"):
                    digits, text = "", asking.text
                case Quiet() | Pressed("#") if digits:
                    return Keyed(digits)
                case Heard(alternatives) if alternatives and (said := spoken_digits(alternatives[0].text)):
                    digits += said
                    if callable_number(digits) is not None:
                        return Keyed(digits)
                case _:
                    step = asking.take(event, "")
                    if not isinstance(step, str):
                        return step
                    text = step

    def expect(self, expects: Expects, *, for_ever: bool = False) -> None:
        """How patient to be from now on; `for_ever` where the caller owes no answer."""
        profile = self._profiles[expects.value]
        if self._slow:
            profile = profile.slower()
        self._ears.expect(replace(profile, patience=None) if for_ever else profile)

    def slow_down(self) -> None:
        """Speak more slowly and be more patient for the rest of the call."""
        self._slow = True
        self._mouth.slow_down()

    async def _say(self, text: str, prompt: Prompt) -> str:
        """What of a text was not heard."""
        if not text:
            return ""
        said = await self._mouth.say(text, private=prompt.private)
        return "" if said.heard_all else said.rest

    async def _event(self, *, warm: bool) -> Event:
        """The caller's next answer or silence."""
        try:
            async with asyncio.timeout(DEAF_S):
                while True:
                    event = await self._inbox.caller()
                    if isinstance(event, Heard | Pressed | Quiet):
                        return event
                    if warm and isinstance(event, Partial) and event.stable and " " in event.text:
                        self._warm(event.text)
        except TimeoutError:
            return Quiet(int(DEAF_S * 1000))


@dataclass
class _Asking:
    """A question that is being asked: which page of it was said last, and what to do about what comes."""

    prompt: Prompt
    phrases: Phrases
    ladders: Ladders
    page: int = 0
    noises: int = 0

    @property
    def more_to_come(self) -> bool:
        return self.page < len(self.prompt.pages) - 1

    @property
    def text(self) -> str:
        """The present page and the question after it."""
        page = self.prompt.pages[self.page] if self.page < len(self.prompt.pages) else ""
        return f"{page} {self.prompt.more if self.more_to_come else self.prompt.question}".strip()

    def take(self, event: Event, rest: str) -> Reply | str:
        """A reply, or what to say next; `rest` is what was not heard before it came."""
        match event:
            case Heard(()) if rest and self.noises < NOISES:
                self.noises += 1
                return rest
            case Heard(alternatives) if alternatives:
                return self._hear(event)
            case Heard():
                return self._not_understood()
            case Pressed(symbol):
                return self._press(symbol, rest)
            case _:
                return self._climb(self.ladders.silence, "silence.1", "silence.2", silent=True)

    def _hear(self, heard: Heard) -> Reply | str:
        texts = [alternative.text for alternative in heard.alternatives]
        if any(emergency.detect(text) for text in texts[:1]):
            return Words(heard.alternatives, emergency=True)
        wish = wish_of(texts[0])
        if wish is None and (self.prompt.closed or self.prompt.offer or self.more_to_come):
            wish = answer_of(texts[1:])
        if wish is Wish.REPEAT:
            return self.phrases.text("repeat", text=self.text)
        if wish is Wish.SLOWER:
            return self.phrases.text("slower", text=self.text)
        if wish in _ALWAYS:
            return Wanted(wish)
        if wish is Wish.GO_ON or (wish is Wish.YES and self.more_to_come):
            return self._next_page()
        if wish is Wish.NO and self.more_to_come:
            return self._skip()
        if wish in (Wish.YES, Wish.NO) and (self.prompt.closed or self.prompt.offer):
            return Wanted(wish)
        if self.prompt.closed:
            return self._not_understood()
        return Words(heard.alternatives)

    def _press(self, symbol: str, rest: str) -> Reply | str:
        prompt = self.prompt
        if symbol == "0":
            return Wanted(Wish.HUMAN)
        if symbol == "*":
            return self.text
        if symbol == "#":
            return prompt.slowly or (self._skip() if rest or self.more_to_come else prompt.short)
        if symbol in _YES_NO_KEYS and self.more_to_come and not prompt.is_list:
            return self._next_page() if symbol == "1" else self._skip()
        if symbol.isdecimal() and int(symbol) <= len(prompt.options):
            return Picked(prompt.options[int(symbol) - 1])
        if symbol in _YES_NO_KEYS and (prompt.closed or prompt.offer):
            return Wanted(_YES_NO_KEYS[symbol])
        if not symbol.isdecimal():
            return ""
        return self._climb(self.ladders.no_match, "no_match.1.key", "no_match.2", silent=False)

    def _next_page(self) -> str:
        if not self.more_to_come:
            return self.prompt.short
        self.page += 1
        return self.text

    def _skip(self) -> str:
        """Straight to the question."""
        self.page = max(0, len(self.prompt.pages) - 1)
        return self.prompt.question

    def _not_understood(self) -> Reply | str:
        first = "no_match.1.yes_no" if self.prompt.closed else "no_match.1"
        if self.prompt.expects is Expects.NUMBER:
            first = "no_match.1.number"
        return self._climb(self.ladders.no_match, first, "no_match.2", silent=False)

    def _climb(self, ladder: Ladder, first: str, second: str, *, silent: bool) -> Reply | str:
        rung = ladder.climb()
        if rung is None:
            return GaveUp(silent)
        key = first if rung == 1 else second
        return self.phrases.text(key, short=self.prompt.short, help=self.prompt.help)


def _wishes(event: Event, wish: Wish) -> bool:
    return isinstance(event, Heard) and bool(event.alternatives) and wish_of(event.alternatives[0].text) is wish
