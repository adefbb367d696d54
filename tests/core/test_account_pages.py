from __future__ import annotations

import re
from html import unescape
from http import HTTPStatus

import pyotp
import pytest

from core.accounts import Role
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring
from tests.core.staff_site import PASSWORD, Browser, StaffSite, staff_site

KONTO, KONTEN, PROTOKOLL = "/mitarbeit/konto", "/mitarbeit/konten", "/mitarbeit/protokoll"
NEW_PASSWORD = "Leuchtturm ohne Meerblick"
ATTACK = "<img src=x onerror=alert(1)>"


@pytest.fixture
def site(database: Database, clock: FixedClock, keyring: Keyring) -> StaffSite:
    return staff_site(database=database, clock=clock, keyring=keyring)


@pytest.fixture
def admin(site: StaffSite) -> Browser:
    return site.browser_of(site.account("admin1", Role.ADMIN, name="Kontenverwaltung"))


def enrolled(site: StaffSite, browser: Browser) -> tuple[pyotp.TOTP, list[str]]:
    browser.post(f"{KONTO}/faktor")
    secret = re.search(r"<code>([A-Z2-7 ]+)</code>", browser.get(f"{KONTO}/faktor").text)
    assert secret
    totp = pyotp.TOTP(secret[1].replace(" ", ""))
    answer = browser.post(f"{KONTO}/faktor/bestaetigen", {"code": totp.at(site.clock.now())})
    codes = re.findall(r"<code>([A-Z2-7-]{19})</code>", answer.text)
    site.clock.advance(seconds=30)
    return totp, codes


def test_changing_the_password(site: StaffSite) -> None:
    account = site.account()
    browser, other = site.browser_of(account), site.browser_of(account)
    for current, new, again, error in (
        ("falsch", NEW_PASSWORD, NEW_PASSWORD, "jetzige Passwort stimmt nicht"),
        (PASSWORD, NEW_PASSWORD, PASSWORD, "verschieden"),
        (PASSWORD, "kurz", "kurz", "zu kurz"),
    ):
        answer = browser.post(f"{KONTO}/passwort", {"current": current, "password": new, "again": again})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert error in answer.text
    data = {"current": PASSWORD, "password": NEW_PASSWORD, "again": NEW_PASSWORD}
    answer = browser.post(f"{KONTO}/passwort", data)
    assert "Ihr Passwort ist geändert" in browser.get(answer.headers["location"]).text
    assert other.get(KONTO).status_code == HTTPStatus.SEE_OTHER
    assert site.browser().sign_in("agent1", PASSWORD).status_code == HTTPStatus.UNAUTHORIZED
    assert site.browser().sign_in("agent1", NEW_PASSWORD).status_code == HTTPStatus.SEE_OTHER


def test_password_cannot_be_guessed_in_an_open_session(site: StaffSite) -> None:
    browser = site.browser_of(site.account())
    for _ in range(10):
        answer = browser.post(f"{KONTO}/faktor/abschalten", {"current": "geraten"})
    assert "Zu viele Versuche" in answer.text


def test_other_sessions_end_on_wish(site: StaffSite) -> None:
    account = site.account()
    browser, other = site.browser_of(account), site.browser_of(account)
    assert "Weitere Anmeldungen: 1" in browser.get(KONTO).text
    browser.post(f"{KONTO}/sitzungen")
    assert other.get(KONTO).status_code == HTTPStatus.SEE_OTHER
    assert "nur hier angemeldet" in browser.get(KONTO).text


def test_second_factor_from_the_picture_to_the_recovery_code(site: StaffSite) -> None:
    account = site.account()
    browser = site.browser_of(account)
    assert browser.get(f"{KONTO}/faktor.png").status_code == HTTPStatus.NOT_FOUND
    browser.post(f"{KONTO}/faktor")
    assert browser.get(f"{KONTO}/faktor.png").content.startswith(b"\x89PNG")
    answer = browser.post(f"{KONTO}/faktor/bestaetigen", {"code": "000000"})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    _, codes = enrolled(site, browser)
    assert len(codes) == 10
    assert "Unbenutzte Ersatzcodes: 10" in browser.get(KONTO).text
    assert browser.get(f"{KONTO}/faktor.png").status_code == HTTPStatus.NOT_FOUND
    other = site.browser()
    other.sign_in("agent1")
    assert other.post("/mitarbeit/anmelden/code", {"code": codes[0]}).status_code == HTTPStatus.SEE_OTHER
    assert "Unbenutzte Ersatzcodes: 9" in other.get(KONTO).text
    browser.post(f"{KONTO}/faktor/abschalten", {"current": PASSWORD})
    assert not site.accounts.get(account.id).has_totp


def test_new_account_gets_a_link_that_is_shown_once(site: StaffSite, admin: Browser) -> None:
    data = {"login": "Agent7", "name": "Standesamt", "roles": ["agent", "editor"]}
    answer = admin.post(KONTEN, data)
    link = re.search(r"<code>https://stadt.example(/mitarbeit/einrichten/[\w-]+)</code>", answer.text)
    assert link
    assert "einrichten" not in admin.get(KONTEN).text
    browser = site.browser()
    browser.post(link[1], {"password": PASSWORD, "again": PASSWORD})
    assert browser.sign_in("agent7").status_code == HTTPStatus.SEE_OTHER
    made = site.accounts.by_login("agent7")
    assert made
    assert made.roles == {Role.AGENT, Role.EDITOR}
    assert site.audit.entries(act="account_created")[0].actor_login == "admin1"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"login": "admin1", "name": "X"}, "gibt es schon"),
        ({"login": "a b", "name": "X"}, "geht nicht"),
        ({"login": "agent7", "name": " "}, "Namen"),
    ],
)
def test_what_is_wrong_with_a_new_account_is_said(admin: Browser, data: dict[str, str], error: str) -> None:
    answer = admin.post(KONTEN, data)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    assert error in answer.text


def test_changing_name_and_roles(site: StaffSite, admin: Browser) -> None:
    account = site.account()
    answer = admin.post(f"{KONTEN}/{account.id}", {"name": "Standesamt", "roles": ["supervisor"]})
    assert "gespeichert" in admin.get(answer.headers["location"]).text
    changed = site.accounts.get(account.id)
    assert (changed.name, changed.roles) == ("Standesamt", frozenset({Role.SUPERVISOR}))
    assert admin.post(f"{KONTEN}/{account.id}", {"name": "Standesamt"}).status_code == HTTPStatus.SEE_OTHER
    assert not site.accounts.get(account.id).roles
    answer = admin.post(f"{KONTEN}/{account.id}", {"name": "X", "roles": ["king"]})
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY


def test_deactivation_can_be_undone(site: StaffSite, admin: Browser) -> None:
    account = site.account()
    browser = site.browser_of(account)
    answer = admin.post(f"{KONTEN}/{account.id}/abschalten")
    assert browser.get(KONTO).status_code == HTTPStatus.SEE_OTHER
    page = admin.get(answer.headers["location"]).text
    assert "„Bürgerservice“ ist abgeschaltet." in page
    undo = re.search(r'action="([^"]+/anschalten)"', page)
    assert undo
    admin.post(undo[1])
    assert site.accounts.get(account.id).active


def test_last_admin_is_told_why_not(site: StaffSite, admin: Browser) -> None:
    own = site.accounts.by_login("admin1")
    assert own
    for path, data in (
        (f"{KONTEN}/{own.id}/abschalten", {}),
        (f"{KONTEN}/{own.id}", {"name": "X", "roles": ["agent"]}),
    ):
        answer = admin.post(path, data)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "letzte Konto" in answer.text
    assert admin.get(KONTEN).status_code == HTTPStatus.OK


def test_admin_stays_signed_in_after_changing_the_own_roles(site: StaffSite, admin: Browser) -> None:
    own = site.accounts.by_login("admin1")
    assert own
    admin.post(f"{KONTEN}/{own.id}", {"name": "Kontenverwaltung", "roles": ["admin", "agent"]})
    assert admin.get(KONTEN).status_code == HTTPStatus.OK


def test_reset_of_password_and_second_factor(site: StaffSite, admin: Browser) -> None:
    account = site.account()
    browser = site.browser_of(account)
    enrolled(site, browser)
    answer = admin.post(f"{KONTEN}/{account.id}/passwort")
    assert "/mitarbeit/einrichten/" in answer.text
    assert browser.get(KONTO).status_code == HTTPStatus.SEE_OTHER
    assert site.accounts.get(account.id).has_totp
    admin.post(f"{KONTEN}/{account.id}/faktor")
    assert not site.accounts.get(account.id).has_totp


def test_unknown_account(admin: Browser) -> None:
    for answer in (admin.get(f"{KONTEN}/nobody"), admin.post(f"{KONTEN}/nobody/abschalten")):
        assert answer.status_code == HTTPStatus.NOT_FOUND


def test_names_are_text_everywhere(site: StaffSite, admin: Browser) -> None:
    account = site.account("agent1", Role.AGENT, Role.SUPERVISOR, name=ATTACK)
    answer = admin.post(f"{KONTEN}/{account.id}/abschalten")
    pages = [
        browser_page.text
        for browser_page in (
            admin.get(KONTEN),
            admin.get(answer.headers["location"]),
            admin.get(f"{KONTEN}/{account.id}"),
            admin.get(PROTOKOLL),
            admin.post(f"{KONTEN}/{account.id}/passwort"),
        )
    ]
    for page in pages:
        assert ATTACK in unescape(page)
        assert ATTACK not in page


def test_audit_page_by_kind_person_and_page(site: StaffSite) -> None:
    browser = site.browser_of(site.account("leitung1", Role.SUPERVISOR))
    for number in range(60):
        site.audit.record("claim", actor=None, subject=f"Nummer {number}.")
    first = browser.get(PROTOKOLL).text
    assert "Nummer 59." in first
    assert "Nummer 9." not in first
    older = re.search(r'href="(\?[^"]*vor=\d+)"', first)
    assert older
    second = browser.get(PROTOKOLL + unescape(older[1])).text
    assert "Nummer 9." in second
    assert "Nummer 10." not in second
    assert "Neueste Einträge" in second
    logins = browser.get(PROTOKOLL, params={"was": "login", "wer": "Leitung1"}).text
    assert logins.count("<tr>") == 2
    assert "Dazu gibt es keine Einträge" in browser.get(PROTOKOLL, params={"wer": "nobody"}).text
    assert "vollständig und unverändert" in browser.get(PROTOKOLL, params={"pruefen": "1"}).text


def test_audit_page_shows_changes_in_german(site: StaffSite, admin: Browser) -> None:
    account = site.account()
    admin.post(f"{KONTEN}/{account.id}", {"name": "Standesamt", "roles": ["editor"]})
    page = admin.get(PROTOKOLL).text
    assert "Konto geändert" in page
    assert "Name: Bürgerservice → Standesamt; Rollen: Auskunft → Redaktion" in page
    assert "10.03.2026, 10:00:00" in page


def test_start_page_is_the_first_one_that_the_role_may_see(site: StaffSite, admin: Browser) -> None:
    assert site.browser_of(site.account()).get("/mitarbeit").headers["location"] == "/mitarbeit/plaetze"
    assert admin.get("/mitarbeit").headers["location"] == KONTO
