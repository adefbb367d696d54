"""The supervisors' pages of the small city as an application of their own, and browsers without a window."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from core import problems
from core.accounts import AccountStore, Role
from core.audit import AuditEntry, AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring, new_key
from core.events import EventHub
from core.gate import StaffGate
from core.i18n import Phrases
from core.sessions import SessionStore
from core.staff_pages import StaffPages, StaffRoom
from handover.departments import Departments
from handover.leading import leading_entries, mount_leading_pages
from handover.notice_board import NoticeBoard
from knowledge.service import Knowledge
from tests.handover.small_city import small_city
from tests.knowledge.samples import HashingEmbedder
from tests.running import ROOT

ORIGIN = "http://stadt.example"
SITES = {"jena": "Stadt Jena", "stadtwerke": "Stadtwerke"}


class Browser:
    """Signed in, sends forms as a page does, follows no redirection."""

    def __init__(self, app: FastAPI, *, token: str = "", csrf: str = "") -> None:
        self.client = TestClient(
            app, base_url=ORIGIN, follow_redirects=False, cookies={"mitarbeit": token} if token else {}
        )
        self.csrf = csrf

    def get(self, path: str) -> Response:
        return self.client.get(path)

    def post(self, path: str, data: dict[str, Any] | None = None) -> Response:
        return self.client.post(path, data={"csrf": self.csrf, **(data or {})}, headers={"Origin": ORIGIN})


@dataclass(frozen=True, kw_only=True)
class LeadingSite:
    """The application and what stands behind it."""

    app: FastAPI
    accounts: AccountStore
    sessions: SessionStore
    audit: AuditLog
    knowledge: Knowledge
    departments: Departments
    board: NoticeBoard

    def browser(self, login: str = "leitung", *roles: Role) -> Browser:
        """A browser in which an account is signed in."""
        account = self.accounts.create(login=login, name=login.title(), roles=roles or [Role.SUPERVISOR], by=None)
        session, token = self.sessions.begin(account.id)
        return Browser(self.app, token=token, csrf=session.csrf)

    def acts(self) -> list[AuditEntry]:
        """What is in the audit log besides the accounts, the newest first."""
        return [entry for entry in self.audit.entries() if not entry.act.startswith("account")]


def leading_site(database: Database, clock: FixedClock, folder: Path) -> LeadingSite:
    audit = AuditLog(database, clock)
    accounts = AccountStore(database, clock, Keyring([new_key()]), audit)
    sessions = SessionStore(database, clock)
    knowledge = Knowledge(database, clock, city_folder=small_city(folder), embedder=HashingEmbedder())
    knowledge.refresh()
    departments = Departments(database, knowledge, clock)
    board = NoticeBoard(database, clock, audit, EventHub(), sites=SITES)
    phrases = Phrases(ROOT / "handover" / "locale")
    room = StaffRoom(name="handover", templates=ROOT / "handover" / "pages", phrases=phrases)
    pages = StaffPages(city="Beispielstadt", rooms=[room], nav=leading_entries(phrases))
    gate = StaffGate(accounts=accounts, sessions=sessions, pages=pages)
    app = FastAPI()
    problems.install(app, invalid="Das geht nicht.", failed="Das ging nicht.")
    gate.install(app)
    mount_leading_pages(
        app,
        database=database,
        knowledge=knowledge,
        departments=departments,
        audit=audit,
        board=board,
        sites=SITES,
        silenced=lambda notice: f"Der Bot ist aus. {notice}",
        gate=gate,
        pages=pages,
    )
    return LeadingSite(
        app=app,
        accounts=accounts,
        sessions=sessions,
        audit=audit,
        knowledge=knowledge,
        departments=departments,
        board=board,
    )
