"""Signing in by the city's identity provider, and linking an account with a person there."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from core.accounts import Account, AccountExists, AccountStore, InvalidAccount, LastAdmin
from core.audit import AuditLog
from core.encryption import Unreadable
from core.gate import StaffGate, safe_target
from core.oidc import NotVouchedFor, Person, Provider, ProviderError, ProviderUnavailable
from core.pending import AtProvider, PendingSignins
from core.problems import Problem
from core.settings import OidcSettings
from core.signin import SignInPages
from core.staff_pages import HOME, PREFIX, SIGN_IN, SignedIn, StaffPages
from core.tries import Tries

START = f"{SIGN_IN}/stadt"
BACK = f"{START}/zurueck"
LINK = f"{PREFIX}/konto/stadt"
COOKIE = "mitarbeit-stadt"

Given = Annotated[str, Query(max_length=4_000)]


class NotAdmitted(Exception):
    """The provider knows the person, but there is no account for it; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class ProviderPages:
    """Routes under `/mitarbeit/anmelden/stadt`, and `/mitarbeit/konto/stadt`."""

    def __init__(
        self,
        *,
        provider: Provider,
        settings: OidcSettings,
        accounts: AccountStore,
        pending: PendingSignins,
        audit: AuditLog,
        gate: StaffGate,
        pages: StaffPages,
        signin: SignInPages,
        tries: Tries,
    ) -> None:
        """
        Args:
            provider: the provider.
            settings: whether it makes accounts.
            accounts: the accounts.
            pending: people who are away at the provider.
            audit: the log.
            gate: the gate.
            pages: the pages' frame.
            signin: begins sessions and shows what went wrong.
            tries: counts sign-ins.
        """
        self._provider = provider
        self._settings = settings
        self._accounts = accounts
        self._pending = pending
        self._audit = audit
        self._gate = gate
        self._pages = pages
        self._signin = signin
        self._tries = tries
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)

        @router.get(START)
        async def start(request: Request, weiter: Given = HOME) -> Response:
            try:
                self._tries.count(request)
            except Problem as problem:
                return self._signin.too_many(request, problem)
            try:
                return _away(request, *await self._send(request, target=safe_target(weiter)))
            except ProviderUnavailable:
                return self._failed(request, "unavailable", HTTPStatus.BAD_GATEWAY)

        @router.get(BACK)
        async def come_back(
            request: Request, state: Given = "", code: Given = "", iss: Given | None = None
        ) -> Response:
            response = await self.come_back(request, state=state, code=code, issuer=iss)
            response.delete_cookie(COOKIE, path=START)
            return response

        @router.post(LINK)
        async def link(request: Request, signed_in: Annotated[SignedIn, Depends(self._gate.page())]) -> Response:
            return await self.link(request, signed_in)

        return router

    async def come_back(self, request: Request, *, state: str, code: str, issuer: str | None) -> Response:
        """Take what a person comes back with, once."""
        token = request.cookies.get(COOKIE, "")
        try:
            sent = await run_in_threadpool(self._pending.come_back, token, state)
        except Unreadable:
            sent = None
        if sent is None:
            return self._failed(request, "not-expected", HTTPStatus.BAD_REQUEST)
        if not code:
            return self._failed(request, "broken-off", HTTPStatus.UNAUTHORIZED)
        try:
            person = await self._provider.person(
                redirect_uri=_back(request), code=code, issuer=issuer, nonce=sent.nonce, verifier=sent.verifier
            )
        except ProviderError as error:
            return await self._not_vouched_for(request, error)
        if sent.account_id is not None:
            return await self._finish_link(request, sent, person)
        try:
            account = await run_in_threadpool(self._account_of, person)
        except NotAdmitted as refusal:
            await run_in_threadpool(self._audit.record, "login_failed", actor=None, provider=person.issuer)
            return self._failed(request, refusal.code, HTTPStatus.FORBIDDEN)
        return await self._signin.admit(request, account, target=sent.target, provider=person.issuer)

    async def link(self, request: Request, signed_in: SignedIn) -> Response:
        """Send someone who is signed in to the provider, to link the account.

        The page leads on by itself: a redirection would have to be allowed by the policy of the page with the form.
        """
        try:
            address, token = await self._send(request, target=HOME, account_id=signed_in.account.id)
        except ProviderUnavailable:
            return self._failed(request, "unavailable", HTTPStatus.BAD_GATEWAY)
        page = self._pages.render(
            request, signed_in, "to_provider.html", headers={"Refresh": f"0; url={address}"}, address=address
        )
        _set_cookie(request, page, token)
        return page

    async def _send(self, request: Request, *, target: str, account_id: str | None = None) -> tuple[str, str]:
        """Address at the provider, and token for the cookie.

        Raises:
            ProviderUnavailable: the provider does not answer.
        """
        verifier = self._provider.new_verifier()

        def remember() -> tuple[str, str, str]:
            return self._pending.go_to_provider(verifier=verifier, target=target, account_id=account_id)

        token, state, nonce = await run_in_threadpool(remember)
        address = await self._provider.authorization(
            redirect_uri=_back(request), state=state, nonce=nonce, verifier=verifier
        )
        return address, token

    async def _finish_link(self, request: Request, sent: AtProvider, person: Person) -> Response:
        signed_in = await self._gate.signed_in(request)
        if signed_in is None or signed_in.account.id != sent.account_id:
            return self._failed(request, "not-expected", HTTPStatus.BAD_REQUEST)

        def link() -> None:
            account = signed_in.account
            self._accounts.link(account.id, issuer=person.issuer, subject=person.subject, by=account)

        try:
            await run_in_threadpool(link)
        except AccountExists:
            return RedirectResponse(f"{PREFIX}/konto?fehler=linked-elsewhere", HTTPStatus.SEE_OTHER)
        return RedirectResponse(f"{PREFIX}/konto?fertig=linked", HTTPStatus.SEE_OTHER)

    def _account_of(self, person: Person) -> Account:
        """The person's account with the roles of today.

        Raises:
            NotAdmitted: there is none, or it is not active.
        """
        account = self._accounts.by_provider(person.issuer, person.subject)
        roles = self._provider.roles(person)
        if account is None:
            return self._create(person)
        if not account.active:
            raise NotAdmitted("inactive")
        if roles is None or roles == account.roles:
            return account
        try:
            return self._accounts.change(account.id, by=account, roles=roles)
        except LastAdmin:
            return account

    def _create(self, person: Person) -> Account:
        roles = self._provider.roles(person)
        if not self._settings.create_accounts:
            raise NotAdmitted("no-account")
        if roles is not None and not roles:
            raise NotAdmitted("no-role")
        login = person.text("preferred_username", "email") or person.subject
        try:
            return self._accounts.create(
                login=login,
                name=person.text("name") or login,
                roles=roles or (),
                by=None,
                provider=(person.issuer, person.subject),
            )
        except AccountExists:
            raise NotAdmitted("login-taken") from None
        except InvalidAccount:
            raise NotAdmitted("no-account") from None

    async def _not_vouched_for(self, request: Request, error: ProviderError) -> Response:
        if not isinstance(error, NotVouchedFor):
            return self._failed(request, "unavailable", HTTPStatus.BAD_GATEWAY)
        await run_in_threadpool(self._audit.record, "login_failed", actor=None, provider=self._provider.issuer)
        return self._failed(request, "not-vouched-for", HTTPStatus.UNAUTHORIZED)

    def _failed(self, request: Request, code: str, status: HTTPStatus) -> Response:
        return self._signin.form(request, error=self._pages.text(f"provider.{code}"), status=status)


def _away(request: Request, address: str, token: str) -> Response:
    response = RedirectResponse(address, HTTPStatus.SEE_OTHER)
    _set_cookie(request, response, token)
    return response


def _set_cookie(request: Request, response: Response, token: str) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path=START, httponly=True, samesite="lax", secure=secure)


def _back(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}{BACK}"
