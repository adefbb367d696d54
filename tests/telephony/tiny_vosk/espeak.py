"""espeak-ng's library by ctypes: speech together with the times of its words and phonemes."""

from __future__ import annotations

import ctypes
import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE = 22_050
"""Hz; what espeak-ng's formant voices come in."""

# The names and numbers of speak_lib.h.
_RETRIEVAL = 1
_PHONEME_EVENTS = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8 = 1
_END_OF_LIST, _WORD, _PHONEME = 0, 1, 7


@dataclass(frozen=True)
class Phoneme:
    """One sound: espeak-ng's name of it, and the sample it starts at. A pause's name starts with an underscore."""

    name: str
    start: int


@dataclass(frozen=True)
class Word:
    """A stretch of the text that is spoken as one word."""

    text: str
    phonemes: tuple[Phoneme, ...]


@dataclass(frozen=True)
class Speech:
    """Samples (16 bit, at `RATE`), what is heard when, and the words it belongs to."""

    samples: npt.NDArray[np.int16]
    phonemes: tuple[Phoneme, ...]
    words: tuple[Word, ...]


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """The library; it keeps one state for the whole process, so there is one of these (`espeak`)."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libespeak-ng.so.1")
        rate = self._library.espeak_Initialize(_RETRIEVAL, 0, None, _PHONEME_EVENTS)
        if rate != RATE:
            raise RuntimeError(f"espeak-ng speaks at {rate} Hz instead of {RATE}")
        self._samples: list[npt.NDArray[np.int16]] = []
        self._events: list[tuple[int, int, int, int, str]] = []
        self._callback = _Callback(self._hear)  # the library keeps only the address
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, *, voice: str = "de", rate: int = 160, pitch: int = 50, pitch_range: int = 50) -> Speech:
        """Speak a text: `rate` in words a minute, pitch and its range from 0 to 100.

        Raises:
            ValueError: espeak-ng has no such voice.
        """
        self._samples.clear()
        self._events.clear()
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(voice)
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8, None, None)
        self._library.espeak_Synchronize()
        samples = np.concatenate(self._samples) if self._samples else np.zeros(0, np.int16)
        phonemes, words = self._aligned(text)
        return Speech(samples, phonemes, words)

    def _hear(self, wave: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]) -> int:
        if count > 0 and wave:
            self._samples.append(np.ctypeslib.as_array(wave, shape=(count,)).copy())
        index = 0
        while (event := events[index]).type != _END_OF_LIST:
            name = ctypes.string_at(ctypes.addressof(event.id), 8).split(b"\0")[0].decode("utf-8", "replace")
            self._events.append((event.type, event.text_position, event.length, event.sample, name))
            index += 1
        return 0

    def _aligned(self, text: str) -> tuple[tuple[Phoneme, ...], tuple[Word, ...]]:
        phonemes: list[Phoneme] = []
        words: list[tuple[str, list[Phoneme]]] = []
        for kind, position, length, sample, name in self._events:
            if kind == _WORD:
                words.append((text[position - 1 : position - 1 + length].strip(" ,"), []))
            elif kind == _PHONEME:
                phonemes.append(Phoneme(name, sample))
                if words:
                    words[-1][1].append(phonemes[-1])
        return tuple(phonemes), tuple(Word(text, tuple(sounds)) for text, sounds in words)


@functools.cache
def espeak() -> Espeak:
    """The process's one instance."""
    return Espeak()
