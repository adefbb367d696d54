"""The supervisors' page on notices and the off switch, as a browser without a window sees it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.contact import SiteNotice
from core.accounts import Role
from core.clock import FixedClock
from core.database import Database
from tests.handover.leading_site import ORIGIN, Browser, LeadingSite, leading_site
from tests.handover.test_hours_pages import EVIL, problems

NOTICES = "/mitarbeit/hinweise"
OFF = {"kind": "off", "comment": "Störung"}
NOTICE = {"kind": "notice", "text": "Das Amt ist **zu**.", "ends_at": "2026-03-10T12:00", "comment": "Rohrbruch"}


@pytest.fixture
def site(clock: FixedClock, tmp_path: Path) -> Iterator[LeadingSite]:
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.upgrade()
    yield leading_site(database, clock, tmp_path)
    database.close()


def here(site: LeadingSite, channel: str = "web") -> SiteNotice:
    return site.board.current(site="jena", channel=channel)


def headline(page: str) -> str:
    found = re.search(r'class="big">([^<]+)<', page)
    assert found is not None
    return found[1]


def test_the_bot_is_switched_off_and_on_again(site: LeadingSite) -> None:
    browser = site.browser()
    assert headline(browser.get(NOTICES).text) == "Der Bot antwortet."
    answer = browser.post(NOTICES, OFF)
    assert answer.status_code == 303
    assert here(site) == SiteNotice(bot=False)
    page = browser.get(answer.headers["Location"]).text
    assert "Gesetzt. Chat und Telefon folgen in wenigen Sekunden." in page
    assert headline(page) == "Der Bot ist aus seit 10:00 Uhr, bis Sie ihn einschalten."
    assert "Bot wieder einschalten" in page and "Leitung, 10:00" in page

    answer = browser.post(f"{NOTICES}/1/beenden")
    assert here(site).bot
    page = browser.get(answer.headers["Location"]).text
    assert headline(page) == "Der Bot antwortet."
    assert f'action="{NOTICES}/1/zurueckholen"' in page

    assert browser.post(f"{NOTICES}/1/zurueckholen").status_code == 303
    assert not here(site).bot
    assert [entry.act for entry in site.acts()] == ["notice_resumed", "notice_ended", "notice_set"]


def test_times_are_those_of_the_city(site: LeadingSite) -> None:
    site.browser().post(NOTICES, NOTICE)
    assert here(site).until == dt.datetime(2026, 3, 10, 11, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ("2026-10-25T02:30", dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)),
        ("2026-03-29T02:30", dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)),
    ],
)
def test_times_of_the_nights_in_which_the_clock_changes(site: LeadingSite, ends: str, expected: dt.datetime) -> None:
    site.browser().post(NOTICES, {**NOTICE, "ends_at": ends})
    assert here(site).until == expected


def test_the_page_tells_where_and_until_when(site: LeadingSite) -> None:
    browser = site.browser()
    browser.post(NOTICES, {**OFF, "sites": ["jena"], "channels": ["phone"], "ends_at": "2026-03-11T08:00"})
    page = browser.get(NOTICES).text
    assert headline(page) == "Der Bot ist zum Teil aus."
    assert "Stadt Jena, Telefon: aus" in page
    assert "von 10:00 Uhr bis 11. März 2026, 08:00 Uhr" in page
    assert here(site).bot and not here(site, "phone").bot


def test_a_notice_can_be_planned_and_called_off(site: LeadingSite, clock: FixedClock) -> None:
    browser = site.browser()
    browser.post(NOTICES, {**NOTICE, "begins_at": "2026-03-10T11:00"})
    assert here(site) == SiteNotice()
    page = browser.get(NOTICES).text
    assert "Geplant" in page and "Absagen" in page
    browser.post(f"{NOTICES}/1/beenden")
    clock.advance(hours=1)
    assert here(site) == SiteNotice()


def test_the_preview_shows_what_citizens_see_and_sets_nothing(site: LeadingSite) -> None:
    form = {**OFF, "text": "Wir prüfen eine **Störung**.\n\n[Mehr](https://stadt.example)", "preview": "1"}
    page = site.browser().post(NOTICES, form)
    assert page.status_code == 200
    assert "<p>Wir prüfen eine <strong>Störung</strong>.</p>" in page.text
    assert '<a href="https://stadt.example" rel="noopener noreferrer">Mehr</a>' in page.text
    assert "Der Bot ist aus. Wir prüfen eine" in page.text
    assert "Gilt sofort. Endet, wenn Sie es beenden." in page.text
    assert here(site) == SiteNotice()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({**NOTICE, "text": ""}, {"text": "Bitte füllen Sie dieses Feld aus."}),
        ({**NOTICE, "comment": ""}, {"comment": "Bitte füllen Sie dieses Feld aus."}),
        ({**NOTICE, "ends_at": ""}, {"ends_at": "Bitte füllen Sie dieses Feld aus."}),
        ({**NOTICE, "ends_at": "2026-03-10T10:00"}, {"ends_at": "Diese Zeit ist schon vorbei."}),
        ({**NOTICE, "ends_at": "bald"}, {"ends_at": "Dieses Datum kann ich nicht lesen."}),
        ({**NOTICE, "begins_at": "2026-03-10T13:00"}, {"ends_at": "Das Ende liegt vor dem Anfang."}),
        ({**NOTICE, "text": "x" * 1001}, {"text": "Dieser Text ist zu lang."}),
    ],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_is_lost(
    site: LeadingSite, form: dict[str, str], expected: dict[str, str]
) -> None:
    answer = site.browser().post(NOTICES, form)
    assert answer.status_code == 422
    assert problems(answer.text) == expected
    assert f">{form['text']}</textarea>" in answer.text
    assert here(site) == SiteNotice()


def test_of_two_who_end_it_the_second_sees_that_it_is_over(site: LeadingSite) -> None:
    first, second = site.browser("leitung1"), site.browser("leitung2")
    first.post(NOTICES, NOTICE)
    first.post(f"{NOTICES}/1/beenden")
    answer = second.post(f"{NOTICES}/1/beenden")
    assert answer.status_code == 409
    assert "Das hat jemand anderes inzwischen beendet" in answer.text
    assert second.post(f"{NOTICES}/7/beenden").status_code == 409
    assert second.post(f"{NOTICES}/7/zurueckholen").status_code == 409


def test_nothing_that_is_typed_becomes_markup(site: LeadingSite) -> None:
    browser = site.browser()
    form = {**NOTICE, "text": f"{EVIL} [x](javascript:alert(1)) **{EVIL}** - [{EVIL}](https://x.example)"}
    form |= {"speech": EVIL, "comment": EVIL}
    preview = browser.post(NOTICES, {**form, "kind": "off", "preview": "1"}).text
    browser.post(NOTICES, form)
    for page in (preview, browser.get(NOTICES).text):
        assert EVIL not in page and 'href="javascript' not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize("path", [NOTICES, f"{NOTICES}/1/beenden", f"{NOTICES}/1/zurueckholen"])
def test_only_supervisors_come_in(site: LeadingSite, path: str) -> None:
    for role in (Role.AGENT, Role.EDITOR, Role.ADMIN):
        browser = site.browser(f"konto-{role}", role)
        assert browser.post(path, OFF).status_code == 403
        assert browser.get(NOTICES).status_code == 403
    assert "/anmelden" in Browser(site.app).post(path, OFF).headers["Location"]
    assert here(site).bot


def test_another_site_cannot_switch_the_bot_off(site: LeadingSite) -> None:
    browser = site.browser()
    for data, origin in (
        ({**OFF, "csrf": "falsch"}, ORIGIN),
        ({**OFF, "csrf": browser.csrf}, "https://boese.example"),
    ):
        assert browser.client.post(NOTICES, data=data, headers={"Origin": origin}).status_code == 403
    assert here(site).bot
