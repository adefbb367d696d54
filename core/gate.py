"""Who may enter: sessions from cookies, roles, and protection against requests that other sites cause."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from core.accounts import Account, AccountStore, Role, UnknownAccount
from core.problems import Problem
from core.sessions import SessionStore, StaffSession
from core.staff_pages import HOME, SIGN_IN, SignedIn, StaffPages

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"


class Detour(Exception):
    """The request gets another response than the one it is for."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


class _Refused(Exception):
    """The request is not allowed; the message is the code of the reason."""


class Entrance:
    """A dependency that lets in accounts with one of the roles, all of them without any."""

    def __init__(self, check: Callable[[Request, tuple[Role, ...]], Awaitable[SignedIn]], roles: tuple[Role, ...]):
        self.roles = roles
        self._check = check

    async def __call__(self, request: Request) -> SignedIn:
        return await self._check(request, self.roles)


class StaffGate:
    """Dependencies of routes for staff."""

    def __init__(self, *, accounts: AccountStore, sessions: SessionStore, pages: StaffPages) -> None:
        self._accounts = accounts
        self._sessions = sessions
        self._pages = pages

    def install(self, app: FastAPI) -> None:
        """Make an app answer with a gate's detours."""

        @app.exception_handler(Detour)
        async def _detour(_request: Request, detour: Detour) -> Response:
            return detour.response

    def page(self, *roles: Role) -> Entrance:
        """For pages: whoever is not signed in goes to the sign-in page, whoever has none of the roles is told so."""
        return Entrance(self._enter_page, roles)

    def api(self, *roles: Role) -> Entrance:
        """For scripts: 401 and 403 as problem documents."""
        return Entrance(self._enter_api, roles)

    async def signed_in(self, request: Request) -> SignedIn | None:
        """Who the request's cookie stands for."""
        token = request.cookies.get(cookie_name(request))
        return await run_in_threadpool(self._find, token) if token else None

    async def still(self, signed_in: SignedIn) -> bool:
        """Whether a session goes on; asking counts as use. For event streams, twice a minute or so."""
        return await run_in_threadpool(self._sessions.touch, signed_in.session.id)

    def admit(self, request: Request, response: Response, token: str) -> None:
        """Give the browser the token of a new session."""
        response.set_cookie(cookie_name(request), token, httponly=True, samesite="lax", secure=_is_secure(request))

    def dismiss(self, request: Request, response: Response) -> None:
        """Take the token away from the browser."""
        response.delete_cookie(cookie_name(request), httponly=True, samesite="lax", secure=_is_secure(request))

    def refuse_other_sites(self, request: Request) -> None:
        """Refuse what another site makes the browser send, on pages that need no session.

        Raises:
            Detour: to a page that says so.
        """
        if request.method not in SAFE_METHODS and not is_same_origin(request):
            raise Detour(self._refusal(request, None, "other-site"))

    async def _enter_page(self, request: Request, roles: tuple[Role, ...]) -> SignedIn:
        signed_in = await self.signed_in(request)
        if signed_in is None:
            raise Detour(RedirectResponse(_to_sign_in(request), HTTPStatus.SEE_OTHER))
        try:
            await _check(request, signed_in, roles, token=await _csrf_of_form(request))
        except _Refused as refusal:
            raise Detour(self._refusal(request, signed_in, str(refusal), roles)) from None
        return signed_in

    async def _enter_api(self, request: Request, roles: tuple[Role, ...]) -> SignedIn:
        signed_in = await self.signed_in(request)
        if signed_in is None:
            raise Problem(HTTPStatus.UNAUTHORIZED, "not-signed-in", self._pages.text("problem.not-signed-in"))
        try:
            await _check(request, signed_in, roles, token=request.headers.get(CSRF_HEADER, ""))
        except _Refused as refusal:
            code = str(refusal)
            raise Problem(HTTPStatus.FORBIDDEN, code, self._pages.text(f"problem.{code}")) from None
        return signed_in

    def _find(self, token: str) -> SignedIn | None:
        session: StaffSession | None = self._sessions.find(token)
        if session is None:
            return None
        try:
            account: Account = self._accounts.get(session.account_id)
        except UnknownAccount:
            return None
        return SignedIn(account=account, session=session) if account.active else None

    def _refusal(
        self, request: Request, signed_in: SignedIn | None, code: str, roles: tuple[Role, ...] = ()
    ) -> Response:
        return self._pages.render(
            request, signed_in, "refused.html", status=HTTPStatus.FORBIDDEN, code=code, needed=roles
        )


async def _check(request: Request, signed_in: SignedIn, roles: tuple[Role, ...], *, token: str) -> None:
    if request.method not in SAFE_METHODS:
        if not is_same_origin(request):
            raise _Refused("other-site")
        if not hmac.compare_digest(token.encode(), signed_in.session.csrf.encode()):
            raise _Refused("csrf")
    if not signed_in.account.has(*roles):
        raise _Refused("role-missing")


async def _csrf_of_form(request: Request) -> str:
    """The token of a form, or of the header where a script sends it."""
    if request.method in SAFE_METHODS or CSRF_HEADER in request.headers:
        return request.headers.get(CSRF_HEADER, "")
    value: UploadFile | str = (await request.form()).get(CSRF_FIELD, "")
    return value if isinstance(value, str) else ""


def is_same_origin(request: Request) -> bool:
    """Whether a page of ours sends the request, as the browser says; false where it says nothing."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None:
        return False
    own = f"{request.url.scheme}://{request.url.netloc}"
    return site in (None, "same-origin") and origin in (None, own)


def safe_target(target: str) -> str:
    """Where to go after signing in: a path of ours, the beginning if it is anything else."""
    is_ours = target == HOME or target.startswith((f"{HOME}/", f"{HOME}?"))
    is_plain = target.isascii() and target.isprintable() and "\\" not in target and " " not in target
    return target if is_ours and is_plain and not target.startswith(SIGN_IN) else HOME


def cookie_name(request: Request) -> str:
    return "__Host-mitarbeit" if _is_secure(request) else "mitarbeit"


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _to_sign_in(request: Request) -> str:
    if request.method not in SAFE_METHODS:
        return SIGN_IN
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return SIGN_IN if path == HOME else f"{SIGN_IN}?{urlencode({'weiter': path})}"
