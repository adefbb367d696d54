"""Asks the running service every question as a citizen would, each in a conversation of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from bench.quality.figures import ALL, Answered, EndToEnd, Example, Unanswerable
from bench.quality.questions import CITY, Question, own_questions, unanswerable_questions
from knowledge.importer import read_city
from tests.chat_client import Chat

CLIENTS = 2
EXAMPLES_EACH = 3

F = TypeVar("F")


class Verdict(StrEnum):
    """What a reply is worth."""

    RIGHT = "right at once"
    OFFERED_RIGHT = "right one offered"
    WRONG = "wrong one asserted"
    OFFERED_WRONG = "only wrong ones offered"
    SILENT = "silent"


FAILURES = (Verdict.WRONG, Verdict.OFFERED_WRONG, Verdict.SILENT)
FAILURES_OF_UNANSWERABLE = (Verdict.WRONG, Verdict.OFFERED_WRONG)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question, the kind of the reply, and the services that it asserts or offers."""

    question: Question
    kind: str
    found: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        right = not set(self.found).isdisjoint(self.question.ids)
        match self.kind:
            case "service":
                return Verdict.RIGHT if right else Verdict.WRONG
            case "clarify":
                return Verdict.OFFERED_RIGHT if right else Verdict.OFFERED_WRONG
        return Verdict.SILENT


def ask(url: str, questions: Sequence[Question]) -> Iterator[Outcome]:
    """Outcomes in the order of the questions, each as soon as it and those before it are there."""
    situations = {situation.id: tuple(situation.services) for situation in read_city(CITY).life_situations}

    def reply(question: Question) -> Outcome:
        chat = Chat(url)
        try:
            return outcome(question, chat.say(question.q)["answer"], situations)
        finally:
            chat.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        yield from pool.map(reply, questions)


def outcome(question: Question, answer: dict[str, Any] | None, situations: Mapping[str, Sequence[str]]) -> Outcome:
    """What a reply says.

    Args:
        question: what was asked.
        answer: the `answer` of the bot's message.
        situations: services by life situation; who offers a situation offers its services.
    """
    if answer is None:
        return Outcome(question, "none", ())
    if answer["kind"] == "service":
        return Outcome(question, "service", (answer["service_id"],))
    found = [id for candidate in answer["candidates"] for id in situations.get(candidate, (candidate,))]
    return Outcome(question, answer["kind"], tuple(dict.fromkeys(found)))


def all_questions() -> list[Question]:
    """Everything that is asked: the answerable questions, then the others."""
    return [*own_questions(), *unanswerable_questions()]


def summary(outcomes: Iterable[Outcome]) -> EndToEnd:
    """The figures of what `ask` found for `all_questions`."""
    answerable: list[Outcome] = []
    unanswerable: list[Outcome] = []
    for each in outcomes:
        (answerable if each.question.ids else unanswerable).append(each)
    return EndToEnd(
        questions=_grouped(answerable, _answered),
        unanswerable=_grouped(unanswerable, _unanswerable),
        examples=[*_examples(answerable, FAILURES), *_examples(unanswerable, FAILURES_OF_UNANSWERABLE)],
    )


def failures(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What went wrong, sorted by what went wrong, the worst first."""
    wrong = [each for each in outcomes if each.verdict in (FAILURES if each.question.ids else FAILURES_OF_UNANSWERABLE)]
    return sorted(wrong, key=lambda each: (not each.question.ids, FAILURES.index(each.verdict)))


def _grouped(outcomes: Sequence[Outcome], figures: Callable[[Sequence[Outcome]], F]) -> dict[str, F]:
    groups = dict.fromkeys(each.question.group for each in outcomes)
    parts = {group: [each for each in outcomes if each.question.group == group] for group in groups}
    return {name: figures(part) for name, part in {ALL: outcomes, **parts}.items()}


def _answered(outcomes: Sequence[Outcome]) -> Answered:
    verdicts = Counter(each.verdict for each in outcomes)
    silent = Counter(each.kind for each in outcomes if each.verdict is Verdict.SILENT)
    return Answered(
        n=len(outcomes),
        right_at_once=verdicts[Verdict.RIGHT],
        right_or_offered=verdicts[Verdict.RIGHT] + verdicts[Verdict.OFFERED_RIGHT],
        wrong_asserted=verdicts[Verdict.WRONG],
        offered_wrong=verdicts[Verdict.OFFERED_WRONG],
        silent=dict(sorted(silent.items())),
    )


def _unanswerable(outcomes: Sequence[Outcome]) -> Unanswerable:
    kinds = Counter(each.kind for each in outcomes)
    named = {"answered": kinds["service"], "offered": kinds["clarify"], "office": kinds["office"]}
    return Unanswerable(n=len(outcomes), **named, other=len(outcomes) - sum(named.values()))


def _examples(outcomes: Sequence[Outcome], verdicts: Iterable[Verdict]) -> list[Example]:
    """A few failures of each sort, if possible of different styles."""
    examples = []
    for verdict in verdicts:
        failed = [each for each in outcomes if each.verdict is verdict]
        first = {each.question.group: each for each in reversed(failed)}
        chosen = sorted(first.values(), key=failed.index)[:EXAMPLES_EACH]
        examples += [
            Example(q=each.question.q, group=each.question.group, verdict=each.verdict, found=list(each.found))
            for each in chosen
        ]
    return examples
