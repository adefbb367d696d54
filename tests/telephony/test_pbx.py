"""The wrapper of the manager interface, on the real exchange."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest

from telephony.errors import LineClosed, PbxRefused, PbxUnreachable
from telephony.pbx import Pbx, PbxSettings
from tests.running import free_port
from tests.telephony.pbx_server import BOT_NUMBER, HOST, NEVER, PbxServer
from tests.telephony.sip import Call, Phone, until
from tests.telephony.sound import strength, tone
from tests.telephony.tone_bridge import HUM_HERTZ, Line, ToneBridge, tone_bridge

CALLER_HERTZ = 700
STAFF_HERTZ = 1_100
CLEAR = 1_500
"""Amplitude from which a tone of 8,000 counts as heard."""


def settings(asterisk: PbxServer, **changes: Any) -> PbxSettings:
    return PbxSettings.model_validate(
        {
            "port": asterisk.ami_port,
            "secret": asterisk.secret,
            "answer_within": 1,
            "ping_every": 0.2,
            "reconnect_after": 0.05,
            "reconnect_at_most": 0.2,
            **changes,
        }
    )


@asynccontextmanager
async def connected(asterisk: PbxServer, **changes: Any) -> AsyncIterator[Pbx]:
    """A wrapper that is connected; nothing of it is left afterwards."""
    pbx = Pbx(settings(asterisk, **changes))
    running = asyncio.create_task(pbx.run())
    try:
        async with asyncio.timeout(5):
            await pbx.wait_connected()
        yield pbx
    finally:
        await pbx.close()
        await running
        assert not left_over()
        assert not pbx.connected


def left_over() -> list[str]:
    """Tasks of the wrapper that still run."""
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]  # type: ignore[union-attr]
    return [name for name in names if name.startswith(("Pbx.", "AmiSession.", "Event.wait"))]


FORGED = "BotUUID: 00000000-0000-4000-8000-000000000000\r\nChannel: PJSIP/101-00000001\r\n\r\n"


class Talk:
    """A caller who is connected with the humming bridge."""

    def __init__(self, *, bridge: ToneBridge, phone: Phone, call: Call, line: Line) -> None:
        self.bridge = bridge
        self.phone = phone
        self.call = call
        self.line = line


@asynccontextmanager
async def talking(asterisk: PbxServer, *, caller: str | None = None, display: str = "") -> AsyncIterator[Talk]:
    async with tone_bridge(asterisk) as bridge, asterisk.caller() as phone:
        call = await phone.call(BOT_NUMBER, caller=caller, display=display)
        assert call.status == 200
        yield Talk(bridge=bridge, phone=phone, call=call, line=await bridge.line())


def on_the_phone(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def free_of_calls(asterisk: PbxServer) -> None:
    begun = time.monotonic()
    while asterisk.channels():
        assert time.monotonic() - begun < 10
        time.sleep(0.05)


@pytest.fixture(autouse=True)
def everybody_hangs_up(asterisk: PbxServer) -> Iterator[None]:
    yield
    free_of_calls(asterisk)


async def hear_each_other(call: Call, other: Call) -> None:
    """Judge audio both ways by tones."""
    begun = time.monotonic()
    call.play(tone(CALLER_HERTZ, 1.5))
    other.play(tone(STAFF_HERTZ, 1.5))
    await call.played()
    heard_by_caller = call.heard.between(begun + 0.3, begun + 1.3)
    assert strength(heard_by_caller, STAFF_HERTZ) > CLEAR
    assert strength(heard_by_caller, HUM_HERTZ) < CLEAR / 10
    assert strength(other.heard.between(begun + 0.3, begun + 1.3), CALLER_HERTZ) > CLEAR


def test_a_line_is_linked_with_its_channel_caller_and_number(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with connected(asterisk) as pbx, talking(asterisk) as talk:
            call = await pbx.call_of(talk.line.id)
            assert call is not None
            assert (call.caller, call.number, call.mode) == ("0364112345", BOT_NUMBER, "bot-first")
            assert await pbx.channel_of(talk.line.id) in await asyncio.to_thread(asterisk.channels)
            await until(lambda: talk.call.heard.seconds > 0.6)
            assert strength(talk.call.heard.pcm[-8_000:], HUM_HERTZ) > CLEAR
            talk.call.press("4")
            await until(lambda: talk.line.keys == ["4"])
            await talk.call.hang_up()
            await until(talk.line.ended.is_set)
            await until(lambda: talk.line.id not in pbx._calls)

    on_the_phone(test)


def test_a_withheld_number_is_none(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with connected(asterisk) as pbx, talking(asterisk, caller="anonymous", display="Anonymous") as talk:
            assert await pbx.caller_of(talk.line.id) is None
            assert await pbx.call_of(talk.line.id) is not None

    on_the_phone(test)


def test_a_line_that_the_exchange_does_not_know(asterisk: PbxServer) -> None:
    unknown = "00000000-0000-4000-8000-000000000000"

    async def test() -> None:
        async with connected(asterisk, link_within=0.1) as pbx:
            assert await pbx.caller_of(unknown) is None
            with pytest.raises(LineClosed):
                await pbx.transfer(unknown, "101")
            await pbx.hang_up(unknown)

    on_the_phone(test)


def test_a_caller_is_put_through_to_the_agents_phone(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with (
            asterisk.desk("103") as desk,
            connected(asterisk) as pbx,
            talking(asterisk) as talk,
        ):
            await pbx.transfer(talk.line.id, "103", summary="Personalausweis")
            ringing = await desk.incoming()
            assert "Personalausweis" in ringing.caller and "0364112345" in ringing.caller
            await until(talk.line.ended.is_set)
            await ringing.answer()
            await hear_each_other(talk.call, ringing)
            await ringing.hang_up()
            await until(talk.call.ended.is_set)

    on_the_phone(test)


@pytest.mark.parametrize("how", ["busy", "nobody there"])
def test_an_agents_phone_that_does_not_answer_leads_to_the_queue(asterisk: PbxServer, how: str) -> None:
    async def test() -> None:
        async with (
            asterisk.desk("103") as desk,
            asterisk.desk("101") as colleague,
            connected(asterisk) as pbx,
            talking(asterisk) as talk,
        ):
            if how == "nobody there":
                await desk.register(expires_s=0)
            await pbx.transfer(talk.line.id, "103")
            if how == "busy":
                await (await desk.incoming()).reject()
            ringing = await colleague.incoming()
            await ringing.answer()
            await hear_each_other(talk.call, ringing)

    on_the_phone(test)


def test_a_caller_is_handed_to_the_queue(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with asterisk.desk() as desk, connected(asterisk) as pbx, talking(asterisk) as talk:
            await pbx.to_staff_queue(talk.line.id)
            ringing = await desk.incoming()
            await ringing.answer()
            await hear_each_other(talk.call, ringing)

    on_the_phone(test)


def test_hanging_up_ends_the_call(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with connected(asterisk) as pbx, talking(asterisk) as talk:
            await pbx.hang_up(talk.line.id)
            await until(talk.call.ended.is_set)
            await until(talk.line.ended.is_set)
            await pbx.hang_up(talk.line.id)

    on_the_phone(test)


@pytest.mark.parametrize("extension", ["", "101\r\nContext: staff", "s", "101,1", "0" * 21, "*43"])
def test_only_digits_are_dialled(asterisk: PbxServer, extension: str) -> None:
    async def test() -> None:
        async with connected(asterisk) as pbx, talking(asterisk) as talk:
            with pytest.raises(PbxRefused):
                await pbx.transfer(talk.line.id, extension)
            assert not talk.call.ended.is_set()

    on_the_phone(test)


def test_what_a_call_is_about_cannot_do_anything(asterisk: PbxServer) -> None:
    foul = 'Pass"\r\nAction: Hangup\r\nChannel: /.*/\r\n\r\nAction: Ping ${SHELL(id)} ${BRIDGE} <sip:x@y>,q(1)\u2028'

    async def test() -> None:
        async with asterisk.desk("103") as desk, connected(asterisk) as pbx, talking(asterisk) as talk:
            await pbx.transfer(talk.line.id, "103", summary=foul)
            ringing = await desk.incoming()
            assert "Pass" in ringing.caller and "${SHELL(id)}" in ringing.caller
            assert "sip:0364112345@" in ringing.caller
            await ringing.answer()
            await hear_each_other(talk.call, ringing)

    on_the_phone(test)


@pytest.mark.parametrize(
    "from_",
    [
        {"display": "Boese%0d%0aEvent: Hangup"},
        {"display": "Boese, Event: Hangup ${SHELL(id)}"},
        {"caller": quote("0364112345\r\nChannel: PJSIP/101-00000001", safe="")},
        {"caller": quote(f"03641\r\n\r\nEvent: UserEvent\r\nUserEvent: BotCall\r\n{FORGED}", safe="")},
    ],
)
def test_a_caller_cannot_inject_anything(asterisk: PbxServer, from_: dict[str, str]) -> None:
    async def test() -> None:
        async with connected(asterisk) as pbx, talking(asterisk, **from_) as talk:
            channel = await pbx.channel_of(talk.line.id)
            assert channel in await asyncio.to_thread(asterisk.channels)
            assert list(pbx._calls) == [talk.line.id]
            caller = await pbx.caller_of(talk.line.id)
            assert caller is None or caller.isdigit()
            await pbx.hang_up(talk.line.id)
            await until(talk.call.ended.is_set)

    on_the_phone(test)


# --- trouble with the connection


def test_the_exchange_crashes_and_comes_back(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with connected(asterisk, answer_within=0.3) as pbx:
            async with talking(asterisk) as talk:
                await pbx.channel_of(talk.line.id)
                await asyncio.to_thread(asterisk.kill)
                await until(lambda: not pbx.connected)
                with pytest.raises(PbxUnreachable):
                    await pbx.to_staff_queue(talk.line.id)
                await until(talk.line.ended.is_set)
                await talk.call.over()
                await asyncio.to_thread(asterisk.start)
                async with asyncio.timeout(5):
                    await pbx.wait_connected()
                assert pbx._calls == {}
            async with asterisk.desk() as desk, talking(asterisk) as talk:
                await pbx.channel_of(talk.line.id)
                with pytest.raises(TimeoutError):  # what could not be done before the crash is not done now
                    await desk.incoming(within_s=0.5)
                assert not talk.call.ended.is_set()

    on_the_phone(test)


def test_calls_that_came_while_nobody_listened_are_learnt(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with talking(asterisk) as talk, connected(asterisk) as pbx:
            call = await pbx.call_of(talk.line.id)
            assert call is not None
            assert (call.caller, call.number, call.mode) == ("0364112345", BOT_NUMBER, "bot-first")
            await pbx.hang_up(talk.line.id)
            await until(talk.call.ended.is_set)

    on_the_phone(test)


def test_a_wrong_password_is_said_once_and_tried_a_few_times(
    asterisk: PbxServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        pbx = Pbx(settings(asterisk, secret="falsch", refusals=2, answer_within=5))
        with caplog.at_level(logging.ERROR), pytest.raises(PbxRefused):
            async with asyncio.timeout(10):
                await pbx.run()
        assert not pbx.connected
        with pytest.raises(PbxUnreachable):
            await pbx._act("Ping")

    on_the_phone(test)
    assert len([record for record in caplog.records if record.name == "telephony.pbx"]) == 1
    assert "falsch" not in caplog.text


class Proxy:
    """Between the wrapper and the exchange; can swallow everything."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.swallowing = False
        self.connections = 0
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Proxy]:
        server = await asyncio.start_server(self._serve, HOST, self.port)
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            await server.wait_closed()
            await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        theirs, ours = await asyncio.open_connection(HOST, self._target)
        try:
            await asyncio.gather(self._pass(reader, ours), self._pass(theirs, writer))
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()
            ours.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                if not self.swallowing:
                    writer.write(data)
            writer.transport.abort()
        except ConnectionError:
            writer.transport.abort()


def test_an_exchange_that_falls_silent_is_noticed(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with (
            Proxy(free_port(), asterisk.ami_port).serving() as proxy,
            connected(asterisk, port=proxy.port, answer_within=0.5) as pbx,
            talking(asterisk) as talk,
        ):
            await pbx.channel_of(talk.line.id)
            proxy.swallowing = True
            begun = time.monotonic()
            with pytest.raises(PbxUnreachable):
                await pbx.hang_up(talk.line.id)
            await until(lambda: not pbx.connected)
            assert time.monotonic() - begun < 2
            await asyncio.sleep(1)
            assert not pbx.connected
            proxy.swallowing = False
            async with asyncio.timeout(5):
                await pbx.wait_connected()
            await asyncio.sleep(0.3)
            assert not talk.call.ended.is_set()  # the old action is not done late
            assert talk.line.id in pbx._calls
            await pbx.hang_up(talk.line.id)
            await until(talk.call.ended.is_set)

    on_the_phone(test)


@pytest.mark.parametrize("state", ["nobody listens", "silent", "connected"])
def test_closing_ends_it_in_every_state(asterisk: PbxServer, state: str) -> None:
    async def test() -> None:
        proxy = Proxy(free_port(), asterisk.ami_port)
        async with proxy.serving():
            proxy.swallowing = state == "silent"
            port = free_port() if state == "nobody listens" else proxy.port
            pbx = Pbx(settings(asterisk, port=port, answer_within=5))
            running = asyncio.create_task(pbx.run())
            if state == "connected":
                await pbx.wait_connected()
            await asyncio.sleep(0.3)
            seen = proxy.connections
            begun = time.monotonic()
            await pbx.close()
            await running
            assert time.monotonic() - begun < 0.5
            await asyncio.sleep(0.5)
            assert proxy.connections == seen
            assert not left_over()

    on_the_phone(test)


def test_closed_hours_hold_for_the_queue(asterisk: PbxServer) -> None:
    async def test() -> None:
        async with asterisk.desk() as desk, connected(asterisk) as pbx, talking(asterisk) as talk:
            await pbx.to_staff_queue(talk.line.id)
            with pytest.raises(TimeoutError):
                await desk.incoming(within_s=1)
            await until(talk.call.ended.is_set)

    with asterisk.changed(OPEN_1=NEVER, OPEN_2=""):
        on_the_phone(test)
