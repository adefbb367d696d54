"""Opening hours as citizens read and hear them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest

from core.clock import FixedClock
from knowledge.catalogue import Office
from knowledge.hours import OfficeHours
from knowledge.hours_exceptions import HoursException

BERLIN = ZoneInfo("Europe/Berlin")

BUREAU = "Mo,Fr 08:30-13:00; Tu 08:30-18:00; We 09:00-13:00; Th 08:30-16:00"
LUNCH = "Tu 09:00-12:00,14:00-18:00; Th 09:00-12:00,14:00-16:00"
YARD = (
    "Nov-Mar: Mo-Fr 08:00-18:00; Nov-Mar: Sa 09:00-16:00; "
    "Apr-Oct: Mo 08:00-19:00; Apr-Oct: Tu-Fr 08:00-18:00; Apr-Oct: Sa 08:00-17:00"
)


def office(expression: str | None, office_id: str = "amt") -> Office:
    return Office(id=office_id, name="Amt", opening_hours=expression)


def at(moment: str, *, closures: Sequence[HoursException] = (), fold: int = 0) -> OfficeHours:
    local = dt.datetime.fromisoformat(moment).replace(tzinfo=BERLIN, fold=fold)
    return OfficeHours(FixedClock(local), exceptions=lambda: closures)


def closure(first: str, last: str, reason: str, office_id: str | None = "amt") -> HoursException:
    return HoursException.model_validate({"office": office_id, "from": first, "until": last, "reason": reason})


@pytest.mark.parametrize(
    ("moment", "expression", "expected"),
    [
        pytest.param("2026-11-24T10:00", BUREAU, "heute bis 18 Uhr geöffnet", id="open"),
        pytest.param("2026-11-24T08:30", BUREAU, "heute bis 18 Uhr geöffnet", id="first minute"),
        pytest.param("2026-11-24T07:15", BUREAU, "heute von 8:30 bis 18 Uhr geöffnet", id="before opening"),
        pytest.param("2026-11-24T00:00", BUREAU, "heute von 8:30 bis 18 Uhr geöffnet", id="midnight"),
        pytest.param("2026-11-24T18:00", BUREAU, "jetzt geschlossen, morgen ab 9 Uhr", id="closing minute"),
        pytest.param(
            "2026-11-27T15:00", BUREAU, "jetzt geschlossen, am Montag wieder ab 8:30 Uhr", id="Friday evening"
        ),
        pytest.param("2026-11-28T11:00", BUREAU, "heute geschlossen, am Montag wieder ab 8:30 Uhr", id="Saturday"),
        pytest.param("2026-11-29T11:00", BUREAU, "heute geschlossen, morgen ab 8:30 Uhr", id="Sunday"),
        pytest.param(
            "2026-11-24T08:00", LUNCH, "heute von 9 bis 12 Uhr und von 14 bis 18 Uhr geöffnet", id="both halves"
        ),
        pytest.param("2026-11-24T11:00", LUNCH, "heute bis 12 Uhr und von 14 bis 18 Uhr geöffnet", id="before lunch"),
        pytest.param("2026-11-24T12:30", LUNCH, "heute ab 14 Uhr wieder geöffnet", id="lunch break"),
        pytest.param("2026-11-24T14:00", LUNCH, "heute bis 18 Uhr geöffnet", id="after lunch"),
        pytest.param("2026-11-26T16:00", LUNCH, "jetzt geschlossen, am Dienstag wieder ab 9 Uhr", id="days later"),
        pytest.param(
            "2026-03-28T16:30", YARD, "jetzt geschlossen, am Montag wieder ab 8 Uhr", id="last winter Saturday"
        ),
        pytest.param("2026-04-04T16:30", YARD, "heute bis 17 Uhr geöffnet", id="first summer Saturday"),
        pytest.param("2026-11-23T18:30", YARD, "jetzt geschlossen, morgen ab 8 Uhr", id="winter Monday"),
        pytest.param("2026-10-26T18:30", YARD, "heute bis 19 Uhr geöffnet", id="summer Monday"),
        pytest.param("2026-11-24T10:00", "24/7", "rund um die Uhr erreichbar", id="always"),
        pytest.param("2025-10-31T03:00", "24/7", "rund um die Uhr erreichbar", id="always, on a holiday"),
        pytest.param("2026-11-24T23:00", "Mo-Su 20:00-24:00", "heute bis 24 Uhr geöffnet", id="until midnight"),
        pytest.param("2026-11-24T23:00", "Mo-Su 20:00-02:00", "bis morgen um 2 Uhr geöffnet", id="past midnight"),
        pytest.param(
            "2026-11-25T01:00", "Mo-Su 20:00-02:00", "heute bis 2 Uhr und von 20 bis 24 Uhr geöffnet", id="night"
        ),
        pytest.param(
            "2026-11-24T10:00",
            'Mo-Fr 08:00-12:00 "nur mit Termin"',
            "heute bis 12 Uhr geöffnet, nur mit Termin",
            id="comment",
        ),
        pytest.param("2026-06-01T10:00", "Jan Mo-Fr 08:00-12:00", "heute geschlossen", id="nothing soon"),
        pytest.param(
            "2026-03-20T15:00",
            f"{BUREAU}; 2026 Mar 21 09:00-13:00",
            "jetzt geschlossen, morgen ab 9 Uhr",
            id="single Saturday",
        ),
    ],
)
def test_says_what_holds_now(moment: str, expression: str, expected: str) -> None:
    assert at(moment).today(office(expression)) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        pytest.param(
            "2025-10-31T10:00", "heute geschlossen (Reformationstag), am Montag wieder ab 8:30 Uhr", id="31 October"
        ),
        pytest.param("2025-10-30T17:00", "jetzt geschlossen, am Montag wieder ab 8:30 Uhr", id="eve of 31 October"),
        pytest.param("2027-09-20T10:00", "heute geschlossen (Weltkindertag), morgen ab 8:30 Uhr", id="20 September"),
        pytest.param("2026-04-06T10:00", "heute geschlossen (Ostermontag), morgen ab 8:30 Uhr", id="Easter Monday"),
        pytest.param("2026-04-02T17:00", "jetzt geschlossen, am Dienstag wieder ab 8:30 Uhr", id="eve of Good Friday"),
        pytest.param("2026-10-03T10:00", "heute geschlossen, am Montag wieder ab 8:30 Uhr", id="holiday on a Saturday"),
        pytest.param("2025-12-31T14:00", "jetzt geschlossen, am Freitag wieder ab 8:30 Uhr", id="year end"),
        pytest.param("2026-01-01T10:00", "heute geschlossen (Neujahr), morgen ab 8:30 Uhr", id="new year"),
        pytest.param("2025-12-24T10:00", "heute bis 13 Uhr geöffnet", id="24 December is no holiday"),
    ],
)
def test_closes_on_the_holidays_of_thuringia(moment: str, expected: str) -> None:
    assert at(moment).today(office(BUREAU)) == expected


def test_other_states_have_other_holidays() -> None:
    clock = FixedClock(dt.datetime(2025, 10, 31, 9, tzinfo=dt.UTC))
    assert OfficeHours(clock, state="BE").is_open(office(BUREAU))
    assert not OfficeHours(clock, state="TH").is_open(office(BUREAU))


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2025-12-24T10:00", "heute geschlossen, am Montag wieder ab 8:30 Uhr"),
        ("2025-12-31T10:00", "heute geschlossen, am Freitag wieder ab 8:30 Uhr"),
    ],
)
def test_hours_may_except_days(moment: str, expected: str) -> None:
    assert at(moment).today(office(f"{BUREAU}; Dec 24,Dec 31 off")) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("PH 10:00-12:00", "heute bis 12 Uhr geöffnet"),
        ("Su,PH 10:00-12:00", "heute bis 12 Uhr geöffnet"),
        ("PH off", "heute geschlossen (Reformationstag), am Montag wieder ab 8:30 Uhr"),
    ],
)
def test_hours_may_say_what_holds_on_holidays(rule: str, expected: str) -> None:
    assert at("2025-10-31T11:00").today(office(f"{BUREAU}; {rule}")) == expected


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        pytest.param("2026-03-27T12:59", True, id="before summer time"),
        pytest.param("2026-03-30T08:29", False, id="summer time: not yet"),
        pytest.param("2026-03-30T08:30", True, id="summer time: open by the wall clock"),
        pytest.param("2026-10-23T12:59", True, id="before winter time"),
        pytest.param("2026-10-26T08:29", False, id="winter time: not yet"),
        pytest.param("2026-10-26T08:30", True, id="winter time: open by the wall clock"),
    ],
)
def test_hours_follow_the_wall_clock_over_both_changes(moment: str, is_open: bool) -> None:
    assert at(moment).is_open(office(BUREAU)) is is_open


@pytest.mark.parametrize("fold", [0, 1])
def test_the_hour_that_comes_twice_is_open_twice(fold: int) -> None:
    night = office("Mo-Su 02:00-03:00")
    assert at("2026-10-25T02:30", fold=fold).is_open(night)
    assert at("2026-10-25T02:30", fold=fold).today(night) == "heute bis 3 Uhr geöffnet"


def test_the_hour_that_is_left_out_opens_nothing() -> None:
    before, after = (
        OfficeHours(FixedClock(dt.datetime(2026, 3, 29, *utc, tzinfo=dt.UTC))) for utc in ((0, 59), (1, 0))
    )
    night = office("Mo-Su 02:00-03:00")
    assert before.today(night) == "heute von 2 bis 3 Uhr geöffnet"
    assert after.today(night) == "jetzt geschlossen, morgen ab 2 Uhr"


@pytest.mark.parametrize("expression", [None, "", "montags nach Lust"])
def test_unknown_hours_are_not_guessed(expression: str | None) -> None:
    hours = at("2026-11-24T10:00")
    assert hours.today(office(expression)) is None
    assert hours.is_open(office(expression)) is None
    assert hours.week(office(expression)) == ()


class TestClosures:
    def test_a_closure_names_its_reason(self) -> None:
        hours = at("2026-11-24T10:00", closures=[closure("2026-11-23", "2026-11-24", "Personalversammlung")])
        assert hours.today(office(BUREAU)) == "heute geschlossen (Personalversammlung), morgen ab 9 Uhr"
        assert hours.is_open(office(BUREAU)) is False

    def test_a_closure_holds_for_its_office_only(self) -> None:
        hours = at("2026-11-24T10:00", closures=[closure("2026-11-24", "2026-11-24", "Umzug")])
        assert hours.is_open(office(BUREAU, "anderes-amt")) is True

    def test_a_closure_without_an_office_holds_for_all(self) -> None:
        hours = at("2026-11-24T10:00", closures=[closure("2026-11-24", "2026-11-24", "Umzug", None)])
        assert hours.is_open(office(BUREAU, "anderes-amt")) is False
        assert hours.is_open(office("24/7")) is False

    def test_the_next_opening_after_a_week_has_a_date(self) -> None:
        hours = at("2025-12-22T10:00", closures=[closure("2025-12-22", "2026-01-02", "Betriebsferien")])
        expected = "heute geschlossen (Betriebsferien), am Montag, 5. Januar, wieder ab 8:30 Uhr"
        assert hours.today(office(BUREAU)) == expected


class TestSpoken:
    @pytest.mark.parametrize(
        ("moment", "expected"),
        [
            ("2026-11-24T07:00", "heute von 8 Uhr 30 bis 18 Uhr geöffnet"),
            ("2026-11-27T15:00", "jetzt geschlossen, am Montag wieder ab 8 Uhr 30"),
            ("2025-10-31T10:00", "heute geschlossen, Grund: Reformationstag, am Montag wieder ab 8 Uhr 30"),
        ],
    )
    def test_times_are_spoken_in_words_order_without_brackets(self, moment: str, expected: str) -> None:
        assert at(moment).today(office(BUREAU), spoken=True) == expected

    def test_the_week_is_spoken(self) -> None:
        rows = at("2026-11-24T10:00").week(office(BUREAU), spoken=True)
        assert rows[0].text == "Montag und Freitag: 8 Uhr 30 bis 13 Uhr"


class TestWeek:
    def lines(self, expression: str, moment: str = "2026-11-24T10:00") -> list[str]:
        rows = at(moment).week(office(expression))
        return [f"{row.season} | {row.text}" if row.season else row.text for row in rows]

    def test_days_of_the_same_hours_share_a_row(self) -> None:
        assert self.lines(BUREAU) == [
            "Montag und Freitag: 8:30 bis 13 Uhr",
            "Dienstag: 8:30 bis 18 Uhr",
            "Mittwoch: 9 bis 13 Uhr",
            "Donnerstag: 8:30 bis 16 Uhr",
        ]

    def test_closed_working_days_come_last(self) -> None:
        assert self.lines(LUNCH) == [
            "Dienstag: 9 bis 12 Uhr und 14 bis 18 Uhr",
            "Donnerstag: 9 bis 12 Uhr und 14 bis 16 Uhr",
            "Montag, Mittwoch und Freitag: geschlossen",
        ]

    def test_three_days_in_a_row_are_a_range(self) -> None:
        assert self.lines("Mo-Th 08:00-16:00; Fr,Sa 08:00-11:30") == [
            "Montag bis Donnerstag: 8 bis 16 Uhr",
            "Freitag und Samstag: 8 bis 11:30 Uhr",
        ]

    def test_seasons_start_with_the_present_one(self) -> None:
        winter = ["November bis März | Montag bis Freitag: 8 bis 18 Uhr", "November bis März | Samstag: 9 bis 16 Uhr"]
        summer = [
            "April bis Oktober | Montag: 8 bis 19 Uhr",
            "April bis Oktober | Dienstag bis Freitag: 8 bis 18 Uhr",
            "April bis Oktober | Samstag: 8 bis 17 Uhr",
        ]
        assert self.lines(YARD, "2026-11-24T10:00") == winter + summer
        assert self.lines(YARD, "2026-07-01T10:00") == summer + winter

    def test_single_days_are_listed_by_date(self) -> None:
        assert self.lines(f"{BUREAU}; 2026 Dec 05,2026 Dec 19 09:00-13:00")[-2:] == [
            "An einzelnen Tagen | 5. Dezember: 9 bis 13 Uhr",
            "An einzelnen Tagen | 19. Dezember: 9 bis 13 Uhr",
        ]

    def test_around_the_clock(self) -> None:
        assert self.lines("24/7") == ["täglich: rund um die Uhr"]

    def test_holidays_do_not_bend_the_week(self) -> None:
        assert self.lines(BUREAU, "2025-12-24T10:00") == self.lines(BUREAU)

    def test_comments_stand_behind_the_hours(self) -> None:
        assert self.lines('Mo-Fr 08:00-12:00 "nur mit Termin"') == ["Montag bis Freitag: 8 bis 12 Uhr, nur mit Termin"]
