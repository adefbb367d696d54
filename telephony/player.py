"""What the caller hears: one frame every 20 ms by our own clock, silence where there is nothing to say."""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from telephony.audio import FRAME_MS, SILENCE, Framer
from telephony.transport import Line

FRAME_S = FRAME_MS / 1000
CATCH_UP_S = 0.06
"""Frames that are late by no more than this follow at once; after a longer stall the clock starts anew."""
PATIENCE_S = 1.0
"""How long speech waits for the caller's first frame: before it, nobody may be listening yet."""
AHEAD = 250
"""Frames that are fetched ahead of the caller's ear: five seconds."""
LINGER_FRAMES = 10
"""What a telephone may still hold back when the last frame has been sent."""


@dataclass
class Pace:
    """How well the clock was kept; counted in frames."""

    sent: int = 0
    underruns: int = 0
    """Silence in the middle of speech, since the next chunk was late."""
    late: int = 0
    """Sent after their time by more than half a frame."""
    restarts: int = 0
    """Stalls after which the clock started anew."""
    longest_gap_ms: float = 0.0


@dataclass(eq=False)
class Playback:
    """Something that is being played, or will be."""

    interruptible: bool
    started_at: float | None = None
    """The clock's time at its first frame."""
    heard_ms: int = 0
    gap: int = 0
    """Frames of silence since its last one."""
    frames: deque[bytes] = field(default_factory=deque)
    _complete: bool = False
    _stopped: bool = False
    _error: Exception | None = None
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def finished(self) -> bool:
        """Whether it was heard to its end; waits for it.

        Raises:
            Exception: what the source of its audio raised; the part before was heard.
        """
        await self._over.wait()
        if self._error is not None:
            raise self._error
        return not self._stopped

    def fetch(self, chunks: AsyncIterator[bytes]) -> None:
        """Start to fetch its audio."""
        self._task = asyncio.create_task(self._fetch(chunks))

    async def _fetch(self, chunks: AsyncIterator[bytes]) -> None:
        framer = Framer()
        try:
            async for chunk in chunks:
                self.frames.extend(framer.feed(chunk))
                while len(self.frames) > AHEAD:
                    self._room.clear()
                    await self._room.wait()
            if (rest := framer.rest()) is not None:
                self.frames.append(rest)
        except Exception as error:  # whatever a voice raises belongs to whoever waits for this playback
            self._error = error
        finally:
            self._complete = True
            close = getattr(chunks, "aclose", None)
            if close is not None:
                with suppress(RuntimeError):
                    await close()

    def next_frame(self) -> bytes | None:
        """The next frame, if it is there."""
        if not self.frames:
            return None
        self.heard_ms += FRAME_MS
        if len(self.frames) <= AHEAD:
            self._room.set()
        return self.frames.popleft()

    @property
    def exhausted(self) -> bool:
        """Everything has been sent."""
        return self._complete and not self.frames

    def end(self, *, stopped: bool) -> None:
        """Nothing of it will be played any more."""
        self._stopped = stopped
        self.frames.clear()
        self._over.set()
        if self._task is not None:
            self._task.cancel()


class Player:
    """Plays one thing after the other to a line.

    `run()` keeps the clock. Until `caller_is_there()` has been called, or a second has passed, only silence is sent.
    """

    def __init__(self, line: Line, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._queue: deque[Playback] = deque()
        self._hold: list[bytes] = []
        self._hold_position = 0
        self._due: float | None = None
        self._begun_at: float | None = None
        self._sent_at: float | None = None
        self._silent_frames = 0
        self._caller_is_there = False
        self._heard_ms = 0
        self._over = False
        self._quiet = asyncio.Event()
        self.pace = Pace()
        self.on_frame: Callable[[bytes], None] | None = None
        """Is shown every frame that is sent, silence too: what comes back of it is an echo."""

    async def run(self) -> None:
        """Send frames until cancelled; everything that is left then, or comes later, counts as stopped."""
        try:
            while True:
                delay = self.tick()
                await asyncio.sleep(delay)
        finally:
            self._over = True
            self._quiet.set()
            self.stop(everything=True)

    def play(self, chunks: AsyncIterator[bytes], *, interruptible: bool = True) -> Playback:
        """Play audio after everything that was given before; it is fetched from now on, some seconds ahead."""
        playback = Playback(interruptible)
        if self._over:
            playback.end(stopped=True)
            return playback
        playback.fetch(chunks)
        self._queue.append(playback)
        self._quiet.clear()
        return playback

    def stop(self, *, everything: bool = False) -> int:
        """Be silent from the next frame on; returns the ms of fetched audio that nobody will hear.

        What may not be interrupted is played all the same, unless `everything` is to stop.
        """
        stopped = [playback for playback in self._queue if everything or playback.interruptible]
        unheard = sum(len(playback.frames) for playback in stopped) * FRAME_MS
        for playback in stopped:
            playback.end(stopped=True)
            self._queue.remove(playback)
        return unheard

    def hold(self, samples: bytes) -> None:
        """Repeat this sound whenever nothing else is played; no samples end it."""
        framer = Framer()
        self._hold = list(framer.feed(samples))
        self._hold_position = 0

    def caller_is_there(self) -> None:
        """The first frame of the caller has come: what is said now is heard."""
        self._caller_is_there = True

    @property
    def playing(self) -> Playback | None:
        """What the caller hears now, the hold sound aside."""
        return next((playback for playback in self._queue if playback.started_at is not None), None)

    @property
    def heard_ms(self) -> int:
        """How long the caller has been hearing speech, from one playback to the next."""
        return self._heard_ms if self._queue else 0

    @property
    def busy(self) -> bool:
        """Something is being played or waits for it, the hold sound aside."""
        return bool(self._queue)

    async def drained(self) -> None:
        """Wait until all is played and has reached the caller's ear: only now may the call be ended."""
        if not self._over:
            self._quiet.clear()
        await self._quiet.wait()

    def tick(self) -> float:
        """Send what is due; returns the seconds until the next frame is."""
        now = self._clock()
        if self._due is None or self._begun_at is None:
            self._begun_at = now
            self._due = _beat(now)
        if now - self._due > CATCH_UP_S:
            self.pace.restarts += 1
            self._due = _beat(now)
        if now - self._begun_at >= PATIENCE_S:
            self._caller_is_there = True
        while self._due <= now:
            self._send(self._next_frame(now), now)
            self._due += FRAME_S
        return max(0.0, self._due - self._clock())

    def _send(self, frame: bytes, now: float) -> None:
        self._line.send(frame)
        self.pace.sent += 1
        if self._sent_at is not None:
            gap_ms = (now - self._sent_at) * 1000
            self.pace.longest_gap_ms = max(self.pace.longest_gap_ms, gap_ms)
            self.pace.late += gap_ms > 1.5 * FRAME_MS
        self._sent_at = now
        if self.on_frame is not None:
            self.on_frame(frame)

    def _next_frame(self, now: float) -> bytes:
        while self._queue and self._queue[0].exhausted:
            self._queue.popleft().end(stopped=False)
        if not self._queue:
            self._silent_frames += 1
            self._heard_ms = 0
            if self._silent_frames > LINGER_FRAMES:
                self._quiet.set()
            return self._next_of_hold()
        self._silent_frames = 0
        if not self._caller_is_there:
            return SILENCE
        playback = self._queue[0]
        frame = playback.next_frame()
        if frame is None:
            if playback.started_at is None:
                return self._next_of_hold()
            playback.gap += 1
            return SILENCE
        if playback.started_at is None:
            playback.started_at = now
        self.pace.underruns += playback.gap
        playback.gap = 0
        self._heard_ms += FRAME_MS
        return frame

    def _next_of_hold(self) -> bytes:
        if not self._hold or not self._caller_is_there:
            return SILENCE
        frame = self._hold[self._hold_position]
        self._hold_position = (self._hold_position + 1) % len(self._hold)
        return frame


def _beat(now: float) -> float:
    """The last moment at which frames of all calls are due: one waking of the process serves them all."""
    return min(now, math.floor(now / FRAME_S + 1e-6) * FRAME_S)
