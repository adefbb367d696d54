"""A call as the bridge sees it: audio and keys come in, audio goes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """20 ms of the caller's voice, as telephony.audio has it."""

    samples: bytes


@dataclass(frozen=True, slots=True)
class Digit:
    """A key of the caller's telephone: one of `0123456789*#ABCD`."""

    symbol: str


class Line(Protocol):
    """One call's connection to the exchange."""

    @property
    def id(self) -> str:
        """The UUID that the exchange gave the call."""
        ...

    async def receive(self) -> AudioFrame | Digit:
        """What comes next.

        Raises:
            LineClosed: nothing comes any more.
        """
        ...

    def send(self, frame: bytes) -> None:
        """Let the caller hear 20 ms; never waits, and drops the frame where nobody takes it."""
        ...

    def close(self) -> None:
        """End the connection; the exchange goes on in its dialplan."""
        ...
