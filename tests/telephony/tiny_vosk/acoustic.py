"""Writes the acoustic model as Kaldi reads it: `am/final.mdl` in its text form, a transition model and an nnet3."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.telephony.tiny_vosk.corpus import SILENCE
from tests.telephony.tiny_vosk.network import CONTEXT, Network, output_of

STAY = 0.75
"""Probability that a state lasts another frame."""
POSITIONS = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}
"""Where in its word a sound stands: Kaldi has a phone for each."""
SILENCE_PHONE = 1
_SMALLEST_PRIOR = 1e-4


@dataclass(frozen=True)
class State:
    """A state's two transitions: staying in it and leaving it."""

    stay: int
    leave: int


class Phones:
    """Numbers of Kaldi's phones and of the transitions of their states."""

    def __init__(self, sounds: Iterable[str]) -> None:
        self._sounds = list(sounds)
        pairs = [(sound, position) for sound in self._sounds for position in POSITIONS]
        self._numbers = {pair: number for number, pair in enumerate(pairs, start=SILENCE_PHONE + 1)}
        self.triples = [(SILENCE_PHONE, 0, 0)] + [
            (number, state, output_of(self._sounds, sound, state))
            for (sound, _), number in self._numbers.items()
            for state in (0, 1)
        ]
        """Phone, state and output of the network, in Kaldi's order; each has two transitions, counted from 1."""
        self._states = {
            (phone, state): State(2 * index + 1, 2 * index + 2) for index, (phone, state, _) in enumerate(self.triples)
        }

    def states(self, sound: str, position: str = "") -> list[State]:
        """The states a sound goes through at that position of a word; silence has one."""
        if sound == SILENCE:
            return [self._states[SILENCE_PHONE, 0]]
        phone = self._numbers[sound, position]
        return [self._states[phone, 0], self._states[phone, 1]]

    def boundaries(self) -> str:
        """`graph/phones/word_boundary.int`."""
        lines = [f"{SILENCE_PHONE} nonword"]
        lines += [f"{number} {POSITIONS[position]}" for (_, position), number in self._numbers.items()]
        return "\n".join(lines) + "\n"


def write(path: Path, network: Network, phones: Phones) -> None:
    """Write `am/final.mdl`."""
    path.write_text(_transitions(phones) + _nnet(network) + _tail(network), encoding="ascii")


def _transitions(phones: Phones) -> str:
    others = " ".join(str(number) for number in sorted({phone for phone, _, _ in phones.triples} - {SILENCE_PHONE}))
    triples = "".join(f"{phone} {state} {output} \n" for phone, state, output in phones.triples)
    logarithms = [0.0, *[math.log(STAY), math.log(1 - STAY)] * len(phones.triples)]
    return (
        "<TransitionModel> \n<Topology> \n"
        f"{_topology(str(SILENCE_PHONE), states=1)}{_topology(others, states=2)}</Topology> \n"
        f"<Triples> {len(phones.triples)} \n{triples}</Triples> \n"
        f"<LogProbs> \n{_vector(logarithms)}</LogProbs> \n</TransitionModel> \n"
    )


def _topology(phones: str, *, states: int) -> str:
    emitting = "".join(
        f"<State> {state} <PdfClass> {state} "
        f"<Transition> {state} {STAY} <Transition> {state + 1} {1 - STAY} </State> \n"
        for state in range(states)
    )
    final = f"<State> {states} </State> \n"
    return f"<TopologyEntry> \n<ForPhones> \n{phones} \n</ForPhones> \n{emitting}{final}</TopologyEntry> \n"


def _nnet(network: Network) -> str:
    weights, biases = network.folded()
    window = ", ".join(f"Offset(input, {offset})" if offset else "input" for offset in range(-CONTEXT, CONTEXT + 1))
    nodes = [f"input-node name=input dim={len(network.mean)}"]
    components: list[str] = []
    source = f"Append({window})"
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1):
        squash = "LogSoftmaxComponent" if layer == len(weights) else "RectifiedLinearComponent"
        for name, component in ((f"affine{layer}", _affine(weight, bias)), (f"out{layer}", _squash(squash, len(bias)))):
            nodes.append(f"component-node name={name} component={name} input={source}")
            components.append(f"<ComponentName> {name} {component}")
            source = name
    nodes.append(f"output-node name=output input={source} objective=linear")
    return "<Nnet3> \n{}\n\n<NumComponents> {} \n{}</Nnet3> \n".format(
        "\n".join(nodes), len(components), "".join(components)
    )


def _affine(weight: npt.NDArray[np.float32], bias: npt.NDArray[np.float32]) -> str:
    rows = "\n".join("  " + " ".join(f"{value:.7g}" for value in row) for row in weight.T)
    return (
        f"<AffineComponent> <LearningRate> 0.001 <LinearParams>  [\n{rows} ]\n"
        f"<BiasParams> {_vector(bias)}</AffineComponent> \n"
    )


def _squash(kind: str, size: int) -> str:
    return f"<{kind}> <Dim> {size} <ValueAvg>  [ ]\n<DerivAvg>  [ ]\n<Count> 0 </{kind}> \n"


def _tail(network: Network) -> str:
    priors = _vector(np.maximum(network.priors, _SMALLEST_PRIOR))
    return f"<LeftContext> {CONTEXT} <RightContext> {CONTEXT} <Priors> {priors}"


def _vector(values: Iterable[float]) -> str:
    return f" [ {' '.join(f'{value:.7g}' for value in values)} ]\n"
