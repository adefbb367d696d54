from __future__ import annotations

import datetime as dt

import pytest

from knowledge.openings import openings
from knowledge.spans import InvalidSpans, osm_spans, osm_week, plain_week, read_spans

TODAY = dt.date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09:00-13:00", "09:00-13:00"),
        ("9-13", "09:00-13:00"),
        ("9 bis 13 Uhr", "09:00-13:00"),
        ("von 9.30 Uhr bis 13 Uhr und 14–18:15 Uhr", "09:30-13:00,14:00-18:15"),
        ("14:00-18:00, 09:00-13:00", "09:00-13:00,14:00-18:00"),
        ("20:00-24:00", "20:00-24:00"),
        ("9-12,12-13", "09:00-12:00,12:00-13:00"),
    ],
)
def test_times_are_read_as_people_type_them(text: str, expected: str) -> None:
    assert osm_spans(read_spans(text)) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "unreadable"),
        ("vormittags", "unreadable"),
        ("9:75-10", "unreadable"),
        ("25-26", "unreadable"),
        ("Mo 09:00-13:00", "unreadable"),
        ("13:00-09:00", "backwards"),
        ("9-9", "backwards"),
        ("24:00-24:00", "backwards"),
        ("9-13,12-14", "overlapping"),
        ("9-24,23-24", "overlapping"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, code: str) -> None:
    with pytest.raises(InvalidSpans) as error:
        read_spans(text)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("expression", "rebuilt"),
    [
        ("Mo,Fr 08:30-13:00; Tu 08:30-18:00", "Mo,Fr 08:30-13:00; Tu 08:30-18:00"),
        ("Mo-Fr 08:00-12:00,13:00-16:00", "Mo-Fr 08:00-12:00,13:00-16:00"),
        ("Fr-Sa 20:00-02:00", "Fr 20:00-24:00; Sa 00:00-02:00,20:00-24:00; Su 00:00-02:00"),
        ("24/7", "Mo-Su 00:00-24:00"),
    ],
)
def test_a_plain_week_goes_into_the_editor_and_back(expression: str, rebuilt: str) -> None:
    week = plain_week(expression, TODAY)
    assert week is not None
    assert osm_week(week) == rebuilt
    for ahead in range(14):
        date = TODAY + dt.timedelta(days=ahead)
        assert openings(rebuilt, date) == openings(expression, date)


@pytest.mark.parametrize(
    "expression",
    [
        "Nov-Mar Mo-Fr 08:00-16:00; Apr-Oct Mo-Fr 08:00-18:00",
        "Mo-Fr 08:00-12:00; PH off",
        'Mo-Fr 08:00-12:00 "nur mit Termin"',
        "Mo-Fr 08:00-12:00; Dec 24 off",
        "We[1] 08:00-12:00",
        "montags nach Lust",
        "",
    ],
)
def test_what_is_more_than_a_week_stays_an_expression(expression: str) -> None:
    assert plain_week(expression, TODAY) is None
