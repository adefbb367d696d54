"""The pages beside the workspace in a browser: callbacks, canned replies, search, team."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete

from core.accounts import Role
from core.database import Database
from handover.models import CallbackRow
from tests.chat_client import Chat
from tests.e2e.test_accessibility import violations
from tests.running import RunningService
from tests.staff_client import PASSWORD, Staff, add_staff

LOOKS: dict[str, dict[str, object]] = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced": {"forced_colors": "active"},
    "tablet": {"viewport": {"width": 768, "height": 1024}},
}
CONCERN = "Mein Personalausweis ist abgelaufen. Ich brauche bald einen Termin."


@dataclass(frozen=True, kw_only=True)
class Lists:
    """A service in which something has happened already; `member` is an agent whom a supervisor may change."""

    service: RunningService
    conversation: str
    member: str


@pytest.fixture(scope="module")
def lists(staffed_service: RunningService) -> Iterator[Lists]:
    """Callbacks of the citizens' office, one conversation that is over, a supervisor and two agents."""
    add_staff(staffed_service, "listen", Role.AGENT, Role.SUPERVISOR, departments=["zentrale", "buergerservice"])
    member = add_staff(staffed_service, "listen2", name="Frau Mitglied", departments=["buergerservice"], extension="21")
    agent = Staff(staffed_service.url, "listen")
    try:
        agent.come()
        conversation = _talk(staffed_service, agent)
        _forget_callbacks(staffed_service)
        _leave_callbacks(staffed_service)
        agent.come("offline")
        yield Lists(service=staffed_service, conversation=conversation, member=member)
        agent.come("offline")
    finally:
        agent.close()


def _talk(service: RunningService, agent: Staff) -> str:
    """A citizen and an agent talk about a lost umbrella."""
    chat = Chat(service.url)
    chat.say("Was kostet ein Personalausweis?")
    with agent.events():
        chat.request("POST", "/handover").raise_for_status()
        [waiting] = [one for one in agent.board()["waiting"] if one["conversation"] == chat.id]
        agent.claim(waiting["handover"]).raise_for_status()
        chat.post({"text": "Ich suche meinen Regenschirm im Rathaus.", "client_id": "umbrella"}).raise_for_status()
        agent.say(chat.id, "Bitte fragen Sie im Fundbüro.").raise_for_status()
        agent.request("POST", f"/conversations/{chat.id}/notes", json={"text": "Fundbüro weiß Bescheid."})
        agent.request("POST", f"/conversations/{chat.id}/finish", json={"reason": "solved"}).raise_for_status()
    chat.close()
    return chat.id


def _forget_callbacks(service: RunningService) -> None:
    """Other tests have left some."""
    database = Database(service.database_url)
    with database.session() as session:
        session.execute(delete(CallbackRow))
    database.close()


def _leave_callbacks(service: RunningService) -> None:
    for name, question in (("Ada Muster", "Was kostet ein Personalausweis?"), ("Ben Muster", "Reisepass beantragen")):
        chat = Chat(service.url)
        chat.say(question)
        wish = {
            "name": name,
            "phone": "03641 491234",
            "email": "muster@jena.example",
            "concern": CONCERN,
            "consent": True,
        }
        chat.request("POST", "/callback", json=wish).raise_for_status()
        chat.close()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, lists: Lists) -> str:
    """The browser's state after the supervisor, who is an agent as well, has signed in."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{lists.service.url}/mitarbeit/anmelden?weiter=/mitarbeit/rueckrufe")
    page.get_by_label("Anmeldename").fill("listen")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Anmelden").click()
    page.wait_for_url("**/mitarbeit/rueckrufe")
    state = context.storage_state()
    context.close()
    return state  # type: ignore[return-value]  # a dict that the next context takes


@pytest.fixture
def context_options(request: pytest.FixtureRequest, signed_in: str) -> dict[str, object]:
    look = request.node.callspec.params.get("look", "light") if hasattr(request.node, "callspec") else "light"
    return {"storage_state": signed_in, **LOOKS[look]}


def visit(page: Page, lists: Lists, name: str) -> None:
    """Open one of the pages in the state that is worth looking at."""
    page.goto(f"{lists.service.url}/mitarbeit/{PATHS[name].format(lists=lists)}")
    if name == "callbacks":
        if not page.get_by_role("button", name="Erledigt").count():
            page.get_by_role("button", name="Übernehmen").first.click()
        expect(page.get_by_role("button", name="Erledigt")).to_be_visible()
    if name == "mistakes":
        page.get_by_label("Titel").fill("Gruß")
        page.get_by_role("textbox", name="Text").fill("Guten Tag, {vorname}.")
        page.get_by_role("button", name="Speichern").click()
        expect(page.get_by_role("alert")).to_be_visible()
    if name == "preview":
        page.get_by_label("Titel").fill("Gruß")
        page.get_by_role("textbox", name="Text").fill("Guten Tag, hier ist {name} ({amt}).")
        page.get_by_role("button", name="Vorschau").click()
        expect(page.get_by_text("Guten Tag, hier ist Frau listen (")).to_be_visible()


PATHS = {
    "callbacks": "rueckrufe",
    "replies": "antworten",
    "mistakes": "antworten/neu",
    "preview": "antworten/neu",
    "search": "suche?q=regenschirm",
    "conversation": "suche/{lists.conversation}",
    "team": "team",
    "member": "team/{lists.member}",
}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", PATHS)
def test_axe_finds_nothing(page: Page, lists: Lists, look: str, name: str) -> None:
    visit(page, lists, name)
    assert violations(page) == []
    wide = "node => node.scrollWidth > node.clientWidth + 1"
    assert not page.locator("html").evaluate(wide), "the page scrolls sideways"


@pytest.mark.parametrize("width", [768, 1280])
@pytest.mark.parametrize("name", PATHS)
def test_pictures(page: Page, lists: Lists, output: Path, name: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    visit(page, lists, name)
    picture = output / f"staff-{name}-{width}.png"
    page.screenshot(path=picture, full_page=True)
    assert picture.stat().st_size > 10_000


def test_a_callback_is_taken_not_reached_and_done_by_keyboard(page: Page, lists: Lists) -> None:
    visit(page, lists, "callbacks")
    card = page.get_by_role("listitem").filter(has=page.get_by_role("button", name="Erledigt"))
    expect(card.get_by_role("link", name="03641 491234")).to_have_attribute("href", "tel:03641491234")
    expect(card).to_contain_text(CONCERN)
    card.get_by_label("Bemerkung").focus()
    page.keyboard.type("Ab 15 Uhr")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Der Versuch ist notiert. Andere können den Rückruf übernehmen.")
    row = page.get_by_role("row").filter(has_text="1 Versuch")
    row.get_by_role("button", name="Übernehmen").click()
    expect(page.get_by_label("Bemerkung")).to_have_value("Ab 15 Uhr")
    page.get_by_role("button", name="Erledigt").click()
    expect(page.get_by_role("status")).to_contain_text("werden gelöscht")
    page.get_by_role("button", name="Rückgängig").click()
    expect(page.get_by_label("Bemerkung")).to_have_value("Ab 15 Uhr")
    page.get_by_role("link", name="Unterhaltung lesen").click()
    expect(page.get_by_role("list", name="Nachrichten")).to_contain_text("Bürgerin oder Bürger")
    page.go_back()
    page.get_by_role("button", name="Zurückgeben").click()
    expect(page.get_by_role("status")).to_contain_text("zurückgegeben")


def test_a_reply_is_written_changed_deleted_and_brought_back(page: Page, lists: Lists) -> None:
    visit(page, lists, "replies")
    expect(page.get_by_role("row").filter(has_text="Verabschiedung")).to_be_visible()
    page.get_by_role("link", name="Neuer Textbaustein").click()
    page.get_by_label("Titel").fill("Probe am Abend")
    page.get_by_role("textbox", name="Text").fill("Guten Abend, {name}.")
    page.get_by_role("button", name="Speichern").click()
    page.get_by_label("Wörter").fill("probe abend")
    page.get_by_role("button", name="Anzeigen").click()
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("row").filter(has_text="Probe am Abend").get_by_role("link", name="Bearbeiten").click()
    page.get_by_label("Titel").fill("Probe am Morgen")
    page.get_by_role("button", name="Speichern").click()
    page.get_by_role("row").filter(has_text="Probe am Morgen").get_by_role("button", name="Löschen").click()
    expect(page.get_by_role("row").filter(has_text="Probe am Morgen")).to_have_count(0)
    page.get_by_role("button", name="Rückgängig").click()
    expect(page.get_by_role("row").filter(has_text="Probe am Morgen")).to_be_visible()


def test_a_conversation_is_found_and_read(page: Page, lists: Lists) -> None:
    visit(page, lists, "search")
    expect(page.locator("mark").first).to_have_text("Regenschirm")
    page.locator(f'a[href$="{lists.conversation}"]').click()
    log = page.get_by_role("list", name="Nachrichten")
    expect(log).to_contain_text("Ich suche meinen Regenschirm im Rathaus.")
    expect(log).to_contain_text("Notiz von Frau listen")
    expect(log).to_contain_text("Karte: Personalausweis")
    page.goto(f"{lists.service.url}/mitarbeit/protokoll?was=conversation_read")
    expect(page.get_by_role("row").filter(has_text=lists.conversation).first).to_contain_text("listen")


def test_a_supervisor_sets_what_an_agent_does(page: Page, lists: Lists) -> None:
    visit(page, lists, "member")
    page.get_by_label("Zentrale").check()
    page.get_by_label("Nebenstelle").fill("21&exit")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_label("Nebenstelle")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Zentrale")).to_be_checked()
    page.get_by_label("Nebenstelle").fill("22")
    page.get_by_label("Unterhaltungen gleichzeitig").select_option("5")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_role("status")).to_have_text("Gespeichert: Frau Mitglied. Das gilt ab sofort.")
    expect(page.get_by_role("row").filter(has_text="listen2")).to_contain_text("22")
