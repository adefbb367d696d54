"""The pages beside the workspace as an application of their own, over the small city and its staff."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI

from bot.models import Channel
from bot.replies import Replies
from core import problems
from core.accounts import Account, Role
from core.gate import StaffGate
from core.i18n import Phrases
from core.sessions import SessionStore
from core.staff_pages import StaffPages, StaffRoom
from handover.callbacks import Callback
from handover.lists import list_entries
from handover.models import CallbackWish
from tests.handover.house import House
from tests.handover.leading_site import Browser
from tests.running import ROOT

A_MONTH = dt.timedelta(days=30)


@dataclass(frozen=True, kw_only=True)
class ListSite:
    """The application and the house behind it."""

    app: FastAPI
    house: House
    sessions: SessionStore

    def browser(self, account: Account) -> Browser:
        """A browser in which an account is signed in."""
        session, token = self.sessions.begin(account.id)
        return Browser(self.app, token=token, csrf=session.csrf)

    def account(self, login: str, *roles: Role, name: str = "") -> Account:
        return self.house.accounts.create(login=login, name=name or login.title(), roles=roles, by=None)

    def callback(self, *, department: str = "zentrale", due_in_h: float = 2, **wish: Any) -> Callback:
        """A wish that a citizen has left."""
        house = self.house
        conversation, _ = house.conversations.create(site="jena", channel=Channel.WEB, language="de")
        values = {"name": "Ada Muster", "phone": "03641 491234", "concern": "Mein Pass", "consent": True, **wish}
        due_at = house.clock.now() + dt.timedelta(hours=due_in_h)
        callback, _ = house.staffing.callbacks.add(
            conversation, CallbackWish(**values), department=department, service_id="reisepass", due_at=due_at
        )
        return callback

    def acts(self) -> list[tuple[str, str | None, str]]:
        """What is in the audit log besides accounts and what was set up: act, login, subject; the newest first."""
        entries = self.house.audit.entries(limit=200)
        return [(one.act, one.actor_login, one.subject) for one in entries if one.actor_login is not None]


def list_site(house: House) -> ListSite:
    phrases = Phrases(ROOT / "handover" / "locale")
    room = StaffRoom(name="handover", templates=ROOT / "handover" / "pages", phrases=phrases)
    pages = StaffPages(city="Beispielstadt", rooms=[room], nav=list_entries(phrases))
    sessions = SessionStore(house.database, house.clock, lifetime=A_MONTH, idle=A_MONTH)
    gate = StaffGate(accounts=house.accounts, sessions=sessions, pages=pages)
    app = FastAPI()
    problems.install(app, invalid="Das geht nicht.", failed="Das ging nicht.")
    gate.install(app)
    replies = Replies(Phrases(ROOT / "bot" / "locale"), names={"city": "Beispielstadt", "phone": "0000 0"})
    house.staffing.show_lists(app, accounts=house.accounts, gate=gate, pages=pages, replies=replies)
    return ListSite(app=app, house=house, sessions=sessions)
