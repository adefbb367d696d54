"""Everything of this room that staff see: sign-in, own account, accounts, audit log."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import FastAPI, Request

from core.accounts import AccountStore
from core.audit import AuditLog
from core.gate import StaffGate
from core.limits import Limiter
from core.pending import PendingSignins
from core.sessions import SessionStore
from core.settings import StaffSettings
from core.signin import SignInPages
from core.staff_pages import StaffPages


def mount_staff_pages(
    app: FastAPI,
    *,
    accounts: AccountStore,
    sessions: SessionStore,
    pending: PendingSignins,
    audit: AuditLog,
    gate: StaffGate,
    pages: StaffPages,
    limiter: Limiter,
    settings: StaffSettings,
    client_of: Callable[[Request], str],
) -> None:
    """Serve this room's pages below `/mitarbeit`, and let the app answer with the gate's detours."""
    gate.install(app)
    pages.mount(app)
    signin = SignInPages(
        accounts=accounts,
        sessions=sessions,
        pending=pending,
        audit=audit,
        gate=gate,
        pages=pages,
        limiter=limiter,
        settings=settings,
        client_of=client_of,
    )
    app.include_router(signin.router)
