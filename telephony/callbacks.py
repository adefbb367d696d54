"""The way to a callback: a number that was read back, what it is about, and a yes to storing both."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from telephony.chat import Conversation
from telephony.errors import NotAccepted
from telephony.ladders import Tries
from telephony.menus import Menus
from telephony.numbers import callable_number, in_pairs, keyed_number
from telephony.phrases import Phrases
from telephony.prompts import Expects, Keyed, Prompt, Reply, Wanted, Words
from telephony.turns import Turns
from telephony.wishes import Wish

LONGEST_CONCERN = 500
"""Characters; a recognised sentence has fewer."""

Result = TypeVar("Result")


class Left(Exception):
    """The caller wants something else; `reply` says what."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("the caller wants something else")
        self.reply = reply


class Failed(Exception):
    """There is no number, or no answer, after all tries."""


@dataclass
class Callbacks:
    """Takes callbacks in one call.

    `served` waits for the service, as a call does; with `keys_only` nothing that is said is understood.
    """

    turns: Turns
    menus: Menus
    phrases: Phrases
    served: Callable[[Callable[[], Awaitable[str]]], Awaitable[str]]
    keys_only: bool = False

    async def take(self, conversation: Conversation, *, caller: str | None, concern: str | None) -> str | None:
        """Ask for what is needed and leave the callback.

        Args:
            conversation: in which it is left.
            caller: the number that calls, None if it is withheld.
            concern: what was asked last.

        Returns:
            What to say to the caller then; None where the caller does not want it stored.

        Raises:
            Left: the caller wants something else.
            Failed: it did not come about.
            ServiceFailed: the service cannot take it.
        """
        tries = Tries()
        known = callable_number(caller) if caller else None
        number = await self._number(known, tries)
        about = concern or await self._concern()
        if not await self._agreed(about):
            return None
        client_id = uuid.uuid4().hex
        while True:
            try:
                return await self._leave(conversation, number, about, client_id)
            except NotAccepted as error:
                if "phone" not in error.fields:
                    raise Failed from error
                number = await self._keyed(self._again("wrong", tries), tries)
                client_id = uuid.uuid4().hex

    async def _leave(self, conversation: Conversation, number: str, concern: str, client_id: str) -> str:
        name = self.phrases.text("callback.name")
        return await self.served(
            lambda: conversation.call_back(name=name, phone=number, concern=concern, client_id=client_id)
        )

    async def _number(self, known: str | None, tries: Tries) -> str:
        if known is not None:
            question = self.phrases.text("callback.number.known", number=in_pairs(known))
            if await self._confirmed(question, short="callback.number.known.short", tries=tries):
                return known
        return await self._keyed(self.phrases.text("callback.number.key"), tries)

    async def _keyed(self, question: str, tries: Tries) -> str:
        """A number that was keyed in, read back and confirmed."""
        while True:
            prompt = Prompt(
                pages=(),
                question=question,
                short=self.phrases.text("callback.number.short"),
                help=self.phrases.text("help.number"),
                expects=Expects.NUMBER,
            )
            reply = await self.turns.number(prompt, ladders=tries)
            if not isinstance(reply, Keyed):
                raise _other(reply)
            number = keyed_number(reply.digits)
            if number is None:
                question = self._again("wrong", tries)
                continue
            check = self.phrases.text("callback.number.check", number=in_pairs(number))
            if await self._confirmed(check, short="callback.number.check.short", tries=tries):
                return number
            question = self._again("again", tries)

    def _again(self, why: str, tries: Tries) -> str:
        """The request for the number in other words, if there are tries left."""
        rung = tries.silence.climb()
        if rung is None:
            raise Failed
        return self.phrases.text(f"callback.number.{why}.{rung}")

    async def _concern(self) -> str:
        """What it is about, in the caller's words; who cannot be understood is called back all the same."""
        if self.keys_only:
            return self.phrases.text("callback.concern.none")
        prompt = Prompt(
            pages=(),
            question=self.phrases.text("callback.concern"),
            short=self.phrases.text("callback.concern.short"),
            help=self.phrases.text("callback.concern.help"),
        )
        reply = await self.turns.ask(prompt, ladders=Tries())
        if isinstance(reply, Words) and not reply.emergency:
            return reply.text[:LONGEST_CONCERN]
        if isinstance(reply, Words | Wanted):
            raise _other(reply)
        return self.phrases.text("callback.concern.none")

    async def _agreed(self, concern: str) -> bool:
        known = self.phrases.text("callback.concern.known", concern=concern)
        consent = self.phrases.text("callback.consent")
        return await self._confirmed(f"{known} {consent}", short="callback.consent.short", tries=Tries())

    async def _confirmed(self, question: str, *, short: str, tries: Tries) -> bool:
        prompt = self.menus.yes_no(question, short=self.phrases.text(short), closed=True, private=True)
        reply = await self.turns.ask(prompt, ladders=tries)
        if isinstance(reply, Wanted) and reply.wish in (Wish.YES, Wish.NO):
            return reply.wish is Wish.YES
        raise _other(reply)


def _other(reply: Reply) -> Exception:
    """What an answer stands for that does not answer the question."""
    return Left(reply) if isinstance(reply, Words | Wanted) else Failed()
