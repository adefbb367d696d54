from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge import fitting
from knowledge.evaluation import Standing
from knowledge.fitting import (
    MODEL_FEATURES,
    SITUATION_FEATURES,
    Case,
    bare,
    cases,
    fit_none,
    fit_ranking,
    fit_thresholds,
    practice,
    read_questions,
    titles,
)
from knowledge.importer import CityRecords
from knowledge.index import Index, service_document
from knowledge.models import Outcome
from knowledge.ranking import (
    NONE_FEATURES,
    RECORD_FEATURES,
    Calibration,
    Features,
    Thresholds,
    calibration_of,
    probabilities,
)
from knowledge.search import Search
from tests.knowledge.samples import LIFE_SITUATIONS, OFFICES, SERVICES, catalogue, service

RECORDS = 6
GRAM, PART = RECORD_FEATURES.index("name_gram_cosine"), RECORD_FEATURES.index("part_bm25")
UNKNOWN, CONSTANT = NONE_FEATURES.index("unknown"), NONE_FEATURES.index("constant")


def case(right: Sequence[int], *, unknown: float = 0.0, **features: Sequence[float]) -> Case:
    records = np.zeros((RECORDS, len(RECORD_FEATURES)))
    for name, values in features.items():
        records[:, RECORD_FEATURES.index(name)] = values
    none = np.zeros(len(NONE_FEATURES))
    none[CONSTANT], none[UNKNOWN] = 1.0, unknown
    return Case(Features(records, none), tuple(right))


def likeness(right: int, chance: np.random.Generator) -> list[float]:
    """High for the right record, lower by chance for the others."""
    values = chance.uniform(0.0, 0.6, RECORDS)
    values[right] = 0.8
    return [float(value) for value in values]


def toy_cases(number: int = 30) -> list[Case]:
    """Questions that one feature answers, another one misleads, and a third one warns."""
    chance = np.random.default_rng(4)
    found = []
    for at in range(number):
        right = at % RECORDS
        opposed = [float(record == (right + 1) % RECORDS) for record in range(RECORDS)]
        found.append(
            case(
                [right],
                name_gram_cosine=likeness(right, chance),
                part_bm25=likeness((right + 2) % RECORDS, chance),
                opposed=opposed,
            )
        )
    return found


def of(weights: np.ndarray, name: str) -> float:
    return float(weights[RECORD_FEATURES.index(name)])


def test_the_ranking_puts_what_is_right_first() -> None:
    part = toy_cases()
    weights = fit_ranking([(1.0, part)], words_only=True)
    first = [int((one.features.records @ weights).argmax()) for one in part]
    assert first == [one.right[0] for one in part]
    assert of(weights, "name_gram_cosine") > 1
    assert of(weights, "opposed") < -1


def test_no_likeness_counts_against_a_record() -> None:
    weights = fit_ranking([(1.0, toy_cases())], words_only=True)
    assert of(weights, "part_bm25") == 0, "it misleads, but less likeness never makes a record likelier"
    misled = [case([0], opposed=[1.0, 0, 0, 0, 0, 0])]
    assert of(fit_ranking([(1.0, misled)], words_only=True), "opposed") < 0, "nor an opposite likelier"


def test_features_of_a_model_and_of_situations_stay_out() -> None:
    chance = np.random.default_rng(1)
    part = [
        case([1], usage=likeness(1, chance), text_vector=likeness(1, chance), life_situation=[0, 1, 0, 0, 0, 0])
        for _ in range(5)
    ]
    without, with_model = (fit_ranking([(1.0, part)], words_only=words_only) for words_only in (True, False))
    assert all(of(without, name) == 0 for name in MODEL_FEATURES)
    assert of(with_model, "usage") > 1
    assert all(of(with_model, name) == 0 for name in SITUATION_FEATURES)


def test_the_weight_of_a_part_decides_between_parts() -> None:
    one = [case([0], name_gram_cosine=[1, 0, 0, 0, 0, 0], part_bm25=[0, 1, 0, 0, 0, 0])]
    other = [case([1], name_gram_cosine=[1, 0, 0, 0, 0, 0], part_bm25=[0, 1, 0, 0, 0, 0])]
    weights = fit_ranking([(1.0, one), (0.1, other)], words_only=True)
    assert of(weights, "name_gram_cosine") > of(weights, "part_bm25")
    weights = fit_ranking([(0.1, one), (1.0, other)], words_only=True)
    assert of(weights, "name_gram_cosine") < of(weights, "part_bm25")


def test_questions_without_an_answer_do_not_move_the_ranking() -> None:
    part = toy_cases(12)
    strange = [case([], unknown=1.0, name_gram_cosine=[0.5] * RECORDS)] * len(part)
    np.testing.assert_allclose(
        fit_ranking([(1.0, part), (1.0, strange)], words_only=True), fit_ranking([(1.0, part)], words_only=True)
    )


def test_none_tells_answerable_from_unanswerable() -> None:
    answerable = toy_cases()
    chance = np.random.default_rng(8)
    strange = [
        case([], unknown=0.9, name_gram_cosine=[float(value) for value in chance.uniform(0, 0.3, RECORDS)])
        for _ in range(20)
    ]
    ranking = fit_ranking([(1.0, answerable)], words_only=True)
    records, none = fit_none([*answerable, *strange], ranking)
    for one in (*answerable, *strange):
        found = probabilities(one.features.records @ records, float(one.features.none @ none))
        assert found.sum() == pytest.approx(1)
        assert (found[-1] > 0.5) == (not one.right)
    fitted = np.flatnonzero(ranking)
    np.testing.assert_allclose(records[fitted] / ranking[fitted], records[GRAM] / ranking[GRAM])


def test_life_situations_get_their_weight_with_none() -> None:
    part = [case([0], life_situation=[1, 0, 0, 0, 0, 0]) for _ in range(5)] + [case([], unknown=1.0)]
    records, _ = fit_none(part, np.zeros(len(RECORD_FEATURES)))
    assert of(records, "life_situation") > 1


# Thresholds

ANSWERABLE = [
    {"q": "Wo beantrage ich einen Reisepass?", "ids": ["reisepass"]},
    {"q": "Mein Perso ist abgelaufen", "ids": ["personalausweis"]},
    {"q": "Ich möchte die Hundesteuer anmelden", "ids": ["hundesteuer"]},
    {"q": "Kindergeld beantragen", "ids": ["kindergeld"]},
    {"q": "Wann wird der Sperrmüll abgeholt?", "ids": ["sperrmuell"]},
]
UNANSWERABLE: list[dict[str, Any]] = [
    {"q": "Wie wird das Wetter morgen?", "ids": []},
    {"q": "Wer hat gestern gewonnen?", "ids": []},
]


def toy_calibration() -> Calibration:
    records, none = np.zeros(len(RECORD_FEATURES)), np.zeros(len(NONE_FEATURES))
    records[[GRAM, PART]] = 12.0, 6.0
    none[[CONSTANT, UNKNOWN]] = 3.0, 6.0
    return Calibration(records, none)


CALIBRATION = toy_calibration()


@pytest.fixture(scope="module")
def index() -> Index:
    return Index(catalogue(), None)


def outcomes(index: Index, thresholds: Thresholds, questions: Sequence[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    search = Search(Standing(index), calibration=CALIBRATION)
    found = (search.decide(search.weigh(question["q"]), thresholds) for question in questions)
    return [(one.outcome, [candidate.id for candidate in one.candidates]) for one in found]


def test_thresholds_let_right_answers_through(index: Index) -> None:
    questions = [*ANSWERABLE, *UNANSWERABLE]
    thresholds = fit_thresholds(index, CALIBRATION, questions)
    found = outcomes(index, thresholds, questions)
    assert [ids for _, ids in found[: len(ANSWERABLE)]] == [question["ids"] for question in ANSWERABLE]
    assert [outcome for outcome, _ in found[len(ANSWERABLE) :]] == [Outcome.NOTHING] * len(UNANSWERABLE)


def test_no_question_gets_a_wrong_answer_beyond_the_limit(index: Index) -> None:
    wrong = [{**question, "ids": ["gewerbeanmeldung"]} for question in ANSWERABLE]
    thresholds = fit_thresholds(index, CALIBRATION, [*wrong, *UNANSWERABLE])
    assert all(outcome != Outcome.SURE for outcome, _ in outcomes(index, thresholds, wrong))


def test_no_question_without_an_answer_gets_one_beyond_the_limit(index: Index) -> None:
    strange = [{**question, "ids": []} for question in ANSWERABLE]
    thresholds = fit_thresholds(index, CALIBRATION, [*ANSWERABLE, *strange])
    assert all(outcome != Outcome.SURE for outcome, _ in outcomes(index, thresholds, strange))


def test_a_higher_limit_lets_more_through(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "MOST_WRONG", 0.5)
    one_wrong = [{**ANSWERABLE[0], "ids": ["gewerbeanmeldung"]}, *ANSWERABLE[1:]]
    thresholds = fit_thresholds(index, CALIBRATION, one_wrong)
    assert [outcome for outcome, _ in outcomes(index, thresholds, one_wrong)].count(Outcome.SURE) > 1


# Data


def test_cases_know_the_rows_of_their_right_answers(index: Index) -> None:
    answered, situation, strange = cases(
        index,
        [
            {"q": "Perso verloren", "ids": ["personalausweis", "no-longer-there"]},
            {"q": "Wir bekommen ein Baby", "ids": ["geburt"]},
            {"q": "Wetter"},
        ],
    )
    found = len(SERVICES) + len(LIFE_SITUATIONS)
    assert len(OFFICES) and answered.features.records.shape == (found, len(RECORD_FEATURES))
    assert answered.right == ([one.id for one in SERVICES].index("personalausweis"),)
    assert answered.features.records[:, GRAM].argmax() == answered.right[0]
    assert situation.right == (len(SERVICES),)
    assert strange.right == ()


RICH = service(
    "hund",
    "Hundesteuer",
    "Hundemarke",
    examples=["Wir haben einen Welpen."],
    summary="Wer einen Hund hält, zahlt.",
    full="Ein langer Text.",
    requirements="Sie sind volljährig.",
    documents=[{"text": "Impfpass"}],
    fees=[{"text": "96 Euro im Jahr"}],
)


def texts(records: CityRecords) -> str:
    document = service_document(records.services[0])
    return "\n".join((*document.names, *document.examples, document.summary, *document.modules))


def test_bare_records_have_neither_synonyms_nor_examples() -> None:
    whole = CityRecords(services=(RICH,), offices=OFFICES, life_situations=LIFE_SITUATIONS)
    found = bare(whole)
    assert texts(found).splitlines() == [
        "Hundesteuer",
        "Wer einen Hund hält, zahlt.",
        "Ein langer Text.",
        "Sie sind volljährig.",
        "Impfpass",
        "96 Euro im Jahr",
    ]
    assert found.life_situations == ()
    assert whole.services[0].synonyms == ["Hundemarke"]


def test_titles_leave_nothing_else() -> None:
    found = titles(CityRecords(services=(RICH,), offices=(), life_situations=LIFE_SITUATIONS))
    assert texts(found).splitlines() == ["Hundesteuer", "Hundesteuer"]
    assert found.life_situations == ()
    assert Index(catalogue(*found.services), None).entry("service", "hund") is not None


def test_questions_are_read_by_part(tmp_path: Path) -> None:
    rows = [
        {"q": "Hund?", "ids": ["hund"], "part": "fit"},
        {"q": "Pass?", "ids": ["pass"], "part": "test"},
        {"q": "Wetter?", "ids": [], "part": "fit"},
    ]
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    one.write_text("\n".join(json.dumps(row) for row in rows[:2]) + "\n\n", encoding="utf-8")
    other.write_text(json.dumps(rows[2]), encoding="utf-8")
    assert read_questions(one, other) == [rows[0], rows[2]]
    assert read_questions(one, other, part="test") == [rows[1]]


def test_practice_phrases_are_questions_for_their_service(tmp_path: Path) -> None:
    rows = [{"title": f"Titel {number}", "text": "Text.", "phrases": [f"Frage {number}"]} for number in range(40)]
    (tmp_path / "practice.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    records, questions = practice(tmp_path)
    title_of = {one.id: one.title for one in records.services}
    assert 0 < len(title_of) < len(rows)
    assert {title_of[question["ids"][0]].split()[1] for question in questions} == {
        question["q"].split()[1] for question in questions
    }
    assert all(title_of[question["ids"][0]].split()[1] == question["q"].split()[1] for question in questions)


def test_a_saved_calibration_is_read_back(tmp_path: Path) -> None:
    records = np.arange(len(RECORD_FEATURES)) / 3
    saved = Calibration(records, np.arange(len(NONE_FEATURES)) / 7, Thresholds(sure=0.65))
    saved.save(tmp_path / "toy.json", model="toy")
    read = calibration_of("toy", tmp_path)
    np.testing.assert_allclose(read.records, saved.records, atol=1e-4)
    np.testing.assert_allclose(read.none, saved.none, atol=1e-4)
    assert read.thresholds == saved.thresholds
