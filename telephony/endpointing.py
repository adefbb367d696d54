"""When a caller begins and ends to speak: decided from probabilities of speech and from what was understood so far.

Pure logic over the time of the audio, whatever the clock says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

SPEECH = 0.5
"""Probability from which a window is speech; what is being spoken goes on down to `STILL_SPEECH`."""
STILL_SPEECH = 0.35
_FALSE_START_MS = 100
"""So much silence forgets speech that was too short to count."""


@dataclass(frozen=True)
class Profile:
    """How patient to be with an answer; all in ms."""

    trailing: int
    """Silence that ends an answer."""
    trailing_complete: int = 200
    """The same after an answer that is complete as it is."""
    minimum: int = 96
    """Speech shorter than this is none."""
    longest: int = 20_000
    """No answer is longer."""
    patience: int | None = 7_000
    """Silence without any answer that is worth telling, and again after as much; none for never."""
    complete: frozenset[str] = frozenset()
    """Answers that nothing follows, as the recogniser writes them."""

    def slower(self, by_ms: int = 450) -> Profile:
        """For people who take their time."""
        patience = None if self.patience is None else self.patience + 4 * by_ms
        return replace(
            self,
            trailing=self.trailing + by_ms,
            trailing_complete=self.trailing_complete + by_ms,
            patience=patience,
        )


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "open": Profile(trailing=700),
        "yes_no": Profile(trailing=350),
        "choice": Profile(trailing=450),
        "number": Profile(trailing=1_200, longest=40_000),
    }
)
"""By what a message of the chat API expects."""


@dataclass(frozen=True)
class SpeechStarted:
    """The caller speaks; `ms` ago."""

    ms: int


class Reason(Enum):
    """Why an answer has ended."""

    SILENCE = "silence"
    COMPLETE = "complete"
    TOO_LONG = "too long"


@dataclass(frozen=True)
class SpeechEnded:
    """The caller has spoken for `ms` (pauses counted), and has been silent for `trailing_ms`."""

    ms: int
    trailing_ms: int
    reason: Reason


@dataclass(frozen=True)
class Silence:
    """Nothing has been said for so long."""

    ms: int


Decision = SpeechStarted | SpeechEnded | Silence


class Endpointer:
    """Follows one caller."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        """May be changed at any time; it counts from then on."""
        self.speaking = False
        self.reset()

    def reset(self) -> None:
        """Begin anew with silence."""
        self.speaking = False
        self._speech = 0
        self._total = 0
        self._pause = 0
        self._quiet = 0
        self._told = 0

    @property
    def idle(self) -> bool:
        """Nobody speaks, and nobody has just begun to."""
        return not self.speaking and self._speech == 0

    def feed(self, probability: float, partial: str, ms: int, *, waiting: bool = True) -> Decision | None:
        """Take in the next `ms` of audio: the probability of speech in it and what has been understood up to now.

        Silence is counted only while `waiting`: who listens to us owes no answer.
        """
        speech = probability >= (STILL_SPEECH if self.speaking else SPEECH)
        return self._go_on(speech, partial, ms) if self.speaking else self._wait(speech, ms, waiting=waiting)

    def _wait(self, speech: bool, ms: int, *, waiting: bool) -> Decision | None:
        if speech:
            self._speech += ms
            self._total += ms
            self._pause = 0
            if self._speech < self.profile.minimum:
                return None
            self.speaking = True
            self._quiet = self._told = 0
            return SpeechStarted(self._total)
        if self._speech:
            self._total += ms
            self._pause += ms
            if self._pause >= _FALSE_START_MS:
                self._speech = self._total = self._pause = 0
        self._quiet = self._quiet + ms if waiting else 0
        self._told = self._told if waiting else 0
        patience = self.profile.patience
        if patience is None or self._quiet - self._told < patience:
            return None
        self._told = self._quiet
        return Silence(self._quiet)

    def _go_on(self, speech: bool, partial: str, ms: int) -> Decision | None:
        self._total += ms
        self._pause = 0 if speech else self._pause + ms
        complete = partial in self.profile.complete
        needed = min(self.profile.trailing, self.profile.trailing_complete) if complete else self.profile.trailing
        if self._pause >= needed:
            return self._end(Reason.COMPLETE if self._pause < self.profile.trailing else Reason.SILENCE)
        if self._total >= self.profile.longest:
            return self._end(Reason.TOO_LONG)
        return None

    def _end(self, reason: Reason) -> SpeechEnded:
        ended = SpeechEnded(self._total - self._pause, self._pause, reason)
        self.reset()
        return ended
