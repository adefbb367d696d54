"""The page that shows the audit log."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from core.accounts import Role
from core.audit import AuditLog
from core.gate import StaffGate
from core.i18n import UnknownPhrase
from core.staff_pages import PREFIX, SignedIn, StaffPages

ADDRESS = f"{PREFIX}/protokoll"
PAGE = 50


class AuditPage:
    """The route `/mitarbeit/protokoll`."""

    def __init__(self, *, audit: AuditLog, gate: StaffGate, pages: StaffPages) -> None:
        self._audit = audit
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        Reader = Annotated[SignedIn, Depends(self._gate.page(Role.SUPERVISOR, Role.ADMIN))]
        Wanted = Annotated[str, Query(max_length=100)]

        @router.get(ADDRESS)
        async def show(
            request: Request,
            signed_in: Reader,
            was: Wanted = "",
            wer: Wanted = "",
            vor: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
            pruefen: bool = False,
        ) -> Response:
            return await self.show(request, signed_in, act=was, actor=wer, before=vor, check=pruefen)

        return router

    async def show(
        self, request: Request, signed_in: SignedIn, *, act: str, actor: str, before: int | None, check: bool
    ) -> Response:
        """One page of entries, the newest first."""

        def read() -> dict[str, Any]:
            entries = self._audit.entries(before=before, act=act, actor=actor, limit=PAGE + 1)
            return {
                "entries": entries[:PAGE],
                "older": entries[PAGE - 1].id if len(entries) > PAGE else None,
                "acts": sorted(
                    ((self._label("act", name), name) for name in self._audit.acts()), key=lambda act: act[0].casefold()
                ),
                "wrong": self._audit.verify() if check else None,
            }

        return self._pages.render(
            request,
            signed_in,
            "audit.html",
            status=HTTPStatus.OK,
            **await run_in_threadpool(read),
            act=act,
            actor=actor,
            newest=before is None,
            checked=check,
            label=lambda act: self._label("act", act),
            details=self._details,
        )

    def _details(self, details: Mapping[str, Any]) -> str:
        """What an entry says besides, in one line."""
        return "; ".join(
            f"{self._label('detail', name)}: {self._value(name, value)}" for name, value in details.items()
        )

    def _value(self, name: str, value: Any) -> str:
        if isinstance(value, Mapping) and value.keys() == {"from", "to"}:
            return f"{self._value(name, value['from'])} → {self._value(name, value['to'])}"
        if isinstance(value, list):
            return ", ".join(self._value(name, part) for part in value) or "–"
        if value is None:
            return "–"
        return self._label("role", str(value)) if name == "roles" else str(value)

    def _label(self, kind: str, name: str) -> str:
        """The German word for a name in the log; the name itself where there is none."""
        try:
            return self._pages.text(f"{kind}.{name}")
        except UnknownPhrase:
            return name
