"""The pages of staff as a small application of their own, and a browser without a window."""

# No `from __future__ import annotations`: FastAPI reads the types of the routes in a function at once.

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from core import problems
from core.accounts import Account, AccountStore, Role
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring
from core.gate import StaffGate
from core.limits import Limiter
from core.pending import PendingSignins
from core.sessions import SessionStore
from core.settings import StaffSettings
from core.staff_pages import SIGN_IN, NavEntry, SignedIn, StaffPages
from core.staff_web import mount_staff_pages

PASSWORD = "Kornblume am Saaleufer 7"
ORIGIN = "https://stadt.example"


@dataclass(frozen=True, kw_only=True)
class StaffSite:
    """An application with staff's pages, and one page and one API route for agents."""

    app: FastAPI
    accounts: AccountStore
    sessions: SessionStore
    audit: AuditLog
    clock: FixedClock
    database: Database
    keyring: Keyring

    def account(self, login: str = "agent1", *roles: Role, name: str = "Bürgerservice") -> Account:
        """An account with the password `PASSWORD`."""
        account = self.accounts.create(login=login, name=name, roles=roles or (Role.AGENT,), by=None)
        self.accounts.set_password(account.id, PASSWORD, by=account)
        return self.accounts.get(account.id)

    def browser(self) -> "Browser":
        return Browser(self.app)

    def browser_of(self, account: Account) -> "Browser":
        """A browser in which the account is signed in."""
        browser = self.browser()
        assert browser.sign_in(account.login).status_code == HTTPStatus.SEE_OTHER
        return browser

    def acts(self) -> list[str]:
        return [entry.act for entry in reversed(self.audit.entries())]


class Browser:
    """Keeps cookies, sends forms as a page does, follows no redirection."""

    def __init__(self, app: FastAPI, origin: str = ORIGIN) -> None:
        self.client = TestClient(app, base_url=origin, follow_redirects=False, raise_server_exceptions=False)
        self.origin = origin

    def get(self, path: str, **options: Any) -> Response:
        return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **headers: str) -> Response:
        """Send a form, with the token of a page."""
        data = {"csrf": self.csrf(), **(data or {})}
        return self.client.post(path, data=data, headers={"Origin": self.origin, **headers})

    def sign_in(self, login: str, password: str = PASSWORD, target: str = "/mitarbeit") -> Response:
        data = {"login": login, "password": password, "weiter": target}
        return self.client.post(SIGN_IN, data=data, headers={"Origin": self.origin})

    def csrf(self) -> str:
        """The token that a page tells its scripts; empty where nobody is signed in."""
        found = re.search(r'<meta name="csrf" content="([^"]+)">', self.get("/mitarbeit/konto").text)
        return found[1] if found else ""


def staff_site(
    *, database: Database, clock: FixedClock, keyring: Keyring, settings: StaffSettings | None = None
) -> StaffSite:
    audit = AuditLog(database, clock)
    accounts = AccountStore(database, clock, keyring, audit)
    sessions = SessionStore(database, clock)
    pages = StaffPages(city="Musterstadt", nav=[NavEntry(label="Plätze", href="/mitarbeit/plaetze", roles=AGENTS)])
    gate = StaffGate(accounts=accounts, sessions=sessions, pages=pages)
    app = FastAPI()
    problems.install(app, invalid="Das geht nicht.", failed="Das ging nicht.")
    mount_staff_pages(
        app,
        accounts=accounts,
        sessions=sessions,
        pending=PendingSignins(database, clock, keyring),
        audit=audit,
        gate=gate,
        pages=pages,
        limiter=Limiter(),
        settings=settings or StaffSettings(),
        client_of=lambda request: request.headers.get("x-client", "client"),
        clock=clock,
    )

    @app.get("/mitarbeit/plaetze")
    @app.post("/mitarbeit/plaetze")
    async def page(signed_in: Annotated[SignedIn, Depends(gate.page(Role.AGENT))]) -> str:
        return signed_in.account.name

    @app.get("/mitarbeit/api/plaetze")
    @app.post("/mitarbeit/api/plaetze")
    async def api(signed_in: Annotated[SignedIn, Depends(gate.api(Role.AGENT))]) -> str:
        return signed_in.account.name

    return StaffSite(
        app=app, accounts=accounts, sessions=sessions, audit=audit, clock=clock, database=database, keyring=keyring
    )


AGENTS = frozenset({Role.AGENT})
