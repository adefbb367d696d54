from __future__ import annotations

import re
from http import HTTPStatus

import pyotp
import pytest
from httpx2 import Response

from core.accounts import Role
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring
from tests.core.staff_site import ORIGIN, PASSWORD, Browser, StaffSite, staff_site

COOKIE = "__Host-mitarbeit"
PAGE, API = "/mitarbeit/plaetze", "/mitarbeit/api/plaetze"


@pytest.fixture
def site(database: Database, clock: FixedClock, keyring: Keyring) -> StaffSite:
    return staff_site(database=database, clock=clock, keyring=keyring)


def problem(response: Response, status: HTTPStatus, code: str) -> None:
    assert response.status_code == status
    assert response.json()["type"] == f"/problems/{code}"
    assert response.json()["detail"].endswith(".")


def test_signing_in_and_out(site: StaffSite) -> None:
    browser = site.browser()
    site.account()
    answer = browser.sign_in("agent1", target="/mitarbeit/plaetze?seite=2")
    assert (answer.status_code, answer.headers["location"]) == (HTTPStatus.SEE_OTHER, "/mitarbeit/plaetze?seite=2")
    assert browser.get(PAGE).json() == "Bürgerservice"
    answer = browser.post("/mitarbeit/abmelden")
    assert answer.headers["location"] == "/mitarbeit/anmelden?abgemeldet=hier"
    assert COOKIE not in browser.client.cookies
    assert "Sie sind abgemeldet" in browser.get(answer.headers["location"]).text
    assert browser.get(PAGE).status_code == HTTPStatus.SEE_OTHER
    assert site.acts()[-2:] == ["login", "logout"]


def test_cookie_is_closed(site: StaffSite) -> None:
    site.account()
    cookie = site.browser().sign_in("agent1").headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "secure", "samesite=lax", "path=/"}
    cookie = Browser(site.app, "http://stadt.example").sign_in("agent1").headers["set-cookie"]
    assert cookie.startswith("mitarbeit=")
    assert "secure" not in cookie.lower()


def test_page_sends_to_sign_in_and_back(site: StaffSite) -> None:
    answer = site.browser().get(f"{PAGE}?seite=2")
    assert answer.status_code == HTTPStatus.SEE_OTHER
    assert answer.headers["location"] == "/mitarbeit/anmelden?weiter=%2Fmitarbeit%2Fplaetze%3Fseite%3D2"
    assert 'name="weiter" value="/mitarbeit/plaetze?seite=2"' in site.browser().get(answer.headers["location"]).text


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/mitarbeit",
        "/mitarbeit\\@evil.example",
        "/mitarbeiter",
        "/\t/evil.example",
        "/mitarbeit/\r\nSet-Cookie: x=y",
        "javascript:alert(1)",
        "/mitarbeit/anmelden",
        "/mitarbeit/ä",
        "",
    ],
)
def test_only_pages_of_ours_are_gone_to_after_sign_in(site: StaffSite, target: str) -> None:
    site.account()
    answer = site.browser().sign_in("agent1", target=target)
    assert (answer.status_code, answer.headers["location"]) == (HTTPStatus.SEE_OTHER, "/mitarbeit")


def test_errors_do_not_tell_whether_a_login_exists(site: StaffSite) -> None:
    site.account("agent1")
    gone = site.account("agent2")
    site.accounts.change(gone.id, by=None, active=False)
    answers = [site.browser().sign_in(login, "falsches Passwort") for login in ("agent1", "agent2", "agent3")]
    answers.append(site.browser().sign_in("agent2", PASSWORD))
    assert {answer.status_code for answer in answers} == {HTTPStatus.UNAUTHORIZED}
    assert len({re.sub(r'value="agent\d"', "", answer.text) for answer in answers}) == 1
    assert "passen nicht zusammen" in answers[0].text
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_failures_are_logged_by_login_only(site: StaffSite) -> None:
    site.account()
    site.browser().sign_in("agent1", "falsches Passwort")
    site.browser().sign_in("mein geheimes Passwort", "x")
    unknown, known = site.audit.entries(act="login_failed")
    assert (known.subject, known.actor, known.details) == ("agent1", None, {})
    assert unknown.subject == ""


def test_session_is_new_at_every_sign_in(site: StaffSite) -> None:
    """A token that somebody has planted in the browser does not become a session, an old session ends."""
    site.account()
    browser = site.browser()
    browser.client.cookies.set(COOKIE, "planted", domain="stadt.example", path="/")
    browser.sign_in("agent1")
    first = browser.client.cookies[COOKIE]
    assert first != "planted"
    browser.sign_in("agent1")
    assert browser.client.cookies[COOKIE] != first
    old = site.browser()
    old.client.cookies.set(COOKIE, first, domain="stadt.example", path="/")
    assert old.get(PAGE).status_code == HTTPStatus.SEE_OTHER


def test_too_many_tries_from_one_address(site: StaffSite) -> None:
    site.account()
    browser = site.browser()
    answers = [browser.sign_in(f"agent{number}", "x") for number in range(31)]
    assert [answer.status_code for answer in answers[29:]] == [HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS]
    assert int(answers[30].headers["retry-after"]) > 0
    assert "Zu viele Versuche" in answers[30].text
    assert browser.sign_in("agent1").status_code == HTTPStatus.TOO_MANY_REQUESTS


def test_too_many_tries_at_one_login(site: StaffSite) -> None:
    site.account("agent1")
    site.account("agent2")

    def try_from(number: int, login: str, password: str) -> HTTPStatus:
        data = {"login": login, "password": password}
        headers = {"Origin": ORIGIN, "X-Client": str(number)}
        answer = site.browser().client.post("/mitarbeit/anmelden", data=data, headers=headers)
        return HTTPStatus(answer.status_code)

    tries = [try_from(number, "Agent1 ", "x") for number in range(11)]
    assert tries[9:] == [HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS]
    assert try_from(12, "agent1", PASSWORD) == HTTPStatus.TOO_MANY_REQUESTS
    assert try_from(13, "agent2", PASSWORD) == HTTPStatus.SEE_OTHER


def test_sign_in_from_another_site_is_refused(site: StaffSite) -> None:
    site.account()
    data = {"login": "agent1", "password": PASSWORD}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}, {}):
        answer = site.browser().client.post("/mitarbeit/anmelden", data=data, headers=headers)
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "token", "allowed"),
    [
        ({"Origin": ORIGIN}, True, True),
        ({"Sec-Fetch-Site": "same-origin"}, True, True),
        ({"Origin": ORIGIN}, False, False),
        ({"Origin": "https://evil.example"}, True, False),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, True, False),
        ({"Origin": "null"}, True, False),
        ({}, True, False),
    ],
)
def test_unsafe_requests_need_token_and_own_origin(
    site: StaffSite, headers: dict[str, str], token: bool, allowed: bool
) -> None:
    browser = site.browser_of(site.account())
    csrf = browser.csrf() if token else "wrong"
    expected = HTTPStatus.OK if allowed else HTTPStatus.FORBIDDEN
    assert browser.client.post(PAGE, data={"csrf": csrf}, headers=headers).status_code == expected
    assert browser.client.post(PAGE, headers={**headers, "X-CSRF-Token": csrf}).status_code == expected
    assert browser.client.post(API, headers={**headers, "X-CSRF-Token": csrf}).status_code == expected
    assert browser.client.post(API, data={"csrf": csrf}, headers=headers).status_code == HTTPStatus.FORBIDDEN


def test_token_of_another_session_is_refused(site: StaffSite) -> None:
    account = site.account()
    other = site.browser_of(account).csrf()
    browser = site.browser_of(account)
    answer = browser.client.post(PAGE, data={"csrf": other}, headers={"Origin": ORIGIN})
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert "Die Seite ist veraltet" in answer.text


def test_api_answers_with_problem_documents(site: StaffSite) -> None:
    problem(site.browser().get(API), HTTPStatus.UNAUTHORIZED, "not-signed-in")
    browser = site.browser_of(site.account("editor1", Role.EDITOR))
    problem(browser.get(API), HTTPStatus.FORBIDDEN, "role-missing")
    agent = site.browser_of(site.account())
    problem(agent.client.post(API, headers={"Origin": ORIGIN}), HTTPStatus.FORBIDDEN, "csrf")


def test_missing_role_is_named(site: StaffSite) -> None:
    answer = site.browser_of(site.account("admin1", Role.ADMIN, Role.EDITOR)).get(PAGE)
    assert answer.status_code == HTTPStatus.FORBIDDEN
    assert re.search(r"Nötige Rolle</dt>\s*<dd>Auskunft", answer.text)
    assert "Kontenverwaltung, Redaktion" in answer.text


def test_deactivation_and_idleness_end_what_is_open(site: StaffSite) -> None:
    account = site.account()
    browser = site.browser_of(account)
    site.clock.advance(minutes=60)
    assert browser.get(PAGE).status_code == HTTPStatus.SEE_OTHER
    browser = site.browser_of(account)
    site.accounts.change(account.id, by=None, active=False)
    assert browser.get(API).status_code == HTTPStatus.UNAUTHORIZED


def test_second_factor(site: StaffSite) -> None:
    account = site.account()
    totp = pyotp.TOTP(site.accounts.begin_totp(account.id))
    site.accounts.enable_totp(account.id, totp.at(site.clock.now()), by=account)
    site.clock.advance(seconds=30)
    browser = site.browser()
    answer = browser.sign_in("agent1", target=PAGE)
    assert answer.headers["location"] == "/mitarbeit/anmelden/code"
    assert COOKIE not in browser.client.cookies
    assert browser.get(PAGE).status_code == HTTPStatus.SEE_OTHER
    assert "Zweiter Faktor" in browser.get("/mitarbeit/anmelden/code").text
    answer = browser.post("/mitarbeit/anmelden/code", {"code": "000000"})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    answer = browser.post("/mitarbeit/anmelden/code", {"code": totp.at(site.clock.now())})
    assert (answer.status_code, answer.headers["location"]) == (HTTPStatus.SEE_OTHER, PAGE)
    assert browser.get(PAGE).status_code == HTTPStatus.OK
    assert site.acts()[-2:] == ["login_failed", "login"]


def test_second_factor_cannot_be_tried_for_long(site: StaffSite) -> None:
    account = site.account()
    totp = pyotp.TOTP(site.accounts.begin_totp(account.id))
    site.accounts.enable_totp(account.id, totp.at(site.clock.now()), by=account)
    site.clock.advance(seconds=30)
    browser = site.browser()
    browser.sign_in("agent1")
    for _ in range(5):
        browser.post("/mitarbeit/anmelden/code", {"code": "000000"})
    answer = browser.post("/mitarbeit/anmelden/code", {"code": totp.at(site.clock.now())})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert "von vorn" in answer.text
    browser = site.browser()
    browser.sign_in("agent1")
    site.clock.advance(minutes=10)
    answer = browser.post("/mitarbeit/anmelden/code", {"code": totp.at(site.clock.now())})
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_setup_link(site: StaffSite) -> None:
    account = site.accounts.create(login="agent1", name="Bürgerservice", roles=[Role.AGENT], by=None)
    link = f"/mitarbeit/einrichten/{site.accounts.begin_setup(account.id, by=None)}"
    browser = site.browser()
    assert "agent1" in browser.get(link).text
    for password, again, error in (
        (PASSWORD, "anders als das", "verschieden"),
        ("kurz", "kurz", "zu kurz"),
        ("Passwort1234", "Passwort1234", "leicht zu erraten"),
    ):
        answer = browser.post(link, {"password": password, "again": again})
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert error in answer.text
    assert "gespeichert" in browser.post(link, {"password": PASSWORD, "again": PASSWORD}).text
    assert browser.sign_in("agent1").status_code == HTTPStatus.SEE_OTHER
    for answer in (browser.get(link), browser.post(link, {"password": PASSWORD, "again": PASSWORD})):
        assert answer.status_code == HTTPStatus.NOT_FOUND
        assert "gilt nicht mehr" in answer.text


def test_pages_are_closed_by_their_headers(site: StaffSite) -> None:
    for answer in (
        site.browser().get("/mitarbeit/anmelden"),
        site.browser_of(site.account("editor1", Role.EDITOR)).get(PAGE),
    ):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "<style" not in answer.text
        assert not re.search(r"<script(?! src=)", answer.text)


def test_what_was_typed_is_text(site: StaffSite) -> None:
    attack = '"><script>alert(1)</script>'
    answer = site.browser().sign_in(attack, "x", target=f"/mitarbeit/{attack}")
    assert answer.status_code == HTTPStatus.UNAUTHORIZED
    assert "<script>alert" not in answer.text
    answer = site.browser().get("/mitarbeit/anmelden", params={"weiter": f"/mitarbeit/{attack}"})
    assert "<script>alert" not in answer.text
