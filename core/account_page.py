"""The page on which staff look after their own account: password, second factor, sessions."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

import io
from http import HTTPStatus
from typing import Annotated

import segno
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from core import second_factor
from core.accounts import AccountStore
from core.gate import StaffGate
from core.passwords import MIN_LENGTH, PasswordRefused
from core.problems import Problem
from core.sessions import SessionStore
from core.settings import StaffSettings
from core.signin import password_error
from core.staff_pages import PREFIX, SignedIn, StaffPages
from core.tries import Tries

ADDRESS = f"{PREFIX}/konto"
DONE = ("password", "totp-off", "sessions", "linked", "unlinked")
"""What a page that was just left may tell."""

FAILED = ("linked-elsewhere",)

Text = Annotated[str, Form(max_length=2_000)]


class AccountPage:
    """Routes under `/mitarbeit/konto`."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        sessions: SessionStore,
        gate: StaffGate,
        pages: StaffPages,
        tries: Tries,
        hashing: CapacityLimiter,
        settings: StaffSettings,
    ) -> None:
        """
        Args:
            accounts: the accounts.
            sessions: the sessions.
            gate: the gate.
            pages: the pages' frame.
            tries: counts passwords that are tried.
            hashing: how many passwords are checked at the same time.
            settings: whether there is a provider.
        """
        self._accounts = accounts
        self._sessions = sessions
        self._gate = gate
        self._pages = pages
        self._tries = tries
        self._hashing = hashing
        self._settings = settings
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        Anyone = Annotated[SignedIn, Depends(self._gate.page())]

        @router.get(ADDRESS)
        async def show(
            request: Request,
            signed_in: Anyone,
            fertig: Annotated[str, Query()] = "",
            fehler: Annotated[str, Query()] = "",
        ) -> Response:
            error = self._pages.text(f"account.{fehler}") if fehler in FAILED else ""
            return await self.show(request, signed_in, done=fertig if fertig in DONE else "", error=error)

        @router.post(f"{ADDRESS}/passwort")
        async def change_password(
            request: Request, signed_in: Anyone, current: Text = "", password: Text = "", again: Text = ""
        ) -> Response:
            return await self.change_password(request, signed_in, current=current, password=password, again=again)

        @router.post(f"{ADDRESS}/sitzungen")
        async def end_other_sessions(signed_in: Anyone) -> Response:
            session = signed_in.session
            await run_in_threadpool(self._sessions.end_all, session.account_id, except_=session.id)
            return _done("sessions")

        @router.post(f"{ADDRESS}/faktor")
        async def begin_totp(signed_in: Anyone) -> Response:
            await run_in_threadpool(self._accounts.begin_totp, signed_in.account.id)
            return RedirectResponse(f"{ADDRESS}/faktor", HTTPStatus.SEE_OTHER)

        @router.get(f"{ADDRESS}/faktor")
        async def totp_form(request: Request, signed_in: Anyone) -> Response:
            return await self._totp_form(request, signed_in)

        @router.get(f"{ADDRESS}/faktor.png")
        async def totp_picture(signed_in: Anyone) -> Response:
            return await self.totp_picture(signed_in)

        @router.post(f"{ADDRESS}/faktor/bestaetigen")
        async def enable_totp(request: Request, signed_in: Anyone, code: Text = "") -> Response:
            return await self.enable_totp(request, signed_in, code)

        @router.post(f"{ADDRESS}/faktor/abschalten")
        async def disable_totp(request: Request, signed_in: Anyone, current: Text = "") -> Response:
            return await self.disable_totp(request, signed_in, current=current)

        @router.post(f"{ADDRESS}/stadt/loesen")
        async def unlink(request: Request, signed_in: Anyone) -> Response:
            if not signed_in.account.has_password:
                return await self.show(request, signed_in, error=self._pages.text("account.needs-password"))
            await run_in_threadpool(self._accounts.unlink, signed_in.account.id, by=signed_in.account)
            return _done("unlinked")

        return router

    async def show(self, request: Request, signed_in: SignedIn, *, done: str = "", error: str = "") -> Response:
        """The page."""
        account_id = signed_in.account.id
        sessions = await run_in_threadpool(self._sessions.of, account_id)
        return self._pages.render(
            request,
            signed_in,
            "account.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            done=self._pages.text(f"account.done.{done}") if done else "",
            error=error,
            others=len(sessions) - 1,
            codes_left=await run_in_threadpool(self._accounts.recovery_codes_left, account_id),
            provider=self._settings.oidc.issuer,
            min_length=MIN_LENGTH,
        )

    async def change_password(
        self, request: Request, signed_in: SignedIn, *, current: str, password: str, again: str
    ) -> Response:
        """Set a new password; the other sessions end."""
        error = await self._wrong_password(request, signed_in, current)
        if not error and password != again:
            error = self._pages.text("password.differs")
        if error:
            return await self.show(request, signed_in, error=error)

        def put() -> None:
            account, session = signed_in.account, signed_in.session
            self._accounts.set_password(account.id, password, by=account, keep_session=session.id)

        try:
            await to_thread.run_sync(put, limiter=self._hashing)
        except PasswordRefused as refused:
            return await self.show(request, signed_in, error=password_error(self._pages, refused))
        return _done("password")

    async def totp_picture(self, signed_in: SignedIn) -> Response:
        """The QR code of the secret that waits for its first code, as PNG."""
        secret = await run_in_threadpool(self._accounts.totp_candidate, signed_in.account.id)
        if secret is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        picture = io.BytesIO()
        address = second_factor.address(secret, login=signed_in.account.login, issuer=self._issuer())
        segno.make(address, error="m").save(picture, kind="png", scale=5, border=4)
        return Response(picture.getvalue(), media_type="image/png", headers={"Cache-Control": "no-store"})

    async def enable_totp(self, request: Request, signed_in: SignedIn, code: str) -> Response:
        """Take the first code; then the recovery codes are shown, once."""
        account = signed_in.account
        codes = await run_in_threadpool(self._accounts.enable_totp, account.id, code, by=account)
        if codes is None:
            return await self._totp_form(request, signed_in, error=self._pages.text("signin.wrong-code"))
        return self._pages.render(request, signed_in, "recovery_codes.html", codes=codes)

    async def disable_totp(self, request: Request, signed_in: SignedIn, *, current: str) -> Response:
        """Turn the second factor off."""
        if error := await self._wrong_password(request, signed_in, current):
            return await self.show(request, signed_in, error=error)
        await run_in_threadpool(self._accounts.disable_totp, signed_in.account.id, by=signed_in.account)
        return _done("totp-off")

    async def _totp_form(self, request: Request, signed_in: SignedIn, *, error: str = "") -> Response:
        secret = await run_in_threadpool(self._accounts.totp_candidate, signed_in.account.id)
        if secret is None:
            return RedirectResponse(ADDRESS, HTTPStatus.SEE_OTHER)
        groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
        status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
        return self._pages.render(request, signed_in, "totp.html", status=status, secret=groups, error=error)

    async def _wrong_password(self, request: Request, signed_in: SignedIn, current: str) -> str:
        """What is wrong with the password that confirms a change; empty if it is right."""
        login = signed_in.account.login
        try:
            self._tries.count(request, login)
        except Problem as problem:
            return problem.detail
        right = await to_thread.run_sync(self._accounts.verify_password, login, current, limiter=self._hashing)
        return "" if right else self._pages.text("account.wrong-password")

    def _issuer(self) -> str:
        return f"{self._pages.text('staff.workspace')} {self._pages.city}"


def _done(what: str) -> RedirectResponse:
    return RedirectResponse(f"{ADDRESS}?fertig={what}", HTTPStatus.SEE_OTHER)
