"""The features of the tiny model: mel-frequency cepstra as Kaldi computes them from the same `mfcc.conf`.

What Kaldi does (feat/feature-window, feat/mel-computations, feat/feature-mfcc): frames of 25 ms every 10 ms, mean
removed, pre-emphasis, Povey's window, power spectrum, triangular mel filters, logarithm, cosine transform, lifter.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

RATE = 16_000
"""Hz of the model."""
HOP = 160
WINDOW = 400
COEFFICIENTS = 26
LOWEST, HIGHEST = 100.0, 3_700.0
"""Hz; nothing but telephone speech is looked at."""
LIFTER = 22.0
_FFT = 512
_PREEMPHASIS = 0.97
_FLOOR = float(np.finfo(np.float32).eps)

CONFIGURATION = {
    "sample-frequency": RATE,
    "use-energy": "false",
    "num-mel-bins": COEFFICIENTS,
    "num-ceps": COEFFICIENTS,
    "low-freq": LOWEST,
    "high-freq": HIGHEST,
    "dither": 0,
    "cepstral-lifter": LIFTER,
    "allow-upsample": "true",
}
"""`conf/mfcc.conf`."""


def mfcc(samples: Array) -> npt.NDArray[np.float32]:
    """Frames by coefficients; only whole windows count."""
    if len(samples) < WINDOW:
        return np.zeros((0, COEFFICIENTS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::HOP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft((frames - _PREEMPHASIS * before) * _POVEY, _FFT)) ** 2
    energies = np.log(np.maximum(power[:, : _FFT // 2] @ _FILTERS.T, _FLOOR))
    return np.asarray(energies @ _COSINES.T * _LIFTS, np.float32)


def _mel(frequency: Array) -> Array:
    return np.asarray(1127.0 * np.log1p(frequency / 700.0))


def _filters() -> Array:
    low, high = _mel(np.array([LOWEST, HIGHEST]))
    edges = np.linspace(low, high, COEFFICIENTS + 2)
    bins = _mel(np.arange(_FFT // 2) * RATE / _FFT)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)))


def _cosines() -> Array:
    index = np.arange(COEFFICIENTS)
    table: Array = np.sqrt(2.0 / COEFFICIENTS) * np.cos(np.pi / COEFFICIENTS * np.outer(index, index + 0.5))
    table[0] = np.sqrt(1.0 / COEFFICIENTS)
    return table


_FILTERS = _filters()
_COSINES = _cosines()
_LIFTS = 1 + LIFTER / 2 * np.sin(np.pi * np.arange(COEFFICIENTS) / LIFTER)
_POVEY = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))) ** 0.85
