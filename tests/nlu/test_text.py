"""Cleaning and folding of text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.text import clean, fold

ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()), max_size=80)
ODD_TEXT = st.text(
    alphabet="a\u0308\u0327 \n\r\t\u00a0\u2028\u200b\u200d\u202e\u00ad\ufe0f\u3164\x00\x1f\x85ß", max_size=40
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Wo   bekomme ich\teinen Pass? ", "Wo bekomme ich einen Pass?"),
        ("Perso\u00a0abgelaufen\u2003hilfe", "Perso abgelaufen hilfe"),
        ("Bu\u0308rgerservice", "Bürgerservice"),
        ("Per\u00adso\u200bnal\u2060aus\ufeffweis", "Personalausweis"),
        ("\u202eeuro 73\u202c", "euro 73"),
        ("Hund \U0001f436\ufe0f an\U000e0041melden", "Hund \U0001f436 anmelden"),
        ("a\u200d\u0308", "ä"),
        ("eins\r\nzwei\rdrei\u2028vier", "eins\nzwei\ndrei\nvier"),
        ("eins \n \n\n\n zwei", "eins\n\nzwei"),
        ("Ausweis\x00\x07 weg", "Ausweis weg"),
        ("kaputt\ud800", "kaputt"),
        ("\u200b \n", ""),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(ANY_TEXT | ODD_TEXT)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(ANY_TEXT | ODD_TEXT)
def test_a_clean_text_shows_all_it_has(text: str) -> None:
    cleaned = clean(text)
    assert unicodedata.is_normalized("NFC", cleaned)
    assert "  " not in cleaned
    assert "\n\n\n" not in cleaned
    assert cleaned == cleaned.strip()
    assert all(char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs"} for char in cleaned)
    cleaned.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Straße", "STRASSE"),
        ("Führungszeugnis", "fuehrungszeugnis"),
        ("ÄÖÜẞ", "aeoeuess"),
        ("Café", "cafe"),
        ("İstanbul ısı", "istanbul isi"),
        ("Gu\u0308ltig", "gueltig"),
        ("Ｐａｓｓ", "pass"),
        ("Łódź", "lodz"),
    ],
)
def test_spellings_meet(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@given(ANY_TEXT | ODD_TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
