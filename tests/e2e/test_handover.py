"""A citizen and two agents in three browsers, and what happens when something ends in the middle."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from core.clock import SystemClock
from core.database import Database
from handover.departments import DepartmentRow
from tests.e2e.chat_widget import ChatWidget
from tests.e2e.staff_workspace import Workspace
from tests.running import RunningService, running_service, start, stop, wait_for
from tests.staff_client import add_staff, open_always

SETTINGS = {"STADTBOT_HANDOVER__AGENT_GONE": "PT10S", "STADTBOT_HANDOVER__OFFER": "PT5S"}
PATIENCE_MS = 60_000


@dataclass
class Town:
    """A service that can be ended and started again, and the browsers of its people."""

    service: RunningService
    restart: Callable[[], None]
    citizen: ChatWidget
    agents: list[Workspace]
    pages: list[Page]


@pytest.fixture
def town(browser: Browser, tmp_path: Path) -> Iterator[Town]:
    again: list[subprocess.Popen[bytes]] = []
    with running_service(tmp_path, **SETTINGS) as service:

        def restart() -> None:
            os.kill(service.pid, signal.SIGKILL)
            addresses = (service.url, service.loopback_url, service.rasa_url)
            first, second, third = (int(address.rsplit(":", 1)[1]) for address in addresses)
            wait_until_free(third)
            again.append(start(tmp_path, (first, second, third), SETTINGS))
            wait_for(f"{service.url}/readyz", again[-1])

        open_always(service, "zentrale")
        contexts = [browser.new_context(locale="de-DE", viewport={"width": 1280, "height": 900}) for _ in range(3)]
        pages = [context.new_page() for context in contexts]
        for login in ("agent1", "agent2"):
            add_staff(service, login)
        try:
            yield Town(
                service=service,
                restart=restart,
                citizen=ChatWidget(pages[0], service.url).visit().open(),
                agents=[Workspace(page, service.url).sign_in(f"agent{n}") for n, page in enumerate(pages[1:], start=1)],
                pages=pages,
            )
        finally:
            for context in contexts:
                context.close()
            for process in again:
                stop(process)


def wait_until_free(port: int) -> None:
    """Rasa goes with the service, a moment later."""
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return
        time.sleep(0.05)


def ask_for_a_human(town: Town) -> None:
    town.citizen.panel.get_by_role("button", name="Mit einem Menschen sprechen").first.click()
    expect(town.citizen.panel).to_contain_text("Ich verbinde Sie mit einem Menschen")


def said(citizen: ChatWidget, text: str) -> Locator:
    """The message in which a text stands."""
    return citizen.entries.filter(has_text=text)


@pytest.mark.slow
def test_service_that_is_killed_in_mid_conversation_comes_back_to_it(town: Town) -> None:
    ask_for_a_human(town)
    conversation = town.agents[0].claim()
    town.citizen.send("Hier ist meine erste Frage.")
    expect(conversation.messages).to_contain_text("Hier ist meine erste Frage.")
    conversation.say("Hier ist meine erste Antwort.")
    expect(town.citizen.last).to_contain_text("Hier ist meine erste Antwort.")

    town.restart()
    town.citizen.send("Sind Sie noch da?")
    conversation.say("Ja, ich bin noch da.")

    expect(conversation.messages).to_contain_text("Sind Sie noch da?", timeout=PATIENCE_MS)
    expect(said(town.citizen, "Ja, ich bin noch da.")).to_be_visible(timeout=PATIENCE_MS)
    stored = [message["text"] for message in town.citizen.stored(town.service.url)]
    for text in (
        "Hier ist meine erste Frage.",
        "Hier ist meine erste Antwort.",
        "Sind Sie noch da?",
        "Ja, ich bin noch da.",
    ):
        assert stored.count(text) == 1
    assert [message["seq"] for message in town.citizen.messages] == list(range(1, len(stored) + 1))
    assert [message["seq"] for message in conversation.shown] == list(range(1, len(stored) + 1))


@pytest.mark.slow
def test_agent_whose_computer_dies_is_replaced_by_a_colleague(town: Town) -> None:
    town.agents[1].set_status("Pause")
    ask_for_a_human(town)
    town.agents[0].claim().say("Guten Tag, ich sehe nach.")
    expect(town.citizen.last).to_contain_text("Guten Tag, ich sehe nach.")
    town.agents[1].set_status("Verfügbar")

    town.pages[1].context.close()

    expect(said(town.citizen, "ganz vorn in der Warteschlange")).to_be_visible(timeout=PATIENCE_MS)
    conversation = town.agents[1].claim()
    expect(conversation.messages).to_contain_text("Guten Tag, ich sehe nach.")
    conversation.say("Ich mache hier weiter.")
    expect(town.citizen.last).to_contain_text("Ich mache hier weiter.")


@pytest.mark.slow
def test_closing_time_sends_who_waits_to_a_callback(town: Town) -> None:
    for agent in town.agents:
        agent.set_status("Pause")
    town.agents[0].set_status("Verfügbar")
    ask_for_a_human(town)
    conversation = town.agents[0].claim()
    second = ChatWidget(town.pages[2].context.new_page(), town.service.url).visit().open()
    second.panel.get_by_role("button", name="Mit einem Menschen sprechen").first.click()
    expect(second.panel).to_contain_text("Ich verbinde Sie mit einem Menschen")
    town.agents[0].set_status("Pause")

    close(town.service, "zentrale")

    expect(said(second, "Für heute ist leider Schluss")).to_be_visible(timeout=PATIENCE_MS)
    expect(second.panel.get_by_role("button", name="Rückruf vereinbaren").first).to_be_visible()
    conversation.say("Wir beide sprechen noch zu Ende.")
    expect(town.citizen.last).to_contain_text("Wir beide sprechen noch zu Ende.")


def close(service: RunningService, department: str) -> None:
    """Let it be closing time."""
    database = Database(service.database_url)
    with database.session() as session:
        row = session.get_one(DepartmentRow, department)
        row.hours, row.updated_at = "Su 03:00-03:01", SystemClock().now()
        row.version += 1
    database.close()
