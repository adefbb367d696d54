"""The supervisors' pages together: hours, notices and the off switch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi import FastAPI

from core.accounts import Role
from core.audit import AuditLog
from core.database import Database
from core.gate import StaffGate
from core.i18n import Phrases
from core.staff_pages import PREFIX, NavEntry, StaffFiles, StaffPages
from handover.departments import Departments
from handover.hours_desk import HoursDesk
from handover.hours_pages import HOURS, HoursPages
from handover.notice_board import NoticeBoard
from handover.notices_pages import NOTICES, NoticesPages
from knowledge.service import Knowledge

STYLES = Path(__file__).parent / "pages" / "static"


def leading_entries(phrases: Phrases) -> list[NavEntry]:
    """Their places in the navigation."""
    supervisors = frozenset({Role.SUPERVISOR})
    return [
        NavEntry(label=phrases.text("hours.title"), href=HOURS, roles=supervisors),
        NavEntry(label=phrases.text("notices.nav"), href=NOTICES, roles=supervisors),
    ]


def mount_leading_pages(
    app: FastAPI,
    *,
    database: Database,
    knowledge: Knowledge,
    departments: Departments,
    audit: AuditLog,
    board: NoticeBoard,
    sites: Mapping[str, str],
    silenced: Callable[[str], str],
    gate: StaffGate,
    pages: StaffPages,
) -> None:
    """Serve the pages; `sites` are names by key, `silenced` is what the bot says while it is off, with a notice."""
    app.mount(f"{PREFIX}/static-leitung", StaffFiles(directory=STYLES), name="leading-static")
    hours = HoursPages(
        desk=HoursDesk(database, knowledge, departments, audit),
        departments=departments,
        knowledge=knowledge,
        gate=gate,
        pages=pages,
    )
    notices = NoticesPages(board=board, hours=knowledge.hours, sites=sites, silenced=silenced, gate=gate, pages=pages)
    app.include_router(hours.router)
    app.include_router(notices.router)
