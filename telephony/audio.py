"""Telephone audio: 8 kHz, 16-bit little-endian, one channel, in frames of 20 ms."""

from __future__ import annotations

from collections.abc import Iterator

RATE = 8_000
"""Hz."""
FRAME_MS = 20
FRAME_SAMPLES = 160
FRAME_BYTES = 320
BYTES_PER_MS = FRAME_BYTES // FRAME_MS
SILENCE = bytes(FRAME_BYTES)


def duration_ms(samples: bytes | bytearray) -> int:
    return len(samples) // BYTES_PER_MS


class Framer:
    """Cuts audio that comes in pieces of any size into whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, samples: bytes) -> Iterator[bytes]:
        """The frames that are complete now."""
        if not self._rest and len(samples) == FRAME_BYTES:
            yield samples
            return
        samples = self._rest + samples
        whole = len(samples) - len(samples) % FRAME_BYTES
        self._rest = samples[whole:]
        for start in range(0, whole, FRAME_BYTES):
            yield samples[start : start + FRAME_BYTES]

    def rest(self) -> bytes | None:
        """What is left over, filled up with silence to a frame."""
        rest, self._rest = self._rest, b""
        return rest.ljust(FRAME_BYTES, b"\0") if rest else None
