"""A small time-delay network in numpy, trained to tell from a window of features which sound is heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from tests.telephony.tiny_vosk.corpus import SILENCE, Utterance

Floats = npt.NDArray[np.float32]

CONTEXT = 7
"""Frames that are looked at before and after the one in question."""
HIDDEN = 128
BATCH = 512
EPOCHS = 3
_RATE = 2e-3
_STATES_OF_A_SOUND = 2


@dataclass(frozen=True)
class Network:
    """Layers `x @ weights + bias`, rectified in between; `mean` and `deviation` belong to one frame's features.

    Its outputs are silence, then two for each of `sounds` (its first and second half); `priors` say how often each is.
    """

    sounds: tuple[str, ...]
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    mean: Floats
    deviation: Floats
    priors: Floats

    def folded(self) -> tuple[list[Floats], list[Floats]]:
        """Weights and biases that take features as they are, not normalised."""
        window = 2 * CONTEXT + 1
        scale, mean = np.tile(1 / self.deviation, window), np.tile(self.mean, window)
        first = np.asarray(self.weights[0] * scale[:, None], np.float32)
        shift = np.asarray(mean @ first, np.float32)
        return [first, *self.weights[1:]], [self.biases[0] - shift, *self.biases[1:]]


def output_of(sounds: Sequence[str], sound: str, state: int) -> int:
    """The network's output for a half (0 or 1) of a sound."""
    return 0 if sound == SILENCE else 1 + _STATES_OF_A_SOUND * sounds.index(sound) + state


def train(utterances: Sequence[Utterance], sounds: Sequence[str], *, seed: int = 0) -> Network:
    """Learn by Adam with a falling rate; every frame is seen `EPOCHS` times."""
    draw = np.random.default_rng(seed)
    everything = np.concatenate([utterance.features for utterance in utterances])
    mean = everything.mean(axis=0)
    deviation = np.asarray(everything.std(axis=0) + 1e-3, np.float32)
    frames, labels, centres = _table(utterances, sounds, mean, deviation)
    outputs = 1 + _STATES_OF_A_SOUND * len(sounds)
    sizes = [frames.shape[1] * (2 * CONTEXT + 1), HIDDEN, HIDDEN, outputs]
    weights = [
        (draw.standard_normal((into, out)) * np.sqrt(2 / into)).astype(np.float32) for into, out in pairwise(sizes)
    ]
    weights[-1] *= 0.1
    biases = [np.zeros(out, np.float32) for out in sizes[1:]]
    adam = _Adam([*weights, *biases], steps=EPOCHS * (len(labels) // BATCH))
    offsets = np.arange(-CONTEXT, CONTEXT + 1)
    for _ in range(EPOCHS):
        for chosen in np.split(draw.permutation(len(labels))[: len(labels) // BATCH * BATCH], len(labels) // BATCH):
            windows = frames[centres[chosen, None] + offsets].reshape(BATCH, -1)
            adam.step(_gradients(windows, labels[chosen], weights, biases))
    priors = np.asarray(np.bincount(labels, minlength=outputs) / len(labels), np.float32)
    return Network(tuple(sounds), tuple(weights), tuple(biases), mean, deviation, priors)


def _table(
    utterances: Sequence[Utterance], sounds: Sequence[str], mean: Floats, deviation: Floats
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All frames in one array, every utterance continued at its ends; the labels, and the rows they belong to."""
    padded = [
        np.pad((utterance.features - mean) / deviation, ((CONTEXT, CONTEXT), (0, 0)), mode="edge")
        for utterance in utterances
    ]
    begins = np.cumsum([0, *(len(rows) for rows in padded)])
    centres = [
        begin + CONTEXT + np.arange(len(utterance.features))
        for begin, utterance in zip(begins, utterances, strict=False)
    ]
    numbers = {sound: output_of(sounds, sound, 0) for sound in (SILENCE, *sounds)}
    labels = [
        numbers[sound] + half
        for utterance in utterances
        for sound, half in zip(utterance.sounds, utterance.second_half, strict=True)
    ]
    return np.concatenate(padded).astype(np.float32), np.array(labels), np.concatenate(centres)


def _gradients(
    windows: Floats, labels: npt.NDArray[np.int64], weights: list[Floats], biases: list[Floats]
) -> list[Floats]:
    """Of the cross entropy, for all weights and then all biases."""
    layers = [windows]
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        values = layers[-1] @ weight + bias
        layers.append(values if index == len(weights) - 1 else np.maximum(values, 0))
    scores = np.exp(layers[-1] - layers[-1].max(axis=1, keepdims=True))
    slope = scores / scores.sum(axis=1, keepdims=True)
    slope[np.arange(len(labels)), labels] -= 1
    slope /= len(labels)
    of_weights: list[Floats] = []
    of_biases: list[Floats] = []
    for index in reversed(range(len(weights))):
        of_weights.insert(0, layers[index].T @ slope)
        of_biases.insert(0, slope.sum(axis=0))
        if index:
            slope = (slope @ weights[index].T) * (layers[index] > 0)
    return [*of_weights, *of_biases]


class _Adam:
    """Kingma and Ba 2015, with a rate that falls along a cosine; changes the parameters in place."""

    def __init__(self, parameters: list[Floats], *, steps: int) -> None:
        self._parameters = parameters
        self._means = [np.zeros_like(parameter) for parameter in parameters]
        self._squares = [np.zeros_like(parameter) for parameter in parameters]
        self._steps = steps
        self._done = 0

    def step(self, gradients: list[Floats]) -> None:
        self._done += 1
        rate = _RATE * (1 + np.cos(np.pi * self._done / self._steps)) / 2 + 1e-5
        rate *= np.sqrt(1 - 0.999**self._done) / (1 - 0.9**self._done)
        for parameter, mean, square, gradient in zip(
            self._parameters, self._means, self._squares, gradients, strict=True
        ):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            parameter -= (rate * mean / (np.sqrt(square) + 1e-8)).astype(np.float32)
