"""A name on its way through the whole life of a conversation: never in clear, never in a log, gone in the end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
import sqlalchemy as sa

from bot.models import State
from core.database import Base, Database
from core.encryption import Keyring, Unreadable
from handover.models import CallbackWish, End, Reason
from tests.chat_client import Chat
from tests.handover.house import WORDS, House
from tests.running import RunningService
from tests.staff_client import Staff, add_staff
from tests.streams import eventually

NAME = "Quarkmuster"
NUMBER = "98765401"
SECRETS = (NAME, NUMBER)


def opened(database: Database, keyring: Keyring) -> str:
    """Every text of every table, the sealed ones opened."""
    found = []
    with database.reading() as session:
        for table in Base.metadata.sorted_tables:
            for value in (value for row in session.execute(sa.select(table)) for value in row):
                try:
                    found.append(keyring.open(value) if isinstance(value, str) else repr(value))
                except Unreadable:
                    found.append(value)
    return "\n".join(found)


def files_of(service: RunningService) -> str:
    """Every byte that the service has written, its log among them."""
    files = [path for path in service.log.parent.rglob("*") if path.is_file()]
    return "".join(path.read_bytes().decode("utf-8", errors="replace") for path in files)


@pytest.fixture
def agent(staffed_service: RunningService) -> Iterator[Staff]:
    add_staff(staffed_service, "privacy-agent")
    staff = Staff(staffed_service.url, "privacy-agent")
    staff.come()
    yield staff
    staff.come("offline")
    staff.close()


def test_name_is_nowhere_in_clear_and_erased_with_the_conversation(
    staffed_service: RunningService, agent: Staff
) -> None:
    chat = Chat(staffed_service.url)
    chat.say(f"Ich heiße Sabine {NAME}, 0176 {NUMBER}. Perso verloren, was nun?")
    chat.request("POST", "/handover").raise_for_status()
    chat.post({"text": f"Nochmals: Ich bin Frau {NAME}, 0176 {NUMBER}."}).raise_for_status()
    board: dict[str, Any] = eventually(lambda: next(iter(agent.board()["waiting"]), None))
    assert NAME in board["preview"]
    agent.claim(board["handover"]).raise_for_status()
    agent.say(chat.id, f"Guten Tag, Frau {NAME}.").raise_for_status()
    path = f"/conversations/{chat.id}"
    agent.request("POST", f"{path}/notes", json={"text": f"Frau {NAME} kommt wieder."}).raise_for_status()
    wish = {"name": f"Sabine {NAME}", "phone": f"0176 {NUMBER}", "concern": f"{NAME} wartet.", "consent": True}
    chat.request("POST", "/callback", json=wish).raise_for_status()
    assert chat.id in agent.request("GET", "/conversations", params={"q": NAME}).text
    agent.request(
        "POST", f"{path}/finish", json={"to_bot": True, "reason": "solved", "tags": ["answer_missing"]}
    ).raise_for_status()
    chat.say(f"Ich heiße Sabine {NAME}. Danke.")

    texts = [message["text"] for message in chat.messages()]
    assert [text for text in texts if NAME in text] == [
        f"Nochmals: Ich bin Frau {NAME}, 0176 {NUMBER}.",
        f"Guten Tag, Frau {NAME}.",
    ]
    assert not [secret for secret in SECRETS if secret in files_of(staffed_service)]

    assert chat.request("DELETE").status_code == HTTPStatus.NO_CONTENT
    chat.close()
    assert chat.id not in agent.request("GET", "/conversations", params={"q": NAME}).text
    assert agent.request("GET", path).is_client_error
    database = Database(staffed_service.database_url)
    keyring = Keyring.load(keys=None, file=staffed_service.log.parent / "encryption.keys")
    left = [text for text in opened(database, keyring).splitlines() if NAME in text]
    assert len(left) == 1 and "concern" in left[0]  # the callback that was left on purpose
    with database.session() as session:
        session.execute(sa.text("DELETE FROM callbacks WHERE conversation_id = :id"), {"id": chat.id})
    database.close()
    assert not [secret for secret in SECRETS if secret in files_of(staffed_service)]


@pytest.mark.parametrize("owner", [State.BOT, State.QUEUED, State.AGENT, State.CLOSED])
def test_nothing_is_left_when_its_time_is_over(house: House, owner: State) -> None:
    anna = house.agent("anna")
    waiting = house.waiting()
    conversation_id, store = waiting.conversation_id, house.staffing.store
    house.citizen_says(conversation_id, f"Ich bin Frau {NAME}.")
    store.add_note(conversation_id, author="anna", text=f"Frau {NAME} wartet.")
    wish = CallbackWish(name=NAME, phone=f"0176 {NUMBER}", concern=f"{NAME} wartet.", consent=True)
    house.staffing.callbacks.add(
        house.conversations.get(conversation_id),
        wish,
        department="zentrale",
        service_id=None,
        due_at=house.clock.now(),
    )
    if owner is not State.QUEUED:
        store.claim(waiting.id, anna, words=WORDS)
        house.agent_says(conversation_id, anna, f"Guten Tag, Frau {NAME}.")
    if owner in (State.BOT, State.CLOSED):
        end = End.CLOSED if owner is State.CLOSED else End.RETURNED
        store.finish(conversation_id, by=anna, to=owner, end=end, reason=Reason.SOLVED, tags=[], words=WORDS)
    assert house.conversations.get(conversation_id).state is owner
    assert NAME in opened(house.database, house.keyring)

    house.clock.advance(days=30, seconds=1)
    for expired in house.conversations.expired():
        house.conversations.erase(expired)
    house.conversations.forget(before=house.clock.now() + dt.timedelta(minutes=3))
    house.staffing.expire()

    assert NAME not in opened(house.database, house.keyring)
    assert conversation_id not in opened(house.database, house.keyring)
