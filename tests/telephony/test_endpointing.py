"""When an answer ends: judged on the time of its audio alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony.endpointing import (
    PROFILES,
    Decision,
    Endpointer,
    Profile,
    Reason,
    Silence,
    SpeechEnded,
    SpeechStarted,
)

WINDOW = 32
OPEN, YES_NO = PROFILES["open"], PROFILES["yes_no"]


def decide(
    profile: Profile, probabilities: Sequence[float], *, partial: str = "", waiting: bool = True
) -> list[tuple[int, Decision]]:
    """What is decided, and after how many ms of audio."""
    endpointer = Endpointer(profile)
    decided = []
    for index, probability in enumerate(probabilities, start=1):
        decision = endpointer.feed(probability, partial, WINDOW, waiting=waiting)
        if decision is not None:
            decided.append((index * WINDOW, decision))
    return decided


def windows(*parts: tuple[int, float]) -> list[float]:
    """Probabilities from parts of so many ms."""
    return [probability for ms, probability in parts for _ in range(ms // WINDOW)]


def end_of(profile: Profile, probabilities: Sequence[float], *, partial: str = "") -> float:
    """When the first answer ended, in ms; infinite if it did not."""
    decided = decide(profile, probabilities, partial=partial)
    return next((ms for ms, decision in decided if isinstance(decision, SpeechEnded)), float("inf"))


@pytest.mark.parametrize("expects", sorted(PROFILES))
def test_an_answer_ends_after_the_silence_that_its_question_deserves(expects: str) -> None:
    profile = PROFILES[expects]
    decided = decide(profile, windows((320, 0.0), (960, 0.9), (2_048, 0.1)))
    (_, started), (ended_at, ended) = decided
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, SpeechEnded)
    assert ended.ms == 960
    assert ended.reason is Reason.SILENCE
    assert profile.trailing <= ended.trailing_ms < profile.trailing + WINDOW
    assert profile.trailing <= ended_at - 1_280 < profile.trailing + WINDOW


def test_an_open_question_waits_longer_than_yes_or_no_and_digits_longest() -> None:
    order = ("yes_no", "choice", "open", "number")
    pauses = [PROFILES[expects].trailing for expects in order]
    assert pauses == sorted(set(pauses))


def test_a_pause_between_two_groups_of_digits_does_not_end_a_number() -> None:
    number = windows((640, 0.9), (960, 0.1), (640, 0.9), (2_048, 0.1))
    _, ended = [decision for _, decision in decide(PROFILES["number"], number)]
    assert isinstance(ended, SpeechEnded)
    assert ended.ms == 640 + 960 + 640
    assert end_of(YES_NO, number) < 640 + 960


def test_a_complete_answer_need_not_wait() -> None:
    profile = dataclasses.replace(YES_NO, complete=frozenset({"ja"}))
    spoken = windows((320, 0.9), (1_024, 0.1))
    assert end_of(profile, spoken, partial="ja") < end_of(profile, spoken, partial="ja aber")
    (_, ended) = decide(profile, spoken, partial="ja")[1]
    assert isinstance(ended, SpeechEnded)
    assert ended.reason is Reason.COMPLETE


def test_people_who_take_their_time_may() -> None:
    spoken = windows((640, 0.9), (896, 0.1), (640, 0.9), (3_200, 0.1))
    assert end_of(OPEN, spoken) < 640 + 896
    assert end_of(OPEN.slower(), spoken) > 640 + 896 + 640


def test_a_click_is_no_speech() -> None:
    assert decide(OPEN, windows((64, 0.95), (640, 0.1), (64, 0.95), (640, 0.1))) == []


def test_what_is_being_said_goes_on_through_weak_windows() -> None:
    assert end_of(OPEN, windows((320, 0.9), (1_600, 0.4), (320, 0.9))) == float("inf")


def test_nobody_speaks_for_ever() -> None:
    (_, ended) = decide(OPEN, windows((25_000, 0.9)))[1]
    assert isinstance(ended, SpeechEnded)
    assert ended.reason is Reason.TOO_LONG
    assert OPEN.longest <= ended.ms < OPEN.longest + WINDOW


def test_silence_is_told_of_again_and_again() -> None:
    told = [decision for _, decision in decide(OPEN, windows((15_000, 0.0)))]
    assert all(isinstance(decision, Silence) for decision in told)
    assert [round(decision.ms, -3) for decision in told if isinstance(decision, Silence)] == [7_000, 14_000]


def test_who_listens_owes_no_answer() -> None:
    assert decide(OPEN, windows((15_000, 0.0)), waiting=False) == []
    assert decide(dataclasses.replace(OPEN, patience=None), windows((15_000, 0.0))) == []


def test_noise_does_not_hide_that_nobody_answers() -> None:
    clicks = windows(*[(64, 0.95), (448, 0.1)] * 20)
    assert any(isinstance(decision, Silence) for _, decision in decide(OPEN, clicks))


probabilities = st.lists(st.sampled_from([0.0, 0.2, 0.4, 0.6, 0.95]), max_size=120)


@given(probabilities, st.integers(100, 2_000), st.integers(0, 1_000))
def test_more_patience_never_ends_an_answer_earlier(heard: list[float], trailing: int, more: int) -> None:
    quick, patient = Profile(trailing=trailing), Profile(trailing=trailing + more)
    assert end_of(quick, heard) <= end_of(patient, heard)
    assert end_of(quick, heard) <= end_of(quick.slower(), heard)


@given(probabilities, st.integers(0, 119))
def test_more_speech_at_its_end_never_ends_an_answer_earlier(heard: list[float], extra: int) -> None:
    spoken = windows((320, 0.95))
    assert end_of(OPEN, spoken + heard) <= end_of(OPEN, spoken + [0.95] * extra + heard)


@given(probabilities)
def test_every_beginning_has_at_most_one_end(heard: list[float]) -> None:
    kinds = [type(decision) for _, decision in decide(YES_NO, heard) if not isinstance(decision, Silence)]
    assert kinds == [SpeechStarted, SpeechEnded] * (len(kinds) // 2) + [SpeechStarted] * (len(kinds) % 2)


@given(probabilities, probabilities)
def test_what_is_decided_does_not_depend_on_what_comes_later(before: list[float], after: list[float]) -> None:
    decided = decide(OPEN, before)
    assert decide(OPEN, before + after)[: len(decided)] == decided
