"""The sound for those who wait."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from telephony import hold
from telephony.audio import RATE, duration_ms
from telephony.errors import SettingsInvalid


def test_it_is_quiet_and_has_no_clicks() -> None:
    samples = hold.soft()
    values = np.frombuffer(samples, "<i2").astype(float)
    assert -50 < 20 * np.log10(np.sqrt(np.mean(values**2)) / 32_768) < -35
    assert np.abs(np.diff(values)).max() < 600
    assert duration_ms(samples) >= 5_000


@pytest.mark.parametrize(("rate", "right"), [(RATE, True), (16_000, False)])
def test_a_file_of_one_s_own(tmp_path: Path, rate: int, right: bool) -> None:
    file = tmp_path / "wait.wav"
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"\1\0" * 80)
    if right:
        assert hold.read(file) == b"\1\0" * 80
    else:
        with pytest.raises(SettingsInvalid, match="8 kHz"):
            hold.read(file)


def test_no_file_and_no_sound(tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound", encoding="utf-8")
    for name in ("none.wav", "text.wav"):
        with pytest.raises(SettingsInvalid, match=name):
            hold.read(tmp_path / name)
