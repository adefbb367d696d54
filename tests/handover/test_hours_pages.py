"""The supervisors' pages on hours, as a browser without a window sees them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.accounts import Role
from core.clock import FixedClock
from core.database import Database
from tests.handover.leading_site import ORIGIN, Browser, LeadingSite, leading_site

HOURS = "/mitarbeit/zeiten"
EXCEPTIONS = f"{HOURS}/ausnahmen"
BUREAU = f"{HOURS}/stellen/buergerservice"
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
CLOSURE = {"first": "2026-03-12", "kind": "closed", "reason": "Betriebsversammlung"}
INCOMPLETE = "Hier fehlt ein Anfang oder ein Ende, oder eine Zeit ist nicht lesbar. Ein Beispiel: 8:30"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def site(clock: FixedClock, tmp_path: Path) -> Iterator[LeadingSite]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.upgrade()
    yield leading_site(database, clock, tmp_path)
    database.close()


def of_week(prefix: str = "week_", **times: str) -> dict[str, str]:
    """A form with a week: `Mo="08:00-12:00,13:00-16:00"`."""
    form = {f"{prefix}mode": "week", "version": "1"}
    for day, spans in times.items():
        for number, span in enumerate(spans.split(","), start=1):
            start, _, end = span.partition("-")
            form |= {f"{prefix}{day}_from{number}": start, f"{prefix}{day}_to{number}": end}
    return form


def of_expression(expression: str, *, prefix: str = "week_", version: int = 1) -> dict[str, str]:
    return {f"{prefix}mode": "expression", f"{prefix}expression": expression, "version": str(version)}


def problems(page: str) -> dict[str, str]:
    """The mistakes that a page shows, by their fields."""
    return dict(re.findall(r'class="problem" id="(\w+)-problem">([^<]+)<', page))


def value(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found is not None
    return found[1]


class TestClosuresAndSpecialOpenings:
    def test_one_holds_at_once_and_is_in_the_audit_log(self, site: LeadingSite) -> None:
        browser = site.browser()
        answer = browser.post(EXCEPTIONS, {**CLOSURE, "office": "buergerservice", "first": "2026-03-10"})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{HOURS}?neu=eintrag#ausnahmen")
        assert site.departments.today_text("buergerservice", spoken=False) == (
            "heute geschlossen (Betriebsversammlung), morgen ab 9 Uhr"
        )
        page = browser.get(answer.headers["Location"]).text
        assert "Gespeichert. Das gilt ab sofort." in page
        assert "Di. 10. März 2026" in page and "gilt heute" in page
        (entry,) = site.acts()
        assert (entry.act, entry.actor_login) == ("hours_exception_added", "leitung")
        assert entry.details["reason"] == "Betriebsversammlung"

    def test_times_may_be_typed_as_people_write_them(self, site: LeadingSite) -> None:
        form = {**CLOSURE, "kind": "open", "hours": "9 bis 13 Uhr und 14-16", "last": "2026-03-14"}
        page = site.browser()
        page.post(EXCEPTIONS, form)
        listed = page.get(HOURS).text
        assert "9–13 und 14–16 Uhr" in listed
        assert "Do. 12. März 2026 – Sa. 14. März 2026" in listed
        assert site.knowledge.hours_exceptions.current()[0].hours == "09:00-13:00,14:00-16:00"

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"first": ""}, {"first": "Bitte füllen Sie dieses Feld aus."}),
            ({"first": "morgen"}, {"first": "Dieses Datum kann ich nicht lesen."}),
            ({"first": "2062-03-12"}, {"first": "Dieses Datum liegt mehr als drei Jahre in der Zukunft."}),
            ({"first": "2026-03-09"}, {"first": "Diese Zeit ist schon vorbei."}),
            ({"first": "2026-03-01", "last": "2026-03-09"}, {"last": "Diese Zeit ist schon vorbei."}),
            ({"last": "2026-03-11"}, {"last": "Der letzte Tag liegt vor dem ersten."}),
            ({"reason": " "}, {"reason": "Bitte füllen Sie dieses Feld aus."}),
            ({"reason": "x" * 201}, {"reason": "Dieser Text ist zu lang."}),
            ({"office": "mondamt"}, {"office": "Diese Stelle gibt es nicht."}),
            (
                {"kind": "open", "hours": ""},
                {"hours": "Bitte schreiben Sie die Zeiten so: 9:00-13:00, 14:00-18:00"},
            ),
            ({"kind": "open", "hours": "9-13, 12-14"}, {"hours": "Hier überschneiden sich zwei Zeiten."}),
            (
                {"kind": "open", "hours": "20-2"},
                {
                    "hours": "Hier liegt das Ende vor dem Anfang. Was nach Mitternacht weitergeht, gehört zum "
                    "nächsten Tag."
                },
            ),
            (
                {"first": "", "reason": ""},
                {"first": "Bitte füllen Sie dieses Feld aus.", "reason": "Bitte füllen Sie dieses Feld aus."},
            ),
        ],
    )
    def test_a_mistake_is_shown_beside_its_field_and_nothing_is_lost(
        self, site: LeadingSite, fields: dict[str, str], expected: dict[str, str]
    ) -> None:
        form = {**CLOSURE, **fields}
        answer = site.browser().post(EXCEPTIONS, form)
        assert answer.status_code == 422
        assert problems(answer.text) == expected
        assert value(answer.text, "first") == form["first"]
        assert value(answer.text, "reason") == form["reason"].strip()
        assert site.knowledge.hours_exceptions.current() == ()

    def test_one_that_runs_already_may_be_entered(self, site: LeadingSite) -> None:
        answer = site.browser().post(EXCEPTIONS, {**CLOSURE, "first": "2026-03-01", "last": "2026-03-10"})
        assert answer.status_code == 303

    def test_deleting_can_be_undone_at_once_and_later(self, site: LeadingSite) -> None:
        browser = site.browser()
        browser.post(EXCEPTIONS, CLOSURE)
        answer = browser.post(f"{EXCEPTIONS}/1/loeschen", {"version": "1"})
        assert site.knowledge.hours_exceptions.current() == ()
        page = browser.get(answer.headers["Location"]).text
        assert "Gelöscht: Do. 12. März 2026, Betriebsversammlung" in page
        assert page.count(f'action="{EXCEPTIONS}/1/zurueckholen"') == 2
        assert browser.get(HOURS).text.count(f'action="{EXCEPTIONS}/1/zurueckholen"') == 1
        assert browser.post(f"{EXCEPTIONS}/1/zurueckholen").status_code == 303
        assert len(site.knowledge.hours_exceptions.current()) == 1
        assert [entry.act for entry in site.acts()] == [
            "hours_exception_restored",
            "hours_exception_deleted",
            "hours_exception_added",
        ]

    def test_of_two_supervisors_the_second_sees_what_the_first_has_done(self, site: LeadingSite) -> None:
        first, second = site.browser("leitung1"), site.browser("leitung2")
        first.post(EXCEPTIONS, CLOSURE)
        version = value(second.get(f"{EXCEPTIONS}/1").text, "version")
        first.post(f"{EXCEPTIONS}/1", {**CLOSURE, "reason": "Umzug", "version": "1"})

        answer = second.post(f"{EXCEPTIONS}/1", {**CLOSURE, "reason": "Streik", "version": version})
        assert answer.status_code == 409
        assert "Jemand anderes hat diesen Eintrag inzwischen geändert." in answer.text
        assert "Do. 12. März 2026: Ganze Verwaltung, geschlossen, Umzug" in answer.text
        assert value(answer.text, "reason") == "Streik"
        assert site.knowledge.hours_exceptions.current()[0].reason == "Umzug"

        again = {**CLOSURE, "reason": "Streik", "version": value(answer.text, "version")}
        assert second.post(f"{EXCEPTIONS}/1", again).status_code == 303
        assert site.knowledge.hours_exceptions.current()[0].reason == "Streik"

    def test_what_a_colleague_has_deleted_can_be_brought_back_but_not_edited(self, site: LeadingSite) -> None:
        browser = site.browser()
        browser.post(EXCEPTIONS, CLOSURE)
        browser.post(f"{EXCEPTIONS}/1/loeschen", {"version": "1"})
        for answer in (
            browser.post(f"{EXCEPTIONS}/1", {**CLOSURE, "version": "1"}),
            browser.post(f"{EXCEPTIONS}/1/loeschen", {"version": "1"}),
        ):
            assert answer.status_code == 409
            assert f'action="{EXCEPTIONS}/1/zurueckholen"' in answer.text
        assert site.knowledge.hours_exceptions.current() == ()

    @pytest.mark.parametrize("version", ["", "0", "-1", "zwei", "99999999999999999999"])
    def test_a_form_without_the_version_changes_nothing(self, site: LeadingSite, version: str) -> None:
        browser = site.browser()
        browser.post(EXCEPTIONS, CLOSURE)
        assert browser.post(f"{EXCEPTIONS}/1/loeschen", {"version": version}).status_code == 409
        assert len(site.knowledge.hours_exceptions.current()) == 1

    def test_an_entry_that_a_newer_one_overrules_is_marked(self, site: LeadingSite) -> None:
        browser = site.browser()
        browser.post(EXCEPTIONS, {**CLOSURE, "last": "2026-03-20"})
        assert "ein neuerer Eintrag geht vor" not in browser.get(HOURS).text
        browser.post(EXCEPTIONS, {**CLOSURE, "kind": "open", "hours": "9-13", "office": "standesamt"})
        assert "ein neuerer Eintrag geht vor" not in browser.get(HOURS).text
        browser.post(EXCEPTIONS, {**CLOSURE, "kind": "open", "hours": "9-13"})
        assert browser.get(HOURS).text.count("ein neuerer Eintrag geht vor") == 1

    def test_a_reason_never_becomes_markup(self, site: LeadingSite) -> None:
        browser = site.browser()
        browser.post(EXCEPTIONS, {**CLOSURE, "office": "buergerservice", "first": "2026-03-10", "reason": EVIL})
        browser.post(EXCEPTIONS, {**CLOSURE, "reason": f'{EVIL}" autofocus onfocus="alert(1)'})
        deleted = browser.post(f"{EXCEPTIONS}/2/loeschen", {"version": "1"}).headers["Location"]
        for path in (HOURS, deleted, f"{EXCEPTIONS}/1", BUREAU):
            page = browser.get(path)
            assert page.status_code == 200
            assert EVIL not in page.text and '" autofocus' not in page.text
            assert "alert(1)" in page.text


class TestWeeklyHours:
    def test_the_table_becomes_the_offices_hours_everywhere(self, site: LeadingSite) -> None:
        browser = site.browser()
        page = browser.get(BUREAU).text
        assert value(page, "week_Tu_from1") == "08:30" and value(page, "week_Tu_to1") == "18:00"
        answer = browser.post(f"{BUREAU}/woche", of_week(Mo="08:00-12:00,13:00-16:00", Tu="08:00-12:00,13:00-16:00"))
        assert answer.status_code == 303
        site.knowledge.refresh()
        office = site.knowledge.office("buergerservice")
        assert office is not None and office.opening_hours == "Mo,Tu 08:00-12:00,13:00-16:00"
        assert "Montag und Dienstag: 8 bis 12 Uhr und 13 bis 16 Uhr" in browser.get(BUREAU).text
        (entry,) = site.acts()
        assert (entry.act, entry.subject) == ("office_hours_changed", "buergerservice")

    def test_times_of_the_table_may_be_short_and_last_until_midnight(self, site: LeadingSite) -> None:
        site.browser().post(f"{BUREAU}/woche", of_week(Fr="20-24"))
        assert site.knowledge.catalogue_store.office("buergerservice")[0].opening_hours == "Fr 20:00-24:00"

    def test_experts_write_the_expression(self, site: LeadingSite) -> None:
        browser = site.browser()
        expression = "Nov-Mar Mo-Fr 08:00-16:00; Apr-Oct Mo-Fr 08:00-18:00; PH off"
        assert browser.post(f"{BUREAU}/woche", of_expression(expression)).status_code == 303
        page = browser.get(BUREAU).text
        assert value(page, "week_expression") == expression
        assert re.search(r'name="week_mode" value="expression"\s+checked', page)

    def test_hours_may_be_not_known(self, site: LeadingSite) -> None:
        site.browser().post(f"{BUREAU}/woche", {"week_mode": "none", "version": "1"})
        assert site.knowledge.catalogue_store.office("buergerservice")[0].opening_hours is None

    def test_the_preview_shows_what_is_typed_and_saves_nothing(self, site: LeadingSite) -> None:
        browser = site.browser()
        page = browser.post(f"{BUREAU}/woche", {**of_week(Tu="07:00-09:00"), "preview": "1"})
        assert page.status_code == 200
        assert "Das ist eine Vorschau. Gespeichert ist noch nichts." in page.text
        assert "Dienstag: 7 bis 9 Uhr" in page.text
        assert value(page.text, "week_Tu_from1") == "07:00"
        assert "08:30-18:00" in (site.knowledge.catalogue_store.office("buergerservice")[0].opening_hours or "")

    @pytest.mark.parametrize(
        ("form", "expected"),
        [
            (of_week(Tu="09:00-"), {"week_Tu": INCOMPLETE}),
            (of_week(Tu="09:00-25:00"), {"week_Tu": INCOMPLETE}),
            (of_week(Tu="09:00-12:00,11:00-13:00"), {"week_Tu": "Hier überschneiden sich zwei Zeiten."}),
            (of_week(), {"week_week": "In dieser Woche ist nie geöffnet. Bitte tragen Sie Zeiten ein."}),
            (of_expression(""), {"week_expression": "Bitte füllen Sie dieses Feld aus."}),
            (
                of_expression("montags nach Lust"),
                {
                    "week_expression": "Diesen Ausdruck kann ich nicht lesen. Ein Beispiel: Mo-Fr 08:00-12:00; "
                    "Tu 14:00-18:00; PH off"
                },
            ),
        ],
    )
    def test_a_mistake_is_shown_beside_its_field(
        self, site: LeadingSite, form: dict[str, str], expected: dict[str, str]
    ) -> None:
        answer = site.browser().post(f"{BUREAU}/woche", form)
        assert answer.status_code == 422
        assert problems(answer.text) == expected
        assert site.knowledge.catalogue_store.office("buergerservice")[1] == 1

    def test_of_two_supervisors_the_second_learns_of_the_first(self, site: LeadingSite) -> None:
        browser = site.browser()
        assert browser.post(f"{BUREAU}/woche", of_week(Mo="08:00-12:00")).status_code == 303
        answer = browser.post(f"{BUREAU}/woche", of_week(Mo="09:00-12:00"))
        assert answer.status_code == 409
        assert "Jemand anderes hat diese Zeiten inzwischen geändert." in answer.text
        assert value(answer.text, "week_Mo_from1") == "09:00"
        assert "Montag: 8 bis 12 Uhr" in answer.text

    def test_the_calendar_tells_holidays_and_exceptions(self, site: LeadingSite, clock: FixedClock) -> None:
        clock.moment = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)
        browser = site.browser()
        browser.post(EXCEPTIONS, {**CLOSURE, "first": "2026-04-07", "office": "buergerservice"})
        browser.post(EXCEPTIONS, {**CLOSURE, "first": "2026-04-11", "kind": "open", "hours": "9-13", "reason": "Wahl"})
        page = re.sub(r"<[^>]+>|\s+", " ", browser.get(BUREAU).text)
        page = re.sub(r" +", " ", page)
        assert "Fr. 3. Apr. Feiertag: Karfreitag geschlossen" in page
        assert "Di. 7. Apr. Schließung: Betriebsversammlung geschlossen" in page
        assert "Sa. 11. Apr. Sonderöffnung: Wahl 9 bis 13 Uhr" in page


class TestDepartments:
    def test_staff_answer_at_hours_of_their_own(self, site: LeadingSite) -> None:
        browser = site.browser()
        form = {**of_week("staff_", Tu="13:00-15:00"), "version": "0", "enabled": "1"}
        answer = browser.post(f"{HOURS}/stellen/standesamt/abteilung", form)
        assert answer.status_code == 303
        department = site.departments.get("standesamt")
        assert department is not None
        assert (department.enabled, department.phone_queue, department.hours) == (True, False, "Tu 13:00-15:00")
        (entry,) = site.acts()
        assert (entry.act, entry.subject) == ("department_changed", "standesamt")

    def test_a_mistake_loses_nothing(self, site: LeadingSite) -> None:
        form = {**of_week("staff_", Tu="15:00-13:00"), "version": "0", "enabled": "1"}
        answer = site.browser().post(f"{HOURS}/stellen/standesamt/abteilung", form)
        assert answer.status_code == 422
        assert list(problems(answer.text)) == ["staff_Tu"]
        assert re.search(r'name="enabled" value="1" checked', answer.text)
        assert site.departments.for_service("heirat") == "zentrale"

    def test_of_two_supervisors_the_second_learns_of_the_first(self, site: LeadingSite) -> None:
        browser = site.browser()
        form = {"staff_mode": "none", "version": "1", "enabled": "1"}
        assert browser.post(f"{BUREAU}/abteilung", form).status_code == 303
        answer = browser.post(f"{BUREAU}/abteilung", form)
        assert answer.status_code == 409
        assert "Jemand anderes hat diese Zeiten inzwischen geändert." in answer.text

    def test_an_unknown_office_is_no_error_of_ours(self, site: LeadingSite) -> None:
        browser = site.browser()
        for answer in (
            browser.get(f"{HOURS}/stellen/mondamt"),
            browser.post(f"{HOURS}/stellen/mondamt/woche", of_week(Mo="08:00-12:00")),
            browser.post(f"{HOURS}/stellen/mondamt/abteilung", {"staff_mode": "none"}),
        ):
            assert answer.status_code == 409


PATHS = [
    ("GET", HOURS),
    ("POST", EXCEPTIONS),
    ("GET", f"{EXCEPTIONS}/1"),
    ("POST", f"{EXCEPTIONS}/1"),
    ("POST", f"{EXCEPTIONS}/1/loeschen"),
    ("POST", f"{EXCEPTIONS}/1/zurueckholen"),
    ("GET", BUREAU),
    ("POST", f"{BUREAU}/woche"),
    ("POST", f"{BUREAU}/abteilung"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_only_supervisors_come_in(site: LeadingSite, method: str, path: str) -> None:
    for role in (Role.AGENT, Role.EDITOR, Role.ADMIN):
        browser = site.browser(f"konto-{role}", role)
        answer = browser.get(path) if method == "GET" else browser.post(path, CLOSURE)
        assert answer.status_code == 403
    answer = Browser(site.app).get(path) if method == "GET" else Browser(site.app).post(path, CLOSURE)
    assert answer.status_code == 303 and "/anmelden" in answer.headers["Location"]
    assert site.knowledge.hours_exceptions.current() == ()


def test_another_site_cannot_send_the_forms(site: LeadingSite) -> None:
    browser = site.browser()
    for data, origin in (
        ({**CLOSURE, "csrf": "falsch"}, ORIGIN),
        ({**CLOSURE, "csrf": browser.csrf}, "https://boese.example"),
    ):
        answer = browser.client.post(EXCEPTIONS, data=data, headers={"Origin": origin})
        assert answer.status_code == 403
    assert site.knowledge.hours_exceptions.current() == ()
