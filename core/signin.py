"""Signing in and out, and setting a password by a link."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

from http import HTTPStatus
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from core.accounts import Account, AccountStore, UnknownAccount
from core.audit import AuditLog
from core.gate import StaffGate, safe_target
from core.oidc import Provider
from core.passwords import MAX_LENGTH, MIN_LENGTH, PasswordRefused
from core.pending import PendingSignins
from core.problems import Problem
from core.sessions import SessionStore
from core.settings import StaffSettings
from core.staff_pages import HOME, PREFIX, SIGN_IN, SignedIn, StaffPages
from core.tries import Tries

CODE_COOKIE = "mitarbeit-anmeldung"
SIGNED_OUT = "abgemeldet"

Text = Annotated[str, Form(max_length=2_000)]


class SignInPages:
    """Routes under `/mitarbeit/anmelden`, `/mitarbeit/abmelden` and `/mitarbeit/einrichten`."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        sessions: SessionStore,
        pending: PendingSignins,
        audit: AuditLog,
        gate: StaffGate,
        pages: StaffPages,
        tries: Tries,
        hashing: CapacityLimiter,
        settings: StaffSettings,
        provider: Provider | None,
    ) -> None:
        """
        Args:
            accounts: who may sign in.
            sessions: where sessions begin.
            pending: sign-ins that wait for a second factor.
            audit: the log.
            gate: the gate.
            pages: the pages' frame.
            tries: counts tries.
            hashing: how many passwords are checked at the same time.
            settings: whether there is a provider.
            provider: the city's identity provider, if there is one.
        """
        self._accounts = accounts
        self._sessions = sessions
        self._pending = pending
        self._audit = audit
        self._gate = gate
        self._pages = pages
        self._tries = tries
        self._hashing = hashing
        self._settings = settings
        self._provider = provider
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        Anyone = Annotated[SignedIn, Depends(self._gate.page())]

        @router.get(HOME)
        async def home(signed_in: Anyone) -> Response:
            return _to(self._pages.home(signed_in.account))

        @router.get(SIGN_IN)
        async def form(request: Request, weiter: Annotated[str, Query(max_length=2_000)] = HOME) -> Response:
            if await self._gate.signed_in(request) is not None:
                return _to(safe_target(weiter))
            return self.form(request, target=safe_target(weiter))

        @router.post(SIGN_IN)
        async def sign_in(request: Request, login: Text = "", password: Text = "", weiter: Text = HOME) -> Response:
            return await self.sign_in(request, login=login, password=password, target=safe_target(weiter))

        @router.get(f"{SIGN_IN}/code")
        async def code_form(request: Request) -> Response:
            awaited = await run_in_threadpool(self._pending.awaited, request.cookies.get(CODE_COOKIE, ""))
            return self._pages.render(request, None, "code.html", error="") if awaited else _to(SIGN_IN)

        @router.post(f"{SIGN_IN}/code")
        async def give_code(request: Request, code: Text = "") -> Response:
            return await self.give_code(request, code)

        @router.post(f"{PREFIX}/abmelden")
        async def sign_out(request: Request, signed_in: Anyone) -> Response:
            await run_in_threadpool(self._sessions.end, signed_in.session.id)
            await run_in_threadpool(self._audit.record, "logout", actor=signed_in.account)
            response = _to(f"{SIGN_IN}?{SIGNED_OUT}={'stadt' if signed_in.session.provider else 'hier'}")
            self._gate.dismiss(request, response)
            return response

        @router.get(f"{PREFIX}/einrichten/{{token}}")
        async def setup_form(request: Request, token: str) -> Response:
            return self._setup_form(request, await run_in_threadpool(self._accounts.of_setup, token))

        @router.post(f"{PREFIX}/einrichten/{{token}}")
        async def setup(request: Request, token: str, password: Text = "", again: Text = "") -> Response:
            return await self.setup(request, token, password=password, again=again)

        return router

    def form(
        self,
        request: Request,
        *,
        target: str = HOME,
        login: str = "",
        error: str = "",
        notice: str = "",
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        """The sign-in page."""
        signed_out = request.query_params.get(SIGNED_OUT)
        return self._pages.render(
            request,
            None,
            "signin.html",
            status=status,
            error=error,
            notice=notice or (self._pages.text("signin.signed-out") if signed_out else ""),
            login=login,
            target=target,
            provider=(self._settings.oidc.label or self._pages.text("signin.provider")) if self._provider else "",
            end_address=self._end_address(request) if signed_out == "stadt" else None,
        )

    async def sign_in(self, request: Request, *, login: str, password: str, target: str) -> Response:
        """Take login and password; on to the second factor where the account has one."""
        self._gate.refuse_other_sites(request)
        try:
            self._tries.count(request, login)
        except Problem as problem:
            return self.too_many(request, problem, target=target, login=login)
        account = await to_thread.run_sync(self._accounts.verify_password, login, password, limiter=self._hashing)
        if account is None:
            await run_in_threadpool(self._note_failure, login)
            error = self._pages.text("signin.wrong")
            return self.form(request, target=target, login=login, error=error, status=HTTPStatus.UNAUTHORIZED)
        if not account.has_totp:
            return await self.admit(request, account, target=target)
        token = await run_in_threadpool(self._pending.await_code, account.id, target=target)
        response = _to(f"{SIGN_IN}/code")
        secure = request.url.scheme == "https"
        response.set_cookie(CODE_COOKIE, token, path=SIGN_IN, httponly=True, samesite="strict", secure=secure)
        return response

    async def give_code(self, request: Request, code: str) -> Response:
        """Take the second factor."""
        self._gate.refuse_other_sites(request)
        token = request.cookies.get(CODE_COOKIE, "")
        awaited = await run_in_threadpool(self._pending.awaited, token)
        if awaited is None or not await run_in_threadpool(self._pending.count_try, token):
            await run_in_threadpool(self._pending.drop, token)
            error = self._pages.text("signin.begin-again")
            return self.form(request, error=error, status=HTTPStatus.UNAUTHORIZED)
        try:
            account = await run_in_threadpool(self._accounts.get, awaited.account_id)
            self._tries.count(request, account.login)
        except UnknownAccount:
            return _to(SIGN_IN)
        except Problem as problem:
            return self.too_many(request, problem, target=awaited.target)
        right = await run_in_threadpool(self._accounts.verify_second_factor, account.id, code)
        if not right or not account.active:
            await run_in_threadpool(self._note_failure, account.login)
            error = self._pages.text("signin.wrong-code")
            return self._pages.render(request, None, "code.html", status=HTTPStatus.UNAUTHORIZED, error=error)
        await run_in_threadpool(self._pending.drop, token)
        response = await self.admit(request, account, target=awaited.target)
        response.delete_cookie(CODE_COOKIE, path=SIGN_IN)
        return response

    async def admit(self, request: Request, account: Account, *, target: str, provider: str | None = None) -> Response:
        """Begin a session, always a new one; whatever session the browser had ends."""
        before = await self._gate.signed_in(request)
        if before is not None:
            await run_in_threadpool(self._sessions.end, before.session.id)
        _, token = await run_in_threadpool(self._sessions.begin, account.id, provider=provider)
        details = {"provider": provider} if provider else {}
        await run_in_threadpool(self._audit.record, "login", actor=account, **details)
        response = _to(target)
        self._gate.admit(request, response, token)
        return response

    async def setup(self, request: Request, token: str, *, password: str, again: str) -> Response:
        """Set the password of a link."""
        self._gate.refuse_other_sites(request)
        try:
            self._tries.count(request)
        except Problem as problem:
            return self.too_many(request, problem)
        account = await run_in_threadpool(self._accounts.of_setup, token)
        if account is not None and password != again:
            return self._setup_form(request, account, error=self._pages.text("password.differs"))
        try:
            account = await to_thread.run_sync(self._accounts.finish_setup, token, password, limiter=self._hashing)
        except PasswordRefused as refused:
            return self._setup_form(request, account, error=password_error(self._pages, refused))
        if account is None:
            return self._setup_form(request, None)
        return self.form(request, login=account.login, notice=self._pages.text("setup.done"))

    def _setup_form(self, request: Request, account: Account | None, *, error: str = "") -> Response:
        status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK if account else HTTPStatus.NOT_FOUND
        return self._pages.render(
            request, None, "setup.html", status=status, owner=account, error=error, min_length=MIN_LENGTH
        )

    def too_many(self, request: Request, problem: Problem, *, target: str = HOME, login: str = "") -> Response:
        """The sign-in page for someone who has tried too often."""
        response = self.form(request, target=target, login=login, error=problem.detail, status=problem.status)
        response.headers.update(problem.headers)
        return response

    def _end_address(self, request: Request) -> str | None:
        back = f"{str(request.base_url).rstrip('/')}{SIGN_IN}"
        return self._provider.end_address(back=back) if self._provider else None

    def _note_failure(self, login: str) -> None:
        """Write that a sign-in failed; what was typed only where it is a login, it might be a password."""
        account = self._accounts.by_login(login)
        self._audit.record("login_failed", actor=None, subject=account.login if account else "")


def password_error(pages: StaffPages, refused: PasswordRefused) -> str:
    """The sentence for a password that is not accepted."""
    return pages.text(f"password.{refused.code}", min=MIN_LENGTH, max=MAX_LENGTH)


def _to(address: str) -> RedirectResponse:
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
