"""Whether what comes from the caller is but our own voice, sent back by the line or a loudspeaker.

An echo has the course of loudness of what was played, some time later and weaker.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float32]

COMPARED = 30
"""Frames of the caller's that are compared: 0.6 s."""
LONGEST_DELAY = 30
"""Frames that an echo may take: 0.6 s."""
LIKENESS = 0.8
"""Correlation of the courses of loudness from which one is the other's echo."""
WEAKER_DB = 6.0
"""What an echo loses at least; a caller is mostly louder than that."""
_FLOOR_DB = -65.0


class EchoGuard:
    """Compares what was played lately with what was heard."""

    def __init__(self) -> None:
        self._played: deque[bytes] = deque(maxlen=COMPARED + LONGEST_DELAY)
        self._heard: deque[bytes] = deque(maxlen=COMPARED)

    def played(self, frame: bytes) -> None:
        """A frame that was sent to the caller."""
        self._played.append(frame)

    def heard(self, frame: bytes) -> None:
        """A frame that came from the caller."""
        self._heard.append(frame)

    def likely(self) -> bool:
        """Whether the last 0.6 s from the caller are an echo."""
        if len(self._heard) < COMPARED or len(self._played) < COMPARED:
            return False
        heard, played = _levels(self._heard), _levels(self._played)
        for window in np.lib.stride_tricks.sliding_window_view(played, COMPARED):
            if window.max() - heard.max() >= WEAKER_DB and _likeness(window, heard) >= LIKENESS:
                return True
        return False


def _likeness(one: Levels, other: Levels) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = float(np.linalg.norm(one) * np.linalg.norm(other))
    return float(np.dot(one, other)) / size if size else 0.0


def _levels(frames: deque[bytes]) -> Levels:
    """Loudness in dB, smoothed over three frames since the two clocks do not agree on where a frame begins."""
    samples = np.stack([np.frombuffer(frame, "<i2") for frame in frames]).astype(np.float32) / 32_768
    power = np.convolve(np.mean(samples**2, axis=1), np.full(3, 1 / 3), mode="same")
    return np.asarray(np.maximum(10 * np.log10(power + 1e-12), _FLOOR_DB), np.float32)
