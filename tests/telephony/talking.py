"""A caller who talks with the bot, and what both of them have heard and stored."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve
from sqlalchemy import select

from bot.models import Author, Channel, ConversationRow, Message, State
from bot.store import ConversationStore
from core.audit import AuditLog
from core.clock import SystemClock
from core.database import Database
from core.encryption import Keyring
from handover.callbacks import Callback, CallbackStore
from handover.settings import HandoverSettings
from nlu.speech import sentences, speakable
from telephony.phrases import Phrases
from telephony.synthesiser import Piper
from telephony.voice import Voice
from tests.running import RunningService
from tests.telephony.rtp import Recording
from tests.telephony.sip import Call
from tests.telephony.sound import RATE, from_alaw, to_alaw, write_wav
from tests.telephony.synthesis_server import SynthesisServer
from tests.telephony.voices import spoken

ALIKE = 0.9
"""Correlation of a piece of what was said with what was heard; an undamaged one is at 1, a shifted one far below."""
PIECE = RATE * 3 // 4
MISSING = 0.34
"""Share of a sentence's pieces that a stumble of the machine may have damaged."""
AGAIN_S = 0.2
BOT, CALLER = "bot", "caller"
PHRASES = Phrases(names={"city": "Jena", "phone": "03641 49-0"})
"""What the bot says of its own accord."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a recording a sentence was heard, in seconds."""

    begin: float
    end: float
    from_its_beginning: bool
    to_its_end: bool


class KnownVoice:
    """Knows how the bot says a sentence, and finds it in what was heard."""

    def __init__(self, synthesis: SynthesisServer) -> None:
        self._synthesis = synthesis
        self._thread = ThreadPoolExecutor(1)
        self._sounds: dict[tuple[str, float], bytes] = {}

    def sound(self, sentence: str, *, pace: float = 1.0) -> bytes:
        """A sentence as it arrives at a telephone."""
        key = (sentence, pace)
        if key not in self._sounds:
            pcm = self._thread.submit(asyncio.run, self._speak(sentence, pace)).result()
            self._sounds[key] = from_alaw(to_alaw(pcm))
        return self._sounds[key]

    def find(self, sentence: str, heard: Recording, *, since: float = 0.0, pace: float = 1.0) -> Span | None:
        """Where a sentence was heard, from a second of the recording on.

        It is looked for piece by piece: a machine that is too busy leaves holes, which make it longer.
        """
        known = _samples(self.sound(sentence, pace=pace))
        samples = _samples(from_alaw(bytes(heard.alaw[round(since * RATE) :])))
        pieces = [known[at : at + PIECE] for at in range(0, max(1, len(known) - PIECE // 2), PIECE)]
        missing_at_most = round(len(pieces) * MISSING)
        found: dict[int, int] = {}
        begin = 0
        for index, piece in enumerate(pieces):
            at = _position(piece, samples[begin:])
            if at is not None and (not found or begin + at - max(found.values()) < 4 * PIECE):
                found[index] = begin = begin + at
            elif index + 1 - len(found) > missing_at_most:
                return None
        first, last = min(found), max(found)
        end = found[last] + len(known) - last * PIECE
        if end > len(samples):
            return None  # it is still being said
        return Span(
            begin=since + (found[first] - first * PIECE) / RATE,
            end=since + end / RATE,
            from_its_beginning=first == 0,
            to_its_end=last == len(pieces) - 1,
        )

    async def _speak(self, sentence: str, pace: float) -> bytes:
        piper = Piper(self._synthesis.url, self._synthesis.secret)
        try:
            return b"".join([chunk async for chunk in Voice(piper).speak(sentence, pace=pace)])
        finally:
            await piper.close()


@dataclass
class Talk:
    """One call, as the caller sees it; what is waited for comes in order."""

    call: Call
    voice: KnownVoice
    transcript: list[tuple[float, str, str]] = field(default_factory=list)
    """Second of the call, who, and what."""
    at: float = 0.0
    """Second of the recording up to which everything has been looked at."""

    async def hears(self, text: str, *, within_s: float = 20.0, pace: float = 1.0) -> Span:
        """Wait until a text has been heard, sentence by sentence; where its first sentence was.

        Raises:
            TimeoutError: it is not said.
        """
        spans = [await self._sentence(sentence, within_s, pace) for sentence in sentences(speakable(text))]
        return spans[0]

    async def hears_phrase(self, key: str, *, within_s: float = 20.0, pace: float = 1.0, **values: object) -> Span:
        """The same for one of the phone's own phrases."""
        return await self.hears(PHRASES.text(key, **values), within_s=within_s, pace=pace)

    async def says(self, text: str) -> float:
        """Say a sentence; when its last packet was sent."""
        self.transcript.append((self.call.heard.seconds, CALLER, text))
        self.call.play(spoken(text))
        return await self.call.played()

    async def presses(self, keys: str) -> float:
        """Press keys; when the last packet was sent."""
        self.transcript.append((self.call.heard.seconds, CALLER, f"[{keys}]"))
        self.call.press(keys)
        return await self.call.played()

    async def is_over(self, *, within_s: float = 20.0) -> None:
        """Wait until the other side hangs up."""
        async with asyncio.timeout(within_s):
            await self.call.ended.wait()

    def save(self, audio: Path, transcript: Path) -> None:
        """Write both sides of the call as one can listen to them, and who said what when."""
        heard = _samples(self.call.heard.pcm)
        for second, who, text in self.transcript:
            if who == CALLER and not text.startswith("["):
                own = _samples(spoken(text))[: max(0, len(heard) - round(second * RATE))]
                heard[round(second * RATE) :][: len(own)] += own
        audio.parent.mkdir(exist_ok=True)
        write_wav(audio, np.clip(heard, -32_768, 32_767).astype("<i2").tobytes())
        lines = [f"{second:7.2f}  {who:6}  {text}\n" for second, who, text in sorted(self.transcript)]
        transcript.write_text("".join(lines), encoding="utf-8")

    def time_of(self, second: float) -> float:
        """When a second of the recording came in, by the clock of `time.monotonic()`."""
        sample = round(second * RATE)
        return next(packet.at for packet in self.call.heard.packets if packet.first + packet.samples >= sample)

    async def _sentence(self, sentence: str, within_s: float, pace: float) -> Span:
        find = functools.partial(self.voice.find, sentence, self.call.heard, pace=pace)
        try:
            async with asyncio.timeout(within_s):
                while (span := await asyncio.to_thread(find, since=self.at)) is None:  # noqa: ASYNC110 - nothing tells
                    await asyncio.sleep(AGAIN_S)
        except TimeoutError:
            raise TimeoutError(f"not heard: {sentence!r}; until then: {self.transcript}") from None
        self.at = span.end - 0.1
        self.transcript.append((span.begin, BOT, sentence))
        return span


class Records:
    """What the service has stored about callers."""

    def __init__(self, service: RunningService, database: Database) -> None:
        keyring = Keyring.load(keys=None, file=service.log.parent / "encryption.keys")
        self._database = database
        clock = SystemClock()
        self._store = ConversationStore(database, clock, keyring, lifetime=dt.timedelta(days=1))
        self._callbacks = CallbackStore(database, clock, keyring, AuditLog(database, clock), HandoverSettings())

    def of(self, caller: str | None) -> str | None:
        """The newest conversation of a number; None stands for a withheld one."""
        newest = (
            select(ConversationRow.id)
            .where(ConversationRow.channel == Channel.PHONE)
            .order_by(ConversationRow.created_at.desc())
        )
        with self._database.reading() as session:
            found = list(session.scalars(newest))
        return next((one for one in found if self._store.caller(one) == caller), None)

    def messages(self, caller: str | None) -> list[Message]:
        """Of the newest conversation of a number."""
        found = self.of(caller)
        return self._store.messages(found) if found else []

    def said(self, caller: str | None) -> list[str]:
        """What the caller said, as it was understood."""
        return [message.text for message in self.messages(caller) if message.author is Author.CITIZEN]

    def state(self, caller: str | None) -> State | None:
        """Who owns the newest conversation of a number."""
        found = self.of(caller)
        return self._store.get(found).state if found else None

    def callbacks(self, caller: str | None) -> list[Callback]:
        """What the newest conversation of a number has left for staff to call back."""
        found = self.of(caller)
        return self._callbacks.about(found) if found else []

    def reply(self, caller: str | None) -> Message | None:
        """What was answered to what the caller said last; None while it is being found."""
        newest = self.messages(caller)[-1:]
        return newest[0] if newest and newest[0].author is not Author.CITIZEN else None


@contextmanager
def records_of(service: RunningService) -> Iterator[Records]:
    database = Database(service.database_url)
    try:
        yield Records(service, database)
    finally:
        database.close()


def _position(piece: npt.NDArray[np.float64], samples: npt.NDArray[np.float64]) -> int | None:
    """Where a piece of sound is in others, if it is."""
    if len(samples) < len(piece):
        return None
    product = fftconvolve(samples, piece[::-1], mode="valid")
    sums = np.concatenate(([0.0], np.cumsum(samples**2)))
    energy = np.maximum(sums[len(piece) :] - sums[: -len(piece)], 1.0)
    alike = product / np.sqrt(energy * (piece**2).sum())
    best = int(np.argmax(alike))
    return best if alike[best] >= ALIKE else None


def _samples(pcm: bytes) -> npt.NDArray[np.float64]:
    return np.frombuffer(pcm, "<i2").astype(np.float64)
