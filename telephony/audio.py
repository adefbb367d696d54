"""Telephone audio: 8 kHz, 16-bit little-endian, one channel, in frames of 20 ms."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

RATE = 8_000
"""Hz."""
FRAME_MS = 20
FRAME_SAMPLES = 160
FRAME_BYTES = 320
BYTES_PER_MS = FRAME_BYTES // FRAME_MS
SILENCE = bytes(FRAME_BYTES)


def duration_ms(samples: bytes | bytearray) -> int:
    return len(samples) // BYTES_PER_MS


def level(samples: bytes | bytearray) -> float:
    """Loudness in dB below a full-scale square wave, from -inf (digital silence) to 0."""
    values = np.frombuffer(samples, "<i2").astype(np.float32)
    power = float(np.dot(values, values)) / max(1, len(values))
    return 10 * math.log10(power) - 20 * math.log10(32_768) if power else -math.inf


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
