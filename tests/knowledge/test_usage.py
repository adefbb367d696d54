from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.embedding import bundled_model
from knowledge.lexical import Document
from knowledge.usage import FOLDER, MOST_SERVICES, Usage, usage
from knowledge.words import topical_words
from nlu.training.pairs import practice_services

PRACTICE = (
    {
        "title": "Wohngeld",
        "text": "Haushalte mit geringem Einkommen erhalten einen Zuschuss zu den Kosten ihrer Unterkunft.",
        "phrases": ["Mietzuschuss", "Ich kann die Miete nicht mehr zahlen"],
    },
    {
        "title": "Hundesteuer",
        "text": "Wer einen Hund hält, zahlt eine Steuer und bekommt eine Marke.",
        "phrases": ["Welpe gekauft", "Vierbeiner anmelden"],
    },
    {
        "title": "Sperrmüll",
        "text": "Große Gegenstände aus dem Haushalt werden auf Antrag abgeholt.",
        "phrases": ["altes Sofa loswerden", "Wohin mit der Matratze"],
    },
)
RECORDS = (
    Document(("Abholung sperriger Abfälle",), summary="Große Abfälle aus dem Haushalt werden abgeholt."),
    Document(("Wohngeld beantragen",), summary="Wer wenig Einkommen hat, erhält einen Zuschuss."),
    Document(("Steuer für Hunde",), summary="Für jeden Hund ist eine Steuer zu zahlen."),
    Document(("Standesamt",)),
    Document(()),
)


@pytest.fixture(scope="module")
def practice() -> Usage:
    model = bundled_model()
    assert model is not None
    return Usage(PRACTICE, model)


@pytest.fixture(scope="module")
def likeness(practice: Usage) -> NDArray[np.float32]:
    return practice.likeness(RECORDS)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        ("Ich kann die Miete nicht mehr zahlen", 1),
        ("Vierbeiner", 2),
        ("Welpe gekauft", 2),
        ("altes Sofa loswerden", 0),
        ("Wohin mit der Matratze?", 0),
    ],
)
def test_a_phrase_leads_to_a_record_that_has_none_of_its_words(
    practice: Usage, likeness: NDArray[np.float32], text: str, record: int
) -> None:
    own = " ".join((*RECORDS[record].names, RECORDS[record].summary))
    assert not set(topical_words(text)) & set(topical_words(own))
    scores, _ = practice.scores(text, likeness)
    assert scores.shape == (len(RECORDS),)
    assert int(scores.argmax()) == record


def test_likeness_is_a_cosine_per_service_and_record(practice: Usage, likeness: NDArray[np.float32]) -> None:
    assert likeness.shape == (len(PRACTICE), len(RECORDS))
    assert likeness.dtype == np.float32
    assert np.abs(likeness).max() <= 1 + 1e-5
    assert likeness[:, :3].argmax(axis=1).tolist() == [1, 2, 0]
    assert not likeness[:, 4].any(), "a record without words is like nothing"


def test_a_phrase_fits_better_than_what_nobody_says(practice: Usage, likeness: NDArray[np.float32]) -> None:
    _, known = practice.scores("Welpe gekauft", likeness)
    _, alike = practice.scores("Wir haben einen Welpen", likeness)
    _, strange = practice.scores("Quantenchromodynamik", likeness)
    assert known == pytest.approx(1, abs=0.02)
    assert known > alike > strange


@pytest.mark.parametrize("text", ["", " ", "???", "🙂", "und oder der"])
def test_a_text_without_a_word_has_finite_scores(practice: Usage, likeness: NDArray[np.float32], text: str) -> None:
    scores, fit = practice.scores(text, likeness)
    assert np.isfinite(scores).all()
    assert 0 <= fit < 0.5


def test_only_the_likeliest_services_count() -> None:
    model = bundled_model()
    assert model is not None
    services = [
        {"title": f"Leistung {number}", "text": "Text.", "phrases": [f"Frage {number}"]}
        for number in range(MOST_SERVICES + 3)
    ]
    many = Usage([*PRACTICE, *services], model)
    one_hot = np.eye(len(services) + len(PRACTICE), dtype=np.float32)
    weights, _ = many.scores("Vierbeiner anmelden", one_hot)
    assert int(weights.argmax()) == 1
    assert np.count_nonzero(weights) == MOST_SERVICES
    assert weights.sum() == pytest.approx(1)


def test_a_part_of_the_practice_catalogue_leaves_the_other_out() -> None:
    ranking = practice_services(FOLDER, "ranking")[:20]
    whole, other = usage("ranking"), usage("embedding")
    assert whole is not None and other is not None
    likenesses = whole.likeness(RECORDS), other.likeness(RECORDS)
    everything = sum(file.read_bytes().count(b"\n") for file in FOLDER.glob("*.jsonl"))
    assert sum(len(likeness) for likeness in likenesses) == everything
    for service in ranking:
        title = service["title"]
        own = whole.scores(title, likenesses[0])[1]
        assert own > 0.9
        assert other.scores(title, likenesses[1])[1] < own
