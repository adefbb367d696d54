"""Sounds that tests play and judge: A-law (ITU-T G.711), tones, loudness.

All PCM is 8 kHz, 16 bit, little-endian, mono.
"""

from __future__ import annotations

import array
import math
import sys
import wave
from pathlib import Path

RATE = 8_000
FRAME_SAMPLES = 160
FRAME_S = FRAME_SAMPLES / RATE
ALAW_SILENCE = b"\xd5" * FRAME_SAMPLES


def _encoded(sample: int) -> int:
    sign = 0x80 if sample >= 0 else 0
    size = (sample if sample >= 0 else -sample - 1) >> 3
    if size >= 32:
        exponent = size.bit_length() - 5
        size = (exponent << 4) | ((size >> exponent) & 0x0F)
    else:
        size >>= 1
    return (size | sign) ^ 0x55


def _decoded(code: int) -> int:
    code ^= 0x55
    exponent = (code >> 4) & 7
    value = ((code & 0x0F) << 4) + 8
    if exponent:
        value = (value + 0x100) << (exponent - 1)
    return value if code & 0x80 else -value


_ENCODED = bytes(_encoded(sample) for sample in range(-32_768, 32_768))
_DECODED = [_decoded(code) for code in range(256)]
_SIZE = bytes(abs(_decoded(code)) >> 8 for code in range(256))


def to_alaw(pcm: bytes) -> bytes:
    """One byte a sample."""
    return bytes(_ENCODED[sample + 32_768] for sample in _samples(pcm))


def from_alaw(alaw: bytes) -> bytes:
    """PCM of it."""
    return _bytes(array.array("h", [_DECODED[code] for code in alaw]))


def peak_of_alaw(alaw: bytes) -> int:
    """Largest amplitude in it, rounded down to a multiple of 256; quick."""
    return max(alaw.translate(_SIZE), default=0) << 8


def tone(hertz: float, seconds: float, *, amplitude: int = 8_000) -> bytes:
    """A sine."""
    step = 2 * math.pi * hertz / RATE
    return _bytes(array.array("h", [round(amplitude * math.sin(step * n)) for n in range(round(seconds * RATE))]))


def silence(seconds: float) -> bytes:
    """Nothing to hear."""
    return bytes(2 * round(seconds * RATE))


def strength(pcm: bytes, hertz: float) -> float:
    """Amplitude of one frequency (Goertzel's algorithm); 0 for nothing."""
    samples = _samples(pcm)
    turn = 2 * math.cos(2 * math.pi * hertz / RATE)
    last = before = 0.0
    for sample in samples:
        last, before = sample + turn * last - before, last
    power = last * last + before * before - turn * last * before
    return 2 * math.sqrt(max(power, 0.0)) / len(samples) if samples else 0.0


def loudness(pcm: bytes) -> float:
    """Root mean square."""
    samples = _samples(pcm)
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples)) if samples else 0.0


def read_wav(path: Path) -> bytes:
    """PCM of an 8 kHz, 16 bit, mono file."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (RATE, 2, 1), path
        return file.readframes(file.getnframes())


def write_wav(path: Path, pcm: bytes) -> None:
    """Make a file that one can listen to."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)


def _samples(pcm: bytes) -> array.array[int]:
    samples = array.array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _bytes(samples: array.array[int]) -> bytes:
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()
