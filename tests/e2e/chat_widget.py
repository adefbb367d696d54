"""Drives the widget as a citizen does, and asks the service what it has stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

MESSAGES = """element => [...element.shadowRoot.querySelectorAll('.message[data-seq]')].map(node => ({
    seq: Number(node.dataset.seq),
    author: ['citizen', 'bot', 'agent', 'system'].find(author => node.classList.contains(author)),
    text: node.querySelector('.text').innerText.trim(),
}))"""


class ChatWidget:
    """The chat on a page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.host = page.locator("stadtbot-chat")
        self.launcher = page.locator("stadtbot-chat .launcher")
        self.panel = page.get_by_role("dialog", name="Auskunft")
        self.field = self.panel.get_by_role("textbox", name=re.compile("^Ihre (Frage|Nachricht)$"))
        self.entries = page.locator("stadtbot-chat .message[data-seq]")
        self.last = page.locator("stadtbot-chat .message[data-seq]").last
        humans = page.locator("stadtbot-chat .humans")
        self.human = humans.get_by_role("button", name="Mit einem Menschen sprechen")
        self.who = page.locator("stadtbot-chat .who")
        self.place = page.locator("stadtbot-chat .place")
        self.offer = page.locator("stadtbot-chat .offer")
        self.notices = page.locator("stadtbot-chat .notices")
        self.live = page.locator("stadtbot-chat div[aria-live=polite]")
        self.banner = page.locator("stadtbot-chat .banner")
        self.problem = page.locator("stadtbot-chat .main > .problem")

    def visit(self, path: str = "/") -> ChatWidget:
        """Go to the page."""
        self.page.goto(f"{self.url}{path}")
        expect(self.launcher.or_(self.panel)).to_be_visible()
        return self

    def open(self) -> ChatWidget:
        """Open the chat and wait for the greeting."""
        self.launcher.click()
        expect(self.entries.first).to_be_visible()
        return self

    def send(self, text: str) -> None:
        """Type and send, without waiting for the answer."""
        self.field.fill(text)
        self.field.press("Enter")

    def say(self, text: str) -> Locator:
        """Type and send; gives the bot's answer."""
        return self.answer_to(lambda: self.send(text))

    def answer_to(self, act: Callable[[], None]) -> Locator:
        """The bot's next message after something is done."""
        before = self.newest
        act()
        answer = self.page.locator("stadtbot-chat .message.bot[data-seq]").last
        self.page.wait_for_function(
            """before => [...document.querySelector('stadtbot-chat').shadowRoot.querySelectorAll('.bot[data-seq]')]
                .some(node => Number(node.dataset.seq) > before)""",
            arg=before,
        )
        return answer

    def menu(self, entry: str) -> None:
        """Open the menu and take an entry."""
        self.panel.get_by_role("button", name="Menü").click()
        self.panel.get_by_role("button", name=entry).click()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What the list shows, in its order."""
        return list(self.host.evaluate(MESSAGES))

    @property
    def newest(self) -> int:
        return max((message["seq"] for message in self.messages), default=0)

    @property
    def kept(self) -> dict[str, Any]:
        """What the tab keeps in its storage."""
        stored = self.page.evaluate("Object.entries(sessionStorage).find(([key]) => key.startsWith('stadtbot'))?.[1]")
        return dict(json.loads(stored)) if stored else {}

    def wait_until_settled(self) -> None:
        """Until everything that was said has its answer."""
        self.page.wait_for_function(
            """() => Object.entries(sessionStorage).some(
                ([key, value]) => key.startsWith('stadtbot') && JSON.parse(value).pending?.length === 0)""",
            timeout=90_000,
        )

    def stored(self, url: str) -> list[dict[str, Any]]:
        """What the service has stored of the conversation, asked over another way than the widget's."""
        return list(self.ask_service(url, "/messages?after=0").json()["messages"])

    def ask_service(self, url: str, path: str, method: str = "GET", **arguments: Any) -> httpx.Response:
        """Any request on the conversation."""
        kept = self.kept
        headers = {"Authorization": f"Bearer {kept['token']}"}
        address = f"{url}/api/chat/conversations/{kept['id']}{path}"
        return httpx.request(method, address, headers=headers, timeout=30, **arguments)
