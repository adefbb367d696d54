"""Recognition by the real Vosk with the tests' tiny model: plumbing, not quality."""

from __future__ import annotations

import gc
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from telephony.errors import ModelMissing
from telephony.recogniser import ALTERNATIVES, Alternative, NoRecogniser, Recogniser, VoskModel, alternatives
from tests.telephony.lines import silence
from tests.telephony.tiny_vosk.corpus import sentences, vocabulary
from tests.telephony.voices import noise, spoken

QUESTION = "ich möchte einen neuen personalausweis beantragen"
PIECE = 1_600
"""Bytes: 100 ms."""


@pytest.fixture(scope="module")
def model(tiny_vosk_model: Path) -> VoskModel:
    return VoskModel(tiny_vosk_model)


def hear(recogniser: Recogniser, samples: bytes) -> tuple[list[str], list[Alternative]]:
    """Partial results, each once, and what it was in the end."""
    partials = [""]
    for start in range(0, len(samples), PIECE):
        recogniser.accept(samples[start : start + PIECE])
        if (text := recogniser.partial()) != partials[-1]:
            partials.append(text)
    return partials[1:], recogniser.finish()


def said(text: str) -> bytes:
    return silence(300) + spoken(text) + silence(300)


@pytest.mark.parametrize(
    "text", [QUESTION, "was kostet das", "ja", "das zweite", "null drei sechs vier eins acht neun null"]
)
def test_telephone_audio_is_understood_by_a_model_for_16_khz(model: VoskModel, text: str) -> None:
    assert model.rate == 16_000
    _, found = hear(model.recogniser(), said(text))
    assert found[0].text == text
    assert found[0].confidence > 0.9
    assert len(found) <= ALTERNATIVES
    assert sum(alternative.confidence for alternative in found) <= 1.001


def test_what_is_understood_so_far_grows_while_somebody_speaks(model: VoskModel) -> None:
    partials, _ = hear(model.recogniser(), said(QUESTION))
    assert partials[0] == "ich"
    assert partials[-1] == QUESTION
    assert len(partials) >= 4


def test_one_utterance_after_the_other(model: VoskModel) -> None:
    recogniser = model.recogniser()
    texts = [hear(recogniser, said(text))[1][0].text for text in ("ja", QUESTION, "nein danke")]
    assert texts == ["ja", QUESTION, "nein danke"]


def test_a_pause_within_an_utterance_does_not_end_it(model: VoskModel) -> None:
    _, found = hear(model.recogniser(), said("null drei sechs") + silence(1_200) + said("vier eins acht"))
    assert found[0].text == "null drei sechs vier eins acht"


def test_a_forgotten_utterance_leaves_nothing_behind(model: VoskModel) -> None:
    recogniser = model.recogniser()
    recogniser.accept(said(QUESTION))
    recogniser.reset()
    assert recogniser.partial() == ""
    assert hear(recogniser, said("ja"))[1][0].text == "ja"


def test_other_sounds_are_no_words(model: VoskModel) -> None:
    recogniser = model.recogniser()
    assert recogniser.finish() == []
    assert hear(recogniser, silence(2_000)) == ([], [])
    assert all(alternative.confidence < 0.5 for alternative in hear(recogniser, noise(2_000))[1])


def test_what_it_has_no_words_for_is_less_sure(model: VoskModel) -> None:
    _, found = hear(model.recogniser(), said("der Hamster frisst gerne Karotten"))
    assert len(found) > 1
    assert found[0].confidence < 0.9
    assert [alternative.confidence for alternative in found] == sorted((a.confidence for a in found), reverse=True)


def test_calls_in_several_threads_share_the_model(model: VoskModel) -> None:
    texts = ["ja", "nein", "was kostet das", QUESTION] * 2
    recordings = [said(text) for text in texts]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda recording: hear(model.recogniser(), recording)[1][0].text, recordings))
    assert found == texts


def test_calls_that_have_ended_leave_no_memory_behind(model: VoskModel) -> None:
    def call() -> None:
        recogniser = model.recogniser()
        hear(recogniser, said("ja"))
        recogniser.accept(said("nein"))
        recogniser.close()

    for _ in range(20):
        call()
    gc.collect()
    before = psutil.Process().memory_info().rss
    for _ in range(100):
        call()
    gc.collect()
    assert psutil.Process().memory_info().rss - before < 20_000_000


def test_a_model_for_8_khz_is_given_8_khz(tiny_vosk_model: Path, tmp_path: Path) -> None:
    """The features themselves differ in this makeshift, so only the way there is judged."""
    folder = tmp_path / "model"
    shutil.copytree(tiny_vosk_model, folder)
    configuration = folder / "conf" / "mfcc.conf"
    configuration.write_text(configuration.read_text().replace("=16000", "=8000"))
    model = VoskModel(folder)
    assert model.rate == 8_000
    recogniser = model.recogniser()
    recogniser.accept(said("ja"))
    assert isinstance(recogniser.finish(), list)


@pytest.mark.parametrize("content", [None, "", "not a model"])
def test_a_missing_or_broken_model_is_told_with_what_to_do(tmp_path: Path, content: str | None) -> None:
    folder = tmp_path / "vosk"
    if content is not None:
        (folder / "am").mkdir(parents=True)
        if content:
            (folder / "am" / "final.mdl").write_text(content)
    with pytest.raises(ModelMissing, match=r"vosk.*fetch"):
        VoskModel(folder)


def test_without_a_model_nothing_is_understood() -> None:
    assert hear(NoRecogniser(), said(QUESTION)) == ([], [])


def test_confidences_are_shares_of_the_likelihood() -> None:
    found = [
        {"text": "ja", "confidence": 212.0},
        {"text": " nein ", "confidence": 211.0},
        {"text": "ja", "confidence": 1},
    ]
    assert alternatives(found) == [Alternative("ja", 0.731), Alternative("nein", 0.269)]
    assert alternatives([{"text": "ja", "confidence": 5.0}, {"text": "", "confidence": 5.0}]) == [
        Alternative("ja", 0.5)
    ]
    assert alternatives([{"text": "", "confidence": 0.0}]) == []
    assert alternatives([]) == []


def test_the_sentences_are_written_as_the_recogniser_writes() -> None:
    assert all(text == text.lower() and text.replace(" ", "").isalpha() for text in sentences())
    assert {"eins", "neun", "null", "ja", "nein", "mitarbeiter", "zweitens"} <= set(vocabulary())
