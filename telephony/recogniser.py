"""From speech to text: Vosk, if there is a model of it; otherwise the telephone's keys have to do."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from telephony.audio import RATE
from telephony.errors import ModelMissing

ALTERNATIVES = 5
_EVIDENCE = 10
"""Alternatives that Vosk is asked for: the more there are, the better their shares add up to one."""
_MODEL_RATE = 16_000
_PARTS = ("am/final.mdl", "final.mdl")


@dataclass(frozen=True)
class Alternative:
    """A way to understand what was said, and how sure that is, from 0 to 1."""

    text: str
    confidence: float


class Recogniser(Protocol):
    """Listens to one call, one utterance after the other; used by one thread at a time."""

    def accept(self, samples: bytes) -> None:
        """Take in more of an utterance."""
        ...

    def partial(self) -> str:
        """What has been understood of it so far."""
        ...

    def finish(self) -> list[Alternative]:
        """End the utterance: what it may have been, likeliest first; nothing if nothing was understood."""
        ...

    def reset(self) -> None:
        """Forget the utterance."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class NoRecogniser:
    """Understands nothing: the phone works by keys."""

    def accept(self, samples: bytes) -> None:
        pass

    def partial(self) -> str:
        return ""

    def finish(self) -> list[Alternative]:
        return []

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


class VoskModel:
    """A model in memory, which all calls share.

    Raises:
        ModelMissing: the folder holds no model.
    """

    def __init__(self, folder: Path) -> None:
        if not any((folder / part).is_file() for part in _PARTS):
            raise ModelMissing(f"There is no Vosk model in {folder}. `stadtbot models fetch` brings one.")
        import vosk

        vosk.SetLogLevel(-1)
        try:
            self.model: Any = vosk.Model(str(folder))
        except Exception as error:  # the only kind that vosk raises
            raise ModelMissing(f"The Vosk model in {folder} cannot be loaded; fetch it anew.") from error
        self.rate = _rate_of(folder)

    def recogniser(self) -> VoskRecogniser:
        return VoskRecogniser(self)


class VoskRecogniser:
    """One call's recogniser. Vosk finds ends of utterances too, which are ignored: telephony.endpointing decides."""

    def __init__(self, model: VoskModel) -> None:
        import vosk

        self._rate = model.rate
        self._vosk: Any = vosk.KaldiRecognizer(model.model, model.rate)
        self._vosk.SetMaxAlternatives(_EVIDENCE)
        self._upsampler = self._new_upsampler()
        self._begun = False

    def accept(self, samples: bytes) -> None:
        self._begun = True
        self._vosk.AcceptWaveform(self._at_its_rate(samples))

    def partial(self) -> str:
        return str(json.loads(self._vosk.PartialResult()).get("partial", "")) if self._begun else ""

    def finish(self) -> list[Alternative]:
        if not self._begun:
            return []
        if rest := self._at_its_rate(b"", last=True):
            self._vosk.AcceptWaveform(rest)
        found = json.loads(self._vosk.FinalResult()).get("alternatives", [])
        self._begin_anew()
        return alternatives(found)

    def reset(self) -> None:
        if self._begun:
            self._vosk.Reset()
            self._begin_anew()

    def close(self) -> None:
        """Free libvosk's part; the recogniser cannot be used any more."""
        self._vosk = self._upsampler = None
        self._begun = False

    def _begin_anew(self) -> None:
        self._begun = False
        self._upsampler = self._new_upsampler()

    def _new_upsampler(self) -> Any:
        if self._rate == RATE:
            return None
        import soxr

        return soxr.ResampleStream(RATE, self._rate, 1, dtype="int16", quality="MQ")

    def _at_its_rate(self, samples: bytes, *, last: bool = False) -> bytes:
        """Telephone audio that is passed for 16 kHz would be understood as nothing at all."""
        if self._upsampler is None:
            return samples
        upsampled: bytes = self._upsampler.resample_chunk(np.frombuffer(samples, "<i2"), last=last).tobytes()
        return upsampled


def alternatives(found: Sequence[Mapping[str, Any]]) -> list[Alternative]:
    """Vosk's N-best list with confidences that can be compared.

    Vosk gives each alternative the logarithm of its likelihood, which means nothing by itself. Its share among all
    alternatives (their softmax, as in Wessel et al. 2001, *Confidence measures for large vocabulary continuous speech
    recognition*, on an N-best list) is near 1 where nothing else comes close, and small where many things do. It
    cannot tell that something was said that the model has no word for.
    """
    likelihoods: dict[str, float] = {}
    for alternative in found:
        text = str(alternative["text"]).strip()
        likelihood = float(alternative["confidence"])
        likelihoods[text] = max(likelihood, likelihoods.get(text, -math.inf))
    best = max(likelihoods.values(), default=0.0)
    weights = {text: math.exp(likelihood - best) for text, likelihood in likelihoods.items()}
    total = sum(weights.values())
    ranked = sorted(weights.items(), key=lambda item: -item[1])
    return [Alternative(text, round(weight / total, 3)) for text, weight in ranked if text][:ALTERNATIVES]


def _rate_of(folder: Path) -> int:
    """The sampling rate in Hz that the model's features are made of."""
    for file in (folder / "conf" / "mfcc.conf", folder / "mfcc.conf"):
        if file.is_file():
            for line in file.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition("=")
                if name.strip() == "--sample-frequency":
                    return int(float(value.split("#")[0]))
    return _MODEL_RATE
