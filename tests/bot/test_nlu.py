"""How well Rasa understands sentences that it was not trained with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import yaml

from tests.running import RunningService

QUESTIONS = Path(__file__).with_name("nlu_questions.yaml")
TRAINING = Path(__file__).parents[2] / "training_data" / "nlu"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, with what is to be understood."""

    text: str
    intent: str
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Understood:
    """What Rasa made of a sentence. An unclear one is treated like a question and counts as such."""

    sentence: Sentence
    intent: str
    roles: set[str]


def sentences() -> list[Sentence]:
    return [Sentence(**entry) for entry in yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def understood(service: RunningService) -> Iterator[list[Understood]]:
    with httpx.Client(base_url=service.rasa_url, timeout=10) as rasa:
        yield [_understand(rasa, sentence) for sentence in sentences()]


def _understand(rasa: httpx.Client, sentence: Sentence) -> Understood:
    answer = rasa.post("/model/parse", json={"text": sentence.text}).raise_for_status().json()
    intent = answer["intent"]["name"]
    roles = {entity["role"] for entity in answer["entities"] if entity.get("role")}
    return Understood(sentence, "ask_service" if intent == "nlu_fallback" else intent, roles)


def test_intents(understood: list[Understood]) -> None:
    wrong = [one for one in understood if one.intent != one.sentence.intent]
    for (expected, got), count in Counter((one.sentence.intent, one.intent) for one in wrong).most_common():
        texts = (one.sentence.text for one in wrong if (one.sentence.intent, one.intent) == (expected, got))
        print(f"{count} x {expected} taken for {got}:", *texts, sep="\n  ")
    assert 1 - len(wrong) / len(understood) >= 0.94


def test_roles(understood: list[Understood]) -> None:
    found = missing = extra = 0
    for one in understood:
        expected = set(one.sentence.roles)
        found += len(expected & one.roles)
        missing += len(expected - one.roles)
        extra += len(one.roles - expected)
        if expected != one.roles:
            print(f"{one.sentence.text}: expected {sorted(expected)}, got {sorted(one.roles)}")
    assert 2 * found / (2 * found + missing + extra) >= 0.80


def test_sentences_are_held_out() -> None:
    trained = {
        _plain(line) for path in TRAINING.glob("*.yml") for line in path.read_text(encoding="utf-8").splitlines()
    }
    assert not [one.text for one in sentences() if _plain(one.text) in trained]


def _plain(line: str) -> str:
    """The bare words of a sentence or of an annotated line of training data."""
    text = line.strip().removeprefix("- ")
    while "]{" in text:
        before, _, after = text.partition("]{")
        text = before + after.partition("}")[2]
    return "".join(char for char in text.casefold() if char.isalnum() or char == " ").strip()


def test_every_intent_is_asked() -> None:
    parts = [
        part for path in TRAINING.glob("*.yml") for part in yaml.safe_load(path.read_text(encoding="utf-8"))["nlu"]
    ]
    assert {one.intent for one in sentences()} == {part["intent"] for part in parts if "intent" in part}
