"""Whole calls: a real exchange, the bridge's own process, the service, and callers who talk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from bot.models import Message, State
from nlu.speech import sentences, speakable
from tests.running import RunningService
from tests.telephony.pbx_server import BOT_NUMBER, PbxServer
from tests.telephony.phone_bridge import PhoneBridge, phone_bridge
from tests.telephony.sip import until
from tests.telephony.synthesis_server import SynthesisServer
from tests.telephony.talking import KnownVoice, Records, Talk, records_of

_numbers = count(1)
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


def test_a_question_is_answered(hotline: Hotline, caller: str) -> None:
    async def run() -> None:
        async with hotline.talk(caller) as talk:
            greeting = await talk.hears_phrase("disclosure")
            assert greeting.begin < 2.0
            answer = await hotline.asks(talk, caller, "was kostet ein personalausweis")
            assert answer.answer is not None
            assert answer.answer.kind == "service"
            await talk.hears(sentences(speakable(answer.speech or ""))[0])
            await talk.call.hang_up()
        await until(lambda: hotline.records.state(caller) is State.CLOSED)

    asyncio.run(run())
