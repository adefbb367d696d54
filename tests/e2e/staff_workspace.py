"""Drives the agents' workspace as a member of staff does."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.staff_client import PASSWORD

PATH = "/mitarbeit/arbeitsplatz"
MESSAGES = """list => [...list.querySelectorAll('.message[data-seq]')].map(node => ({
    seq: Number(node.dataset.seq),
    author: ['citizen', 'bot', 'agent', 'system'].find(author => node.classList.contains(author)),
    text: node.querySelector('.text').innerText.trim(),
}))"""


class Conversation:
    """One of the open conversations."""

    def __init__(self, region: Locator) -> None:
        self.region = region
        self.messages = region.get_by_role("group", name="Nachrichten")
        self.field = region.get_by_role("textbox", name="Nachricht")
        self.heading = region.get_by_role("heading", level=2)
        self.last = region.locator(".message[data-seq]").last

    def say(self, text: str) -> None:
        """Type and send."""
        self.field.fill(text)
        self.field.press("Enter")

    @property
    def shown(self) -> list[dict[str, Any]]:
        """What the list shows, in its order."""
        return list(self.messages.evaluate(MESSAGES))

    def act(self, name: str) -> None:
        """Take one of the buttons: Weitergeben, Beenden, Schließen, Textbausteine."""
        self.region.get_by_role("button", name=name).click()


class Workspace:
    """The page of one agent."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.strip = page.get_by_role("region", name="Mein Stand")
        self.connection = page.locator("#connection")
        self.waiting = page.get_by_role("region", name="Wartend").get_by_role("listitem")
        self.mine = page.get_by_role("region", name="Meine Unterhaltungen").get_by_role("listitem")
        self.aside = page.get_by_role("complementary", name="Hilfen")
        self.sayings = page.locator("#sayings")

    def sign_in(self, login: str, *, status: str | None = "Verfügbar") -> Workspace:
        """From the sign-in page to a connected workspace; with a status the agent is there."""
        self.page.goto(f"{self.url}{PATH}")
        self.page.get_by_label("Anmeldename").fill(login)
        self.page.get_by_label("Passwort").fill(PASSWORD)
        self.page.get_by_role("button", name="Anmelden").click()
        expect(self.connection).to_have_text("Verbunden")
        if status is not None:
            self.set_status(status)
        return self

    def set_status(self, status: str) -> None:
        """Choose Verfügbar, Pause or Abgemeldet, and wait until the service has it."""
        with self.page.expect_response("**/mitarbeit/api/presence"):
            self.strip.get_by_role("radio", name=status).check()

    def claim(self, text: str = "") -> Conversation:
        """Take the waiting entry in which a text stands; gives its conversation."""
        entry = self.waiting.filter(has_text=text).first
        with self.page.expect_response("**/claim") as claimed:
            entry.get_by_role("button", name="Übernehmen").click()
        field = self.page.locator(f"#message-{claimed.value.json()['conversation']}")
        conversation = Conversation(self.page.locator(".pane", has=field))
        expect(conversation.messages).to_contain_text("hat das Gespräch übernommen")
        return conversation

    def open(self, text: str) -> Conversation:
        """Choose one of the own conversations."""
        self.mine.filter(has_text=text).get_by_role("button").click()
        expect(self.active.heading).to_contain_text(text)
        return self.active

    def conversation(self, number: int) -> Conversation:
        """An open conversation by its number in the list."""
        return Conversation(self.page.get_by_role("region", name=f"Unterhaltung {number}:"))

    @property
    def active(self) -> Conversation:
        """The open conversation that the agent turned to last."""
        return Conversation(self.page.locator(".pane.active"))

    def tab(self, name: str) -> Locator:
        """Open the helps at a tab: Antworten, Notizen, Gespräch. Gives its panel."""
        if not self.aside.is_visible():
            self.strip.get_by_role("button", name="Hilfen").click()
        self.aside.get_by_role("tab", name=name).click()
        return self.aside.get_by_role("tabpanel", name=name)

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)
