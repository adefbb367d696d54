"""Recognition of emergencies: the cases of `emergency_cases.yaml`, and what holds for any spelling."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from nlu.emergency import Emergency, detect

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "emergency_cases.yaml").read_text("utf-8"))
EMERGENCIES = [(text, kind) for kind in Emergency for text in CASES[kind.value]]


@pytest.mark.parametrize(("text", "kind"), EMERGENCIES)
def test_emergencies_are_recognised(text: str, kind: Emergency) -> None:
    assert detect(text) is kind


@pytest.mark.parametrize(("text", "kind"), EMERGENCIES)
def test_spelling_does_not_matter(text: str, kind: Emergency) -> None:
    spelled_out = text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    assert detect(spelled_out) is kind
    assert detect(text.upper()) is kind
    assert detect(f"Guten Tag, {text} ...") is kind or text in {"feuer", "fire", "Polizei", "HILFE!!!"}


@pytest.mark.parametrize("text", CASES["none"])
def test_questions_to_the_administration_are_no_emergencies(text: str) -> None:
    assert detect(text) is None
    assert detect(text.lower()) is None


def test_the_certain_wins_over_paperwork() -> None:
    assert detect("Mein Mann schlägt mich, was kostet eine Scheidung?") is Emergency.POLICE
    assert detect("ich will nicht mehr leben weil der Antrag abgelehnt ist") is Emergency.CRISIS


def test_where_minutes_count_the_ambulance_comes_first() -> None:
    assert detect("ich will sterben und habe viele tabletten geschluckt") is Emergency.MEDICAL


@given(st.text(max_size=200))
def test_any_text_has_an_answer(text: str) -> None:
    assert detect(text) in {None, *Emergency}


@pytest.mark.parametrize(
    "piece", ["a", "a ", "ä", "er ", "es ", "mich ", "ich will ", "hilfe ", "!", "nicht mehr ", "vor "]
)
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    def fastest(length: int) -> float:
        text = (piece * length)[:length]
        times = []
        for _ in range(4):
            start = time.perf_counter()
            detect(text)
            times.append(time.perf_counter() - start)
        return min(times)

    assert fastest(4000) < 12 * fastest(1000) + 0.02
