"""The detector of speech on what really comes over a telephone."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import pytest

from telephony import vad
from telephony.audio import FRAME_BYTES
from telephony.endpointing import PROFILES, Endpointer, SpeechEnded, SpeechStarted
from telephony.errors import ModelMissing
from telephony.vad import WINDOW_MS, Vad, VadModel
from tests.telephony.lines import frames_of, silence
from tests.telephony.voices import KEYS, attenuated, noise, spoken, tones

QUESTION = "ich möchte einen neuen personalausweis beantragen"


@pytest.fixture(scope="module")
def model() -> VadModel:
    return VadModel()


def starts(model: VadModel, samples: bytes) -> int:
    """How often somebody begins to speak."""
    endpointer = Endpointer(PROFILES["open"])
    decisions = [endpointer.feed(window, "", WINDOW_MS) for window in Vad(model).windows(samples)]
    return sum(isinstance(decision, SpeechStarted) for decision in decisions)


@pytest.mark.parametrize("voice", ["de", "de+m3", "de+f2"])
@pytest.mark.parametrize("text", [QUESTION, "ja", "nein", "drei"])
def test_speech_is_speech(model: VadModel, voice: str, text: str) -> None:
    assert starts(model, silence(500) + spoken(text, voice=voice) + silence(1_000)) == 1


def test_so_is_quiet_speech_with_noise(model: VadModel) -> None:
    quiet = np.frombuffer(attenuated(spoken(QUESTION), 15), "<i2")
    with_noise = quiet + np.frombuffer(noise(10_000, amplitude=40), "<i2")[: len(quiet)]
    assert starts(model, noise(500, amplitude=40) + with_noise.astype("<i2").tobytes() + silence(1_000)) == 1


@pytest.mark.parametrize(
    "sound",
    [
        silence(3_000),
        noise(3_000, amplitude=50),
        noise(3_000, amplitude=1_000),
        noise(3_000, amplitude=6_000),
        tones(3_000, 50, 150),
        tones(3_000, 425),
        *(tones(300, *pair) + silence(300) for pair in KEYS.values()),
        (noise(20, amplitude=8_000) + silence(480)) * 6,
    ],
    ids=["silence", "hiss", "noise", "loud noise", "hum", "dial tone", *(f"key {key}" for key in KEYS), "clicks"],
)
def test_other_sounds_are_not(model: VadModel, sound: bytes) -> None:
    assert starts(model, silence(500) + sound + silence(500)) == 0


def test_the_end_of_speech_is_noticed_soon_after_it(model: VadModel) -> None:
    samples = silence(512) + spoken(QUESTION)
    spoken_ms = len(samples) // 16
    endpointer, profile = Endpointer(PROFILES["open"]), PROFILES["open"]
    for index, window in enumerate(Vad(model).windows(samples + silence(2_000)), start=1):
        if isinstance(endpointer.feed(window, "", WINDOW_MS), SpeechEnded):
            assert -100 < index * WINDOW_MS - spoken_ms - profile.trailing < 250
            return
    pytest.fail("the end was not noticed")


def test_frames_and_pieces_of_other_sizes_give_the_same(model: VadModel) -> None:
    samples = spoken(QUESTION)
    at_once = Vad(model).windows(samples)
    in_frames, odd = Vad(model), Vad(model)
    assert [window for frame in frames_of(samples) for window in in_frames.windows(frame)][: len(at_once)] == at_once
    pieces = [samples[start : start + 222] for start in range(0, len(samples), 222)]
    assert [window for piece in pieces for window in odd.windows(piece)] == at_once


def test_the_latest_probability_of_a_frame(model: VadModel) -> None:
    detector, windows = Vad(model), Vad(model).windows(spoken(QUESTION))
    latest = [detector.speech(frame) for frame in frames_of(spoken(QUESTION))]
    assert latest[0] == 0.0  # 20 ms are no window yet
    assert latest[1] == windows[0]
    assert max(latest) == max(windows)


def test_calls_do_not_disturb_each_other_and_forget_when_told(model: VadModel) -> None:
    alone = Vad(model).windows(spoken(QUESTION))
    one, other = Vad(model), Vad(model)
    mixed = []
    for start in range(0, len(spoken(QUESTION)), FRAME_BYTES):
        mixed += one.windows(spoken(QUESTION)[start : start + FRAME_BYTES])
        other.windows(noise(20))
    assert mixed == alone
    one.reset()
    assert one.windows(spoken(QUESTION)) == alone


def test_no_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Empty:
        def locate_file(self, path: str) -> Path:
            return tmp_path / path

    def missing(name: str) -> Empty:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(vad, "distribution", lambda name: Empty())
    with pytest.raises(ModelMissing):
        VadModel()
    monkeypatch.setattr(vad, "distribution", missing)
    with pytest.raises(ModelMissing):
        VadModel()


def test_torch_is_not_loaded() -> None:
    code = (
        "import sys; from telephony.vad import *; Vad(VadModel()).windows(bytes(512)); sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
