"""Fixtures of telephony: a real exchange, and telephones that call it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.telephony.pbx_server import PbxServer, pbx_server
from tests.telephony.synthesis_server import SynthesisServer, synthesis_server
from tests.telephony.tiny_piper import tiny_voice as voice_file
from tests.telephony.tiny_vosk import model_folder


@pytest.fixture(scope="session")
def asterisk() -> Iterator[PbxServer]:
    """An exchange for all tests; whoever ends it or changes its settings brings it back."""
    with pbx_server() as server:
        yield server


@pytest.fixture(scope="session")
def tiny_vosk_model() -> Path:
    """A folder with a Vosk model that understands a few sentences; see tests/telephony/tiny_vosk/README.md."""
    return model_folder()


@pytest.fixture(scope="session")
def tiny_voice() -> Path:
    """The file of a Piper voice that is cut together from espeak-ng's sounds; see tests/telephony/tiny_piper.py."""
    return voice_file()


@pytest.fixture(scope="session")
def synthesis(tiny_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SynthesisServer]:
    """The synthesis process with the tiny voice."""
    with synthesis_server(tiny_voice, tmp_path_factory.mktemp("synthesis")) as server:
        yield server
