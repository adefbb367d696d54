from __future__ import annotations

import pytest

from bot.choices import by_label, chosen

LABELS = ["Personalausweis", "Reisepass", "Führerschein Klasse B", "Etwas anderes"]


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("1", 0),
        ("2.", 1),
        ("Nummer 3", 2),
        ("die zwei bitte", 1),
        ("das erste", 0),
        ("Das Zweite bitte", 1),
        ("ich nehme den dritten", 2),
        ("das letzte", 3),
        ("Reisepass", 1),
        ("den Reisepass bitte", 1),
        ("reisepas", 1),
        ("fuehrerschein klasse b", 2),
        ("Klasse B", 2),
        ("etwas anderes", 3),
    ],
)
def test_choice_by_number_ordinal_or_words(text: str, index: int) -> None:
    assert chosen(text, LABELS) == index


@pytest.mark.parametrize(
    "text",
    ["5", "9", "Was kostet ein Reisepass?", "Ich möchte heiraten", "", "ja", "27", "die", "Ausweis und Pass verloren"],
)
def test_anything_else_is_no_choice(text: str) -> None:
    assert chosen(text, LABELS) is None


def test_numbers_are_no_labels() -> None:
    assert by_label("2", LABELS) is None
    assert by_label("Kosten", ["Unterlagen", "Kosten"]) == 1


def test_words_that_fit_two_labels_choose_none() -> None:
    assert chosen("Führerschein", ["Führerschein umtauschen", "Führerschein verloren"]) is None


def test_registration_is_no_deregistration() -> None:
    assert chosen("Auto anmelden", ["Auto abmelden", "Auto anmelden (Zulassung)"]) == 1
    assert chosen("Wohnsitz anmelden", ["Wohnsitz abmelden", "Etwas anderes"]) is None
