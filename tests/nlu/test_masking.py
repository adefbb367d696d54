"""Masking of personal data: the cases of `masking_cases.yaml`, and what holds for any text."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.masking import RECOGNISERS, PersonalData, mask
from nlu.recogniser import LABEL
from nlu.text import clean

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "masking_cases.yaml").read_text("utf-8"))
KEEP: list[str] = CASES["keep"]


@pytest.mark.parametrize(("text", "masked"), CASES["masked"])
def test_personal_data_is_masked(text: str, masked: str) -> None:
    result = mask(text, keep=KEEP)
    assert result.text == masked
    assert result.found


@pytest.mark.parametrize("text", CASES["kept"] + CASES["public"])
def test_everything_else_stays(text: str) -> None:
    result = mask(text, keep=KEEP)
    assert result.text == text
    assert result.found == ()


@pytest.mark.parametrize("text", [text for text, _ in CASES["masked"]] + CASES["kept"] + CASES["public"])
def test_masking_twice_is_masking_once(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once
    assert mask(once).found == ()


def test_what_is_public_is_only_so_if_it_is_handed_in() -> None:
    assert mask("03641 49-3800").text == "[Telefonnummer]"
    assert mask("Engelplatz 1").text == "[Adresse]"
    assert mask("Frau Mustermeier").text == "Frau [Name]"


def test_a_public_number_does_not_shield_others() -> None:
    assert mask("03641 49-3800 oder 0176 1234567", keep=KEEP).text == "03641 49-3800 oder [Telefonnummer]"
    assert mask("Engelplatz 11", keep=KEEP).text == "[Adresse]"


def test_the_kinds_found_are_told_once_each() -> None:
    found = mask("0176 1234567 oder 0151 23456789 oder erika@example.org").found
    assert found == (PersonalData.EMAIL, PersonalData.PHONE)


def test_labels_are_german_words_in_square_brackets() -> None:
    assert all(LABEL.fullmatch(recogniser.label) for recogniser in RECOGNISERS)


PIECES: list[str] = CASES["pieces"]
SPEECH_LIKE = st.lists(st.sampled_from(PIECES), max_size=30).map(lambda pieces: clean("".join(pieces)))


@settings(max_examples=300, deadline=None)
@given(SPEECH_LIKE | st.text(max_size=60).map(clean))
def test_masking_is_idempotent(text: str) -> None:
    once = mask(text, keep=KEEP).text
    assert mask(once, keep=KEEP).text == once


@settings(max_examples=100, deadline=None)
@given(SPEECH_LIKE)
def test_no_plain_phone_number_or_address_of_mail_survives(text: str) -> None:
    masked = mask(f"{text} und 0176 1234567 und erika@example.org").text
    assert "1234567" not in masked
    assert "erika@example" not in masked


@pytest.mark.parametrize("piece", CASES["repeated"])
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    def fastest(length: int) -> float:
        text = (piece * length)[:length]
        times = []
        for _ in range(4):
            start = time.perf_counter()
            mask(text, keep=KEEP)
            times.append(time.perf_counter() - start)
        return min(times)

    assert fastest(4000) < 12 * fastest(1000) + 0.02
