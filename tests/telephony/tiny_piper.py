"""A tiny German Piper voice, cut together from espeak-ng's sounds: plumbing for tests.

It lets the real Piper runtime speak on any machine without a download and says nothing about how a real voice sounds.
What a neural voice computes is looked up here: the ONNX graph turns Piper's phonemes into pairs of neighbours and puts
half a sound of each recorded pair after the other, at one of two paces (whichever is nearer to the length that is
asked for).
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from scipy.signal import resample_poly

from tests.telephony.tiny_vosk import espeak as espeak_module
from tests.telephony.tiny_vosk.corpus import sentences
from tests.telephony.tiny_vosk.espeak import RATE as SPOKEN_RATE
from tests.telephony.tiny_vosk.espeak import Espeak, Speech

ROOT = Path(__file__).parents[2]
CACHE = ROOT / "var" / "tests"
NAME = "de_DE-tiny-low.onnx"
RATE = 16_000
PACES = ((1.0, 150), (1.5, 100))
"""Lengths that Piper asks for, and words a minute at which espeak-ng is recorded for them."""

_PAD, _BEGIN, _END, _PAUSE = "_", "^", "$", "pause"
_UNHEARD = ("ˈ", "ˌ", " ", "-", "'", '"', "ʔ")
_PAUSES = (",", ".", "?", "!", ":", ";")
_HALF_PAUSE = np.zeros(RATE // 16, np.float32)
_IPA = 2  # of speak_lib.h
_LONGEST_HALF = RATE // 8
_SHORTEST = RATE // 200
_MORE = (
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "Falsches Üben von Xylophonmusik quält jeden größeren Zwerg.",
    "Die heiße Zypernsonne quälte Max und Victoria ja böse auf dem Weg bis zur Küste.",
    "Vogel Quax zwickt Johnys Pferd Bim.",
    "Guten Tag, hier spricht der Sprachassistent der Stadt Jena.",
    "Montag, Dienstag, Mittwoch, Donnerstag, Freitag, Samstag und Sonntag.",
    "Januar, Februar, März, April, Mai, Juni, Juli, August, September, Oktober, November, Dezember.",
    "Einundzwanzig Euro fünfzig, siebenunddreißig Euro, einhundertsechzehn Euro und achtzig Cent.",
)

Samples = npt.NDArray[np.float32]
Halves = tuple[Samples, Samples]


def tiny_voice() -> Path:
    """The voice's file, with its settings beside it; the first call of all builds it, in seconds."""
    folder = CACHE / f"tiny-piper-{_fingerprint()}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "tiny-piper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            for outdated in CACHE.glob("tiny-piper-*/"):
                shutil.rmtree(outdated)
            with tempfile.TemporaryDirectory(dir=CACHE, prefix="building-") as work:
                command = [sys.executable, "-m", "tests.telephony.tiny_piper", f"{work}/voice"]
                subprocess.run(command, check=True, cwd=ROOT)
                Path(work, "voice").rename(folder)
    return folder / NAME


def build(folder: Path) -> None:
    """Record, cut and write the voice."""
    espeak_module._PHONEME_EVENTS |= _IPA  # this process's espeak-ng names sounds as Piper does
    espeak = Espeak()
    texts = [*(f"{sentence}." for sentence in sentences()), *_MORE]
    recordings = [_halves(espeak.say(text, rate=rate, pitch_range=20) for text in texts) for _, rate in PACES]
    sounds = sorted({sound for recording in recordings for pair in recording for sound in pair} - {_PAUSE})
    ids, clusters = _ids(sounds)
    folder.mkdir(parents=True)
    onnx.save(_model(ids, sounds, recordings), str(folder / NAME))
    settings = {
        "audio": {"sample_rate": RATE, "quality": "low"},
        "espeak": {"voice": "de"},
        "language": {"code": "de_DE"},
        "inference": {"noise_scale": 0.667, "length_scale": 1.0, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_id_map": ids,
        "vowel_clusters": clusters,
        "num_symbols": 1 + max(number for numbers in ids.values() for number in numbers),
        "num_speakers": 1,
        "speaker_id_map": {},
    }
    (folder / f"{NAME}.json").write_text(json.dumps(settings, ensure_ascii=False, indent=1), encoding="utf-8")


def _halves(recordings: Iterable[Speech]) -> dict[tuple[str, str], Halves]:
    """For each pair of neighbours the end of the first sound and the beginning of the second one."""
    found: dict[tuple[str, str], list[Halves]] = defaultdict(list)
    for speech in recordings:
        cut = list(_sounds(speech))
        for (first, before), (second, after) in itertools.pairwise(cut):
            found[first, second].append((before[1], after[0]))
    return {pair: sorted(examples, key=_length)[len(examples) // 2] for pair, examples in found.items()}


def _length(halves: Halves) -> int:
    return len(halves[0]) + len(halves[1])


def _sounds(speech: Speech) -> Iterator[tuple[str, Halves]]:
    """Sounds with their two halves; between them and around them are pauses."""
    yield _PAUSE, (_HALF_PAUSE, _HALF_PAUSE)
    samples = resample_poly(speech.samples.astype(np.float32) / 32_768, 320, 441).astype(np.float32)
    assert SPOKEN_RATE * 320 == RATE * 441
    starts = [int(phoneme.start * RATE / SPOKEN_RATE) for phoneme in speech.phonemes]
    for phoneme, start, end in zip(speech.phonemes, starts, [*starts[1:], len(samples)], strict=True):
        name = unicodedata.normalize("NFD", re.sub("[ˈˌ|-]", "", phoneme.name))
        if name.startswith(("_", "(")):
            yield _PAUSE, (_HALF_PAUSE, _HALF_PAUSE)
        elif name and end - start >= _SHORTEST:
            middle = _crossing(samples, (start + end) // 2)
            first, second = _crossing(samples, start), _crossing(samples, end)
            yield name, (samples[first:middle][:_LONGEST_HALF], samples[middle:second][-_LONGEST_HALF:])
    yield _PAUSE, (_HALF_PAUSE, _HALF_PAUSE)


def _crossing(samples: Samples, near: int) -> int:
    """Where the wave rises through zero next: what is joined there does not click."""
    window = samples[near : near + RATE // 100]
    rising = np.flatnonzero((window[:-1] < 0) & (window[1:] >= 0))
    return near + int(rising[0]) + 1 if len(rising) else near


def _ids(sounds: list[str]) -> tuple[dict[str, list[int]], list[list[str]]]:
    """Piper's map of phonemes, and the sounds that are written with several signs.

    Sounds come first (from 0, as in `sounds`), then the pause, then what is not heard at all.
    """
    pause, unheard = len(sounds), len(sounds) + 1
    ids = {sound: [number] for number, sound in enumerate(sounds)}
    ids |= {sign: [pause] for sign in (_BEGIN, _END, *_PAUSES)}
    ids |= {sign: [unheard] for sign in (_PAD, *_UNHEARD)}
    for sound in sorted(sounds, key=len):  # a sign of its own that was not heard alone is the sound it begins
        for sign in sound:
            ids.setdefault(sign, [unheard] if unicodedata.combining(sign) or sign == "ː" else ids[sound])
    for sign, like in (
        ("g", "ɡ"),
        ("ɡ", "g"),
        ("ʁ", "r"),
        ("r", "ʁ"),
        ("ɾ", "r"),
        ("ɜ", "ɐ"),
        ("ɐ", "ɜ"),
        ("œ", "ø"),
        ("ʏ", "y"),
    ):
        if sign not in ids and like in ids:
            ids[sign] = ids[like]
    return ids, [list(sound) for sound in sounds if len(sound) > 1]


def _model(
    ids: dict[str, list[int]], sounds: list[str], recordings: list[dict[tuple[str, str], Halves]]
) -> onnx.ModelProto:
    tables = _tables([*sounds, _PAUSE], recordings)
    inputs: dict[str, tuple[Any, list[Any]]] = {
        "input": (TensorProto.INT64, ["batch", "phonemes"]),
        "input_lengths": (TensorProto.INT64, ["batch"]),
        "scales": (TensorProto.FLOAT, [3]),
    }
    graph = helper.make_graph(
        _nodes(),
        "tiny-voice",
        [helper.make_tensor_value_info(name, *value) for name, value in inputs.items()],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, "time"])],
        [numpy_helper.from_array(value, name) for name, value in tables.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _tables(names: list[str], recordings: list[dict[tuple[str, str], Halves]]) -> dict[str, npt.NDArray[Any]]:
    """All that the graph looks up: for each pace and pair two rows of `waves`, of which `lengths` samples count."""
    count = len(names)
    rows: dict[bytes, int] = {}
    halves = np.zeros((len(PACES), count * count, 2), np.int64)
    for pace, recording in enumerate(recordings):
        typical = [_typical(name, recording) for name in names]
        for first, second in np.ndindex(count, count):
            pair = recording.get((names[first], names[second]), (typical[first][0], typical[second][1]))
            halves[pace, first * count + second] = [rows.setdefault(half.tobytes(), len(rows)) for half in pair]
    cut = [np.frombuffer(row, np.float32) for row in rows]
    waves = np.zeros((len(cut), max(map(len, cut))), np.int16)
    for wave, half in zip(waves, cut, strict=True):
        wave[: len(half)] = np.clip(half * 32_767, -32_768, 32_767)
    return {
        "halves": halves,
        "waves": waves,
        "lengths": np.array([len(half) for half in cut]),
        "positions": np.arange(waves.shape[1])[None, :],
        "heard": np.array([True] * count + [False]),
        "count": np.array(count),
        "border": np.array(np.mean([length for length, _ in PACES]), np.float32),
        "full": np.array(32_768, np.float32),
        "length scale": np.array(1),
        "row": np.array([-1]),
        "column": np.array([-1, 1]),
        "output shape": np.array([1, 1, 1, -1]),
        "0": np.array([0]),
        "1": np.array([1]),
        "last": np.array([-1]),
        "end": np.array([np.iinfo(np.int64).max]),
    }


def _nodes() -> list[onnx.NodeProto]:
    return [
        helper.make_node("Reshape", ["input", "row"], ["all"]),
        helper.make_node("Gather", ["heard", "all"], ["is heard"]),
        helper.make_node("Compress", ["all", "is heard"], ["sounds"]),
        helper.make_node("Slice", ["sounds", "0", "last"], ["first"]),
        helper.make_node("Slice", ["sounds", "1", "end"], ["second"]),
        helper.make_node("Mul", ["first", "count"], ["base"]),
        helper.make_node("Add", ["base", "second"], ["pairs"]),
        helper.make_node("Gather", ["scales", "length scale"], ["asked"]),
        helper.make_node("Greater", ["asked", "border"], ["is slow"]),
        helper.make_node("Cast", ["is slow"], ["pace"], to=TensorProto.INT64),
        helper.make_node("Gather", ["halves", "pace"], ["at pace"]),
        helper.make_node("Gather", ["at pace", "pairs"], ["two halves"]),
        helper.make_node("Reshape", ["two halves", "row"], ["in a row"]),
        helper.make_node("Gather", ["waves", "in a row"], ["padded"]),
        helper.make_node("Gather", ["lengths", "in a row"], ["flat lengths"]),
        helper.make_node("Reshape", ["flat lengths", "column"], ["their lengths"]),
        helper.make_node("Less", ["positions", "their lengths"], ["kept"]),
        helper.make_node("Reshape", ["padded", "row"], ["flat"]),
        helper.make_node("Reshape", ["kept", "row"], ["flat kept"]),
        helper.make_node("Compress", ["flat", "flat kept"], ["joined"]),
        helper.make_node("Cast", ["joined"], ["loud"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["loud", "full"], ["wave"]),
        helper.make_node("Reshape", ["wave", "output shape"], ["output"]),
    ]


def _typical(name: str, recording: dict[tuple[str, str], Halves]) -> Halves:
    """The end and the beginning of a sound beside neighbours that were never recorded."""
    ends = sorted((halves[0] for (first, _), halves in recording.items() if first == name), key=len)
    beginnings = sorted((halves[1] for (_, second), halves in recording.items() if second == name), key=len)
    nothing = [np.zeros(0, np.float32)]
    return (ends or nothing)[len(ends) // 2], (beginnings or nothing)[len(beginnings) // 2]


def _fingerprint() -> str:
    here = Path(__file__).parent
    sources = (Path(__file__), here / "tiny_vosk" / "espeak.py", here / "tiny_vosk" / "sentences.txt")
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]


if __name__ == "__main__":
    build(Path(sys.argv[1]))
