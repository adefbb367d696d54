"""Signing in by an identity provider, with a real one behind it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from html import unescape
from http import HTTPStatus

import httpx2
import pytest
from joserfc import jwk, jwt
from pydantic import SecretStr, ValidationError

from core.accounts import Role
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring
from core.settings import OidcSettings, StaffSettings
from tests.core.identity_provider import SECRET, IdentityProvider, identity_provider
from tests.core.staff_site import PASSWORD, Browser, StaffSite, staff_site

START = "/mitarbeit/anmelden/stadt"
PAGE = "/mitarbeit/plaetze"
Site = Callable[..., StaffSite]


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def now() -> FixedClock:
    """The provider's clock is the machine's, so ours begins there."""
    return FixedClock(dt.datetime.now(dt.UTC))


@pytest.fixture
def site(database: Database, now: FixedClock, keyring: Keyring, provider: IdentityProvider) -> Site:
    def site(**settings: object) -> StaffSite:
        oidc = OidcSettings(
            issuer=provider.issuer,
            client_id="stadtbot",
            client_secret=SecretStr(SECRET),
            scopes="openid profile email groups",
            **settings,  # type: ignore[arg-type]
        )
        return staff_site(database=database, clock=now, keyring=keyring, settings=StaffSettings(oidc=oidc))

    return site


def begin(browser: Browser, target: str = PAGE) -> str:
    """Leave for the provider; gives the address there."""
    answer = browser.get(START, params={"weiter": target})
    assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text
    return answer.headers["location"]


def sign_in(browser: Browser, provider: IdentityProvider, person: str, target: str = PAGE) -> httpx2.Response:
    return browser.get(provider.authorize(begin(browser, target), person))


def assert_refused(answer: httpx2.Response, status: HTTPStatus, sentence: str, browser: Browser) -> None:
    assert (answer.status_code, sentence in answer.text) == (status, True), answer.text
    assert "__Host-mitarbeit" not in browser.client.cookies
    assert browser.get(PAGE).status_code == HTTPStatus.SEE_OTHER


def linked(site: StaffSite, provider: IdentityProvider, login: str = "agent1", *roles: Role) -> None:
    account = site.accounts.create(login=login, name="Auskunft", roles=roles or (Role.AGENT,), by=None)
    site.accounts.link(account.id, issuer=provider.issuer, subject=login, by=None)


def test_known_person_gets_in(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    linked(staff, provider)
    browser = staff.browser()
    answer = sign_in(browser, provider, "agent1", f"{PAGE}?seite=2")
    assert (answer.status_code, answer.headers["location"]) == (HTTPStatus.SEE_OTHER, f"{PAGE}?seite=2")
    assert browser.get(PAGE).json() == "Auskunft"
    entry = staff.audit.entries(act="login")[0]
    assert (entry.actor_login, entry.details) == ("agent1", {"provider": provider.issuer})


def test_request_carries_what_protects_it(site: Site, provider: IdentityProvider) -> None:
    browser = site().browser()
    first, second = httpx2.URL(begin(browser)).params, httpx2.URL(begin(browser)).params
    assert first["response_type"] == "code"
    assert first["code_challenge_method"] == "S256"
    assert first["redirect_uri"] == "https://stadt.example/mitarbeit/anmelden/stadt/zurueck"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]


def test_button_stands_on_the_sign_in_page(site: Site) -> None:
    page = site(label="Mit dem Stadtkonto").browser().get("/mitarbeit/anmelden", params={"weiter": PAGE}).text
    assert re.search(
        r'href="/mitarbeit/anmelden/stadt\?weiter=(/|%2F)mitarbeit(/|%2F)plaetze">Mit dem Stadtkonto<', page
    )


def test_unknown_person_gets_in_only_where_accounts_are_made(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    browser = staff.browser()
    answer = sign_in(browser, provider, "agent1")
    assert_refused(answer, HTTPStatus.FORBIDDEN, "noch kein Konto", browser)
    assert staff.accounts.all() == []
    assert staff.acts() == ["login_failed"]
    staff = site(create_accounts=True)
    browser = staff.browser()
    assert sign_in(browser, provider, "agent1").status_code == HTTPStatus.SEE_OTHER
    (account,) = staff.accounts.all()
    assert (account.login, account.name, account.roles) == ("agent1", "Bürgerservice", frozenset())
    assert (account.has_password, account.provider) == (False, provider.issuer)


def test_login_that_is_taken_is_not_taken_over(site: Site, provider: IdentityProvider) -> None:
    staff = site(create_accounts=True)
    staff.account("agent1")
    browser = staff.browser()
    assert_refused(sign_in(browser, provider, "agent1"), HTTPStatus.FORBIDDEN, "schon ein Konto", browser)


def test_roles_follow_the_claim(site: Site, provider: IdentityProvider) -> None:
    mapping = {"auskunft": Role.AGENT, "leitung": Role.SUPERVISOR}
    staff = site(create_accounts=True, roles_claim="groups", roles=mapping)
    sign_in(staff.browser(), provider, "leitung1")
    account = staff.accounts.by_login("leitung1")
    assert account
    assert account.roles == {Role.AGENT, Role.SUPERVISOR}
    staff = site(roles_claim="groups", roles={"leitung": Role.EDITOR})
    browser = staff.browser()
    sign_in(browser, provider, "leitung1")
    assert staff.accounts.get(account.id).roles == {Role.EDITOR}
    assert browser.get(PAGE).status_code == HTTPStatus.FORBIDDEN
    refused = staff.browser()
    assert_refused(sign_in(refused, provider, "guest1"), HTTPStatus.FORBIDDEN, "noch kein Konto", refused)
    staff = site(create_accounts=True, roles_claim="groups", roles=mapping)
    refused = staff.browser()
    assert_refused(sign_in(refused, provider, "guest1"), HTTPStatus.FORBIDDEN, "keine Rolle", refused)


def test_claim_does_not_take_the_last_admin_away(site: Site, provider: IdentityProvider) -> None:
    staff = site(roles_claim="groups", roles={"auskunft": Role.AGENT})
    linked(staff, provider, "agent1", Role.ADMIN)
    assert sign_in(staff.browser(), provider, "agent1").status_code == HTTPStatus.SEE_OTHER
    account = staff.accounts.by_login("agent1")
    assert account
    assert account.roles == {Role.ADMIN}


def test_inactive_account_stays_out(site: Site, provider: IdentityProvider) -> None:
    staff = site(create_accounts=True)
    linked(staff, provider)
    account = staff.accounts.by_login("agent1")
    assert account
    staff.accounts.change(account.id, by=None, active=False)
    browser = staff.browser()
    assert_refused(sign_in(browser, provider, "agent1"), HTTPStatus.FORBIDDEN, "abgeschaltet", browser)


def test_answer_counts_once_and_in_its_own_browser_only(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    linked(staff, provider)
    browser, stranger = staff.browser(), staff.browser()
    back = provider.authorize(begin(browser), "agent1")
    begin(stranger)
    for other in (stranger, staff.browser()):
        assert_refused(other.get(back), HTTPStatus.BAD_REQUEST, "schon benutzt", other)
    cookie = browser.client.cookies["mitarbeit-stadt"]
    assert browser.get(back).status_code == HTTPStatus.SEE_OTHER
    again = staff.browser()
    again.client.cookies.set("mitarbeit-stadt", cookie, domain="stadt.example", path=START)
    assert_refused(again.get(back), HTTPStatus.BAD_REQUEST, "schon benutzt", again)


def test_wrong_state_and_late_answer(site: Site, provider: IdentityProvider, now: FixedClock) -> None:
    staff = site()
    linked(staff, provider)
    browser = staff.browser()
    back = httpx2.URL(provider.authorize(begin(browser), "agent1"))
    assert_refused(
        browser.get(str(back.copy_set_param("state", "x" * 43))), HTTPStatus.BAD_REQUEST, "schon benutzt", browser
    )
    browser = staff.browser()
    back = httpx2.URL(provider.authorize(begin(browser), "agent1"))
    now.advance(minutes=10)
    assert_refused(browser.get(str(back)), HTTPStatus.BAD_REQUEST, "zu lange", browser)


def test_wrong_code_and_wrong_issuer(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    linked(staff, provider)
    for name, value in (("code", "x" * 43), ("iss", "https://evil.example")):
        browser = staff.browser()
        back = httpx2.URL(provider.authorize(begin(browser), "agent1")).copy_set_param(name, value)
        assert_refused(browser.get(str(back)), HTTPStatus.UNAUTHORIZED, "nicht gültig", browser)
    browser = staff.browser()
    back = httpx2.URL(provider.authorize(begin(browser), "agent1")).copy_remove_param("iss")
    assert_refused(browser.get(str(back)), HTTPStatus.UNAUTHORIZED, "nicht gültig", browser)
    assert staff.acts()[-3:] == ["login_failed"] * 3


def test_person_who_breaks_off_is_told_so(site: Site, provider: IdentityProvider) -> None:
    browser = site().browser()
    state = httpx2.URL(begin(browser)).params["state"]
    back = f"{START}/zurueck"
    answer = browser.get(back, params={"state": state, "error": "access_denied", "iss": provider.issuer})
    assert_refused(answer, HTTPStatus.UNAUTHORIZED, "abgebrochen", browser)


@pytest.mark.parametrize("forgery", ["audience", "nonce", "person", "unsigned", "shared secret", "foreign key"])
def test_forged_id_token_is_refused(site: Site, provider: IdentityProvider, forgery: str) -> None:
    """Each token is right but for one thing."""
    staff = site()
    linked(staff, provider)
    linked(staff, provider, "leitung1")
    browser = staff.browser()
    address = begin(browser)
    nonce = httpx2.URL(address).params["nonce"]
    back = provider.authorize(address, "agent1")
    provider.answer_next_with(_forged(provider, forgery, nonce))
    assert_refused(browser.get(back), HTTPStatus.UNAUTHORIZED, "nicht gültig", browser)


def _forged(provider: IdentityProvider, forgery: str, nonce: str) -> str:
    if forgery == "audience":
        return provider.id_token(client_id="other", nonce=nonce, person="agent1")
    if forgery == "nonce":
        return provider.id_token(client_id="stadtbot", nonce="another", person="agent1")
    if forgery == "person":
        return provider.id_token(client_id="stadtbot", nonce=nonce, person="leitung1")
    real = provider.id_token(client_id="stadtbot", nonce=nonce, person="agent1")
    if forgery == "unsigned":
        return f"eyJhbGciOiJub25lIn0.{real.split('.')[1]}."
    kid = jwk.KeySet.import_key_set(httpx2.get(f"{provider.issuer}/jwks").json()).keys[0].kid
    claims = {
        "iss": provider.issuer,
        "sub": "agent1",
        "aud": "stadtbot",
        "nonce": nonce,
        "iat": int(dt.datetime.now(dt.UTC).timestamp()),
        "exp": int(dt.datetime.now(dt.UTC).timestamp()) + 300,
    }
    if forgery == "shared secret":
        key: jwk.Key = jwk.OctKey.import_key(SECRET)
        return jwt.encode({"alg": "HS256", "kid": kid or ""}, claims, key)
    return jwt.encode({"alg": "RS256", "kid": kid or ""}, claims, jwk.RSAKey.generate_key(2048))


def test_right_token_of_the_same_way_is_taken(site: Site, provider: IdentityProvider) -> None:
    """What the forgeries differ from."""
    staff = site()
    linked(staff, provider)
    browser = staff.browser()
    address = begin(browser)
    back = provider.authorize(address, "agent1")
    nonce = httpx2.URL(address).params["nonce"]
    provider.answer_next_with(provider.id_token(client_id="stadtbot", nonce=nonce, person="agent1"))
    assert browser.get(back).headers["location"] == PAGE


def test_id_token_that_has_expired_is_refused(site: Site, provider: IdentityProvider, now: FixedClock) -> None:
    staff = site()
    linked(staff, provider)
    browser = staff.browser()
    back = provider.authorize(begin(browser), "agent1")
    now.advance(minutes=7)
    assert_refused(browser.get(back), HTTPStatus.UNAUTHORIZED, "nicht gültig", browser)


def test_provider_that_is_down_does_not_keep_anyone_out(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    staff.account("agent1")
    browser = staff.browser()
    back = provider.authorize(begin(browser), "leitung1")
    provider.stop()
    try:
        assert_refused(browser.get(back), HTTPStatus.BAD_GATEWAY, "geht gerade nicht", browser)
        fresh = site().browser()
        assert_refused(fresh.get(START), HTTPStatus.BAD_GATEWAY, "geht gerade nicht", fresh)
        assert browser.sign_in("agent1", PASSWORD).status_code == HTTPStatus.SEE_OTHER
    finally:
        provider.start()


def test_new_keys_of_the_provider_are_asked_for(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    linked(staff, provider)
    assert sign_in(staff.browser(), provider, "agent1").status_code == HTTPStatus.SEE_OTHER
    provider.stop()
    provider.start()
    assert sign_in(staff.browser(), provider, "agent1").headers["location"] == PAGE


def test_provider_with_another_issuer_is_not_believed(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    other = staff_site(
        database=staff.database,
        clock=staff.clock,
        keyring=staff.keyring,
        settings=StaffSettings(oidc=OidcSettings(issuer=f"http://localhost:{provider.port}", client_id="stadtbot")),
    )
    assert other.browser().get(START).status_code == HTTPStatus.BAD_GATEWAY


def test_linking_an_account_and_taking_the_link_away(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    account = staff.account("agent1")
    browser = staff.browser_of(account)
    answer = browser.post("/mitarbeit/konto/stadt")
    address = unescape(answer.headers["refresh"].partition("url=")[2])
    answer = browser.get(provider.authorize(address, "leitung1"))
    assert "jetzt mit dem Konto der Stadt verbunden" in browser.get(answer.headers["location"]).text
    assert sign_in(staff.browser(), provider, "leitung1").headers["location"] == PAGE
    other = staff.browser_of(staff.account("agent2"))
    address = other.post("/mitarbeit/konto/stadt").headers["refresh"].partition("url=")[2]
    answer = other.get(provider.authorize(address, "leitung1"))
    assert "schon zu einem anderen Konto" in other.get(answer.headers["location"]).text
    answer = browser.post("/mitarbeit/konto/stadt/loesen")
    assert "gelöst" in browser.get(answer.headers["location"]).text
    refused = staff.browser()
    assert_refused(sign_in(refused, provider, "leitung1"), HTTPStatus.FORBIDDEN, "noch kein Konto", refused)


def test_link_is_made_only_by_who_began_it(site: Site, provider: IdentityProvider) -> None:
    """Another account that signs in meanwhile in the same browser is not linked."""
    staff = site()
    browser = staff.browser_of(staff.account("agent1"))
    address = browser.post("/mitarbeit/konto/stadt").headers["refresh"].partition("url=")[2]
    other = staff.account("agent2")
    browser.sign_in("agent2")
    assert browser.get(provider.authorize(address, "leitung1")).status_code == HTTPStatus.BAD_REQUEST
    assert staff.accounts.get(other.id).provider is None


def test_signing_out_offers_the_provider_as_well(site: Site, provider: IdentityProvider) -> None:
    staff = site()
    linked(staff, provider)
    browser = staff.browser()
    sign_in(browser, provider, "agent1")
    answer = browser.post("/mitarbeit/abmelden")
    assert browser.get(PAGE).status_code == HTTPStatus.SEE_OTHER
    page = browser.get(answer.headers["location"]).text
    link = re.search(rf'href="({provider.issuer}/session/end[^"]+)"', page)
    assert link
    with httpx2.Client() as client:
        assert client.get(unescape(link[1])).status_code == HTTPStatus.OK


@pytest.mark.parametrize("issuer", ["http://login.example", "login.example", "http://127.0.0.1.evil.example"])
def test_provider_without_encryption_is_refused(issuer: str) -> None:
    with pytest.raises(ValidationError):
        OidcSettings(issuer=issuer)
