"""What a caller does, as events: speaks, interrupts, presses a key, stays silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from telephony import endpointing
from telephony.audio import BYTES_PER_MS, FRAME_MS, SILENCE, duration_ms
from telephony.echo import EchoGuard
from telephony.endpointing import Endpointer, Profile, Silence, SpeechEnded
from telephony.errors import LineClosed
from telephony.player import Player
from telephony.recogniser import Alternative, Recogniser
from telephony.transport import Digit, Line
from telephony.vad import WINDOW_MS, Vad

BATCH_FRAMES = 5
"""Frames that go through detection and recognition together: a thread is asked ten times a second, not fifty."""
BEFORE_MS = 300
"""Audio before the detected beginning of speech that is recognised too: soft consonants are detected late."""
HEARD_BEFORE_INTERRUPTION_MS = 300
"""Until so much of a prompt has been heard, nobody interrupts it: what comes is an echo, or the line's click."""
ECHO_MS = 800
"""So long after a prompt, its echo may still come."""
STABLE_MS = 300
"""A partial result that stays the same for so long hardly changes any more."""
MISSING_S = 0.6
"""If 100 ms of audio do not come within it (a pressed key, a telephone that sends no silence), silence is heard."""
MOST_MISSING_FRAMES = 50


@dataclass(frozen=True)
class SpeechStarted:
    """The caller speaks; `interrupting` what is being played, or is about to be."""

    interrupting: bool


@dataclass(frozen=True)
class Partial:
    """What has been understood up to now; `stable` when it has not changed for 300 ms."""

    text: str
    stable: bool


@dataclass(frozen=True)
class Heard:
    """A whole utterance; no alternatives when nothing was understood.

    `ended_at` is the clock's time at which its end was noticed, `trailing_ms` of silence after the last word.
    """

    alternatives: tuple[Alternative, ...]
    ended_at: float
    trailing_ms: int


@dataclass(frozen=True)
class Pressed:
    """A key."""

    symbol: str


@dataclass(frozen=True)
class Quiet:
    """The caller has not answered for so long since we fell silent; told again after as much."""

    ms: int


Result = TypeVar("Result")
Event = SpeechStarted | Partial | Heard | Pressed | Quiet


@dataclass
class _Utterance:
    """What is being said now."""

    told: bool = False
    """The caller's speech has been told of; until then it may be an echo or a noise."""
    during_playback: bool = False
    text: str = ""
    unchanged_ms: int = 0
    stable_text: str = ""


@dataclass
class _Recognition:
    """The part that runs in a thread: detection of speech, and recognition as long as there may be some."""

    vad: Vad
    recogniser: Recogniser
    listening: bool = False
    _before: bytes = b""
    _text: str = ""

    def hear(self, samples: bytes) -> tuple[list[float], str]:
        probabilities = self.vad.windows(samples)
        if not self.listening and max(probabilities, default=0.0) >= endpointing.SPEECH:
            self.listening = True
            samples = self._before + samples
        if self.listening:
            self.recogniser.accept(samples)
            self._text = self.recogniser.partial()
        else:
            self._before = (self._before + samples)[-BEFORE_MS * BYTES_PER_MS :]
        return probabilities, self._text

    def finish(self) -> list[Alternative]:
        alternatives = self.recogniser.finish()
        self._stop()
        return alternatives

    def forget(self) -> None:
        self.recogniser.reset()
        self._stop()

    def _stop(self) -> None:
        self.listening = False
        self._before = b""
        self._text = ""


@dataclass
class Counts:
    """What came to nothing, for the metrics."""

    noises: int = 0
    """Speech that was detected while we spoke, and in which no word was found."""
    echoes: int = 0
    """Our own voice, coming back."""


class Ears:
    """Listens to one line and gives events in order.

    `run()` listens until the line is closed. Audio waits on the line while a thread is busy with what came before;
    the line drops the oldest when five seconds wait, so a call on an overloaded machine loses words, but not memory.

    An interruption needs speech by the detector's judgement, a word by the recogniser's, 300 ms of the prompt that
    have been heard, a prompt that may be interrupted, and no likeness to what was just played.
    """

    def __init__(
        self,
        line: Line,
        *,
        vad: Vad,
        recogniser: Recogniser,
        player: Player,
        threads: Executor,
        profile: Profile = endpointing.PROFILES["open"],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = line
        self._player = player
        self._threads = threads
        self._clock = clock
        self._recogniser = recogniser
        self._recognition = _Recognition(vad, recogniser)
        self._endpointer = Endpointer(profile)
        self._echo = EchoGuard()
        self._utterance = _Utterance()
        self._job: Future[Any] | None = None
        self._received_at = clock()
        self._silent_ms = ECHO_MS
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._restart = False
        self.counts = Counts()
        player.on_frame = self._echo.played

    def expect(self, profile: Profile) -> None:
        """From now on, be so patient; the silence is counted anew."""
        self._endpointer.profile = profile
        self._restart = True

    async def events(self) -> AsyncIterator[Event]:
        """What happens, until the line is closed."""
        while (event := await self._events.get()) is not None:
            yield event

    async def run(self) -> None:
        """Listen until the line is closed; frees the recogniser then."""
        try:
            while True:
                await self._listen()
        except LineClosed:
            pass
        finally:
            self._free()
            self._events.put_nowait(None)

    async def _listen(self) -> None:
        frames, key = await self._collect()
        if frames:
            await self._hear(b"".join(frames))
        if key is not None:
            self._endpointer.reset()
            await self._forget()
            self._tell(Pressed(key.symbol))

    async def _collect(self) -> tuple[list[bytes], Digit | None]:
        """Frames of 100 ms; fewer when a key is pressed, and silence where nothing comes."""
        frames: list[bytes] = []
        key = await self._receive(frames, within_s=MISSING_S)
        if key is None and len(frames) < BATCH_FRAMES:
            key = await self._receive(frames, within_s=0)  # perhaps we were late, not the caller
        now = self._clock()
        if key is None and len(frames) < BATCH_FRAMES:
            missing = int((now - self._received_at) * 1000) // FRAME_MS - len(frames)
            frames.extend([SILENCE] * min(max(0, missing), MOST_MISSING_FRAMES))
        self._received_at = now
        return frames, key

    async def _receive(self, frames: list[bytes], *, within_s: float) -> Digit | None:
        """Add what comes to the frames, until there are enough; a key that comes in between."""
        try:
            async with asyncio.timeout(within_s):
                while len(frames) < BATCH_FRAMES:
                    item = await self._line.receive()
                    if isinstance(item, Digit):
                        return item
                    self._player.caller_is_there()
                    self._echo.heard(item.samples)
                    frames.append(item.samples)
        except TimeoutError:
            pass
        return None

    async def _hear(self, samples: bytes) -> None:
        self._silent_ms = 0 if self._player.playing else self._silent_ms + duration_ms(samples)
        probabilities, text = await self._in_thread(lambda: self._recognition.hear(samples))
        if self._restart:
            self._restart = False
            if not self._endpointer.speaking:
                self._endpointer.reset()
        for probability in probabilities:
            decision = self._endpointer.feed(probability, text, WINDOW_MS, waiting=not self._player.busy)
            if isinstance(decision, endpointing.SpeechStarted):
                self._utterance = _Utterance(during_playback=self._player.playing is not None)
            elif isinstance(decision, SpeechEnded):
                await self._end(decision)
            elif isinstance(decision, Silence):
                self._tell(Quiet(decision.ms))
        if self._endpointer.speaking:
            await self._follow(text, duration_ms(samples))
        elif self._recognition.listening and self._endpointer.idle:
            await self._forget()

    async def _follow(self, text: str, ms: int) -> None:
        """Tell of speech when it is sure, and of what has been understood of it."""
        utterance = self._utterance
        if not utterance.told:
            if not self._may_be_told(text):
                return
            if self._silent_ms < ECHO_MS and self._echo.likely():
                self.counts.echoes += 1
                self._endpointer.reset()
                await self._forget()  # so that its words do not mix with the caller's
                return
            utterance.told = True
            self._tell(SpeechStarted(interrupting=self._player.busy))
        if text != utterance.text:
            utterance.text, utterance.unchanged_ms = text, 0
            self._tell(Partial(text, stable=False))
            return
        utterance.unchanged_ms += ms
        if text and utterance.unchanged_ms >= STABLE_MS and text != utterance.stable_text:
            utterance.stable_text = text
            self._tell(Partial(text, stable=True))

    def _may_be_told(self, text: str) -> bool:
        playing = self._player.playing
        if playing is None:
            return bool(text) or not self._utterance.during_playback
        return bool(text) and playing.interruptible and self._player.heard_ms >= HEARD_BEFORE_INTERRUPTION_MS

    async def _end(self, ended: SpeechEnded) -> None:
        """Tell of an utterance that is over, if it was one."""
        utterance, self._utterance = self._utterance, _Utterance()
        now = self._clock()
        if not utterance.told and (self._player.playing is not None or utterance.during_playback):
            self.counts.noises += 1
            await self._forget()
            return
        alternatives = await self._in_thread(self._recognition.finish)
        if not utterance.told:
            self._tell(SpeechStarted(interrupting=self._player.busy))
        self._tell(Heard(tuple(alternatives), ended_at=now, trailing_ms=ended.trailing_ms))

    async def _forget(self) -> None:
        """Drop what has been understood."""
        self._utterance = _Utterance()
        await self._in_thread(self._recognition.forget)

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        job = self._threads.submit(work)
        self._job = job
        return await asyncio.wrap_future(job)

    def _free(self) -> None:
        """Free the recogniser as soon as no thread uses it any more."""
        if self._job is None:
            self._recogniser.close()
        else:
            self._job.add_done_callback(lambda _: self._recogniser.close())

    def _tell(self, event: Event) -> None:
        self._events.put_nowait(event)
