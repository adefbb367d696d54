"""What callers say to the phone itself, and what only sounds like it."""

from __future__ import annotations

import pytest

from telephony.wishes import COMPLETE, Wish, answer_of, wish_of

SAID = {
    Wish.HUMAN: [
        "Mitarbeiter",
        "ich möchte mit einem Menschen sprechen",
        "Mit einem Menschen sprechen",
        "verbinden Sie mich bitte mit einer Mitarbeiterin",
        "kann ich mit jemandem reden",
        "einen echten Menschen bitte",
        "nein ich will einen Mitarbeiter",
    ],
    Wish.CALLBACK: [
        "Rückruf",
        "ich möchte einen Rückruf",
        "können Sie mich zurückrufen",
        "bitte rufen Sie mich zurück",
    ],
    Wish.REPEAT: ["wiederholen", "wie bitte", "bitte noch einmal", "können Sie das bitte wiederholen"],
    Wish.SLOWER: ["langsamer", "sprechen Sie bitte langsamer", "nicht so schnell", "etwas langsamer bitte"],
    Wish.GO_ON: ["weiter", "ja weiter", "mehr"],
    Wish.BACK: ["zurück", "bitte abbrechen"],
    Wish.GOODBYE: ["auf Wiederhören", "vielen Dank auf Wiederhören", "tschüss", "danke das war alles", "das wars"],
    Wish.YES: ["ja", "ja bitte", "genau", "richtig", "das stimmt", "ja ich bin einverstanden", "gerne"],
    Wish.NO: ["nein", "nein danke", "falsch", "das stimmt nicht", "nee", "nicht einverstanden"],
}
QUESTIONS = [
    "was kostet ein Ausweis für Mitarbeiter",
    "ich will keinen Menschen",
    "was kostet ein Personalausweis",
    "wie viele Menschen leben in Jena",
    "Weiterbildung",
    "ich ziehe zurück nach Jena",
    "wo kann ich meine Wohnung anmelden",
    "ja was kostet das denn",
    "danke",
    "nicht verheiratet",
    "",
    "...",
]


@pytest.mark.parametrize(("text", "wish"), [(text, wish) for wish, texts in SAID.items() for text in texts])
def test_wish(text: str, wish: Wish) -> None:
    assert wish_of(text) is wish


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_is_no_wish(text: str) -> None:
    assert wish_of(text) is None


def test_yes_is_found_among_ways_to_understand_it() -> None:
    assert answer_of(["jahr", "ja", "nein"]) is Wish.YES
    assert answer_of(["jahr", "mitarbeiter"]) is None


def test_complete_answers_are_answers() -> None:
    assert {wish_of(text) for text in COMPLETE} == {Wish.YES, Wish.NO}
