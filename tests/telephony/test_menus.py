"""How a message of the service is told on the telephone."""

from __future__ import annotations

import pytest

from telephony.chat import Choice, Message
from telephony.menus import Menus
from telephony.phrases import Phrases
from telephony.prompts import Expects, Offer, Option, Prompt

PHRASES = Phrases(names={"city": "Jena", "phone": "03641 49-0"})


@pytest.fixture
def menus() -> Menus:
    return Menus(PHRASES, topics=[Option("Öffnungszeiten", text="Wann ist offen?")])


def message(speech: str, *labels: str, kind: str = "service", expects: str = "open") -> Message:
    choices = tuple(Choice(label, f"#{label}") for label in labels)
    return Message(seq=1, author="bot", speech=speech, choices=choices, expects=expects, kind=kind)


def whole(prompt: Prompt) -> str:
    return " ".join([*prompt.pages, prompt.question])


def of_sentences(count: int) -> str:
    return " ".join(f"Satz {'a' * (number + 1)}." for number in range(count))


@pytest.mark.parametrize(("count", "pages"), [(1, [1]), (3, [3]), (4, [4]), (5, [3, 2]), (7, [3, 4]), (8, [3, 3, 2])])
def test_long_answers_come_in_pages(menus: Menus, count: int, pages: list[int]) -> None:
    prompt = menus.of(message(of_sentences(count)))
    assert [page.count(".") for page in prompt.pages] == pages
    assert prompt.question == "Haben Sie noch eine Frage?"


def test_a_message_that_asks_needs_no_other_question(menus: Menus) -> None:
    prompt = menus.of(message("Um welche Leistung geht es? Sagen Sie zum Beispiel: Personalausweis.", kind="smalltalk"))
    assert whole(prompt) == "Um welche Leistung geht es? Sagen Sie zum Beispiel: Personalausweis."
    prompt = menus.of(message("Guten Tag. Was möchten Sie wissen?", kind="smalltalk"))
    assert whole(prompt) == "Guten Tag. Was möchten Sie wissen?"
    assert prompt.offer is None


def test_what_else_can_be_asked_is_told_twice_only(menus: Menus) -> None:
    told = [whole(menus.of(message("Es kostet viel.", "Unterlagen", "Fristen"))) for _ in range(3)]
    assert ["zum Beispiel: Unterlagen oder Fristen" in text for text in told] == [True, True, False]


def test_keys_stand_for_choices_even_where_they_are_not_read(menus: Menus) -> None:
    prompt = menus.of(message("Es kostet viel.", "Unterlagen", "Fristen"))
    assert [option.choice for option in prompt.options] == ["#Unterlagen", "#Fristen"]
    assert "Eins: Unterlagen. Zwei: Fristen." in prompt.help


def test_without_choices_keys_stand_for_topics(menus: Menus) -> None:
    prompt = menus.of(message("Das freut mich. Haben Sie noch eine Frage?", kind="smalltalk"))
    assert [option.text for option in prompt.options] == ["Wann ist offen?"]
    assert prompt.offer is Offer.ANOTHER_QUESTION


def test_few_choices_are_told_in_the_service_s_words(menus: Menus) -> None:
    prompt = menus.of(message("Was meinten Sie: A, B?", "A", "B", "Etwas anderes", kind="clarify", expects="choice"))
    assert whole(prompt) == "Was meinten Sie: A, B? Sie können auch die Nummer drücken."
    again = menus.of(message("Was meinten Sie: A, B?", "A", "B", "Etwas anderes", kind="clarify", expects="choice"))
    assert whole(again) == "Was meinten Sie: A, B?"
    assert not prompt.is_list


def test_many_choices_become_a_list(menus: Menus) -> None:
    labels = [f"Sache {letter}" for letter in "ABCDEFGHIJK"]
    prompt = menus.of(message("Was meinten Sie: Sache A, Sache B?", *labels, kind="clarify", expects="choice"))
    assert prompt.pages[0] == "Es gibt neun Möglichkeiten. Eins: Sache A. Zwei: Sache B. Drei: Sache C."
    assert len(prompt.pages) == 3
    assert prompt.is_list
    assert prompt.slowly.startswith("Das Erste: Sache A. Dafür drücken Sie die eins. Das Zweite: Sache B.")
    assert len(prompt.options) == 9
    assert "Alle nenne ich mit der Raute." in prompt.help


def test_a_human_who_is_offered_is_asked_for_with_yes(menus: Menus) -> None:
    prompt = menus.of(message("Damit kenne ich mich nicht aus.", "Mit einem Menschen sprechen", kind="abstain"))
    assert prompt.offer is Offer.HUMAN
    assert prompt.question == "Möchten Sie mit einem Menschen sprechen?"
    prompt = menus.of(message("Das ist schlimm. Oder möchten Sie mit einem Menschen sprechen?", kind="smalltalk"))
    assert prompt.offer is Offer.HUMAN


def test_where_nobody_is_there_a_callback_is_offered(menus: Menus) -> None:
    prompt = menus.of(message("Gern. Gerade ist niemand da.", kind="handover"))
    assert whole(prompt) == "Gern. Gerade ist niemand da. Möchten Sie, dass wir Sie zurückrufen?"
    assert prompt.offer is Offer.CALLBACK


def test_a_callback_that_was_offered_is_not_offered_in_the_same_words(menus: Menus) -> None:
    speech = "Gerade ist niemand da. Auf Wunsch rufen wir Sie zurück."
    assert whole(menus.of(message(speech, kind="handover"))) == f"{speech} Möchten Sie das?"
    prompt = menus.callback_offer(speech)
    assert whole(prompt) == f"{speech} Möchten Sie das?"
    assert prompt.short == "Möchten Sie, dass wir Sie zurückrufen?"


def test_an_emergency_is_said_twice_whatever_its_length(menus: Menus) -> None:
    prompt = menus.of(message(of_sentences(6), "Mit einem Menschen sprechen", kind="emergency"))
    assert len(prompt.pages) == 1
    assert prompt.pages[0].count("Satz a.") == 2
    assert prompt.offer is None


def test_greeting_does_not_disclose_twice(menus: Menus) -> None:
    greeting = message(
        "Guten Tag. Ich bin ein Computerprogramm. Bitte nennen Sie keine Daten. Was möchten Sie wissen?",
        kind="smalltalk",
    )
    prompt = menus.greeting(greeting, before="Vorher.")
    assert whole(prompt) == "Vorher. Bitte nennen Sie keine Daten. Was möchten Sie wissen?"
    assert prompt.expects is Expects.OPEN


def test_a_greeting_in_other_words_is_said_as_a_whole(menus: Menus) -> None:
    prompt = menus.greeting(message("Hallo. Worum geht es?", kind="smalltalk"), before="Vorher.")
    assert whole(prompt) == "Vorher. Hallo. Worum geht es?"


def test_written_german_becomes_speakable(menus: Menus) -> None:
    assert "siebenund-dreißig Euro" in whole(menus.of(message("Es kostet 37 €.")))
