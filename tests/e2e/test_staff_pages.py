"""Sign-in, own account, accounts and audit log in a browser: by axe-core, by keyboard, in every look."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Page, expect

from core.accounts import Role
from tests.e2e.test_accessibility import violations
from tests.running import RunningService
from tests.staff_client import PASSWORD, add_staff

LOOKS: dict[str, dict[str, object]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "tablet": {"viewport": {"width": 768, "height": 1024}},
}
PAGES = ("konto", "konten", "konten/neu", "protokoll")
NEW_PASSWORD = "Leuchtturm ohne Meerblick"


@pytest.fixture
def context_options(request: pytest.FixtureRequest) -> dict[str, object]:
    look = request.node.callspec.params.get("look", "light") if hasattr(request.node, "callspec") else "light"
    return LOOKS[look]


@pytest.fixture
def login(service: RunningService) -> str:
    """A new account that may do everything."""
    login = f"person-{secrets.token_hex(4)}"
    add_staff(service, login, *Role, name="Kontenverwaltung")
    return login


@pytest.fixture
def visit(page: Page, service: RunningService) -> Callable[[str], Page]:
    def visit(path: str) -> Page:
        page.goto(f"{service.url}/mitarbeit/{path}")
        return page

    return visit


@pytest.fixture
def signed_in(visit: Callable[[str], Page], login: str) -> Page:
    page = visit("konto")
    sign_in(page, login)
    expect(page.get_by_role("heading", name="Mein Konto")).to_be_visible()
    return page


def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    page.get_by_label("Anmeldename").fill(login)
    page.get_by_label("Passwort", exact=True).fill(password)
    page.get_by_role("button", name="Anmelden").click()


def assert_in_order(page: Page) -> None:
    """Axe finds nothing, and nothing makes the page wider than the window."""
    assert violations(page) == []
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("look", LOOKS)
def test_sign_in_is_accessible(visit: Callable[[str], Page], look: str) -> None:
    page = visit("anmelden")
    assert_in_order(page)
    sign_in(page, "nobody", "x")
    expect(page.get_by_role("alert")).to_contain_text("passen nicht zusammen")
    assert_in_order(page)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_are_accessible(signed_in: Page, visit: Callable[[str], Page], look: str) -> None:
    for path in PAGES:
        page = visit(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_in_order(page)
    visit("konten").get_by_role("row").nth(1).get_by_role("link").click()
    assert_in_order(signed_in)


@pytest.mark.parametrize("chosen", ["Hell", "Dunkel", "Hoher Kontrast"])
def test_chosen_look_is_kept_and_accessible(signed_in: Page, visit: Callable[[str], Page], chosen: str) -> None:
    signed_in.get_by_label("Darstellung").select_option(chosen)
    page = visit("konten")
    expect(page.get_by_label("Darstellung")).to_have_value({"Hell": "light", "Dunkel": "dark"}.get(chosen, "contrast"))
    assert violations(page) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (chosen != "Hell")


def test_signing_in_by_keyboard(visit: Callable[[str], Page], login: str) -> None:
    page = visit("protokoll")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Zum Inhalt")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Anmeldename")).to_be_focused()
    page.keyboard.type(login)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Protokoll")).to_be_visible()
    expect(page.get_by_role("link", name="Protokoll")).to_have_attribute("aria-current", "page")


def test_every_focus_can_be_seen(signed_in: Page) -> None:
    seen = set()
    for _ in range(30):
        signed_in.keyboard.press("Tab")
        name, style, width = signed_in.evaluate(
            """() => {
                const focused = document.activeElement, style = getComputedStyle(focused);
                return [focused.innerText || focused.name || focused.localName, style.outlineStyle, style.outlineWidth];
            }"""
        )
        if name == "body" or signed_in.evaluate("document.activeElement === document.body"):
            break
        assert (style, width) == ("solid", "3px"), name
        seen.add(name)
    assert len(seen) > 6


def test_second_factor_and_recovery_codes(signed_in: Page, visit: Callable[[str], Page], login: str) -> None:
    page = signed_in
    page.get_by_role("button", name="Zweiten Faktor einrichten").click()
    picture = page.get_by_role("img", name=re.compile("QR-Code"))
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 100
    assert_in_order(page)
    totp = pyotp.TOTP((page.locator("code").text_content() or "").replace(" ", ""))
    page.get_by_label("Code").fill(totp.now())
    page.get_by_role("button", name="Einschalten").click()
    expect(page.get_by_role("heading", name="Ersatzcodes")).to_be_visible()
    assert_in_order(page)
    codes = page.locator("main code").all_text_contents()
    assert len(codes) == 10
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_role("status")).to_have_text("Sie sind abgemeldet.")
    sign_in(page, login)
    expect(page.get_by_role("heading", name="Zweiter Faktor")).to_be_visible()
    assert_in_order(page)
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Weiter").click()
    page = visit("konto")
    expect(page.get_by_text("Unbenutzte Ersatzcodes: 9.")).to_be_visible()


def test_account_from_its_making_to_its_undone_deactivation(
    signed_in: Page, visit: Callable[[str], Page], service: RunningService
) -> None:
    page = visit("konten")
    page.get_by_role("link", name="Neues Konto").click()
    new = f"neu-{secrets.token_hex(4)}"
    page.get_by_label("Anmeldename").fill(new)
    page.get_by_label("Name", exact=True).fill("Standesamt <b>")
    page.get_by_label("Auskunft").check()
    page.get_by_role("button", name="Konto anlegen").click()
    link = page.locator("main code").text_content() or ""
    assert link.startswith(f"{service.url}/mitarbeit/einrichten/")
    assert_in_order(page)
    page.get_by_role("link", name="Zurück zu den Konten").click()
    page.get_by_role("row", name=re.compile(new)).get_by_role("link", name="Standesamt <b>").click()
    page.get_by_role("button", name="Konto abschalten").click()
    row = page.get_by_role("row", name=re.compile(new))
    expect(row).to_contain_text("abgeschaltet")
    assert_in_order(page)
    page.get_by_role("button", name="Rückgängig").click()
    expect(row).to_contain_text("aktiv")
    page.get_by_role("button", name="Abmelden").click()
    page.goto(link)
    assert_in_order(page)
    page.get_by_label("Neues Passwort", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Neues Passwort, noch einmal").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Passwort speichern").click()
    expect(page.get_by_role("status")).to_contain_text("Ihr Passwort ist gespeichert")
    sign_in(page, new, NEW_PASSWORD)
    page.wait_for_url(lambda address: "/anmelden" not in address)
    page = visit("konten")
    expect(page.get_by_role("heading", name="Dafür fehlt Ihnen eine Rolle")).to_be_visible()
    assert_in_order(page)
