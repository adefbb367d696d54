"""Speakable German: the cases of `speech_cases.yaml`, and what holds for any text."""

from __future__ import annotations

import re
import statistics
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nlu.speech import LONGEST, sentences, speakable
from nlu.speech.numbers import LIMIT, cardinal, dialled, ordinal, year

CASES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "speech_cases.yaml").read_text("utf-8"))
SPOKEN: list[tuple[str, str]] = [(text, spoken) for group in CASES["spoken"].values() for text, spoken in group]
PIECES: list[str] = CASES["pieces"]

ALPHABET = re.compile(r"[A-Za-zäöüßÄÖÜ .,?!:-]*")
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)
OFFICIAL_TEXT = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
MIXED_TEXT = st.lists(st.sampled_from([text for text, _ in SPOKEN]), max_size=8).map(" ".join)


@pytest.mark.parametrize(("text", "spoken"), SPOKEN)
def test_spoken_as_a_caller_wants_to_hear_it(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@pytest.mark.parametrize(("text", "spoken"), SPOKEN)
def test_what_is_speakable_stays_as_it_is(text: str, spoken: str) -> None:
    assert speakable(spoken) == spoken


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT | OFFICIAL_TEXT | MIXED_TEXT)
def test_only_letters_and_marks_of_sentences_are_left(text: str) -> None:
    spoken = speakable(text)
    assert ALPHABET.fullmatch(spoken)
    assert "  " not in spoken
    assert spoken == spoken.strip()
    assert not re.search(r" [.,?!:]|(?<![A-Za-zäöüßÄÖÜ])-|-(?![A-Za-zäöüßÄÖÜ])", spoken)


@settings(max_examples=400, deadline=None)
@given(ANY_TEXT | OFFICIAL_TEXT | MIXED_TEXT)
def test_making_speakable_twice_is_making_it_once(text: str) -> None:
    once = speakable(text)
    assert speakable(once) == once


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT | OFFICIAL_TEXT | MIXED_TEXT)
def test_no_sign_takes_longer_than_a_number_in_words(text: str) -> None:
    assert len(speakable(text)) <= 40 * len(text) + 40


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT | OFFICIAL_TEXT | MIXED_TEXT)
def test_the_sentences_hold_the_whole_text_in_pieces_of_a_breath(text: str) -> None:
    spoken = speakable(text)
    pieces = sentences(spoken)
    assert " ".join(pieces) == spoken
    assert all(len(piece) <= LONGEST or " " not in piece for piece in pieces)


def test_sentences_are_split_at_their_marks_only() -> None:
    spoken = speakable(
        "Kommen Sie z. B. am 1. Juli um 8.30 Uhr. Haben Sie Fragen? Tel.: 03641 49-3800. Wir helfen gern!"
    )
    assert sentences(spoken) == [
        "Kommen Sie zum Beispiel am ersten Juli um acht Uhr dreißig.",
        "Haben Sie Fragen?",
        "Telefon: null drei sechs, vier eins, vier neun, drei acht, null null.",
        "Wir helfen gern!",
    ]
    assert sentences("") == []


def test_a_sentence_that_is_too_long_is_split_at_a_pause() -> None:
    spoken = speakable(", ".join(["der Antrag mit allen Unterlagen im Original"] * 9) + ".")
    first, *_ = sentences(spoken)
    assert LONGEST - 50 < len(first) <= LONGEST
    assert first.endswith("Original,")


@pytest.mark.parametrize("piece", [*CASES["repeated"], *PIECES])
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    def fastest(length: int) -> float:
        text = (piece * length)[:length]
        times = []
        for _ in range(3):
            start = time.perf_counter()
            speakable(text)
            times.append(time.perf_counter() - start)
        return min(times)

    assert fastest(10_000) < 15 * fastest(2_000) + 0.05


def test_an_answer_takes_a_millisecond() -> None:
    answers = [" ".join(text for text, _ in SPOKEN[at : at + 40])[:500] for at in range(0, len(SPOKEN) - 40, 10)]
    times = []
    for answer in answers * 3:
        start = time.perf_counter()
        speakable(answer)
        times.append(time.perf_counter() - start)
    assert statistics.median(times) < 0.01


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "null"),
        (1, "eins"),
        (16, "sechzehn"),
        (17, "siebzehn"),
        (21, "einundzwanzig"),
        (30, "dreißig"),
        (66, "sechsundsechzig"),
        (100, "einhundert"),
        (101, "einhundert eins"),
        (812, "acht-hundert zwölf"),
        (1_000, "eintausend"),
        (21_021, "einundzwanzigtausend einundzwanzig"),
        (1_000_000, "eine Million"),
        (2_000_001, "zwei Millionen eins"),
        (21_000_000_000, "einundzwanzig Milliarden"),
        (LIMIT, "eins" + " null" * 12),
    ],
)
def test_numbers(number: int, words: str) -> None:
    assert cardinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "ersten"),
        (3, "dritten"),
        (7, "siebten"),
        (8, "achten"),
        (12, "zwölften"),
        (19, "neunzehnten"),
        (20, "zwanzigsten"),
        (101, "einhundert ersten"),
        (200, "zweihundertsten"),
    ],
)
def test_ordinals(number: int, words: str) -> None:
    assert ordinal(number, "en") == words


@given(st.integers(0, LIMIT - 1))
def test_different_numbers_sound_different(number: int) -> None:
    assert cardinal(number) != cardinal(number + 1)
    assert ALPHABET.fullmatch(cardinal(number))


def test_years() -> None:
    assert year(1989) == "neunzehnhundert neunundachtzig"
    assert year(1900) == "neunzehnhundert"
    assert year(2000) == "zweitausend"
    assert year(1066) == "eintausend sechsundsechzig"


def test_digits_are_dialled_in_pairs() -> None:
    assert dialled("4") == "vier"
    assert dialled("115") == "eins eins fünf"
    assert dialled("3800") == "drei acht, null null"
    assert dialled("03641") == "null drei sechs, vier eins"
