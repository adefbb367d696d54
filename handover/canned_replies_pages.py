"""The page on canned replies, `/mitarbeit/antworten`: agents read them, supervisors and editors change them."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from core.accounts import Account, Role
from core.gate import StaffGate
from core.i18n import Phrases
from core.staff_pages import PREFIX, SignedIn, StaffPages
from handover.canned_replies import GAPS, CannedReply, CannedReplyStore
from handover.departments import Departments
from handover.errors import Changed, UnknownHandover
from handover.markup import marked_gaps
from handover.reply_forms import ReplyForm, read_reply
from handover.views import Views
from knowledge.catalogue import City

REPLIES = f"{PREFIX}/antworten"
EDITORS = (Role.SUPERVISOR, Role.EDITOR)
ALL = "alle"
"""The filter's word for replies that all departments use."""


class CannedRepliesPages:
    """The routes and what they need."""

    def __init__(
        self,
        *,
        replies: CannedReplyStore,
        departments: Departments,
        views: Views,
        city: City,
        phrases: Phrases,
        gate: StaffGate,
        pages: StaffPages,
    ) -> None:
        self._replies = replies
        self._departments = departments
        self._views = views
        self._city = city
        self._phrases = phrases
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        Reader = Annotated[SignedIn, Depends(self._gate.page(Role.AGENT, *EDITORS))]
        Editor = Annotated[SignedIn, Depends(self._gate.page(*EDITORS))]
        Text = Annotated[str, Query(max_length=200)]

        @router.get(REPLIES)
        async def overview(
            request: Request, by: Reader, q: Text = "", abteilung: Text = "", neu: Text = "", geloescht: Text = ""
        ) -> Response:
            return await self.overview(request, by, text=q, department=abteilung, done=neu, deleted=geloescht)

        @router.post(REPLIES)
        async def add(request: Request, by: Editor) -> Response:
            return await self.save(request, by, None)

        @router.get(f"{REPLIES}/neu")
        async def new(request: Request, by: Editor) -> Response:
            return await self.edit(request, by, None, form=ReplyForm())

        @router.get(f"{REPLIES}/{{id}}")
        async def edit(request: Request, by: Editor, id: str) -> Response:
            return await self.show(request, by, id)

        @router.post(f"{REPLIES}/{{id}}")
        async def save(request: Request, by: Editor, id: str) -> Response:
            return await self.save(request, by, id)

        @router.post(f"{REPLIES}/{{id}}/loeschen")
        async def delete(request: Request, by: Editor, id: str) -> Response:
            return await self.delete(request, by, id)

        @router.post(f"{REPLIES}/{{id}}/zurueckholen")
        async def bring_back(request: Request, by: Editor, id: str) -> Response:
            return await self.bring_back(request, by, id)

        return router

    async def overview(
        self,
        request: Request,
        by: SignedIn,
        *,
        text: str = "",
        department: str = "",
        done: str = "",
        deleted: str = "",
        conflict: bool = False,
    ) -> Response:
        """The replies in which all words occur."""
        context = await run_in_threadpool(self._overview, by.account, text, department, deleted)
        return self._pages.render(
            request,
            by,
            "handover/canned_replies.html",
            status=HTTPStatus.CONFLICT if conflict else HTTPStatus.OK,
            text=text,
            department=department,
            done=done if done in ("gespeichert", "zurueck") else "",
            conflict=conflict,
            **context,
        )

    async def show(self, request: Request, by: SignedIn, id: str) -> Response:
        """One reply, to be changed."""
        try:
            reply = await run_in_threadpool(self._replies.get, id)
        except UnknownHandover:
            return await self.overview(request, by, conflict=True)
        return await self.edit(request, by, reply, form=ReplyForm.of(reply))

    async def edit(
        self,
        request: Request,
        by: SignedIn,
        kept: CannedReply | None,
        *,
        form: ReplyForm,
        draft: CannedReply | None = None,
        conflict: bool = False,
    ) -> Response:
        """The form; with a draft how it reads, after a conflict with what is kept beside what was typed.

        Args:
            request: the request.
            by: who looks at it.
            kept: the reply as it is kept; None for a new one.
            form: what was typed.
            draft: what is shown with its gaps filled.
            conflict: whether somebody else has changed it meanwhile.
        """
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
        department = form.department or (kept.department if kept else None)
        return self._pages.render(
            request,
            by,
            "handover/canned_reply.html",
            status=HTTPStatus.CONFLICT if conflict else status,
            kept=kept,
            kept_department=await run_in_threadpool(self._name, kept.department) if kept and kept.department else None,
            form=form,
            preview=draft.filled(self._examples(by.account, department)) if draft else None,
            gaps=self._examples(by.account, department),
            departments=await run_in_threadpool(self._choices),
            conflict=conflict,
        )

    async def save(self, request: Request, by: SignedIn, id: str | None) -> Response:
        """Keep a reply, or show how it would read. What was deleted meanwhile is a new one if it is saved again."""
        sent = await request.form()
        fields = {name: value for name, value in sent.multi_items() if isinstance(value, str)}
        departments = await run_in_threadpool(self._choices)
        reply, typed = read_reply(fields, departments=departments, id=id)
        try:
            kept = await run_in_threadpool(self._replies.get, id) if id else None
            if reply is None or "preview" in fields:
                return await self.edit(request, by, kept, form=typed, draft=reply)
            await run_in_threadpool(self._replies.put, reply, by.account)
        except Changed:
            version = kept.version if kept else 0
            return await self.edit(request, by, kept, form=replace(typed, version=version), conflict=True)
        except UnknownHandover:
            return await self.edit(request, by, None, form=typed, conflict=True)
        return _to(f"{REPLIES}?neu=gespeichert")

    async def delete(self, request: Request, by: SignedIn, id: str) -> Response:
        """Take a reply away; the next page offers to undo it."""
        try:
            await run_in_threadpool(self._replies.delete, id, by.account)
        except UnknownHandover:
            return await self.overview(request, by, conflict=True)
        return _to(f"{REPLIES}?geloescht={id}")

    async def bring_back(self, request: Request, by: SignedIn, id: str) -> Response:
        """Undo a deletion."""
        try:
            await run_in_threadpool(self._replies.bring_back, id, by.account)
        except UnknownHandover:
            return await self.overview(request, by, conflict=True)
        return _to(f"{REPLIES}?neu=zurueck")

    # What the pages show

    def _overview(self, account: Account, text: str, department: str, deleted: str) -> dict[str, Any]:
        may_edit = account.has(*EDITORS)
        visible = None if may_edit else self._views.agent(account).departments
        replies = self._replies.all(visible)
        void = self._replies.deleted() if may_edit else []
        found = [reply for reply in replies if reply.matches(text) and _is_for(reply, department)]
        return {
            "may_edit": may_edit,
            "total": len(replies),
            "replies": [(reply, marked_gaps(reply.text), self._department(reply)) for reply in found],
            "departments": {id: self._name(id) for id in sorted({one.department for one in replies if one.department})},
            "void": void,
            "undo": next((reply for reply in void if reply.id == deleted), None),
        }

    def _department(self, reply: CannedReply) -> str | None:
        return self._name(reply.department) if reply.department else None

    def _choices(self) -> dict[str, str]:
        """Departments that a reply may be for: names by id."""
        return {department.id: department.name for department in self._departments.all()}

    def _name(self, department: str) -> str:
        known = self._departments.get(department)
        return known.name if known else department

    def _examples(self, account: Account, department: str | None) -> dict[str, str]:
        """What the gaps may be filled with."""
        office = self._departments.get(department or self._city.central_office)
        values = (
            account.name,
            office.name if office else self._city.name,
            self._city.name,
            self._city.hotline,
            self._phrases.text("replies.example.leistung"),
        )
        return dict(zip(GAPS, values, strict=True))


def _is_for(reply: CannedReply, department: str) -> bool:
    return not department or reply.department == (None if department == ALL else department)


def _to(path: str) -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
