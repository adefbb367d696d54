"""The pages on which accounts are managed."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from core.accounts import Account, AccountExists, AccountStore, InvalidAccount, LastAdmin, Role, UnknownAccount
from core.gate import StaffGate
from core.staff_pages import PREFIX, SignedIn, StaffPages

ADDRESS = f"{PREFIX}/konten"
DONE = ("saved", "activated", "totp-off")

Text = Annotated[str, Form(max_length=2_000)]
Roles = Annotated[list[Role], Form(default_factory=list)]
Key = Annotated[str, Query(max_length=32)]


class AccountsPages:
    """Routes under `/mitarbeit/konten`."""

    def __init__(self, *, accounts: AccountStore, gate: StaffGate, pages: StaffPages) -> None:
        self._accounts = accounts
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        Admin = Annotated[SignedIn, Depends(self._gate.page(Role.ADMIN))]

        @router.get(ADDRESS)
        async def show_all(request: Request, signed_in: Admin, fertig: Key = "", abgeschaltet: Key = "") -> Response:
            return await self.show_all(request, signed_in, done=fertig, deactivated=abgeschaltet)

        @router.get(f"{ADDRESS}/neu")
        async def form(request: Request, signed_in: Admin) -> Response:
            return self._form(request, signed_in)

        @router.post(ADDRESS)
        async def create(
            request: Request, signed_in: Admin, roles: Roles, login: Text = "", name: Text = ""
        ) -> Response:
            return await self.create(request, signed_in, login=login, name=name, roles=roles)

        @router.get(f"{ADDRESS}/{{account_id}}")
        async def show(request: Request, signed_in: Admin, account_id: str) -> Response:
            return self._show(request, signed_in, await self._get(account_id))

        @router.post(f"{ADDRESS}/{{account_id}}")
        async def change(
            request: Request, signed_in: Admin, account_id: str, roles: Roles, name: Text = ""
        ) -> Response:
            return await self._change(request, signed_in, account_id, done="fertig=saved", name=name, roles=roles)

        @router.post(f"{ADDRESS}/{{account_id}}/abschalten")
        async def deactivate(request: Request, signed_in: Admin, account_id: str) -> Response:
            done = f"abgeschaltet={(await self._get(account_id)).id}"
            return await self._change(request, signed_in, account_id, done=done, active=False)

        @router.post(f"{ADDRESS}/{{account_id}}/anschalten")
        async def activate(request: Request, signed_in: Admin, account_id: str) -> Response:
            return await self._change(request, signed_in, account_id, done="fertig=activated", active=True)

        @router.post(f"{ADDRESS}/{{account_id}}/passwort")
        async def reset_password(request: Request, signed_in: Admin, account_id: str) -> Response:
            return await self._give_link(request, signed_in, await self._get(account_id))

        @router.post(f"{ADDRESS}/{{account_id}}/faktor")
        async def disable_totp(signed_in: Admin, account_id: str) -> Response:
            account = await self._get(account_id)
            await run_in_threadpool(self._accounts.disable_totp, account.id, by=signed_in.account)
            return RedirectResponse(f"{ADDRESS}?fertig=totp-off", HTTPStatus.SEE_OTHER)

        return router

    async def show_all(self, request: Request, signed_in: SignedIn, *, done: str, deactivated: str) -> Response:
        """The list; after a deactivation with a way back."""
        accounts = await run_in_threadpool(self._accounts.all)
        undo = next((account for account in accounts if account.id == deactivated and not account.active), None)
        return self._pages.render(
            request,
            signed_in,
            "accounts.html",
            accounts=accounts,
            undo=undo,
            done=self._pages.text(f"accounts.done.{done}") if done in DONE else "",
        )

    async def create(
        self, request: Request, signed_in: SignedIn, *, login: str, name: str, roles: list[Role]
    ) -> Response:
        """A new account; then the link for its password is shown, once."""

        def make() -> Account:
            return self._accounts.create(login=login, name=name, roles=set(roles), by=signed_in.account)

        try:
            account = await run_in_threadpool(make)
        except InvalidAccount as error:
            return self._form(request, signed_in, login=login, name=name, roles=roles, error=error.code)
        except AccountExists:
            return self._form(request, signed_in, login=login, name=name, roles=roles, error="login-taken")
        return await self._give_link(request, signed_in, account)

    async def _change(
        self,
        request: Request,
        signed_in: SignedIn,
        account_id: str,
        *,
        done: str,
        name: str | None = None,
        roles: list[Role] | None = None,
        active: bool | None = None,
    ) -> Response:
        def change() -> None:
            self._accounts.change(
                account_id,
                by=signed_in.account,
                name=name,
                roles=set(roles) if roles is not None else None,
                active=active,
                keep_session=signed_in.session.id,
            )

        account = await self._get(account_id)
        try:
            await run_in_threadpool(change)
        except InvalidAccount as error:
            return self._show(request, signed_in, account, error=error.code)
        except LastAdmin:
            return self._show(request, signed_in, account, error="last-admin")
        return RedirectResponse(f"{ADDRESS}?{done}", HTTPStatus.SEE_OTHER)

    async def _give_link(self, request: Request, signed_in: SignedIn, account: Account) -> Response:
        token = await run_in_threadpool(self._accounts.begin_setup, account.id, by=signed_in.account)
        link = f"{str(request.base_url).rstrip('/')}{PREFIX}/einrichten/{token}"
        return self._pages.render(request, signed_in, "setup_link.html", owner=account, link=link)

    async def _get(self, account_id: str) -> Account:
        try:
            return await run_in_threadpool(self._accounts.get, account_id)
        except UnknownAccount:
            raise HTTPException(HTTPStatus.NOT_FOUND) from None

    def _form(
        self,
        request: Request,
        signed_in: SignedIn,
        *,
        login: str = "",
        name: str = "",
        roles: list[Role] | None = None,
        error: str = "",
    ) -> Response:
        return self._pages.render(
            request,
            signed_in,
            "new_account.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            login=login,
            name=name,
            roles=roles or [],
            all_roles=list(Role),
            error=self._pages.text(f"accounts.{error}") if error else "",
        )

    def _show(self, request: Request, signed_in: SignedIn, owner: Account, *, error: str = "") -> Response:
        return self._pages.render(
            request,
            signed_in,
            "edit_account.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
            owner=owner,
            all_roles=list(Role),
            error=self._pages.text(f"accounts.{error}") if error else "",
        )
