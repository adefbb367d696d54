"""Spoken sentences with the sound that is heard at every moment: what the tiny model learns from."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import resample_poly

from tests.telephony.tiny_vosk.espeak import RATE as SPOKEN_RATE
from tests.telephony.tiny_vosk.espeak import Phoneme, espeak
from tests.telephony.tiny_vosk.features import HOP, RATE, WINDOW, Array, mfcc

SENTENCES = Path(__file__).with_name("sentences.txt")
VOICES = ("de", *(f"de+m{number}" for number in range(1, 9)), *(f"de+f{number}" for number in range(1, 6)))
SILENCE = "SIL"
_STRESS = str.maketrans("", "", "',%=|")
_A = 87.6  # of ITU-T G.711


@dataclass(frozen=True)
class Utterance:
    """Features (frames by coefficients) and, per frame, the sound and whether it is the sound's second half."""

    features: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    sounds: tuple[str, ...]
    second_half: tuple[bool, ...]


@dataclass(frozen=True)
class Pronunciation:
    """The sounds of a word, and how often it was spoken so."""

    sounds: tuple[str, ...]
    share: float


def sentences() -> list[str]:
    return [line.strip() for line in SENTENCES.read_text(encoding="utf-8").splitlines() if line.strip()]


def vocabulary() -> list[str]:
    return sorted({word for sentence in sentences() for word in sentence.split()})


class Corpus:
    """Utterances of the sentences, of two in a row, and of words in no order, in many voices over a telephone line."""

    def __init__(self, *, size: int, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self._noise = np.random.default_rng(seed)
        self._spoken: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self.utterances = [self._utterance(text) for text in self._texts(size)]

    def pronunciations(self, word: str) -> list[Pronunciation]:
        """The usual ones.

        Raises:
            KeyError: the word was never heard.
        """
        if word not in self._spoken:
            raise KeyError(word)
        total = self._spoken[word].total()
        usual = [(sounds, count) for sounds, count in self._spoken[word].most_common(3) if count >= total / 10]
        return [Pronunciation(sounds, count / total) for sounds, count in usual]

    def sounds(self) -> list[str]:
        """All sounds but silence."""
        return sorted({sound for utterance in self.utterances for sound in utterance.sounds} - {SILENCE})

    def _texts(self, size: int) -> Iterator[str]:
        known, words = sentences(), vocabulary()
        yield from known
        yield from words  # every word is heard alone at least once
        for index in range(size - len(known) - len(words)):
            if index % 20 < 9:
                yield self._random.choice(known)
            elif index % 20 < 13:
                yield ", ".join(self._random.sample(known, 2))
            else:
                yield " ".join(self._random.sample(words, self._random.randint(1, 7)))

    def _utterance(self, text: str) -> Utterance:
        draw = self._random.randint
        speech = espeak().say(
            text,
            voice=self._random.choice(VOICES),
            rate=draw(120, 195),
            pitch=draw(30, 75),
            pitch_range=draw(20, 80),
        )
        for word in speech.words:
            sounds = tuple(sound for sound in map(_sound, word.phonemes) if sound and sound != SILENCE)
            if sounds and " " not in word.text:
                self._spoken[word.text][sounds] += 1
        spoken = resample_poly(speech.samples.astype(np.float64), RATE, SPOKEN_RATE)
        lead, tail = (np.zeros(draw(1_600, 6_400)) for _ in range(2))
        features = mfcc(self._over_the_line(np.concatenate([lead, spoken, tail])))
        return _labelled(
            features,
            [
                (sound, len(lead) + item.start * RATE / SPOKEN_RATE)
                for item in speech.phonemes
                if (sound := _sound(item))
            ],
            end=len(lead) + len(spoken),
        )

    def _over_the_line(self, samples: Array) -> Array:
        """At another loudness, in most cases through a telephone's band and coding, and with some noise."""
        samples = samples * 10 ** (self._random.uniform(-14, 4) / 20)
        if self._random.random() < 0.75:
            samples = resample_poly(a_law(resample_poly(samples, 1, 2)), 2, 1)
        level = np.sqrt(np.mean(samples**2)) * 10 ** (-self._random.uniform(12, 45) / 20)
        noise = self._noise.standard_normal(len(samples)) * (level + self._random.uniform(0.1, 3))
        return np.asarray(samples + noise)


def a_law(samples: Array) -> Array:
    """What is left of 16-bit samples after A-law coding (continuous form of ITU-T G.711, 8 bit)."""
    scale = 1 + np.log(_A)
    size = np.abs(np.clip(samples / 32_768, -1, 1))
    coded = np.where(size < 1 / _A, _A * size, 1 + np.log(np.maximum(_A * size, 1e-9))) / scale
    coded = np.round(coded * 127) / 127
    size = np.where(coded < 1 / scale, coded * scale / _A, np.exp(coded * scale - 1) / _A)
    return np.asarray(np.sign(samples) * size * 32_768)


def _sound(phoneme: Phoneme) -> str | None:
    """The sound's name without stress; none for marks that are no sound, such as a change of language."""
    if phoneme.name.startswith("_"):
        return None if phoneme.name == "_|" else SILENCE
    name = phoneme.name.translate(_STRESS)
    return None if not name or name.startswith("(") else name


def _labelled(
    features: np.ndarray[tuple[int, int], np.dtype[np.float32]], starts: list[tuple[str, float]], *, end: float
) -> Utterance:
    sounds, second_half = [SILENCE] * len(features), [False] * len(features)
    for (sound, start), (_, stop) in zip(starts, [*starts[1:], (SILENCE, end)], strict=True):
        first = max(0, int(np.ceil((start - WINDOW / 2) / HOP)))
        last = min(len(features), int(np.ceil((stop - WINDOW / 2) / HOP)))
        for frame in range(first, last):
            sounds[frame] = sound
            second_half[frame] = sound != SILENCE and frame * HOP + WINDOW / 2 >= (start + stop) / 2
    return Utterance(features, tuple(sounds), tuple(second_half))
