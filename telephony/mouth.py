"""Says sentences to the caller and stops when the caller says something else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from nlu.speech import sentences, speakable
from telephony import ears
from telephony.audio import FRAME_MS, SILENCE, duration_ms
from telephony.inbox import Inbox
from telephony.player import Playback, Player

SLOW = 0.8
"""Pace of who has been asked to speak more slowly; 1 is the usual one."""
PAUSE_MS = 240
"""Between two sentences."""
ALMOST_MS = 120
"""A sentence of which no more than this is missing has been heard."""


@dataclass(frozen=True)
class Said:
    """How it went."""

    heard_all: bool
    interrupted_by: ears.Event | None = None
    rest: str = ""
    """The sentences that were not heard to their end."""


class Voice(Protocol):
    """Turns text into audio as telephony.audio has it."""

    def speak(self, text: str, *, pace: float = 1.0, keep: bool = True) -> AsyncIterator[bytes]:
        """Pieces of audio of a sentence; what may not be kept is forgotten at once.

        Raises:
            SynthesisFailed: no voice can speak it.
        """
        ...


class Mouth(Protocol):
    """What a conversation needs to be heard."""

    async def say(self, text: str, *, interruptible: bool = True, private: bool = False) -> Said:
        """Say a text to its end, or until the caller speaks or presses a key; the caller's event stays in the inbox.

        What is `private` belongs to this caller alone: no audio of it is kept.

        Raises:
            SynthesisFailed: it cannot be spoken.
        """
        ...

    def hold(self, on: bool) -> None:
        """Begin or end the quiet sound that tells a waiting caller that the line is alive."""
        ...

    def slow_down(self) -> None:
        """Speak more slowly from now on."""
        ...

    async def drained(self) -> None:
        """Wait until the caller has heard everything."""
        ...


@dataclass
class SpokenMouth:
    """A mouth that plays a voice to a line."""

    voice: Voice
    player: Player
    inbox: Inbox[Any]
    hold_sound: bytes = b""
    """Audio for those who wait, as telephony.audio has it."""
    _pace: float = 1.0
    _spoken: bool = field(default=False)

    async def say(self, text: str, *, interruptible: bool = True, private: bool = False) -> Said:
        self.inbox.forget_silence()
        if interruptible and (event := self.inbox.interrupting) is not None:
            return Said(False, event, text)
        parts = sentences(speakable(text))
        ends: list[int] = []
        playback = self.player.play(self._audio(parts, ends, keep=not private), interruptible=interruptible)
        self._spoken = True
        if not interruptible:
            return Said(await playback.finished())
        return await self._finish(playback, parts, ends)

    async def _finish(self, playback: Playback, parts: list[str], ends: list[int]) -> Said:
        finished = asyncio.ensure_future(playback.finished())
        interruption = asyncio.ensure_future(self.inbox.interruption())
        try:
            await asyncio.wait({finished, interruption}, return_when=asyncio.FIRST_COMPLETED)
            if finished.done():
                return Said(finished.result())
            self.player.stop()
            heard = sum(end <= playback.heard_ms + ALMOST_MS for end in ends)
            return Said(False, interruption.result(), " ".join(parts[heard:]))
        finally:
            finished.cancel()
            interruption.cancel()

    async def _audio(self, parts: list[str], ends: list[int], *, keep: bool) -> AsyncIterator[bytes]:
        """The sentences' audio; where each of them ends, in ms, goes into `ends`."""
        ms = 0
        for part in parts:
            if ends:
                pause = SILENCE * round(PAUSE_MS / FRAME_MS / self._pace)
                ms += duration_ms(pause)
                yield pause
            async for piece in self.voice.speak(part, pace=self._pace, keep=keep):
                ms += duration_ms(piece)
                yield piece
            ends.append(ms)

    def hold(self, on: bool) -> None:
        self.player.hold(self.hold_sound if on else b"")

    def slow_down(self) -> None:
        self._pace = SLOW

    async def drained(self) -> None:
        if self._spoken:
            await self.player.drained()
