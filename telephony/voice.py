"""What the telephone says: written German becomes telephone audio, sentence by sentence.

Sentences that are said often stay in memory. When the synthesiser is missing, slow or broken, espeak-ng speaks instead,
and for a while it is not even asked.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypeVar

from nlu.speech import sentences, speakable
from telephony.audio import FRAME_MS, SILENCE, duration_ms
from telephony.errors import SynthesisFailed
from telephony.loudness import telephone_audio
from telephony.synthesiser import Espeak, Speech, Synthesiser

log = logging.getLogger(__name__)

DEADLINE_S = 1.5
"""How long a caller waits for a sentence before espeak-ng says it."""
PRERENDER_DEADLINE_S = 60.0
CACHE_BYTES = 32_000_000
"""Half an hour of speech."""
PACES = (0.5, 2.0)
PAUSE_MS = 240
"""Between two sentences."""
BREATH_MS = 80
"""Between two parts of a sentence."""
EARLY = 60
"""Characters; a longer first sentence is begun before all of it has been synthesised."""
_FIRST_PART = re.compile(r".{16,}?[,:] (?=.{16})")
_RETRY_AFTER_S = (2.0, 5.0, 15.0, 30.0, 60.0)


T = TypeVar("T")


@dataclass
class Counts:
    """What has been said, in sentences."""

    cached: int = 0
    synthesised: int = 0
    by_fallback: int = 0


class Voice:
    """Speaks for all calls.

    Args:
        synthesiser: the good voice; None if the fallback is the only one.
        fallback: the voice that is always there; espeak-ng if not given.
        deadline_s: how long the good voice may take for a sentence beyond what is still being played.
        cache_bytes: audio that is kept; pre-rendered texts are kept beyond it.
        threads: where samples are computed; the loop's own threads if not given.
        clock: seconds.
    """

    def __init__(
        self,
        synthesiser: Synthesiser | None,
        *,
        fallback: Synthesiser | None = None,
        deadline_s: float = DEADLINE_S,
        cache_bytes: int = CACHE_BYTES,
        threads: Executor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fallback = fallback or Espeak()
        self._synthesiser = synthesiser or self._fallback
        self._deadline_s = deadline_s
        self._threads = threads
        self._cache = Cache(cache_bytes)
        self._breaker = Breaker(clock)
        self.counts = Counts()

    async def speak(self, text: str, *, pace: float = 1.0, keep: bool = True) -> AsyncIterator[bytes]:
        """Telephone audio of a text, in whole frames; a sentence is synthesised while the one before is played.

        `keep=False` is for what belongs to one caller (numbers that are read back): it is forgotten at once.

        Raises:
            SynthesisFailed: neither voice speaks; what was given before can be played.
        """
        pace = _bounded(pace)
        pieces = await self._in_thread(_pieces, text)
        coming: asyncio.Task[bytes] | None = None
        try:
            for index, piece in enumerate(pieces):
                audio = await (coming or self._sentence(piece, pace, keep=keep, deadline_s=self._deadline_s))
                coming = None
                if index + 1 < len(pieces):
                    audio += _pause_after(piece, pace)
                    deadline_s = self._deadline_s + duration_ms(audio) / 1000
                    following = self._sentence(pieces[index + 1], pace, keep=keep, deadline_s=deadline_s)
                    coming = asyncio.create_task(following)
                if audio:
                    yield audio
        finally:
            if coming is not None:
                await _ended(coming)

    async def prerender(self, texts: Iterable[str], *, pace: float = 1.0) -> int:
        """Synthesise texts in advance and keep them for good; how many sentences of them are there now.

        It ends early when the good voice fails: what the fallback would say is not kept.
        """
        rendered = 0
        pace = _bounded(pace)
        for text in texts:
            for piece in await self._in_thread(_pieces, text):
                audio = self._cache.get((piece, pace)) or await self._by_synthesiser(piece, pace, PRERENDER_DEADLINE_S)
                if audio is None:
                    return rendered
                self._cache.put((piece, pace), audio, for_good=True)
                rendered += 1
        return rendered

    async def _sentence(self, piece: str, pace: float, *, keep: bool, deadline_s: float) -> bytes:
        if (audio := self._cache.get((piece, pace))) is not None:
            self.counts.cached += 1
            return audio
        if (audio := await self._by_synthesiser(piece, pace, deadline_s)) is not None:
            self.counts.synthesised += 1
            if keep:
                self._cache.put((piece, pace), audio)
            return audio
        audio = await self._rendered(await self._fallback.say(piece, pace=pace))
        self.counts.by_fallback += 1
        return audio

    async def _by_synthesiser(self, piece: str, pace: float, deadline_s: float) -> bytes | None:
        """Audio of the good voice; None if it is missing, slow, broken or mute."""
        if not self._breaker.lets_through():
            return None
        try:
            async with asyncio.timeout(deadline_s):
                speech = await self._synthesiser.say(piece, pace=pace)
        except (SynthesisFailed, TimeoutError) as error:
            wait_s = self._breaker.failed()
            log.warning("The voice fails (%s) and is not asked again for %.0f s", type(error).__name__, wait_s)
            return None
        self._breaker.worked()
        return await self._rendered(speech) or None

    async def _rendered(self, speech: Speech) -> bytes:
        return await self._in_thread(telephone_audio, speech.samples, speech.rate)

    async def _in_thread(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


class Breaker:
    """Keeps callers from waiting for a voice that has just failed: one in a while may try."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0

    def lets_through(self) -> bool:
        if not self._failures:
            return True
        if self._clock() < self._closed_until:
            return False
        self._close()  # for the others, while this one tries
        return True

    def failed(self) -> float:
        """Ask no more for a while; returns the seconds."""
        self._failures += 1
        return self._close()

    def worked(self) -> None:
        self._failures = 0

    def _close(self) -> float:
        wait_s = _RETRY_AFTER_S[min(self._failures, len(_RETRY_AFTER_S)) - 1]
        self._closed_until = self._clock() + wait_s
        return wait_s


class Cache:
    """Audio by text and pace; what has not been said for longest goes first."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._held = 0
        self._entries: OrderedDict[tuple[str, float], bytes] = OrderedDict()
        self._for_good: dict[tuple[str, float], bytes] = {}

    def get(self, key: tuple[str, float]) -> bytes | None:
        if (audio := self._for_good.get(key)) is not None:
            return audio
        if (audio := self._entries.get(key)) is not None:
            self._entries.move_to_end(key)
        return audio

    def put(self, key: tuple[str, float], audio: bytes, *, for_good: bool = False) -> None:
        self._held -= len(self._entries.pop(key, b""))
        if for_good:
            self._for_good[key] = audio
            return
        self._entries[key] = audio
        self._held += len(audio)
        while self._held > self._size:
            self._held -= len(self._entries.popitem(last=False)[1])


def _pieces(text: str) -> list[str]:
    """What is synthesised one by one: sentences, the first one so short that it can be heard soon."""
    pieces = sentences(speakable(text))
    if pieces and len(pieces[0]) > EARLY and (part := _FIRST_PART.match(pieces[0])):
        pieces[:1] = [part[0].rstrip(), pieces[0][part.end() :]]
    return pieces


def _pause_after(piece: str, pace: float) -> bytes:
    pause_ms = PAUSE_MS if piece.endswith((".", "?", "!")) else BREATH_MS
    return SILENCE * round(pause_ms / FRAME_MS / pace)


def _bounded(pace: float) -> float:
    return round(min(max(pace, PACES[0]), PACES[1]), 2)


async def _ended(task: asyncio.Task[bytes]) -> None:
    """Cancel a task and wait for it; what it would have raised is of no interest."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()
