"""Calls against the real service with a real Rasa; only the line is a play."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from telephony.chat import ChatClient
from tests.chat_client import Chat
from tests.running import RunningService
from tests.staff_client import Staff, add_staff, send_home
from tests.streams import eventually
from tests.telephony.scripted import Play

pytestmark = pytest.mark.slow

CALLER = "0364112345"
SECONDS_PER_WORD = 0.01


@pytest.fixture(scope="module")
def credential(staffed_service: RunningService) -> str:
    return (staffed_service.log.parent / "service.credential").read_text(encoding="utf-8").strip()


@pytest.fixture(scope="module")
def signed_in(staffed_service: RunningService) -> Iterator[tuple[Staff, str]]:
    account = add_staff(staffed_service, "phone-agent", extension="101")
    staff = Staff(staffed_service.url, "phone-agent")
    yield staff, account
    staff.close()


@pytest.fixture
def agent(staffed_service: RunningService, signed_in: tuple[Staff, str]) -> Iterator[Staff]:
    """Somebody who takes calls until the test ends."""
    staff, account = signed_in
    staff.come()
    yield staff
    send_home(staffed_service, account)


async def call(service: RunningService, credential: str, *steps: dict[str, Any], **script: Any) -> Play:
    client = ChatClient(service.url, credential=credential, site="jena")
    play = Play({"caller": CALLER, **script, "steps": list(steps)}, chat=client)
    play.mouth.seconds_per_word = SECONDS_PER_WORD
    try:
        await play.act()
    finally:
        await client.close()
    return play


def rows(service: RunningService, query: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(service.database_url.removeprefix("sqlite:///"))
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def latest(service: RunningService) -> tuple[str, str, str]:
    """Id, channel and state of the newest conversation."""
    found = rows(service, "SELECT id, channel, state FROM conversations ORDER BY created_at DESC, rowid DESC LIMIT 1")
    return found[0][0], found[0][1], found[0][2]


def test_question_follow_up_and_goodbye(staffed_service: RunningService, credential: str) -> None:
    play = asyncio.run(
        call(
            staffed_service,
            credential,
            {"hears": ["hier spricht ein Computerprogramm der Stadt Jena", "Was möchten Sie wissen?"]},
            {"says": "was kostet ein Personalausweis"},
            {"hears": ["kostet sechsund-vierzig Euro", "Haben Sie noch eine Frage?"]},
            {"says": "und welche Unterlagen brauche ich"},
            {"hears": "Haben Sie noch eine Frage?"},
            {"says": "nein danke"},
            {"hears": "Auf Wiederhören"},
        )
    )
    assert play.pbx.done == ["hang up"]
    conversation_id, channel, state = latest(staffed_service)
    assert (channel, state) == ("phone", "closed")
    said = rows(
        staffed_service,
        f"SELECT text FROM messages WHERE conversation_id = '{conversation_id}' AND author = 'citizen' ORDER BY seq",
    )
    assert [text for (text,) in said] == ["was kostet ein Personalausweis", "und welche Unterlagen brauche ich"]
    stored = rows(staffed_service, f"SELECT caller FROM conversations WHERE id = '{conversation_id}'")
    assert stored[0][0]
    assert CALLER not in stored[0][0]


def test_a_list_is_taken_by_key_and_a_choice_by_word(staffed_service: RunningService, credential: str) -> None:
    play = asyncio.run(
        call(
            staffed_service,
            credential,
            {"hears": "Was möchten Sie wissen?"},
            {"says": "ich ziehe nach Jena"},
            {"hears": ["Möglichkeiten.", "Eins: ", "Oder soll ich weiterlesen?"]},
            {"presses": "1"},
            {"hears": "Haben Sie noch eine Frage?"},
            {"says": "Kosten"},
            {"hears": "Haben Sie noch eine Frage?"},
            {"hangs up": True},
        )
    )
    assert play.pbx.done == []
    conversation_id, _, state = latest(staffed_service)
    assert state == "closed"
    query = f"SELECT answer FROM messages WHERE conversation_id = '{conversation_id}' AND author = 'bot' ORDER BY seq"
    assert '"fees"' in rows(staffed_service, query)[-1][0]


def test_emergency(staffed_service: RunningService, credential: str) -> None:
    asyncio.run(
        call(
            staffed_service,
            credential,
            {"hears": "Was möchten Sie wissen?"},
            {"says": "mein Mann atmet nicht mehr", "sure": 0.2},
            {"hears": ["Rufen Sie sofort die eins, eins, zwei an.", "Rufen Sie sofort die eins, eins, zwei an."]},
            {"hangs up": True},
        )
    )


def test_nobody_is_there_and_a_callback_is_left(staffed_service: RunningService, credential: str) -> None:
    before = len(rows(staffed_service, "SELECT id FROM callbacks"))
    play = asyncio.run(
        call(
            staffed_service,
            credential,
            {"hears": "Was möchten Sie wissen?"},
            {"says": "was kostet ein Reisepass"},
            {"hears": "Haben Sie noch eine Frage?"},
            {"presses": "0"},
            {"hears": "Auf Wunsch rufen wir Sie zurück. Möchten Sie das?"},
            {"says": "ja"},
            {"hears": "Ich habe die Nummer null drei, sechs vier"},
            {"says": "ja"},
            {"hears": ["Als Anliegen notiere ich: was kostet ein Reisepass.", "Einverstanden?"]},
            {"says": "ja"},
            {"hears": ["Ihr Rückrufwunsch ist notiert.", "Auf Wiederhören"]},
        )
    )
    assert play.pbx.done == ["hang up"]
    assert not any("im Chat" in text or "Im Chat" in text for text in play.mouth.spoken)
    assert len(rows(staffed_service, "SELECT id FROM callbacks")) == before + 1
    assert latest(staffed_service)[2] == "closed"


def test_an_agent_takes_the_call(staffed_service: RunningService, credential: str, agent: Staff) -> None:
    async def put_through() -> Play:
        calling = asyncio.create_task(
            call(
                staffed_service,
                credential,
                {"hears": "Was möchten Sie wissen?"},
                {"says": "was kostet ein Personalausweis"},
                {"hears": "Haben Sie noch eine Frage?"},
                {"says": "Mitarbeiter bitte"},
                {"hears": ["Ich verbinde Sie mit einem Menschen.", "Stelle", "Nicht mehr warten"]},
                {"hears": "Sie werden jetzt verbunden."},
            )
        )
        waiting = await asyncio.to_thread(eventually, lambda: agent.board()["waiting"])
        assert (await asyncio.to_thread(agent.claim, waiting[0]["handover"])).status_code == HTTPStatus.OK
        return await calling

    play = asyncio.run(put_through())
    assert play.pbx.done[0].startswith("transfer 101 Personalausweis")
    assert latest(staffed_service)[2] == "agent"


def test_who_hangs_up_in_the_queue_leaves_it(staffed_service: RunningService, credential: str, agent: Staff) -> None:
    asyncio.run(
        call(
            staffed_service,
            credential,
            {"hears": "Was möchten Sie wissen?"},
            {"presses": "0"},
            {"hears": "Nicht mehr warten"},
            {"hangs up": True},
        )
    )
    assert latest(staffed_service)[2] == "closed"
    assert not agent.board()["waiting"]


def test_partials_store_nothing(staffed_service: RunningService, credential: str) -> None:
    chat = Chat(staffed_service.url, channel="phone", credential=credential)
    words = f"wieviel kostet ein Anwohnerparkausweis im Jahr {time.time_ns()}"
    assert chat.request("POST", "/partials", json={"text": words}).status_code == HTTPStatus.NO_CONTENT
    assert chat.request("POST", "/partials", json={"text": " "}).status_code == HTTPStatus.NO_CONTENT
    assert len(chat.messages()) == 1
    too_long = chat.request("POST", "/partials", json={"text": "a" * 2001})
    assert too_long.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    chat.request("PATCH", json={"state": "closed"})
    assert chat.request("POST", "/partials", json={"text": words}).status_code == HTTPStatus.NO_CONTENT
    chat.close()
    assert words not in staffed_service.log.read_text(encoding="utf-8")


def test_partials_are_for_the_phone_alone(staffed_service: RunningService) -> None:
    chat = Chat(staffed_service.url)
    refused = chat.request("POST", "/partials", json={"text": "was kostet"})
    assert refused.status_code == HTTPStatus.FORBIDDEN
    assert refused.headers["content-type"].startswith("application/problem+json")
    chat.close()
    url = f"{staffed_service.url}/api/chat/conversations/{chat.id}/partials"
    assert httpx.post(url, json={"text": "was kostet"}).status_code == HTTPStatus.UNAUTHORIZED
