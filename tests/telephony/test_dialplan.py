"""The configuration of the exchange (telephony/asterisk): how calls run, above all when the bridge does not."""

from __future__ import annotations

import asyncio
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.running import ROOT
from tests.telephony.pbx_server import (
    AFTER_HOURS_NUMBER,
    ALWAYS,
    BOT_NUMBER,
    CARRIER_HOST,
    CONFIGURATION,
    HOST,
    NEVER,
    OVERFLOW_NUMBER,
    PbxServer,
    pbx_server,
)
from tests.telephony.sip import Call, until
from tests.telephony.sound import strength, tone, write_wav
from tests.telephony.tone_bridge import HUM_HERTZ, Line, tone_bridge

CLEAR = 1_500
CLOSED_HERTZ = 600
BUSY_HERTZ = 425
"""DIN tone; what a caller hears at the very end."""
AGENT_HERTZ = 1_500


@pytest.fixture(autouse=True)
def everybody_hangs_up(asterisk: PbxServer) -> Iterator[None]:
    yield
    begun = time.monotonic()
    while asterisk.channels():
        assert time.monotonic() - begun < 10
        time.sleep(0.05)


@contextmanager
def announcement(asterisk: PbxServer, name: str, hertz: float) -> Iterator[None]:
    """A recording of a tone in the place of a spoken text."""
    write_wav(asterisk.sounds / "stadtbot" / f"{name}.wav", tone(hertz, 1.0))
    try:
        yield
    finally:
        shutil.rmtree(asterisk.sounds / "stadtbot")


async def hears(call: Call, hertz: float) -> None:
    """Wait until a tone is heard clearly."""

    def heard() -> bool:
        return call.heard.seconds > 0.25 and strength(call.heard.last(0.25), hertz) > CLEAR

    await until(heard)


async def reaches_the_bot(asterisk: PbxServer, number: str) -> None:
    async with tone_bridge(asterisk) as bridge, asterisk.caller() as phone:
        call = await phone.call(number)
        await bridge.line()
        await hears(call, HUM_HERTZ)


async def reaches_staff(asterisk: PbxServer, number: str) -> None:
    async with tone_bridge(asterisk) as bridge, asterisk.desk() as desk, asterisk.caller() as phone:
        call = await phone.call(number)
        ringing = await desk.incoming()
        await ringing.answer()
        ringing.play(tone(900, 1.0))
        await hears(call, 900)
        assert bridge.lines.empty()


def test_the_page_names_every_file_and_no_other() -> None:
    page = (ROOT / "docs" / "pbx.md").read_text()
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)?\.conf)`", page)) - {"asterisk.conf"}
    assert named == {file.name for file in CONFIGURATION.glob("*.conf")}
    settings = (CONFIGURATION / "stadtbot.conf").read_text()
    for name in re.findall(r"`([A-Z_]{4,})[`=]", page):
        assert re.search(rf"^;?{name}=", settings, re.MULTILINE), name


def test_it_starts_without_a_complaint() -> None:
    with pbx_server() as server:
        write_wav(server.folder / "data" / "moh" / "ruhe.wav", tone(200, 0.1))
        server.restart()
        lines = server.log.read_text().split("Asterisk 22")[-1].splitlines()[1:]
        assert lines == []


def test_the_bot_answers_first(asterisk: PbxServer) -> None:
    asyncio.run(reaches_the_bot(asterisk, BOT_NUMBER))


def test_staffs_own_phones_can_try_the_bot(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with tone_bridge(asterisk) as bridge, asterisk.desk("103") as phone:
            call = await phone.call("*44")
            await bridge.line()
            await hears(call, HUM_HERTZ)

    asyncio.run(run())


def test_overflow_rings_with_staff_first(asterisk: PbxServer) -> None:
    asyncio.run(reaches_staff(asterisk, OVERFLOW_NUMBER))


def test_overflow_goes_to_the_bot_when_nobody_picks_up(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk() as desk:
            await reaches_the_bot(asterisk, OVERFLOW_NUMBER)
            await until((await desk.incoming(within_s=1)).ended.is_set)

    asyncio.run(run())


def test_overflow_goes_to_the_bot_at_once_when_all_are_busy_or_away(asterisk: PbxServer) -> None:
    async def run() -> None:
        await reaches_the_bot(asterisk, OVERFLOW_NUMBER)
        async with asterisk.desk() as desk:
            talking = await desk.call("*43")
            await until(lambda: "(In use)" in asterisk.console("queue show stadtbot-overflow"))
            await reaches_the_bot(asterisk, OVERFLOW_NUMBER)
            await talking.hang_up()

    begun = time.monotonic()
    with asterisk.changed(OVERFLOW_AFTER="30"):
        asyncio.run(run())
    assert time.monotonic() - begun < 20


def test_overflow_goes_to_the_bot_at_once_when_closed(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk() as desk:
            await reaches_the_bot(asterisk, OVERFLOW_NUMBER)
            with pytest.raises(TimeoutError):
                await desk.incoming(within_s=0.1)

    with asterisk.changed(OPEN_1=NEVER, OPEN_2=""):
        asyncio.run(run())


def test_after_hours_the_bot_answers(asterisk: PbxServer) -> None:
    with asterisk.changed(OPEN_1=NEVER, OPEN_2=""):
        asyncio.run(reaches_the_bot(asterisk, AFTER_HOURS_NUMBER))


def test_in_office_hours_staff_answer_the_number_for_after_hours(asterisk: PbxServer) -> None:
    asyncio.run(reaches_staff(asterisk, AFTER_HOURS_NUMBER))


def test_any_of_several_office_hours_counts_and_a_closed_day_goes_before(asterisk: PbxServer) -> None:
    with asterisk.changed(OPEN_1=NEVER, OPEN_2=ALWAYS):
        asyncio.run(reaches_staff(asterisk, AFTER_HOURS_NUMBER))
    with asterisk.changed(CLOSED_1=NEVER, CLOSED_2=ALWAYS):
        asyncio.run(reaches_the_bot(asterisk, AFTER_HOURS_NUMBER))


def test_a_number_may_be_written_with_a_plus(asterisk: PbxServer) -> None:
    with asterisk.changed(**{"MODE_+493641003": "after-hours"}):
        asyncio.run(reaches_staff(asterisk, "+493641003"))
    asyncio.run(reaches_the_bot(asterisk, "+493641003"))


def test_bridge_down_leads_to_staff(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk() as desk, asterisk.caller() as phone:
            call = await phone.call(BOT_NUMBER)
            ringing = await desk.incoming()
            await ringing.answer()
            ringing.play(tone(900, 1.0))
            await hears(call, 900)

    asyncio.run(run())


def test_bridge_down_after_hours_says_so_and_ends(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk() as desk, asterisk.caller() as phone:
            call = await phone.call(BOT_NUMBER)
            await hears(call, CLOSED_HERTZ)
            await hears(call, BUSY_HERTZ)
            await until(call.ended.is_set)
            with pytest.raises(TimeoutError):
                await desk.incoming(within_s=0.1)

    with asterisk.changed(OPEN_1=NEVER, OPEN_2=""), announcement(asterisk, "geschlossen", CLOSED_HERTZ):
        asyncio.run(run())


def test_bridge_down_and_nobody_there_ends(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.caller() as phone:
            call = await phone.call(BOT_NUMBER)
            await hears(call, CLOSED_HERTZ)
            await until(call.ended.is_set)

    with announcement(asterisk, "besetzt", CLOSED_HERTZ):
        asyncio.run(run())


ENDS: dict[str, Callable[[Line], None]] = {
    "crash": lambda line: line.crash(),
    "end of the connection": lambda line: line.writer.close(),
    "hangup": lambda line: line.say(b"\x00\x00\x00"),
    "error": lambda line: line.say(b"\xff\x00\x01\x01"),
    "unknown kind": lambda line: line.say(b"\x77\x00\x05hello"),
    "no length": lambda line: line.say(b"\x10\x00\x00"),
    "half a frame": lambda line: line.stumble(),
}


@pytest.mark.parametrize("how", ENDS)
def test_however_the_bridge_fails_the_caller_reaches_staff(asterisk: PbxServer, how: str) -> None:
    async def run() -> None:
        async with tone_bridge(asterisk) as bridge, asterisk.desk() as desk, asterisk.caller() as phone:
            call = await phone.call(BOT_NUMBER)
            line = await bridge.line()
            await hears(call, HUM_HERTZ)
            ENDS[how](line)
            ringing = await desk.incoming()
            await ringing.answer()
            ringing.play(tone(900, 1.0))
            await hears(call, 900)

    asyncio.run(run())


def test_the_member_of_staff_hears_first_who_is_calling(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk("103") as desk, asterisk.desk("101") as phone:
            # The transfer itself is for the bridge (test_pbx); here only what the phone of an agent hears.
            await asyncio.to_thread(asterisk.console, "dialplan add extension 77,1,Goto,transfer,103,1 into from-staff")
            calling = asyncio.create_task(phone.call("77"))
            ringing = await desk.incoming()
            await ringing.answer()
            await hears(ringing, AGENT_HERTZ)
            await calling

    with announcement(asterisk, "anruf", AGENT_HERTZ):
        asyncio.run(run())


def test_the_bridges_user_may_do_little(asterisk: PbxServer) -> None:
    actions = [
        "Action: Command\r\nCommand: core show uptime",
        "Action: Originate\r\nChannel: PJSIP/101\r\nContext: from-staff\r\nExten: 102\r\nPriority: 1",
        "Action: GetConfig\r\nFilename: manager.conf",
        "Action: UpdateConfig\r\nSrcFilename: manager.conf\r\nDstFilename: manager.conf",
        "Action: Getvar\r\nVariable: SHELL(id)",
        "Action: QueueAdd\r\nQueue: stadtbot\r\nInterface: PJSIP/103",
        "Action: DBGet\r\nFamily: x\r\nKey: y",
    ]
    with socket.create_connection((HOST, asterisk.ami_port), timeout=5) as connection:
        login = f"Action: Login\r\nUsername: stadtbot\r\nSecret: {asterisk.secret}\r\nEvents: off"
        connection.sendall("\r\n\r\n".join([login, *actions, "Action: Logoff", ""]).encode())
        answer = b""
        while data := connection.recv(65_536):
            answer += data
    assert answer.count(b"Response: Success") == 1  # the sign-in
    assert answer.count(b"Response: Error") == len(actions)


@pytest.mark.parametrize("password", ["", "falsch"])
def test_without_its_password_nobody_signs_in(asterisk: PbxServer, password: str) -> None:
    with socket.create_connection((HOST, asterisk.ami_port), timeout=5) as connection:
        connection.sendall(f"Action: Login\r\nUsername: stadtbot\r\nSecret: {password}\r\n\r\n".encode())
        answer = b""
        while data := connection.recv(65_536):
            answer += data
    assert b"Authentication failed" in answer


def test_everything_listens_on_loopback_only(asterisk: PbxServer) -> None:
    ports = {asterisk.sip_port, asterisk.ami_port}
    found = set()
    for table in ("tcp", "udp"):
        with open(f"/proc/net/{table}") as lines:
            for line in list(lines)[1:]:
                address, port = line.split()[1].split(":")
                if int(port, 16) in ports:
                    found.add(address)
    assert found <= {"0100007F", "".join(f"{int(part):02X}" for part in reversed(CARRIER_HOST.split(".")))}


def test_numbers_of_callers_are_in_no_log(asterisk: PbxServer) -> None:
    async def run() -> None:
        async with asterisk.desk() as desk, asterisk.caller("036417654321") as phone:
            await phone.call(BOT_NUMBER)
            await (await desk.incoming()).answer()

    asyncio.run(run())
    for file in asterisk.log.parent.iterdir():
        assert "036417654321" not in file.read_text(), file.name
    assert sorted(file.name for file in asterisk.log.parent.iterdir()) == [
        "console.log",
        "messages.log",
        "security.log",
    ]
