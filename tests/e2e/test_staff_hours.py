"""Supervisors change hours and switch the bot off, in a browser and before citizens' eyes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from core.accounts import Role
from tests.e2e.test_accessibility import violations
from tests.running import RunningService
from tests.staff_client import PASSWORD, add_staff

LOGIN = "leitung-zeiten"
DAY = dt.date.today() + dt.timedelta(days=300)
"""Far enough that no other test asks about it."""
LOOKS: dict[str, dict[str, object]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "tablet": {"viewport": {"width": 768, "height": 1024}},
}


@pytest.fixture(scope="module")
def signed_in(browser: Browser, service: RunningService) -> str:
    """The browser's state after a supervisor has signed in."""
    add_staff(service, LOGIN, Role.SUPERVISOR, name="Leitung")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{service.url}/mitarbeit/anmelden")
    page.get_by_label("Anmeldename").fill(LOGIN)
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    page.wait_for_url("**/mitarbeit/**")
    state = context.storage_state()
    context.close()
    return state  # type: ignore[return-value]  # a dict that the next context takes


@pytest.fixture
def context_options(request: pytest.FixtureRequest, signed_in: str) -> dict[str, object]:
    look = request.node.callspec.params.get("look", "light") if hasattr(request.node, "callspec") else "light"
    return {"storage_state": signed_in, **LOOKS[look]}


@pytest.fixture
def visit(page: Page, service: RunningService) -> Callable[[str], Page]:
    def visit(path: str) -> Page:
        page.goto(f"{service.url}/mitarbeit{path}")
        return page

    return visit


@pytest.fixture
def switched_on(page: Page, service: RunningService) -> Iterator[None]:
    """Leaves no notice behind."""
    yield
    page.goto(f"{service.url}/mitarbeit/hinweise")
    ending = page.get_by_role("button", name="Bot wieder einschalten").or_(page.get_by_role("button", name="Beenden"))
    while ending.count():
        ending.first.click()


def enter(page: Page, reason: str) -> None:
    form = page.locator("form.sheet")
    form.get_by_label("Erster Tag").fill(DAY.isoformat())
    form.get_by_label("Stelle").select_option("standesamt")
    form.get_by_label("Sonderöffnung").check()
    form.get_by_label("Zeiten", exact=True).fill("9 bis 13 Uhr")
    form.get_by_label("Grund").fill(reason)
    form.get_by_role("button", name="Eintragen").click()


def test_a_special_opening_is_entered_changed_deleted_and_brought_back(visit: Callable[[str], Page]) -> None:
    page = visit("/zeiten")
    enter(page, "Trausamstag")
    expect(page.get_by_role("status")).to_have_text("Gespeichert. Das gilt ab sofort.")
    row = page.get_by_role("row").filter(has_text="Trausamstag")
    expect(row).to_contain_text("9–13 Uhr")

    row.get_by_role("link", name="Bearbeiten").click()
    page.get_by_label("Grund").fill("Langer Trausamstag")
    page.get_by_role("button", name="Speichern").click()
    row = page.get_by_role("row").filter(has_text="Langer Trausamstag")
    row.get_by_role("button", name="Löschen").click()

    expect(row).to_have_count(0)
    page.get_by_role("button", name="Rückgängig").click()
    expect(row).to_have_count(1)
    row.get_by_role("button", name="Löschen").click()
    expect(row).to_have_count(0)


def test_fields_that_do_not_matter_are_not_shown(visit: Callable[[str], Page]) -> None:
    page = visit("/zeiten")
    expect(page.get_by_label("Zeiten", exact=True)).to_be_hidden()
    page.get_by_role("radio", name="Sonderöffnung").check()
    expect(page.get_by_label("Zeiten", exact=True)).to_be_visible()


def test_everything_by_keyboard(visit: Callable[[str], Page]) -> None:
    page = visit("/zeiten")
    page.get_by_label("Letzter Tag (leer: nur ein Tag)").focus()
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.id") != "office":
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Tab")
    page.keyboard.type("9-13")
    page.keyboard.press("Tab")
    page.keyboard.type("Ohne Maus")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Bitte prüfen Sie die markierten Felder")
    expect(page.get_by_label("Erster Tag")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Grund")).to_have_value("Ohne Maus")
    expect(page.get_by_label("Zeiten", exact=True)).to_have_value("9-13")


def test_the_bot_is_off_and_on_before_citizens_eyes_within_five_seconds(
    visit: Callable[[str], Page], service: RunningService, switched_on: None
) -> None:
    def bot_answers() -> bool:
        return bool(httpx.get(f"{service.url}/api/chat/sites/jena").json()["bot"])

    page = visit("/hinweise")
    expect(page.get_by_role("heading", name="Der Bot antwortet.")).to_be_visible()
    page.get_by_label("Den Bot ausschalten").check()
    page.get_by_label("Text des Hinweises").fill("Wir beheben eine Störung.")
    page.get_by_label("Begründung").fill("Probe")
    page.get_by_role("button", name="Jetzt setzen").click()
    expect(page.get_by_role("heading", name="Der Bot ist aus seit")).to_be_visible()
    assert not bot_answers()

    begun = httpx.post(f"{service.url}/api/chat/conversations", json={"site": "jena"}).json()
    said = httpx.post(
        f"{service.url}/api/chat/conversations/{begun['id']}/messages",
        json={"text": "Was kostet ein Personalausweis?"},
        headers={"Authorization": f"Bearer {begun['token']}"},
    ).json()
    assert "Wir beheben eine Störung." in said["messages"][-1]["text"]

    page.get_by_role("button", name="Bot wieder einschalten").click()
    expect(page.get_by_role("heading", name="Der Bot antwortet.")).to_be_visible()
    assert bot_answers()


PAGES: dict[str, Callable[[Page], object]] = {
    "/zeiten": lambda page: None,
    "/zeiten?fehler": lambda page: page.get_by_role("button", name="Eintragen").click(),
    "/zeiten/stellen/buergerservice": lambda page: None,
    "/zeiten/stellen/zentrale": lambda page: page.get_by_role("button", name="Speichern").first.click(),
    "/hinweise": lambda page: None,
    "/hinweise?vorschau": lambda page: _preview(page),
}


def _preview(page: Page) -> None:
    page.get_by_label("Den Bot ausschalten").check()
    page.get_by_label("Text des Hinweises").fill("Wir beheben eine **Störung**.")
    page.get_by_label("Begründung").fill("Probe")
    page.get_by_role("button", name="Vorschau").click()


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(visit: Callable[[str], Page], path: str, look: str, output: Path) -> None:
    page = visit(path)
    PAGES[path](page)
    page.screenshot(path=output / f"leitung{path.replace('/', '-').replace('?', '-')}-{look}.png", full_page=True)
    assert violations(page) == []
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert width == 0
