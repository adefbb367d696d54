"""The whole service answers as well as recorded in `bench/quality.json`, which `make quality` writes."""

from __future__ import annotations

import pytest

from bench.quality import end_to_end
from bench.quality.end_to_end import Verdict
from bench.quality.figures import Answered, EndToEnd, Figures, Unanswerable, aims
from bench.quality.questions import Question
from tests.running import RunningService

TOLERANCE = 1
"""Questions by which a figure may be worse: what stands on a threshold falls to either side on another processor."""

SITUATIONS = {"umzug": ("wohnsitz-ummelden", "kfz-zulassung")}


@pytest.fixture(scope="module")
def recorded() -> EndToEnd:
    figures = Figures.read().end_to_end
    assert figures is not None, "run make quality"
    return figures


@pytest.fixture(scope="module")
def measured(service: RunningService) -> EndToEnd:
    return end_to_end.summary(end_to_end.ask(service.url, end_to_end.all_questions()))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_style_of_question_is_answered_worse_than_recorded(measured: EndToEnd, recorded: EndToEnd) -> None:
    assert measured.questions.keys() == recorded.questions.keys()
    worse = {style: (now, recorded.questions[style]) for style, now in measured.questions.items()}
    assert not {style: pair for style, pair in worse.items() if is_worse(*pair)}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_more_is_answered_that_has_no_answer_than_recorded(measured: EndToEnd, recorded: EndToEnd) -> None:
    assert measured.unanswerable.keys() == recorded.unanswerable.keys()
    worse = {kind: (now, recorded.unanswerable[kind]) for kind, now in measured.unanswerable.items()}
    assert not {kind: pair for kind, pair in worse.items() if says_more(*pair)}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_aims_that_were_met_stay_met(measured: EndToEnd, recorded: EndToEnd) -> None:
    met = {aim.name for aim in aims(Figures(end_to_end=recorded)) if aim.met}
    now = [aim for aim in aims(Figures(end_to_end=measured)) if aim.name in met]
    assert [aim for aim in now if not aim.met] == []


def is_worse(now: Answered, recorded: Answered) -> bool:
    assert now.n == recorded.n, "the questions have changed: run make quality"
    return (
        now.right_at_once < recorded.right_at_once - TOLERANCE
        or now.right_or_offered < recorded.right_or_offered - TOLERANCE
        or now.wrong_asserted > recorded.wrong_asserted + TOLERANCE
    )


def says_more(now: Unanswerable, recorded: Unanswerable) -> bool:
    assert now.n == recorded.n, "the questions have changed: run make quality"
    return (
        now.answered > recorded.answered + TOLERANCE
        or now.answered + now.offered > recorded.answered + recorded.offered + TOLERANCE
    )


@pytest.mark.parametrize(
    ("kind", "service_id", "candidates", "verdict"),
    [
        ("service", "wohnsitz-ummelden", [], Verdict.RIGHT),
        ("service", "hundesteuer", [], Verdict.WRONG),
        ("clarify", None, ["hundesteuer", "wohnsitz-ummelden"], Verdict.OFFERED_RIGHT),
        ("clarify", None, ["hundesteuer", "umzug"], Verdict.OFFERED_RIGHT),
        ("clarify", None, ["hundesteuer", "geburt"], Verdict.OFFERED_WRONG),
        ("office", None, [], Verdict.SILENT),
        ("abstain", None, [], Verdict.SILENT),
    ],
)
def test_a_reply_is_worth_what_it_asserts_or_offers(
    kind: str, service_id: str | None, candidates: list[str], verdict: Verdict
) -> None:
    question = Question("Ich bin umgezogen", "full", ("wohnsitz-ummelden",))
    answer = {"kind": kind, "service_id": service_id, "candidates": candidates}
    assert end_to_end.outcome(question, answer, SITUATIONS).verdict == verdict


def test_figures_count_questions_by_style_and_kind() -> None:
    outcomes = [
        end_to_end.Outcome(Question("Umzug", "keyword", ("a",)), "service", ("a",)),
        end_to_end.Outcome(Question("Ich ziehe um", "full", ("a",)), "clarify", ("b", "a")),
        end_to_end.Outcome(Question("Bin umgezogen", "full", ("a",)), "abstain", ()),
        end_to_end.Outcome(Question("Wetter", "off_topic"), "service", ("b",)),
        end_to_end.Outcome(Question("Regen", "off_topic"), "smalltalk", ()),
    ]
    figures = end_to_end.summary(outcomes)
    assert figures.questions["all"] == Answered(
        n=3, right_at_once=1, right_or_offered=2, wrong_asserted=0, offered_wrong=0, silent={"abstain": 1}
    )
    assert figures.questions["full"].n == 2
    assert figures.unanswerable["off_topic"] == Unanswerable(n=2, answered=1, offered=0, office=0, other=1)
    assert [example.q for example in figures.examples] == ["Bin umgezogen", "Wetter"]
