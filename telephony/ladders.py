"""How often something is asked again before it is given up: never for ever, and never in the same words."""

from __future__ import annotations

from dataclasses import dataclass, field

RUNGS = 2
"""Tries after the first one; who says nothing to three questions is helped by a human."""


@dataclass
class Ladder:
    """Steps of help, each worth one try."""

    rungs: int = RUNGS
    _climbed: int = 0

    def climb(self) -> int | None:
        """The next rung, from 1; None when there is none left."""
        self._climbed = min(self._climbed + 1, self.rungs + 1)
        return self._climbed if self._climbed <= self.rungs else None

    def reset(self) -> None:
        """Begin at the bottom: it worked."""
        self._climbed = 0

    @property
    def used_up(self) -> bool:
        """Nothing is left to try."""
        return self._climbed > self.rungs


@dataclass
class Ladders:
    """For callers who say nothing, and for those who are not understood."""

    silence: Ladder = field(default_factory=Ladder)
    no_match: Ladder = field(default_factory=Ladder)

    def reset(self) -> None:
        self.silence.reset()
        self.no_match.reset()


@dataclass
class Tries(Ladders):
    """A step of its own, such as a number to be keyed in: both kinds of failure count together."""

    def __post_init__(self) -> None:
        self.no_match = self.silence
