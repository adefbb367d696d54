"""The quiet sound by which those who wait know that the line is alive. Our own: nothing to license, and no words."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from telephony.audio import RATE
from telephony.errors import SettingsInvalid

NOTES_HZ = (392.0, 493.9, 587.3, 493.9)
"""G major, one note after the other."""
NOTE_S = 0.9
PAUSE_S = 2.4
LOUDNESS = 0.03
"""Of full scale: about 30 dB below it, well below speech."""


def soft() -> bytes:
    """Soft notes and a pause, to be repeated."""
    time = np.arange(round(NOTE_S * RATE)) / RATE
    fade = np.minimum(1.0, time / 0.05) * np.exp(-3.5 * time)
    notes = [np.sin(2 * np.pi * hertz * time) * fade for hertz in NOTES_HZ]
    melody = np.concatenate([*notes, np.zeros(round(PAUSE_S * RATE))])
    return (melody * LOUDNESS * 32_767).astype("<i2").tobytes()


def read(file: Path) -> bytes:
    """A sound from a WAV file.

    Raises:
        SettingsInvalid: there is no such file, or it is not 8 kHz, 16 bit, one channel.
    """
    try:
        with wave.open(str(file), "rb") as sound:
            found = (sound.getframerate(), sound.getsampwidth(), sound.getnchannels())
            samples = sound.readframes(sound.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise SettingsInvalid(f"{file} is no WAV file that can be read.") from error
    if found != (RATE, 2, 1):
        raise SettingsInvalid(f"{file} has to be 8 kHz, 16 bit, one channel.")
    return samples
