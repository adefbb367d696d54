from __future__ import annotations

import numpy as np
import pytest

from knowledge.lexical import FEATURES, Document, LexicalIndex
from knowledge.words import clauses, grams, lexicon, plain, sentences, stem, topical_words


@pytest.mark.parametrize(
    "text",
    [
        "Und was kostet das?",
        "Welche Unterlagen brauche ich?",
        "Wie lange dauert das?",
        "Wann habt ihr heute offen?",
        "Wo muss ich da hin?",
        "Bis wann muss ich das machen?",
        "Kann ich das auch online beantragen?",
        "",
        "???",
    ],
)
def test_a_question_for_an_aspect_has_no_topic(text: str) -> None:
    assert max(topical_words(text).values(), default=0) < 1


@pytest.mark.parametrize("text", ["Was kostet ein Perso?", "Hund", "Wo finde ich einen Waffenschein?"])
def test_a_question_about_something_has_a_topic(text: str) -> None:
    assert max(topical_words(text).values()) == 1


@pytest.mark.parametrize("word", ["kind", "verloren", "vollmacht", "tochter"])
def test_conditions_of_the_citizen_are_known(word: str) -> None:
    assert lexicon().is_circumstance(word)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("[Name], mein Perso ist weg", ", mein Perso ist weg"),
        ("<b>Perso</b>", "Perso"),
        ("[Name der Person] Hund", "Hund"),
        ("2 < 3 und 5 > 4", "2 < 3 und 5 > 4"),
    ],
)
def test_masked_parts_and_markup_are_no_words(text: str, rest: str) -> None:
    assert plain(text) == rest


def test_a_text_falls_into_sentences_and_clauses() -> None:
    assert sentences("Ein Hund. Wo melde ich ihn an?\nDanke") == ["Ein Hund.", "Wo melde ich ihn an?", "Danke"]
    assert [part.strip() for part in clauses("'; DROP; -- Kfz-Kosten, bitte")] == ["'", "DROP", "Kfz-Kosten", "bitte"]


@pytest.mark.parametrize(
    ("word", "end"), [("gewerbeabmeldung", "abmeld"), ("anmelden", "anmeld"), ("ummeldung", "ummeld"), ("melden", None)]
)
def test_opposites_are_told_apart(word: str, end: str | None) -> None:
    assert lexicon().opposite(word) == end


@pytest.mark.parametrize(
    ("one", "other"),
    [("fuehrerschein", "fuhrerschein"), ("anmelden", "anmeldung"), ("hunde", "hund"), ("baeume", "baum")],
)
def test_inflections_and_missing_umlauts_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def test_a_compound_shares_grams_with_its_parts() -> None:
    assert set(grams("hundesteuerbefreiung")) & set(grams("befreiung"))


def test_light_words_count_less() -> None:
    weights = topical_words("neuen Ausweis beantragen")
    assert weights["ausweis"] == 1
    assert 0 < weights["beantragen"] < 1


@pytest.fixture(scope="module")
def index() -> LexicalIndex:
    return LexicalIndex(
        [
            Document(["Personalausweis", "Perso"], ["Mein Ausweis läuft ab."]),
            Document(["Hundesteuer", "Hund anmelden"], summary="Für Hunde zahlen Sie Steuer."),
            Document(["Fischereischein", "Angelschein"]),
            Document([]),
        ]
    )


def best(index: LexicalIndex, text: str, feature: str) -> int:
    return int(index.features(index.analyse(text))[:, FEATURES.index(feature)].argmax())


@pytest.mark.parametrize("text", ["Persohnalausweis", "personalausweiß", "Personal-Ausweis"])
def test_misspelled_words_are_found(index: LexicalIndex, text: str) -> None:
    assert best(index, text, "name_gram_cosine") == 0


def test_an_unknown_word_explains_nothing(index: LexicalIndex) -> None:
    terms = index.analyse("Weltraumbahnhof")
    assert terms.known == 0
    assert index.features(terms)[:, FEATURES.index("name_cover")].max() == 0


def test_an_unknown_word_lowers_the_cover(index: LexicalIndex) -> None:
    column = FEATURES.index("name_cover")
    alone = index.features(index.analyse("Hund"))[1, column]
    beside = index.features(index.analyse("Hund Weltraumbahnhof"))[1, column]
    assert alone == pytest.approx(1)
    assert beside < 0.7


@pytest.mark.parametrize("text", ["Hund", "hab jetzt nen Hund und einen Angelschein", "Was kostet das?", "ÄÖÜ ß 𝕳 7"])
def test_features_are_shares(index: LexicalIndex, text: str) -> None:
    features = index.features(index.analyse(text))
    assert features.shape == (4, len(FEATURES))
    assert np.all(features >= 0) and np.all(features <= 1 + 1e-9)


@pytest.mark.parametrize("text", ["Was kostett ein Fischereischein", "unterlgaen fischereischein"])
def test_misspelled_aspect_words_do_not_count(index: LexicalIndex, text: str) -> None:
    assert [word for word, _ in index.analyse(text).words] == ["fischereischein"]


@pytest.mark.parametrize(
    ("word", "known"), [("Fischereischeingebühr", "fischereischein"), ("Personal", "personalausweis")]
)
def test_parts_of_compounds_are_known(index: LexicalIndex, word: str, known: str) -> None:
    assert [one for one, _ in index.analyse(word).words] == [known]


def test_the_opposite_of_a_record_is_marked() -> None:
    index = LexicalIndex([Document(["Auto anmelden"]), Document(["Auto abmelden"]), Document(["Auto"])])
    opposed = index.features(index.analyse("Wie melde ich mein Auto an?"))[:, FEATURES.index("opposed")]
    assert opposed.tolist() == [0, 1, 0]
