"""One file with all settings of the telephone."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.errors import SettingsInvalid
from telephony.settings import TelephonySettings

EXAMPLE = Path(__file__).parents[2] / "telephony" / "telephony.example.toml"
LEAST = '[service]\ncredential = "hush"\n[pbx]\nsecret = "hush-hush"\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "telephony.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_example_is_valid_and_tells_the_defaults(tmp_path: Path) -> None:
    example = TelephonySettings.read(EXAMPLE)
    least = TelephonySettings.read(written(tmp_path, LEAST))
    assert example.bridge == least.bridge
    assert example.recognition == least.recognition
    assert example.manners() == least.manners()
    told = "\n".join(
        line.removeprefix("# ") for line in EXAMPLE.read_text(encoding="utf-8").splitlines() if " = " in line
    )
    for section in (example.service, example.bridge, example.recognition, example.voice, example.conversation):
        for name in type(section).model_fields:
            assert f"{name} = " in told or f"conversation.{name}" in EXAMPLE.read_text(encoding="utf-8"), name


def test_everything_in_the_example_that_is_commented_out_is_the_default(tmp_path: Path) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    shown = [line.removeprefix("# ") if line.startswith(("# [", "# ")) and " = " in line else line for line in lines]
    text = "\n".join(line for line in shown if not line.startswith(("model", "hold_sound", "where the service")))
    text = text.replace("# [conversation.patience.open]", "[conversation.patience.open]")
    read = TelephonySettings.read(written(tmp_path, text))
    assert read.manners() == TelephonySettings.read(EXAMPLE).manners()
    assert read.profiles() == TelephonySettings.read(EXAMPLE).profiles()
    assert read.bridge == TelephonySettings.read(EXAMPLE).bridge


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("secret-word\n", encoding="utf-8")
    text = LEAST.replace('credential = "hush"', 'credential_file = "here"')
    assert TelephonySettings.read(written(tmp_path, text)).service.shown() == "secret-word"


@pytest.mark.parametrize("content", [None, "", " \n"])
def test_a_credential_that_is_not_there_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "here").write_text(content, encoding="utf-8")
    text = LEAST.replace('credential = "hush"', 'credential_file = "here"')
    with pytest.raises(SettingsInvalid, match="here"):
        TelephonySettings.read(written(tmp_path, text)).service.shown()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[service", "TOML"),
        ('[pbx]\nsecret = "hush-hush"\n', "service"),
        (LEAST + "[bridge]\nprot = 1\n", "bridge.prot"),
        (LEAST + "[bridge]\nport = 99999\n", "bridge.port"),
        (LEAST.replace("hush-hush", ""), "secret"),
        (LEAST.replace("[pbx]", 'credential_file = "x"\n[pbx]'), "credential"),
        (LEAST.replace("[pbx]", 'url = "jena.example"\n[pbx]'), "service.url"),
        (LEAST + "[conversation.patience.shouting]\ntrailing = 500\n", "patience"),
        (LEAST + "[conversation.patience.open]\ntrailing = 5\n", "trailing"),
    ],
)
def test_mistakes_are_told_without_secrets(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsInvalid, match=told) as error:
        TelephonySettings.read(written(tmp_path, text))
    assert "hush" not in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="example"):
        TelephonySettings.read(tmp_path / "none.toml")


def test_patience_by_what_is_expected(tmp_path: Path) -> None:
    text = LEAST + "[conversation]\nelderly = true\n[conversation.patience.open]\ntrailing = 900\n"
    profiles = TelephonySettings.read(written(tmp_path, text)).profiles()
    usual = TelephonySettings.read(written(tmp_path, LEAST)).profiles()
    assert profiles["open"].trailing > 900
    assert profiles["choice"].trailing > usual["choice"].trailing
    assert "ja" in usual["yes_no"].complete
    assert usual["yes_no"].trailing < usual["open"].trailing


def test_without_a_model_everything_goes_by_keys(tmp_path: Path) -> None:
    assert TelephonySettings.read(written(tmp_path, LEAST)).manners().keys_only
    with_model = TelephonySettings.read(written(tmp_path, LEAST + '[recognition]\nmodel = "vosk"\n'))
    assert with_model.recognition.model == tmp_path / "vosk"
    assert not with_model.manners().keys_only


def test_a_hold_sound_that_is_missing_is_told(tmp_path: Path) -> None:
    assert TelephonySettings.read(written(tmp_path, LEAST)).hold_sound()
    text = LEAST + '[conversation]\nhold_sound = "none.wav"\n'
    with pytest.raises(SettingsInvalid, match=r"none\.wav"):
        TelephonySettings.read(written(tmp_path, text)).hold_sound()
