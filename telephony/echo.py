"""Whether what comes from the caller is but our own voice, sent back by the line or a loudspeaker.

An echo rises and falls as what was played did, in every part of the spectrum, some time later and weaker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from telephony.audio import FRAME_SAMPLES, SILENCE

Powers = npt.NDArray[np.float32]

COMPARED = 30
"""Frames of the caller's that are compared: 0.6 s."""
LONGEST_DELAY = 30
"""Frames that an echo may take: 0.6 s."""
LIKENESS = 0.78
"""Correlation from which one is the other's echo. Two voices at once rarely reach 0.7, echoes mostly 0.9."""
WEAKER_DB = 4.0
"""What an echo loses at least."""
_BANDS = (6, 10, 15, 22, 32, 46, 68)
"""Edges in steps of 50 Hz: six bands between 300 and 3400 Hz."""
_RANGE_DB = 30.0
"""What is weaker than that below the loudest does not count."""
_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)


class EchoGuard:
    """Compares what was played lately with what was heard."""

    def __init__(self) -> None:
        self._played: deque[bytes] = deque([SILENCE] * (COMPARED + LONGEST_DELAY), COMPARED + LONGEST_DELAY)
        self._heard: deque[bytes] = deque([SILENCE] * COMPARED, COMPARED)

    def played(self, frame: bytes) -> None:
        """A frame that was sent to the caller."""
        self._played.append(frame)

    def heard(self, frame: bytes) -> None:
        """A frame that came from the caller."""
        self._heard.append(frame)

    def likely(self) -> bool:
        """Whether the last 0.6 s from the caller are an echo."""
        heard, played = _powers(self._heard), _powers(self._played)
        loudest = heard.sum(axis=1).max() * 10 ** (WEAKER_DB / 10)
        course = _course(heard)
        windows = (played[start : start + COMPARED] for start in range(len(played) - COMPARED + 1))
        return any(
            window.sum(axis=1).max() >= loudest and float(np.vdot(_course(window), course)) >= LIKENESS
            for window in windows
        )


def _powers(frames: Iterable[bytes]) -> Powers:
    """Frames by bands, smoothed over three frames since the two clocks do not agree on where a frame begins."""
    samples = np.stack([np.frombuffer(frame, "<i2") for frame in frames]).astype(np.float32) / 32_768
    spectrum = np.abs(np.fft.rfft(samples * _WINDOW, axis=1)) ** 2
    bands = np.pad(np.add.reduceat(spectrum, _BANDS, axis=1)[:, :-1], ((1, 1), (0, 0)), mode="edge")
    return np.asarray((bands[:-2] + bands[1:-1] + bands[2:]) / 3, np.float32)


def _course(powers: Powers) -> Powers:
    """How each band rises and falls around its mean, in dB, scaled to length 1; zeros where nothing does."""
    decibels = 10 * np.log10(powers + 1e-9)
    decibels = np.maximum(decibels, decibels.max() - _RANGE_DB)
    decibels -= decibels.mean(axis=0)
    size = float(np.linalg.norm(decibels))
    return np.asarray(decibels / size if size else decibels, np.float32)
