"""A synthesiser's samples made telephone audio: trimmed, resampled, and as loud as everything else that is said."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr

from telephony.audio import FRAME_BYTES, RATE

LOUDNESS_DB = -20.0
"""RMS of the parts that are heard, in dB below full scale: near the -19 dBm0 of telephone prompts."""
PEAK_DB = -3.0
"""No sample is above it: A-law clips nothing, and echo cancellers stay linear."""
STRONGEST_GAIN_DB = 24.0
_AUDIBLE_DB = -30.0
"""Below the loudest part: pauses do not count as quiet speech."""
_BLOCK = RATE // 200
_LEAD, _TAIL = RATE // 50, RATE // 20
"""Samples of near silence that are left before and after speech."""

Samples = npt.NDArray[np.float32]


def telephone_audio(samples: bytes, rate: int) -> bytes:
    """Speech (16 bit, one channel, any rate) as whole frames of telephone audio.

    Nothing audible gives no audio.
    """
    wave: Samples = np.frombuffer(samples[: len(samples) // 2 * 2], "<i2").astype(np.float32) / np.float32(32_768)
    if rate != RATE and len(wave):
        wave = soxr.resample(wave, rate, RATE).astype(np.float32)
    blocks = _blocks(wave)
    strength = np.sqrt(np.mean(blocks**2, axis=1)) if len(blocks) else np.zeros(0, np.float32)
    if not len(strength) or strength.max() < 1e-4:
        return b""
    audible = strength > strength.max() * _ratio(_AUDIBLE_DB)
    loudness = float(np.sqrt(np.mean(blocks[audible] ** 2)))
    gain = min(_ratio(LOUDNESS_DB) / loudness, _ratio(STRONGEST_GAIN_DB))
    heard = np.flatnonzero(audible)
    wave = wave[max(0, heard[0] * _BLOCK - _LEAD) : (heard[-1] + 1) * _BLOCK + _TAIL]
    levelled = np.rint(limited(wave * np.float32(gain), _ratio(PEAK_DB)) * 32_768).astype("<i2").tobytes()
    return levelled + bytes(-len(levelled) % FRAME_BYTES)


def limited(wave: Samples, peak: float) -> Samples:
    """The wave with its gain lowered, smoothly and before it happens, where it would exceed the peak."""
    needed = np.minimum(1.0, peak / np.maximum(np.abs(_blocks(wave)).max(axis=1), 1e-9))
    # At a border between two blocks the gain is the smaller one, so that a line between borders exceeds neither.
    borders = np.minimum(np.r_[needed, 1.0], np.r_[1.0, needed])
    gain = np.interp(np.arange(len(wave)) / _BLOCK, np.arange(len(borders)), borders)
    return (wave * gain).astype(np.float32)


def _blocks(wave: Samples) -> Samples:
    """Rows of 5 ms, the last one filled up with silence."""
    return np.pad(wave, (0, -len(wave) % _BLOCK)).reshape(-1, _BLOCK)


def _ratio(decibels: float) -> float:
    return float(10 ** (decibels / 20))
