"""One connection to Asterisk's manager interface (AMI), by panoramisk, without that library's habits.

It connects again for ever (also after `close` and with a wrong password), repeats on the new connection what was not
answered on the old one, does not notice a peer that has fallen silent, leaves callers waiting for answers that cannot
come, and lets line breaks in a value through as headers of their own.
"""

from __future__ import annotations

import asyncio
import logging
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from panoramisk.manager import Manager

from telephony.errors import PbxRefused, PbxUnreachable

library_log = logging.getLogger(f"{__name__}.library")
library_log.setLevel(logging.CRITICAL)  # it writes whole messages, and with them numbers of callers


@dataclass(frozen=True, slots=True)
class Message:
    """An answer or event; names of headers are in small letters. Of a header that comes twice the first counts."""

    headers: Mapping[str, str]
    variables: Mapping[str, str]

    def get(self, name: str) -> str:
        """A header's value; empty if there is none."""
        return self.headers.get(name, "")

    @property
    def accepted(self) -> bool:
        """Whether an action has been carried out."""
        return self.get("response") in {"Success", "Goodbye"}


def clean(value: str) -> str:
    """The value on one line: nothing in it can begin a header of its own."""
    return " ".join(
        "".join(" " if unicodedata.category(sign) in {"Cc", "Zl", "Zp"} else sign for sign in value).split()
    )


class _Once(Manager):  # type: ignore[misc]
    """A manager that is connected once and stays away when the connection has ended."""

    def __init__(self, *, on_lost: Callable[[], None]) -> None:
        super().__init__(log=library_log, loop=asyncio.get_running_loop())
        self._on_lost = on_lost

    def connection_lost(self, exc: object) -> None:
        self._on_lost()

    def ping(self) -> None:
        """Its own sign of life asks for no answer; whoever uses the connection sends one that does."""


class AmiSession:
    """A connection that is signed in, until it is `lost` or closed. For use from one event loop."""

    def __init__(self, *, on_event: Callable[[Message], None], answer_within_s: float) -> None:
        self.lost = asyncio.Event()
        self._on_event = on_event
        self._answer_within_s = answer_within_s
        self._pending: set[asyncio.Future[Any]] = set()
        self._manager = _Once(on_lost=self._end)
        self._manager.register_event("*", lambda _, event: self._on_event(_message(event)))

    async def open(self, *, host: str, port: int, username: str, secret: str) -> None:
        """Connect and sign in.

        Raises:
            PbxUnreachable: nobody is there, or nobody answers.
            PbxRefused: name or password is wrong, or this address may not sign in.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._answer_within_s):
                connection = await loop.create_connection(self._manager.config["protocol_factory"], host, port)
        except (OSError, TimeoutError) as error:
            raise PbxUnreachable(f"no connection to {host}:{port}") from error
        connected: asyncio.Future[object] = loop.create_future()
        connected.set_result(connection)
        self._manager.connection_made(connected)
        answer = await self.ask("Login", Username=username, Secret=secret, Events="on")
        if not answer[0].accepted:
            raise PbxRefused(f"{host}:{port} refuses the manager user {username!r}")

    async def ask(self, action: str, **headers: str) -> list[Message]:
        """Send an action, once; gives its answer and, for a list, the events that belong to it.

        Raises:
            PbxUnreachable: no answer in time, or the connection ended. Whether the action was carried out is not known.
        """
        if self.lost.is_set():
            raise PbxUnreachable("the connection has ended")
        cleaned = {name: clean(value) for name, value in headers.items()}
        answer: asyncio.Future[Any] = self._manager.send_action({"Action": action, **cleaned})
        self._pending.add(answer)
        try:
            async with asyncio.timeout(self._answer_within_s):
                found = await answer
        except TimeoutError as error:
            raise PbxUnreachable(f"no answer to {action}") from error
        finally:
            self._pending.discard(answer)
        return [_message(message) for message in (found if isinstance(found, list) else [found])]

    async def close(self) -> None:
        """End the connection at once."""
        self._end()
        protocol = self._manager.protocol
        self._manager.close()
        if protocol is not None:
            protocol.transport.abort()
            await asyncio.sleep(0)  # lets the transport go

    def _end(self) -> None:
        self.lost.set()
        for answer in self._pending:
            if not answer.done():
                answer.set_exception(PbxUnreachable("the connection has ended"))


def _message(message: Mapping[str, str | list[str]]) -> Message:
    headers: dict[str, str] = {}
    variables: dict[str, str] = {}
    for name, value in message.items():
        values = value if isinstance(value, list) else [value]
        if name.lower() == "variable":
            variables |= dict(one.partition("=")[::2] for one in values)
        else:
            headers[name.lower()] = values[0]
    return Message(headers, variables)
