"""A busy quarter of a minute: fifty citizens and ten agents who do everything at once."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from bot.models import MessageRow
from bot.store import ConversationStore
from core.clock import SystemClock
from core.database import Database
from core.encryption import Keyring
from tests.chat_client import Chat
from tests.handover.invariant import assert_consistent
from tests.running import free_port, running_service
from tests.staff_client import Staff, add_staff, open_always
from tests.streams import Stream, eventually, following

CITIZENS = 50
AGENTS = 10
SPAN_S = 20.0
REFUSALS = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
DEPARTMENTS = ["zentrale", "buergerservice"]


@dataclass
class Records:
    """What the service has confirmed, by conversation, and what it should never say."""

    said: dict[str, list[str]] = field(default_factory=dict)
    seen: dict[str, list[int]] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    acts: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def confirmed(self, conversation_id: str, text: str) -> None:
        with self.lock:
            self.said.setdefault(conversation_id, []).append(text)

    def check(self, act: str, response: httpx.Response) -> bool:
        """Whether it was done; what is neither done nor refused is unexpected."""
        with self.lock:
            self.acts[f"{act} {response.status_code}"] += 1
            if not response.is_success and response.status_code not in REFUSALS:
                self.unexpected.append(f"{act}: {response.status_code} {response.text[:200]}")
        return response.is_success


def words(chance: random.Random, who: str) -> str:
    return f"{who} {''.join(chance.choices('abcdefghijklmnoprstuvw', k=12))}"


def citizen(url: str, records: Records, number: int, until: float) -> None:
    chance = random.Random(number)
    while time.monotonic() < until:
        chat = Chat(url)
        if number % 2:
            with following(chat.events_url, chat.headers) as stream:
                converse(chat, records, chance, until)
                if chat.id not in records.erased:
                    await_last(stream, chat.messages()[-1]["seq"])
            with records.lock:
                records.seen[chat.id] = [message["seq"] for message in stream.of("message")]
        else:
            converse(chat, records, chance, until)
        chat.close()


def await_last(stream: Stream, seq: int) -> None:
    stream.until("message", lambda message: message["seq"] == seq, within_s=30)


def converse(chat: Chat, records: Records, chance: random.Random, until: float) -> None:
    """Until the time is over, the conversation is closed, or the citizen erases it."""
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.1, 0.7))
        act = chance.random()
        if act < 0.45:
            text = words(chance, "Frage")
            body = {"text": text, "client_id": uuid.uuid4().hex}
            if records.check("write", answer := chat.post(body)):
                records.confirmed(chat.id, text)
                if chance.random() < 0.3:
                    records.check("write again", chat.post(body))
            elif answer.status_code == HTTPStatus.CONFLICT:
                return
        elif act < 0.7:
            records.check("ask", chat.request("POST", "/handover"))
        elif act < 0.74:
            records.check("cancel", chat.request("DELETE", "/handover"))
        elif act < 0.76 and records.check("erase", chat.request("DELETE")):
            with records.lock:
                records.erased.add(chat.id)
            return
        else:
            records.check("type", chat.request("POST", "/activity", json={"typing": chance.random() < 0.5, "read": 1}))


def serve(staff: Staff, url: str, records: Records, number: int, until: float) -> None:
    chance = random.Random(1000 + number)
    colleagues = [one["id"] for one in staff.board()["colleagues"]]
    with following(f"{url}/mitarbeit/api/events", {"Last-Event-ID": ""}, staff.cookies) as stream:
        while time.monotonic() < until:
            time.sleep(chance.uniform(0.1, 0.5))
            board = staff.board()
            if board["me"]["status"] != "available":
                staff.come()
            for one in board["waiting"]:
                if one["claimable"] and chance.random() < 0.7:
                    records.check("claim", staff.claim(one["handover"]))
                    break
            for one in board["mine"]:
                attend(staff, one["conversation"], records, chance, colleagues)
            if chance.random() < 0.02:
                staff.come(chance.choice(["away", "offline"]))
    with records.lock:
        order: dict[str, list[int]] = {}
        for data in stream.of("message"):
            order.setdefault(data["conversation"], []).append(data["message"]["seq"])
        records.unexpected += [f"agent {number} got {seqs}" for seqs in order.values() if seqs != sorted(set(seqs))]


def attend(staff: Staff, conversation: str, records: Records, chance: random.Random, colleagues: list[str]) -> None:
    act, path = chance.random(), f"/conversations/{conversation}"
    if act < 0.6:
        text, client_id = words(chance, "Antwort"), uuid.uuid4().hex
        if records.check("answer", staff.say(conversation, text, client_id)):
            records.confirmed(conversation, text)
            if chance.random() < 0.3:
                records.check("answer again", staff.say(conversation, text, client_id))
    elif act < 0.7:
        to: dict[str, Any] = chance.choice([{"colleague": chance.choice(colleagues)}, {"department": DEPARTMENTS[0]}])
        records.check("transfer", staff.request("POST", f"{path}/transfer", json=to))
    elif act < 0.8:
        body = {"to_bot": chance.random() < 0.7, "reason": "solved", "tags": []}
        records.check("finish", staff.request("POST", f"{path}/finish", json=body))
    elif act < 0.9:
        records.check("note", staff.request("POST", f"{path}/notes", json={"text": "Eine Notiz."}))
    else:
        records.check("read", staff.request("POST", f"{path}/activity", json={"read": 3, "typing": True}))


@pytest.mark.slow
def test_nothing_is_lost_doubled_or_out_of_order_in_a_rush(tmp_path: Path) -> None:
    records = Records()
    with running_service(
        tmp_path,
        STADTBOT_RASA_URL=f"http://127.0.0.1:{free_port()}",
        STADTBOT_HANDOVER__OFFER="PT2S",
    ) as service:
        eventually(lambda: httpx.get(f"{service.url}/readyz", timeout=60).json()["index"], within_s=240)
        open_always(service, *DEPARTMENTS)
        for number in range(AGENTS):
            add_staff(service, f"agent{number}", departments=DEPARTMENTS[: 1 + number % 2], capacity=4)
        staff = [Staff(service.url, f"agent{number}") for number in range(AGENTS)]
        for one in staff:
            one.come()
        until = time.monotonic() + SPAN_S
        with ThreadPoolExecutor(CITIZENS + AGENTS) as pool:
            jobs = [pool.submit(serve, one, service.url, records, at, until) for at, one in enumerate(staff)]
            jobs += [pool.submit(citizen, service.url, records, number, until) for number in range(CITIZENS)]
            for job in jobs:
                job.result()
        for one in staff:
            one.close()
        database = Database(service.database_url)
        keyring = Keyring.load(keys=None, file=tmp_path / "encryption.keys")
        check(database, keyring, records)
        database.close()
        log = service.log.read_text()
    assert records.unexpected == []
    assert "Traceback" not in log
    done = {act.split()[0] for act, _ in records.acts.items() if not act.endswith(("404", "409"))}
    assert done >= {"write", "ask", "claim", "answer"}, records.acts


def check(database: Database, keyring: Keyring, records: Records) -> None:
    """The database agrees with itself, and with what the service has confirmed."""
    assert_consistent(database)
    conversations = ConversationStore(database, SystemClock(), keyring, lifetime=dt.timedelta(days=1))
    with database.reading() as session:
        kept = set(session.scalars(sa.select(MessageRow.conversation_id).distinct()))
    assert kept.isdisjoint(records.erased)
    for conversation_id, said in records.said.items():
        if conversation_id in records.erased:
            continue
        stored = [message.text for message in conversations.messages(conversation_id)]
        asked = [text for text in said if text.startswith("Frage")]
        assert [text for text in stored if text in set(asked)] == asked, "lost, doubled or out of order"
        answered = [text for text in said if text.startswith("Antwort")]  # of several agents, so in any order
        assert Counter(text for text in stored if text in set(answered)) == Counter(answered), "lost or doubled"
    for seqs in records.seen.values():
        assert seqs == list(range(1, len(seqs) + 1)), "the citizen's stream has a gap or a repetition"
