"""Everything of this room that staff see: sign-in, own account, accounts, audit log."""

from __future__ import annotations

from collections.abc import Callable

from anyio import CapacityLimiter
from fastapi import FastAPI, Request

from core.account_page import AccountPage
from core.accounts import AccountStore
from core.accounts_pages import AccountsPages
from core.audit import AuditLog
from core.audit_page import AuditPage
from core.clock import Clock
from core.gate import StaffGate
from core.limits import Limiter
from core.oidc import Provider
from core.pending import PendingSignins
from core.provider_signin import ProviderPages
from core.sessions import SessionStore
from core.settings import StaffSettings
from core.signin import SignInPages
from core.staff_pages import StaffPages
from core.tries import Tries

HASHES_AT_ONCE = 2
"""Passwords that are checked at the same time; each one takes 64 MiB."""


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
    clock: Clock,
) -> None:
    """Serve this room's pages below `/mitarbeit`, and let the app answer with the gate's detours."""
    gate.install(app)
    pages.mount(app)
    tries = Tries(limiter=limiter, settings=settings, pages=pages, client_of=client_of)
    hashing = CapacityLimiter(HASHES_AT_ONCE)
    provider = Provider(settings.oidc, clock) if settings.oidc.issuer else None
    signin = SignInPages(
        accounts=accounts,
        sessions=sessions,
        pending=pending,
        audit=audit,
        gate=gate,
        pages=pages,
        tries=tries,
        hashing=hashing,
        settings=settings,
        provider=provider,
    )
    own = AccountPage(
        accounts=accounts,
        sessions=sessions,
        gate=gate,
        pages=pages,
        tries=tries,
        hashing=hashing,
        settings=settings,
    )
    routers = (
        signin.router,
        own.router,
        AccountsPages(accounts=accounts, gate=gate, pages=pages).router,
        AuditPage(audit=audit, gate=gate, pages=pages).router,
    )
    for router in routers:
        app.include_router(router)
    if provider is not None:
        away = ProviderPages(
            provider=provider,
            settings=settings.oidc,
            accounts=accounts,
            pending=pending,
            audit=audit,
            gate=gate,
            pages=pages,
            signin=signin,
            tries=tries,
        )
        app.include_router(away.router)
