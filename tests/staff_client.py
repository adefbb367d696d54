"""A member of staff over HTTP, as small as tests and measurements need it."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from core.accounts import AccountStore, Role
from core.audit import AuditLog
from core.clock import SystemClock
from core.database import Database
from core.encryption import Keyring
from handover.agents import AgentStore
from handover.departments import DepartmentRow
from handover.models import Status
from handover.settings import HandoverSettings
from tests.running import RunningService

PASSWORD = "ein langes Passwort 1"


def add_staff(
    service: RunningService,
    login: str,
    *roles: Role,
    name: str | None = None,
    departments: Sequence[str] = ("zentrale",),
    extension: str | None = None,
    capacity: int = 3,
) -> str:
    """Add an account with a password, as an administrator does; agents get their departments. Returns its id."""
    database = Database(service.database_url)
    clock = SystemClock()
    keyring = Keyring.load(keys=None, file=service.log.parent / "encryption.keys")
    accounts = AccountStore(database, clock, keyring, AuditLog(database, clock))
    account = accounts.create(login=login, name=name or f"Frau {login}", roles=roles or [Role.AGENT], by=None)
    accounts.set_password(account.id, PASSWORD, by=None)
    if not roles or Role.AGENT in roles:
        agents = AgentStore(database, clock, AuditLog(database, clock), HandoverSettings())
        agents.enrol(account.id, departments=departments)
        agents.assign(account.id, departments=departments, extension=extension, capacity=capacity, by=None)
    database.close()
    return account.id


def send_home(service: RunningService, *account_ids: str) -> None:
    """Let agents go, so that nothing is offered to them after their test."""
    database = Database(service.database_url)
    clock = SystemClock()
    agents = AgentStore(database, clock, AuditLog(database, clock), HandoverSettings())
    for account_id in account_ids:
        agents.set_status(account_id, Status.OFFLINE)
    database.close()


def open_always(service: RunningService, *departments: str) -> None:
    """Let departments be open around the clock, whenever the test runs; the service sees it within a second."""
    database = Database(service.database_url)
    with database.session() as session:
        for department in departments:
            row = session.get(DepartmentRow, department) or DepartmentRow(id=department, phone_queue=True, version=0)
            row.enabled, row.hours, row.updated_at = True, "24/7", SystemClock().now()
            row.version += 1
            session.add(row)
    database.close()


class Staff:
    """Somebody who is signed in."""

    def __init__(self, url: str, login: str, password: str = PASSWORD) -> None:
        self._http = httpx.Client(base_url=url, timeout=30, headers={"Origin": url}, follow_redirects=True)
        page = self._http.post("/mitarbeit/anmelden", data={"login": login, "password": password})
        page.raise_for_status()
        found = re.search(r'<meta name="csrf" content="([^"]+)"', page.text)
        if found is None:
            raise AssertionError("not signed in")
        self._http.headers["X-CSRF-Token"] = found[1]

    @property
    def cookies(self) -> httpx.Cookies:
        """What the browser holds."""
        return self._http.cookies

    @property
    def headers(self) -> dict[str, str]:
        """What the workspace's scripts send with every request."""
        return {name: self._http.headers[name] for name in ("Origin", "X-CSRF-Token")}

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """Any request on the workspace's interface."""
        return self._http.request(method, f"/mitarbeit/api{path}", **arguments)

    def come(self, status: str = "available") -> None:
        """Say that one takes conversations."""
        self.request("PUT", "/presence", json={"status": status}).raise_for_status()

    def board(self) -> dict[str, Any]:
        response = self.request("GET", "/board")
        response.raise_for_status()
        return dict(response.json())

    def claim(self, handover: str) -> httpx.Response:
        return self.request("POST", f"/handovers/{handover}/claim")

    def say(self, conversation: str, text: str, client_id: str | None = None) -> httpx.Response:
        body = {"text": text, "client_id": client_id or uuid.uuid4().hex}
        return self.request("POST", f"/conversations/{conversation}/messages", json=body)

    @contextmanager
    def events(self, known: str = "") -> Iterator[Iterator[tuple[str, Any]]]:
        """Names and data of the workspace's events, from a cursor on."""
        headers = {"Last-Event-ID": known}
        with self._http.stream("GET", "/mitarbeit/api/events", headers=headers, timeout=60) as response:
            response.raise_for_status()
            yield _events(response.iter_lines())

    def close(self) -> None:
        self._http.close()


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name, data = "message", ""
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data += line[5:].strip()
        elif not line and data:
            yield name, json.loads(data)
            name, data = "message", ""
