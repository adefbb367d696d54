"""Closures and special openings: which of them holds, what citizens read of it, and how it is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from core.clock import FixedClock
from core.database import Database
from knowledge.catalogue import Aspect, Office
from knowledge.errors import EditConflict, ImportFailed, UnknownRecord
from knowledge.hours import HoursState, OfficeHours
from knowledge.hours_exceptions import HoursException, HoursExceptionStore
from knowledge.importer import read_about
from knowledge.service import Knowledge
from knowledge.store import CatalogueStore
from tests.knowledge.conftest import CITY
from tests.knowledge.samples import HashingEmbedder

BERLIN = ZoneInfo("Europe/Berlin")
BUREAU = "Mo,Fr 08:30-13:00; Tu 08:30-18:00; We 09:00-13:00; Th 08:30-16:00"
SATURDAY, SUNDAY, TUESDAY = dt.date(2026, 11, 28), dt.date(2026, 11, 29), dt.date(2026, 11, 24)


def office(expression: str | None = BUREAU, office_id: str = "amt") -> Office:
    return Office(id=office_id, name="Amt", opening_hours=expression)


def exception(
    first: dt.date,
    hours: str | None = None,
    *,
    last: dt.date | None = None,
    whole_city: bool = False,
    reason: str = "Wahl",
) -> HoursException:
    office_id = None if whole_city else "amt"
    return HoursException(office=office_id, first=first, last=last or first, hours=hours, reason=reason)


def at(moment: str, *exceptions: HoursException, fold: int = 0) -> OfficeHours:
    local = dt.datetime.fromisoformat(moment).replace(tzinfo=BERLIN, fold=fold)
    return OfficeHours(FixedClock(local), exceptions=lambda: exceptions)


def utc(moment: str) -> dt.datetime:
    return dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)


class TestSpecialOpenings:
    def test_one_opens_a_day_that_is_closed_and_says_why(self) -> None:
        hours = at("2026-11-28T10:00", exception(SATURDAY, "09:00-13:00", reason="Briefwahl"))
        assert hours.is_open(office()) is True
        assert hours.today(office()) == "heute bis 13 Uhr geöffnet (Briefwahl)"
        assert hours.today(office(), spoken=True) == "heute bis 13 Uhr geöffnet, Grund: Briefwahl"

    def test_one_replaces_the_usual_hours(self) -> None:
        hours = at("2026-11-24T14:00", exception(TUESDAY, "08:00-12:00,15:00-16:00", reason="Umzug"))
        assert hours.is_open(office()) is False
        assert hours.today(office()) == "heute ab 15 Uhr wieder geöffnet (Umzug)"

    def test_one_is_announced_the_days_before(self) -> None:
        hours = at("2026-11-27T15:00", exception(SATURDAY, "09:00-13:00"))
        assert hours.today(office()) == "jetzt geschlossen, morgen ab 9 Uhr"
        assert hours.state(office()).opens_at == utc("2026-11-28T08:00")

    def test_one_goes_before_a_holiday(self) -> None:
        reformation = dt.date(2025, 10, 31)
        hours = at("2025-10-31T10:00", exception(reformation, "10:00-12:00", reason="Stadtfest"))
        assert hours.today(office()) == "heute bis 12 Uhr geöffnet (Stadtfest)"

    def test_one_shortens_the_day_of_who_is_always_there(self) -> None:
        hours = at("2026-11-24T10:00", exception(TUESDAY, "08:00-12:00", reason="Wartung"))
        assert hours.today(office("24/7")) == "heute bis 12 Uhr geöffnet (Wartung)"

    def test_it_stands_in_the_full_hours(self) -> None:
        hours = at("2026-11-24T10:00", exception(SATURDAY, "09:00-13:00", reason="Briefwahl"))
        assert hours.week(office())[-1].text == "28. November: 9 bis 13 Uhr (Briefwahl)"
        assert hours.week(office())[-1].season == "An einzelnen Tagen"


class TestClosures:
    def test_its_days_stand_together_in_the_full_hours(self) -> None:
        closed = exception(dt.date(2026, 12, 24), last=dt.date(2027, 1, 3), reason="Betriebsferien")
        days = [row.text for row in at("2026-12-01T10:00", closed).week(office()) if row.season]
        assert days == ["24. Dezember bis 1. Januar: geschlossen (Betriebsferien)"]

    def test_a_day_on_which_nobody_would_come_is_not_listed(self) -> None:
        assert not any(row.season for row in at("2026-11-24T10:00", exception(SUNDAY)).week(office()))

    def test_around_the_clock_has_closures_too(self) -> None:
        rows = at("2026-11-24T10:00", exception(TUESDAY, reason="Wartung")).week(office("24/7"))
        assert [row.text for row in rows] == ["täglich: rund um die Uhr", "24. November: geschlossen (Wartung)"]


class TestWhichOneHolds:
    def test_the_office_goes_before_the_city(self) -> None:
        city = exception(SATURDAY, "09:00-13:00", whole_city=True)
        own = exception(SATURDAY, reason="Umzug")
        for order in ((city, own), (own, city)):
            assert at("2026-11-28T10:00", *order).is_open(office()) is False
            assert at("2026-11-28T10:00", *order).is_open(office(office_id="anderes")) is True

    def test_an_opening_of_the_office_goes_before_a_closure_of_the_city(self) -> None:
        city, own = exception(TUESDAY, whole_city=True), exception(TUESDAY, "10:00-12:00")
        assert at("2026-11-24T11:00", own, city).is_open(office()) is True

    def test_what_holds_for_the_city_does_not_hold_for_other_authorities(self) -> None:
        city, own = exception(TUESDAY, whole_city=True), exception(TUESDAY, "10:00-12:00")
        other = office("24/7").model_copy(update={"of_city": False})
        assert at("2026-11-24T15:00", city).is_open(other) is True
        assert at("2026-11-24T15:00", city, own).is_open(other) is False

    def test_of_two_of_a_kind_the_later_entry_holds(self) -> None:
        closed, opened = exception(TUESDAY), exception(TUESDAY, "10:00-12:00")
        assert at("2026-11-24T11:00", closed, opened).is_open(office()) is True
        assert at("2026-11-24T11:00", opened, closed).is_open(office()) is False


class TestUnknownHours:
    def test_they_are_known_on_a_day_of_the_offices_own(self) -> None:
        hours = at("2026-11-24T10:00", exception(TUESDAY, reason="Umzug"))
        assert hours.today(office(None)) == "heute geschlossen (Umzug)"
        assert hours.state(office(None)) == HoursState(open=False)

    @pytest.mark.parametrize("times", [None, "09:00-13:00"])
    def test_what_holds_for_the_city_tells_nothing_of_them(self, times: str | None) -> None:
        hours = at("2026-11-24T10:00", exception(TUESDAY, times, whole_city=True))
        assert hours.today(office(None)) is None
        assert hours.state(office(None)) == HoursState(open=None)


class TestState:
    @pytest.mark.parametrize(
        ("moment", "expression", "expected"),
        [
            pytest.param(
                "2026-11-24T10:00", BUREAU, HoursState(open=True, closes_at=utc("2026-11-24T17:00")), id="open"
            ),
            pytest.param(
                "2026-11-24T18:00",
                BUREAU,
                HoursState(open=False, opens_at=utc("2026-11-25T08:00")),
                id="closing minute",
            ),
            pytest.param(
                "2026-11-24T23:30",
                "Mo-Su 20:00-02:00",
                HoursState(open=True, closes_at=utc("2026-11-25T01:00")),
                id="over midnight",
            ),
            pytest.param(
                "2026-11-25T01:30",
                "Mo-Su 20:00-02:00",
                HoursState(open=True, closes_at=utc("2026-11-25T01:00")),
                id="after midnight",
            ),
            pytest.param("2026-11-24T10:00", "24/7", HoursState(open=True), id="always"),
            pytest.param("2026-11-24T10:00", None, HoursState(open=None), id="unknown"),
            pytest.param(
                "2027-09-20T10:00", BUREAU, HoursState(open=False, opens_at=utc("2027-09-21T06:30")), id="Weltkindertag"
            ),
            pytest.param(
                "2025-10-31T10:00",
                BUREAU,
                HoursState(open=False, opens_at=utc("2025-11-03T07:30")),
                id="Reformationstag",
            ),
            pytest.param(
                "2025-10-31T10:30",
                f"{BUREAU}; PH 10:00-12:00",
                HoursState(open=True, closes_at=utc("2025-10-31T11:00")),
                id="holiday rule",
            ),
            pytest.param("2026-06-01T10:00", "Jan Mo-Fr 08:00-12:00", HoursState(open=False), id="nothing in sight"),
            pytest.param(
                "2026-03-27T14:00",
                BUREAU,
                HoursState(open=False, opens_at=utc("2026-03-30T06:30")),
                id="to summer time",
            ),
            pytest.param(
                "2026-10-23T14:00",
                BUREAU,
                HoursState(open=False, opens_at=utc("2026-10-26T07:30")),
                id="to winter time",
            ),
        ],
    )
    def test_tells_when_that_changes(self, moment: str, expression: str | None, expected: HoursState) -> None:
        assert at(moment).state(office(expression)) == expected

    def test_may_be_asked_about_another_moment(self) -> None:
        assert at("2026-11-24T10:00").state(office(), utc("2026-11-28T10:00")).open is False

    @pytest.mark.parametrize(
        ("moment", "expression", "expected"),
        [
            pytest.param(
                "2026-03-29T00:30",
                "Su 01:30-02:30",
                HoursState(open=True, closes_at=utc("2026-03-29T01:00")),
                id="cut off",
            ),
            pytest.param(
                "2026-03-29T00:30",
                "Su 02:00-03:00; Mo 09:00-10:00",
                HoursState(open=False, opens_at=utc("2026-03-30T07:00")),
                id="left out",
            ),
            pytest.param(
                "2026-03-28T23:00",
                "Sa 22:00-24:00; Su 00:00-04:00",
                HoursState(open=True, closes_at=utc("2026-03-29T02:00")),
                id="a night of one hour less",
            ),
            pytest.param(
                "2026-10-24T23:00",
                "Sa 22:00-24:00; Su 00:00-04:00",
                HoursState(open=True, closes_at=utc("2026-10-25T03:00")),
                id="a night of one hour more",
            ),
            pytest.param(
                "2026-10-25T00:15",
                "Su 01:00-02:30",
                HoursState(open=True, closes_at=utc("2026-10-25T01:30")),
                id="twice",
            ),
        ],
    )
    def test_in_the_nights_of_the_changes(self, moment: str, expression: str, expected: HoursState) -> None:
        asked = utc(moment) if moment.startswith("2026-03-29") or moment.startswith("2026-10-25") else None
        hours = at("2026-03-28T12:00" if asked else moment)
        assert hours.state(office(expression), asked) == expected

    def test_the_sentence_agrees_with_the_state_all_through_both_nights(self) -> None:
        night = office("Sa 22:00-24:00; Su 00:00-02:30,05:00-06:00")
        for begin in ("2026-03-28T18:00", "2026-10-24T18:00"):
            clock = FixedClock(utc(begin))
            hours = OfficeHours(clock)
            for _ in range(14 * 4):
                is_open = hours.state(night).open
                assert hours.is_open(night) is is_open
                assert (hours.today(night) or "").startswith(("heute bis", "bis morgen")) is is_open
                clock.advance(minutes=15)


class TestCalendar:
    def test_shows_what_holds_on_each_day_and_why(self) -> None:
        hours = at(
            "2025-10-30T10:00",
            exception(dt.date(2025, 11, 1), "09:00-13:00", reason="Briefwahl"),
            exception(dt.date(2025, 11, 3), reason="Personalversammlung"),
        )
        days = hours.calendar(office(), days=5)
        assert [(day.date.day, day.hours) for day in days] == [
            (30, "8:30 bis 16 Uhr"),
            (31, "geschlossen"),
            (1, "9 bis 13 Uhr"),
            (2, "geschlossen"),
            (3, "geschlossen"),
        ]
        assert days[1].holiday == "Reformationstag"
        assert [day.exception.reason for day in days if day.exception] == ["Briefwahl", "Personalversammlung"]


# The store

Act = Callable[[Session], object]


@pytest.fixture
def store(database: Database, clock: FixedClock) -> HoursExceptionStore:
    return HoursExceptionStore(database, clock)


@pytest.fixture
def run(database: Database, store: HoursExceptionStore) -> Callable[[Act], object]:
    def run(act: Act) -> object:
        with database.session() as session:
            result = act(session)
        store.changed()
        return result

    return run


def reasons(exceptions: Sequence[HoursException]) -> list[str]:
    return [exception.reason for exception in exceptions]


CLOSED = exception(TUESDAY, reason="Umzug")


def test_what_is_entered_holds_at_once(store: HoursExceptionStore, run: Callable[[Act], int]) -> None:
    assert store.current() == ()
    id = run(lambda session: store.add(session, CLOSED))
    assert store.current() == (CLOSED,)
    run(lambda session: store.replace(session, id, exception(SATURDAY, "9-13 Uhr"), expected=1))
    assert store.current() == (exception(SATURDAY, "09:00-13:00"),)
    run(lambda session: store.delete(session, id, expected=2))
    assert store.current() == ()
    run(lambda session: store.restore(session, id))
    assert reasons(store.current()) == ["Wahl"]


def test_another_process_sees_it_within_a_second(
    store: HoursExceptionStore, run: Callable[[Act], int], database: Database, clock: FixedClock
) -> None:
    elsewhere = HoursExceptionStore(database, clock)
    assert elsewhere.current() == ()
    run(lambda session: store.add(session, CLOSED))
    clock.advance(seconds=1)
    assert elsewhere.current() == (CLOSED,)


def test_who_edits_second_learns_of_the_first(store: HoursExceptionStore, run: Callable[[Act], int]) -> None:
    id = run(lambda session: store.add(session, CLOSED))
    run(lambda session: store.replace(session, id, exception(SATURDAY), expected=1))
    with pytest.raises(EditConflict):
        run(lambda session: store.replace(session, id, exception(SUNDAY), expected=1))
    with pytest.raises(EditConflict):
        run(lambda session: store.delete(session, id, expected=1))
    assert store.current() == (exception(SATURDAY),)


def test_of_two_who_edit_at_the_same_time_one_wins(store: HoursExceptionStore, run: Callable[[Act], int]) -> None:
    id = run(lambda session: store.add(session, CLOSED))
    both = Barrier(2)

    def edit(reason: str) -> bool:
        both.wait()
        try:
            run(lambda session: store.replace(session, id, exception(SATURDAY, reason=reason), expected=1))
        except EditConflict:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        won = dict(zip("ab", threads.map(edit, "ab"), strict=True))
    assert sorted(won.values()) == [False, True]
    assert won[store.current()[0].reason]
    assert store.get(id).version == 2


def test_a_deleted_entry_cannot_be_edited_and_only_a_deleted_one_restored(
    store: HoursExceptionStore, run: Callable[[Act], int]
) -> None:
    id = run(lambda session: store.add(session, CLOSED))
    with pytest.raises(EditConflict):
        run(lambda session: store.restore(session, id))
    run(lambda session: store.delete(session, id, expected=1))
    with pytest.raises(EditConflict):
        run(lambda session: store.replace(session, id, CLOSED, expected=2))
    with pytest.raises(UnknownRecord):
        run(lambda session: store.restore(session, id + 1))


def test_the_file_is_read_once_and_deleting_lasts(
    store: HoursExceptionStore, run: Callable[[Act], int], database: Database, clock: FixedClock
) -> None:
    assert store.import_once([CLOSED, exception(SATURDAY, "09:00-13:00")]) == 2
    run(lambda session: store.delete(session, store.kept(since=TUESDAY)[0].id, expected=1))
    again = HoursExceptionStore(database, clock)
    assert again.import_once([CLOSED]) == 0
    assert reasons(again.current()) == ["Wahl"]
    assert [entry.exception for entry in again.kept(since=TUESDAY, deleted=True)] == [CLOSED]


def test_an_empty_file_counts_as_read(store: HoursExceptionStore) -> None:
    assert store.import_once([]) == 0
    assert store.import_once([CLOSED]) == 0
    assert store.current() == ()


def test_entries_do_not_stay_for_ever(store: HoursExceptionStore, run: Callable[[Act], int], clock: FixedClock) -> None:
    run(lambda session: store.add(session, exception(dt.date(2026, 3, 11))))
    id = run(lambda session: store.add(session, exception(dt.date(2026, 3, 12))))
    run(lambda session: store.delete(session, id, expected=1))
    clock.advance(days=29)
    assert store.expire() == 0
    clock.advance(days=1)
    assert store.expire() == 1
    clock.advance(days=400)
    assert store.expire() == 1


@pytest.mark.parametrize(
    ("entry", "mistake"),
    [
        ("from: 2026-12-24, until: 2026-12-23, reason: Ferien", "must not lie before"),
        ("from: 2026-12-24, until: 2026-12-24, reason: Ferien, hours: 13:00-09:00", "backwards"),
        ("from: 2026-12-24, until: 2026-12-24, reason: Ferien, hours: '9-13, 12-14'", "overlapping"),
        ("from: 2026-12-24, until: 2026-12-24, reason: Ferien, hours: vormittags", "unreadable"),
        ("from: 2026-12-24, until: 2026-12-24", "reason"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, entry: str, mistake: str) -> None:
    (tmp_path / "city.yaml").write_text((CITY / "city.yaml").read_text())
    (tmp_path / "closures.yaml").write_text(f"closures: [{{{entry}}}]")
    with pytest.raises(ImportFailed, match=mistake):
        read_about(tmp_path)


# Everywhere at once


def test_a_closure_is_in_every_answer_at_once(tmp_path: Path, clock: FixedClock) -> None:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.upgrade()
    knowledge = Knowledge(database, clock, city_folder=CITY, embedder=HashingEmbedder())
    knowledge.refresh()

    def answers() -> list[str]:
        office = knowledge.answer_office("buergerservice", aspect=Aspect.HOURS)
        service = knowledge.answer("personalausweis", Aspect.HOURS)
        assert service.office is not None
        return [office.office.hours_today or "", office.text, service.office.hours_today or "", service.text]

    assert not any("Personalversammlung" in answer for answer in answers())
    today = HoursException(first=dt.date(2026, 3, 10), last=dt.date(2026, 3, 10), reason="Personalversammlung")
    with database.session() as session:
        knowledge.hours_exceptions.add(session, today)
    knowledge.hours_exceptions.changed()
    assert all("heute geschlossen (Personalversammlung)" in answer for answer in answers())


def test_hours_of_an_office_are_edited_and_an_edit_in_between_is_a_conflict(
    database: Database, clock: FixedClock
) -> None:
    store = CatalogueStore(database, clock)
    store.import_missing(offices=[office()])
    read, version = store.office("amt")
    assert store.put_office(read.model_copy(update={"opening_hours": "Mo 09:00-10:00"}), expected=version) == 2
    with pytest.raises(EditConflict):
        store.put_office(read, expected=version)
    assert store.office("amt")[0].opening_hours == "Mo 09:00-10:00"
    assert store.version() == 2
    with pytest.raises(UnknownRecord):
        store.office("mondamt")
