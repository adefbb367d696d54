"""Whether a citizen is there, as the workspace sees it from the event streams."""

from __future__ import annotations

import time
from contextlib import ExitStack

import httpx
import pytest

from tests.chat_client import Chat
from tests.running import RunningService
from tests.staff_client import Staff, add_staff

GLANCE_S = 20
"""How long somebody counts as there who has just left."""


@pytest.mark.slow
def test_citizen_of_two_windows_is_gone_when_both_are_closed(staffed_service: RunningService) -> None:
    add_staff(staffed_service, "agent-of-windows")
    agent = Staff(staffed_service.url, "agent-of-windows")
    agent.come()
    chat = Chat(staffed_service.url)
    chat.request("POST", "/handover").raise_for_status()

    def is_there() -> bool:
        return bool({one["conversation"]: one["citizen_here"] for one in agent.board()["waiting"]}[chat.id])

    with ExitStack() as windows:
        for _ in range(2):
            _open(windows, staffed_service, chat)
        assert is_there()
    until = time.monotonic() + GLANCE_S + 10
    while is_there() and time.monotonic() < until:
        time.sleep(0.5)

    assert not is_there()
    chat.request("DELETE")
    agent.come("offline")
    agent.close()
    chat.close()


def _open(windows: ExitStack, service: RunningService, chat: Chat) -> None:
    url = f"{service.url}/api/chat/conversations/{chat.id}/events"
    client = windows.enter_context(httpx.Client(timeout=30))
    stream = client.stream("GET", url, headers={"Authorization": f"Bearer {chat.token}"})
    lines = windows.enter_context(stream).iter_lines()
    assert next(lines).startswith("event:")
