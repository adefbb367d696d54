"""Whole calls: a real exchange, the bridge's own process, the service, and callers who talk."""

from __future__ import annotations

import asyncio
import functools
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psutil
import pytest

from bot.models import Message, State
from handover.models import CallbackWish
from nlu.speech import sentences, speakable
from telephony.numbers import callable_number, in_pairs
from tests.running import ROOT, RunningService, free_port
from tests.staff_client import Staff, add_staff, send_home
from tests.telephony.pbx_server import BOT_NUMBER, PbxServer
from tests.telephony.phone_bridge import TOPICS, PhoneBridge, phone_bridge
from tests.telephony.sip import Call, until
from tests.telephony.sound import strength, tone
from tests.telephony.synthesis_server import SynthesisServer
from tests.telephony.talking import PHRASES, KnownVoice, Records, Talk, records_of

pytestmark = pytest.mark.calls

_numbers = count(1)
OUTPUT = ROOT / "tests" / "output"
CALLER_HERTZ, AGENT_HERTZ = 900, 1_500
KEPT = 2
"""Connections of a bridge without calls: to the exchange's manager interface, and to the voice."""
QUESTION_END = PHRASES.text("question.more")
GREETING_END = "Was möchten Sie wissen?"


@dataclass
class Hotline:
    """Everything that takes part in a call."""

    asterisk: PbxServer
    bridge: PhoneBridge
    service: RunningService
    records: Records
    voice: KnownVoice

    @asynccontextmanager
    async def talk(self, caller: str, *, number: str = BOT_NUMBER) -> AsyncIterator[Talk]:
        """A call from its first ring on."""
        async with self.asterisk.caller(caller) as phone:
            yield Talk(await phone.call(number), self.voice)

    async def asks(self, talk: Talk, caller: str | None, question: str, after: str = GREETING_END) -> Message:
        """Ask when it is the caller's turn; gives the answer."""
        await talk.hears(after)
        await talk.says(question)
        await until(lambda: self.records.said(caller)[-1:] == [question])
        return await self.answer(caller)

    async def answer(self, caller: str | None) -> Message:
        """The answer to what was said last."""
        reply = await until(lambda: self.records.reply(caller))
        assert reply is not None
        return reply


@pytest.fixture(scope="module")
def bridge(
    asterisk: PbxServer,
    staffed_service: RunningService,
    tiny_vosk_model: Path,
    tiny_voice: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[PhoneBridge]:
    credential = staffed_service.log.parent / "service.credential"
    service = {"url": staffed_service.url, "credential_file": str(credential)}
    folder = tmp_path_factory.mktemp("phone")
    with phone_bridge(folder, asterisk, service=service, model=tiny_vosk_model, voice=tiny_voice) as running:
        yield running


@pytest.fixture(scope="module")
def hotline(
    asterisk: PbxServer, bridge: PhoneBridge, staffed_service: RunningService, synthesis: SynthesisServer
) -> Iterator[Hotline]:
    with records_of(staffed_service) as records:
        yield Hotline(asterisk, bridge, staffed_service, records, KnownVoice(synthesis))


@pytest.fixture
def caller() -> str:
    """A number that nobody has called from yet."""
    return f"036419{next(_numbers):05}"


def test_the_greeting_comes_at_once_and_whole(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.talk(caller) as talk:
            answered_at = time.monotonic()
            greeting = await talk.hears_phrase("disclosure")
            assert talk.time_of(greeting.begin) - answered_at < 2.0
            assert greeting.from_its_beginning
            assert greeting.to_its_end
            await talk.hears_phrase("disclosure.human")

    asyncio.run(run())


def test_a_conversation_from_the_greeting_to_the_goodbye(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.talk(caller) as talk:
            answer = await hotline.asks(talk, caller, "was kostet ein personalausweis")
            assert answer.answer is not None
            assert (answer.answer.kind, answer.answer.title) == ("service", "Personalausweis")
            await talk.hears(first_sentence(answer))
            answer = await hotline.asks(talk, caller, "welche unterlagen brauche ich", after=QUESTION_END)
            assert answer.answer is not None
            assert answer.answer.title == "Personalausweis"
            await talk.hears(first_sentence(answer))
            await talk.hears_phrase("more.answer" if len((answer.speech or "").split(". ")) > 4 else "question.more")
            await talk.says("auf wiederhören")
            goodbye = await talk.hears_phrase("goodbye")
            await talk.is_over()
            assert talk.call.heard.seconds - goodbye.end < 3
            talk.save(OUTPUT / "call.wav", OUTPUT / "call.txt")
        assert hotline.records.said(caller) == ["was kostet ein personalausweis", "welche unterlagen brauche ich"]
        await until(lambda: hotline.records.state(caller) is State.CLOSED)

    asyncio.run(run())


def test_choices_are_taken_by_key_and_by_word(hotline: Hotline) -> None:
    async def choose(caller: str, chosen: str, pick: Callable[[Talk], Awaitable[float]]) -> None:
        async with hotline.talk(caller) as talk:
            offer = await hotline.asks(talk, caller, "anmelden")
            assert len(offer.choices) > 3
            await talk.hears_phrase("more.list")
            await pick(talk)
            await until(lambda: len(hotline.records.said(caller)) == 2)
            answer = await hotline.answer(caller)
            assert answer.answer is not None
            assert (answer.answer.kind, answer.answer.title) == ("service", chosen)
            await talk.hears(first_sentence(answer))

    async def run() -> None:
        await asyncio.gather(
            choose("0364180001", "Wohnsitz anmelden nach Zuzug", lambda talk: talk.presses("1")),
            choose("0364180002", "Demonstration anmelden", lambda talk: talk.says("das zweite")),
        )

    asyncio.run(run())


def test_keys_stand_for_questions_where_nothing_else_is_offered(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.talk(caller) as talk:
            await talk.hears(GREETING_END)
            await talk.presses("1")
            await until(lambda: hotline.records.said(caller) == [TOPICS[0]])

    asyncio.run(run())


def test_the_bot_falls_silent_when_the_caller_speaks(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.talk(caller) as talk:
            await talk.hears_phrase("disclosure")
            await until(lambda: talk.call.heard.loud_at(time.monotonic() - 0.1))
            await asyncio.sleep(0.6)  # of the next sentence, which may be interrupted
            begun_at = time.monotonic()
            said_at = await talk.says("was kostet ein reisepass")
            await until(lambda: hotline.records.said(caller) == ["was kostet ein reisepass"])
            silent_at = talk.call.heard.last_loud_at(begun_at, said_at)
            assert silent_at is not None
            assert silent_at - begun_at < 1.2
            answer = await hotline.answer(caller)
            await talk.hears(first_sentence(answer))

    asyncio.run(run())


def test_an_agent_takes_the_call(hotline: Hotline, caller: str) -> None:
    account = add_staff(hotline.service, "telefon1", extension="101", departments=["zentrale", "buergerservice"])
    staff = Staff(hotline.service.url, "telefon1")

    async def run() -> None:
        async with hotline.asterisk.desk("101") as desk, hotline.talk(caller) as talk:
            await hotline.asks(talk, caller, "was kostet ein reisepass")
            await talk.hears(QUESTION_END)
            await talk.says("ich möchte mit einem mitarbeiter sprechen")
            await talk.hears_phrase("wait.help")
            conversation = hotline.records.of(caller)
            board = await asyncio.to_thread(staff.board)
            waiting = next(one for one in board["waiting"] if one["conversation"] == conversation)
            assert waiting["channel"] == "phone"
            (await asyncio.to_thread(staff.claim, waiting["handover"])).raise_for_status()
            ringing = await desk.incoming(within_s=15)
            assert "Reisepass" in ringing.caller
            await ringing.answer()
            await both_hear_each_other(talk.call, ringing)
            seen = await asyncio.to_thread(staff.request, "GET", f"/conversations/{conversation}")
            assert "was kostet ein reisepass" in seen.text
            assert hotline.records.state(caller) is State.AGENT
            await ringing.hang_up()
            await talk.is_over()
            end = await asyncio.to_thread(
                staff.request, "POST", f"/conversations/{conversation}/finish", json={"reason": "solved"}
            )
            assert end.is_success, end.text

    try:
        staff.come()
        asyncio.run(run())
    finally:
        staff.close()
        send_home(hotline.service, account)


@pytest.mark.slow
def test_nothing_is_left_of_callers_who_hang_up(hotline: Hotline) -> None:
    states = ("greeting", "question", "answer", "callback")

    async def hang_up_at(state: str, caller: str) -> None:
        async with hotline.talk(caller) as talk:
            await until(lambda: talk.call.heard.loud_at())
            if state != "greeting":
                await talk.hears_phrase("disclosure")
            if state == "answer":
                await hotline.asks(talk, caller, "was kostet ein reisepass")
            elif state == "callback":
                await talk.presses("0")
                await talk.hears_phrase("question.callback.offered")
            await talk.call.hang_up()

    async def calls(first: int) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(len(states)):
                group.create_task(hang_up_at(states[number], f"03641700{first + number:02}"))
        await until(lambda: all(closed(f"03641700{first + number:02}") for number in range(len(states))))

    def closed(caller: str) -> bool:
        return hotline.records.state(caller) in (None, State.CLOSED)

    asyncio.run(calls(0))  # loads what is loaded when it is first needed
    process = hotline.bridge.process
    wait_until_idle(process)
    before, rss = left_of(process), process.memory_info().rss
    for first in range(4, 24, 4):
        asyncio.run(calls(first))
    wait_until_idle(process)
    assert left_of(process) <= before
    assert process.memory_info().rss - rss < 20 * 2**20
    assert hotline.asterisk.channels() == []
    assert "Traceback" not in hotline.bridge.log.read_text()


def test_where_nobody_is_there_a_callback_is_left(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.talk(caller) as talk:
            await talk.hears(GREETING_END)
            await talk.says("mitarbeiter")
            await talk.hears_phrase("question.callback.offered")
            await talk.says("ja bitte")
            await talk.hears_phrase("callback.number.known", number=in_pairs(callable_number(caller) or ""))
            await talk.says("ja genau")
            await talk.hears_phrase("callback.concern")
            await talk.says("was kostet ein reisepass")
            await talk.hears_phrase("callback.consent")
            await talk.says("ja")
            await talk.hears_phrase("goodbye")
            await talk.is_over()
        (left,) = hotline.records.callbacks(caller)
        assert left.wish is not None
        assert (dialled(left.wish), left.wish.concern) == (caller, "was kostet ein reisepass")

    asyncio.run(run())


@pytest.mark.slow
def test_who_withholds_the_number_keys_it_in(hotline: Hotline) -> None:
    number = "0364155512"

    async def run() -> None:
        async with hotline.talk("anonymous") as talk:
            await talk.hears_phrase("disclosure.human")
            await talk.presses("0")
            await talk.hears_phrase("question.callback.offered")
            await talk.presses("1")
            await talk.hears_phrase("callback.number.key")
            await talk.presses(f"{number}#")
            await talk.hears_phrase("callback.number.check", number=in_pairs(number))
            await talk.presses("1")
            await talk.hears_phrase("callback.concern")
            await talk.says("mein reisepass ist abgelaufen")
            await talk.hears_phrase("callback.consent")
            await talk.presses("1")
            await talk.hears_phrase("goodbye")
            await talk.is_over()
        (left,) = hotline.records.callbacks(None)
        assert left.wish is not None
        assert dialled(left.wish) == number

    asyncio.run(run())


@pytest.mark.slow
def test_silence_and_nonsense_end_with_a_goodbye(hotline: Hotline) -> None:
    async def silent() -> None:
        async with hotline.talk("0364160001") as talk:
            await talk.hears(GREETING_END)
            await talk.hears(PHRASES.text("silence.1", short="").strip())
            await talk.hears(PHRASES.text("silence.2", help="").strip())
            await talk.hears_phrase("rescue", within_s=40)
            await talk.hears_phrase("goodbye.silent", within_s=60)
            await talk.is_over()

    async def not_understood() -> None:
        async with hotline.talk("0364160002") as talk:
            await talk.hears(GREETING_END)
            for said in ("blumenkohl banane regenschirm", "elefant trompete banane", "regenschirm trompete"):
                await talk.says(said)
                rescue = asyncio.create_task(talk.hears_phrase("rescue", within_s=12))
                await asyncio.wait({rescue})
                if rescue.exception() is None:
                    break
            else:
                pytest.fail("nobody was offered")
            await talk.hears_phrase("question.callback.offered")
            await talk.says("nein danke")
            await talk.hears_phrase("question.instead")
            await talk.call.hang_up()

    async def run() -> None:
        await asyncio.gather(silent(), not_understood())

    asyncio.run(run())


def test_when_the_service_is_down_the_exchanges_queue_takes_the_caller(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.asterisk.desk("101") as desk, hotline.talk(caller) as talk:
            await talk.hears(GREETING_END)
            with stopped(hotline.service.pid):
                await talk.says("was kostet ein reisepass")
                await talk.hears_phrase("moment")
                await talk.hears_phrase("apology")
                await talk.hears_phrase("apology.staff", within_s=30)
                ringing = await desk.incoming(within_s=15)
                await ringing.answer()
                await both_hear_each_other(talk.call, ringing)
            await ringing.hang_up()

    asyncio.run(run())


def test_when_the_bridge_crashes_the_caller_reaches_staff(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.asterisk.desk("101") as desk, hotline.talk(caller) as talk:
            await talk.hears_phrase("disclosure")
            await asyncio.to_thread(hotline.bridge.kill)
            ringing = await desk.incoming(within_s=15)
            await ringing.answer()
            await both_hear_each_other(talk.call, ringing)
            await ringing.hang_up()

    try:
        asyncio.run(run())
    finally:
        hotline.bridge.start()


@pytest.mark.slow
def test_a_restart_of_the_exchange_costs_no_later_call(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.talk(caller) as talk:
            await talk.hears_phrase("disclosure")
            await asyncio.to_thread(hotline.asterisk.restart)
        async with hotline.talk(caller) as talk:
            await hotline.asks(talk, caller, "was kostet ein reisepass")
            await talk.hears(QUESTION_END)
            await talk.says("nein danke")
            await talk.hears_phrase("goodbye")
            await talk.is_over()

    asyncio.run(run())


def test_a_wrong_password_is_told(asterisk: PbxServer, tmp_path: Path, tiny_vosk_model: Path, tiny_voice: Path) -> None:
    service = {"url": "http://127.0.0.1:9", "credential": "none"}
    bridge = PhoneBridge(tmp_path, asterisk, service=service, model=tiny_vosk_model, voice=tiny_voice)
    wrong = secrets.token_hex(8)
    bridge.settings |= {"pbx": {"port": asterisk.ami_port, "secret": wrong}, "bridge": {"port": free_port()}}
    bridge.launch()
    assert bridge.ended() == 1
    told = bridge.log.read_text()
    assert "refuses name or password" in told
    assert wrong not in told
    assert "Traceback" not in told


@pytest.mark.slow
def test_twenty_calls_at_once_are_all_greeted(hotline: Hotline, record_property: Callable[[str, object], None]) -> None:
    async def greeted(caller: str) -> Talk:
        async with hotline.talk(caller) as talk:
            await until(lambda: talk.call.heard.seconds > 9, within_s=40)
            await talk.call.hang_up()
            return talk

    async def run() -> list[Talk]:
        return await asyncio.gather(*(greeted(f"03641500{number:02}") for number in range(20)))

    talks = asyncio.run(run())
    for talk in talks:  # only now: what looks for sentences takes the machine's time
        assert hotline.voice.find(PHRASES.text("disclosure"), talk.call.heard)
    gaps = sorted(gap for talk in talks for gap in talk.call.heard.gaps_ms())
    p99 = gaps[len(gaps) * 99 // 100]
    record_property("p99 frame gap (ms)", round(p99, 1))
    print(f"20 calls: frame gap p99 {p99:.1f} ms, longest {gaps[-1]:.0f} ms, load {os.getloadavg()[0]:.1f}")
    assert p99 < 200


def first_sentence(answer: Message) -> str:
    return sentences(speakable(answer.speech or answer.text))[0]


def dialled(wish: CallbackWish) -> str:
    return "".join(char for char in wish.phone or "" if char.isdigit())


async def both_hear_each_other(caller: Call, agent: Call) -> None:
    caller.play(tone(CALLER_HERTZ, 3.0))
    agent.play(tone(AGENT_HERTZ, 3.0))
    for call, hertz in ((caller, AGENT_HERTZ), (agent, CALLER_HERTZ)):
        await until(functools.partial(hears, call, hertz))


def hears(call: Call, hertz: float) -> bool:
    return call.heard.seconds > 0.25 and strength(call.heard.last(0.25), hertz) > 1_500


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """A process that answers nothing for a while."""
    process = psutil.Process(pid)
    process.suspend()
    try:
        yield
    finally:
        process.resume()


def left_of(process: psutil.Process) -> tuple[int, int, int]:
    """Threads, open files and connections, and children."""
    return process.num_threads(), process.num_fds(), len(process.children(recursive=True))


def wait_until_idle(process: psutil.Process, *, within_s: float = 15.0) -> None:
    """Wait until no call is connected, and connections to the service that are kept for a while are gone."""
    begun, connections = time.monotonic(), -1
    while time.monotonic() - begun < within_s and connections != 0:
        connections = sum(one.status == psutil.CONN_ESTABLISHED for one in process.net_connections()) - KEPT
        time.sleep(0.2)
