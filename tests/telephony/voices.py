"""What callers sound like: espeak-ng's voice, and sounds that are no voice, as telephone audio."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from telephony.audio import RATE
from tests.telephony.tiny_vosk.corpus import a_law
from tests.telephony.tiny_vosk.espeak import RATE as SPOKEN_RATE
from tests.telephony.tiny_vosk.espeak import espeak

KEYS = {"1": (697, 1_209), "5": (770, 1_336), "9": (852, 1_477), "#": (941, 1_477)}


@functools.lru_cache
def spoken(text: str, *, voice: str = "de", rate: int = 150, gain_db: float = -6.0) -> bytes:
    """A text, begun and ended without silence."""
    samples = espeak().say(text, voice=voice, rate=rate).samples.astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 300)
    samples = resample_poly(samples[loud[0] : loud[-1] + 1], 160, 441)
    assert SPOKEN_RATE * 160 == RATE * 441
    return _telephone(samples * 10 ** (gain_db / 20))


def noise(ms: int, *, amplitude: float = 1_000.0) -> bytes:
    return _telephone(np.random.default_rng(0).standard_normal(ms * RATE // 1000) * amplitude)


def tones(ms: int, *frequencies: float, amplitude: float = 4_000.0) -> bytes:
    """Sines: 50 and 150 Hz hum, 425 Hz is a dial tone, two of `KEYS` are a key."""
    time = np.arange(ms * RATE // 1000) / RATE
    return _telephone(amplitude * np.sin(2 * np.pi * np.outer(frequencies, time)).sum(axis=0))


def attenuated(samples: bytes, decibels: float) -> bytes:
    return _telephone(np.frombuffer(samples, "<i2") * 10 ** (-decibels / 20))


def mixed(one: bytes, other: bytes) -> bytes:
    """Both at once, as long as the longer one."""
    length = max(len(one), len(other))
    first, second = (np.frombuffer(part.ljust(length, b"\0"), "<i2").astype(np.float64) for part in (one, other))
    return _telephone(first + second)


def _telephone(samples: npt.NDArray[np.floating]) -> bytes:
    return np.clip(a_law(np.asarray(samples, np.float64)), -32_768, 32_767).astype("<i2").tobytes()
