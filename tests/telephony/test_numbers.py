"""Telephone numbers: keyed in, said, read back."""

from __future__ import annotations

import pytest

from telephony.numbers import callable_number, in_pairs, keyed_number, spoken_digits


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+49364112345", "0364112345"),
        ("0049364112345", "0364112345"),
        ("0364112345", "0364112345"),
        ("017612345678", "017612345678"),
        ("+43198765432", "+43198765432"),
        ("110", None),
        ("anonymous", None),
        ("", None),
        ("0364", None),
        ("00000000000000000000", None),
    ],
)
def test_callable_number(text: str, number: str | None) -> None:
    assert callable_number(text) == number


def test_a_number_without_area_code_is_none() -> None:
    assert keyed_number("112345") is None
    assert keyed_number("0364112345") == "0364112345"


def test_numbers_are_read_back_in_pairs() -> None:
    assert in_pairs("0364112345") == "null drei, sechs vier, eins eins, zwei drei, vier fünf"
    assert in_pairs("+43198765432").startswith("plus vier drei")


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("null drei sechs vier eins", "03641"),
        ("null drei sechsundvierzig eins", "03461"),
        ("meine Nummer ist null eins sieben sechs", "0176"),
        ("null drei sechs zwo", "0362"),
        ("doppel null vier neun", "0049"),
        ("plus neunundvierzig", "+49"),
        ("die 0 36 41 dann 12", "0364112"),
        ("elf zwölf", "1112"),
        ("ich habe keine Nummer", None),
        ("ja", None),
        ("", None),
    ],
)
def test_spoken_digits(text: str, digits: str | None) -> None:
    assert spoken_digits(text) == digits
