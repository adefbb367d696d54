"""The telephone exchange: which channel belongs to which line, putting through, hanging up.

The dialplan (telephony/asterisk/extensions.conf) tells by the event BotCall which channel is about to be connected.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from telephony.ami import AmiSession, Message, clean
from telephony.errors import LineClosed, PbxRefused, PbxUnreachable

log = logging.getLogger(__name__)

LINE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CHANNEL = re.compile(r"[A-Za-z0-9]+/[!-~]+")
NUMBER = re.compile(r"\+?[0-9]{2,20}")
EXTENSION = re.compile(r"[0-9]{1,20}")
SUMMARY_SIGNS = 60
"""More does not fit a phone's display."""
NORMAL_CLEARING = "16"


class PbxSettings(BaseModel):
    """How the exchange is reached. Defaults are those of telephony/asterisk."""

    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    """Loopback or the exchange's address in a tunnel: the interface speaks plain text."""
    port: int = Field(default=5038, ge=1, le=65_535)
    username: str = "stadtbot"
    secret: SecretStr
    transfer_context: str = "transfer"
    staff_context: str = "staff"
    answer_within: dt.timedelta = Field(default=dt.timedelta(seconds=5), gt=dt.timedelta())
    """How long to wait for a connection, and for an answer, before it counts as lost."""
    ping_every: dt.timedelta = Field(default=dt.timedelta(seconds=10), gt=dt.timedelta())
    """How often to look whether the exchange is still there."""
    reconnect_after: dt.timedelta = Field(default=dt.timedelta(milliseconds=500), gt=dt.timedelta())
    """First pause before another try; doubled each time."""
    reconnect_at_most: dt.timedelta = Field(default=dt.timedelta(seconds=30), gt=dt.timedelta())
    """Longest pause."""
    link_within: dt.timedelta = Field(default=dt.timedelta(seconds=2), gt=dt.timedelta())
    """How long the exchange's word on a new line may be behind the line itself."""
    refusals: int = Field(default=3, ge=1)
    """After how many refused tries in a row to give up."""


@dataclass(frozen=True, slots=True)
class PbxCall:
    """A call as the exchange knows it.

    Attributes:
        line_id: UUID that the line itself gives, too.
        channel: the caller's channel.
        caller: the caller's number, None if it is withheld.
        number: which of the city's numbers was called; empty for calls from staff's own phones.
        mode: `bot-first`, `overflow` or `after-hours`.
    """

    line_id: str
    channel: str
    caller: str | None
    number: str
    mode: str


class Pbx:
    """Keeps a connection to the exchange and acts on calls. For use from one event loop."""

    def __init__(self, settings: PbxSettings) -> None:
        self._settings = settings
        self._session: AmiSession | None = None
        self._up = asyncio.Event()
        self._closing = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._calls: dict[str, PbxCall] = {}
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def connected(self) -> bool:
        """Whether calls can be put through now."""
        return self._up.is_set()

    async def run(self) -> None:
        """Keep the connection until `close`.

        Raises:
            PbxRefused: the exchange refuses our name or password again and again.
        """
        keeping = self._running = asyncio.create_task(self._keep())
        closing = asyncio.create_task(self._closing.wait())
        try:
            await asyncio.wait({keeping, closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (keeping, closing):
                task.cancel()
            await asyncio.wait({keeping, closing})
        if not keeping.cancelled():
            keeping.result()

    async def close(self) -> None:
        """Let the connection go, whatever is going on; calls go on."""
        self._closing.set()
        if self._running is not None:
            await asyncio.wait({self._running})

    async def wait_connected(self) -> None:
        """Wait until the exchange is there."""
        await self._up.wait()

    async def call_of(self, line_id: str) -> PbxCall | None:
        """What the exchange knows of a line; None if it says nothing in time."""
        try:
            async with asyncio.timeout(_seconds(self._settings.link_within)):
                while line_id not in self._calls:
                    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting.add(told)
                    try:
                        await told
                    finally:
                        self._waiting.discard(told)
        except TimeoutError:
            pass
        return self._calls.get(line_id)

    async def channel_of(self, line_id: str) -> str:
        """The caller's channel.

        Raises:
            LineClosed: the exchange knows no such call.
        """
        call = await self.call_of(line_id)
        if call is None:
            raise LineClosed(line_id)
        return call.channel

    async def caller_of(self, line_id: str) -> str | None:
        """The caller's number; None if it is withheld or not known."""
        call = await self.call_of(line_id)
        return call.caller if call else None

    async def transfer(self, line_id: str, extension: str, *, summary: str = "") -> None:
        """Let an agent's phone ring for the caller, with what it is about in its display.

        Raises:
            LineClosed: the caller has gone.
            PbxRefused: the extension cannot be one, or the exchange says no.
            PbxUnreachable: the exchange does not answer; nothing is done later.
        """
        if not EXTENSION.fullmatch(extension):
            raise PbxRefused("an extension has digits only")
        channel = await self.channel_of(line_id)
        shown = clean(summary)[:SUMMARY_SIGNS]
        await self._act("Setvar", Channel=channel, Variable="STADTBOT_SUMMARY", Value=shown)
        await self._redirect(channel, self._settings.transfer_context, extension)

    async def to_staff_queue(self, line_id: str) -> None:
        """Hand the caller to the exchange's own queue, since we cannot go on.

        Raises:
            LineClosed: the caller has gone.
            PbxRefused: the exchange says no.
            PbxUnreachable: the exchange does not answer; closing the line has the same effect.
        """
        await self._redirect(await self.channel_of(line_id), self._settings.staff_context, "s")

    async def hang_up(self, line_id: str) -> None:
        """End the call; nothing happens if it is over.

        Raises:
            PbxRefused: the exchange says no.
            PbxUnreachable: the exchange does not answer.
        """
        try:
            await self._act("Hangup", Channel=await self.channel_of(line_id), Cause=NORMAL_CLEARING)
        except LineClosed:
            return

    async def _redirect(self, channel: str, context: str, extension: str) -> None:
        await self._act("Redirect", Channel=channel, Context=context, Exten=extension, Priority="1")

    async def _act(self, action: str, **headers: str) -> None:
        if self._running is None or self._running.done():
            raise PbxUnreachable("the connection has been given up")
        try:
            async with asyncio.timeout(_seconds(self._settings.answer_within)):
                await self._up.wait()
        except TimeoutError as error:
            raise PbxUnreachable("no connection to the exchange") from error
        if self._session is None:
            raise PbxUnreachable("no connection to the exchange")
        answer = (await self._session.ask(action, **headers))[0]
        if not answer.accepted:
            if "channel" in answer.get("message").lower():
                raise LineClosed(action)
            raise PbxRefused(f"{action}: {answer.get('message')}")

    # --- the connection

    async def _keep(self) -> None:
        tries = refused = 0
        while True:
            session = AmiSession(on_event=self._hear, answer_within_s=_seconds(self._settings.answer_within))
            try:
                await session.open(
                    host=self._settings.host,
                    port=self._settings.port,
                    username=self._settings.username,
                    secret=self._settings.secret.get_secret_value(),
                )
                log.info("The telephone exchange is there.")
                tries = refused = 0
                await self._use(session)
            except PbxRefused as error:
                refused += 1
                if refused == 1:
                    log.error("The telephone exchange refuses us: %s. Check telephony.toml and manager.conf.", error)
                if refused >= self._settings.refusals:
                    raise
            except PbxUnreachable as error:
                if tries == 0:
                    log.warning("The telephone exchange is away (%s). Trying on.", error)
            finally:
                self._session = None
                self._up.clear()
                await session.close()
            pause = self._settings.reconnect_after * 2 ** min(tries, 16)
            await asyncio.sleep(_seconds(min(pause, self._settings.reconnect_at_most)))
            tries += 1

    async def _use(self, session: AmiSession) -> None:
        await self._learn(session)
        self._session = session
        self._up.set()
        while not session.lost.is_set():
            try:
                async with asyncio.timeout(_seconds(self._settings.ping_every)):
                    await session.lost.wait()
            except TimeoutError:
                await session.ask("Ping")
        raise PbxUnreachable("the connection has ended")

    async def _learn(self, session: AmiSession) -> None:
        """Which calls there are: while we were away, some have come and some have gone."""
        known = set(self._calls)
        present = await session.ask("Status", Variables="BOTUUID,NUMBER,HOW")
        found = {
            message.variables.get("BOTUUID", ""): message for message in present if message.get("event") == "Status"
        }
        for line_id in known - set(found):
            self._calls.pop(line_id, None)
        for line_id, message in found.items():
            variables = message.variables
            self._link(
                line_id,
                channel=message.get("channel"),
                caller=message.get("calleridnum"),
                number=variables.get("NUMBER", ""),
                mode=variables.get("HOW", ""),
            )

    def _hear(self, event: Message) -> None:
        match event.get("event"), event.get("userevent"):
            case "UserEvent", "BotCall":
                self._link(
                    event.get("botuuid"),
                    channel=event.get("channel"),
                    caller=event.get("from"),
                    number=event.get("number"),
                    mode=event.get("mode"),
                )
            case "Hangup", _:
                gone = [line_id for line_id, call in self._calls.items() if call.channel == event.get("channel")]
                for line_id in gone:
                    del self._calls[line_id]

    def _link(self, line_id: str, *, channel: str, caller: str, number: str, mode: str) -> None:
        if line_id in self._calls or not LINE_ID.fullmatch(line_id) or not CHANNEL.fullmatch(channel):
            return  # no call of ours, or one that a caller has made up
        self._calls[line_id] = PbxCall(
            line_id=line_id,
            channel=channel,
            caller=caller if NUMBER.fullmatch(caller) else None,
            number=number if NUMBER.fullmatch(number) else "",
            mode=mode,
        )
        for told in self._waiting:
            if not told.done():
                told.set_result(None)


def _seconds(duration: dt.timedelta) -> float:
    return duration.total_seconds()
