"""Supervisors' page on notices and the off switch, `/mitarbeit/hinweise`."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from babel.dates import format_datetime
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from bot.models import Channel
from core.accounts import Role
from core.gate import StaffGate
from core.staff_pages import PREFIX, SignedIn, StaffPages
from handover.errors import Changed, UnknownNotice
from handover.markup import markup
from handover.notice_board import NoticeBoard
from handover.notice_forms import NoticeForm, read_notice
from handover.notices import Notice, NoticeDraft
from knowledge.hours import OfficeHours

NOTICES = f"{PREFIX}/hinweise"
PAST = 30
"""How many of those that are over the page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRow:
    """A notice as it stands in a list."""

    notice: Notice
    html: str
    begins: str
    ends: str | None
    created: str
    ended: str | None
    sites: Sequence[str]
    channels: Sequence[str]
    is_called_off: bool
    """Whether it was ended before it had begun."""
    can_be_resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Whether the bot answers: everywhere, nowhere, or but for some places."""

    off: Sequence[tuple[str, str]]
    """Site and channel, by name and key, where it does not."""
    everywhere: bool
    """Whether it answers nowhere."""
    since: str | None
    until: str | None
    """None while it is on, or where it is off until somebody ends that."""


class NoticesPages:
    """The routes and what they need."""

    def __init__(
        self,
        *,
        board: NoticeBoard,
        hours: OfficeHours,
        sites: Mapping[str, str],
        silenced: Callable[[str], str],
        gate: StaffGate,
        pages: StaffPages,
    ) -> None:
        """
        Args:
            board: sets and ends notices.
            hours: tells the city's time.
            sites: names of the sites by key.
            silenced: what the bot says while it is off, with a notice in it; Markdown subset.
            gate: lets supervisors in.
            pages: the pages' frame.
        """
        self._board = board
        self._hours = hours
        self._sites = sites
        self._silenced = silenced
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        Supervisor = Annotated[SignedIn, Depends(self._gate.page(Role.SUPERVISOR))]

        @router.get(NOTICES)
        async def overview(request: Request, by: Supervisor, neu: str = "", beendet: int = 0) -> Response:
            return await self.overview(request, by, done=neu, ended=beendet)

        @router.post(NOTICES)
        async def put(request: Request, by: Supervisor) -> Response:
            return await self.put(request, by)

        @router.post(f"{NOTICES}/{{id}}/beenden")
        async def end(request: Request, by: Supervisor, id: int) -> Response:
            return await self.end(request, by, id)

        @router.post(f"{NOTICES}/{{id}}/zurueckholen")
        async def resume(request: Request, by: Supervisor, id: int) -> Response:
            return await self.resume(request, by, id)

        return router

    async def overview(
        self,
        request: Request,
        by: SignedIn,
        *,
        form: NoticeForm | None = None,
        draft: NoticeDraft | None = None,
        done: str = "",
        ended: int = 0,
        conflict: bool = False,
    ) -> Response:
        """What holds, what is to come and what is over, and the form; with a draft how citizens would see it."""
        wrong = form is not None and bool(form.errors)
        status = HTTPStatus.CONFLICT if conflict else HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
        return self._pages.render(
            request,
            by,
            "handover/notices.html",
            status=status,
            form=form or NoticeForm(),
            preview=await run_in_threadpool(self._preview, draft) if draft else None,
            sites=self._sites,
            channels=list(Channel),
            done=done if done in ("gesetzt", "zurueck") else "",
            conflict=conflict,
            **await run_in_threadpool(self._overview, ended),
        )

    async def put(self, request: Request, by: SignedIn) -> Response:
        """Set a notice or switch the bot off, or show how that would look."""
        sent = await request.form()
        form = {name: [value for value in sent.getlist(name) if isinstance(value, str)] for name in sent}
        now = self._hours.now()
        draft, typed = read_notice(form, sites=self._sites, now=now, zone=self._hours.zone)
        if draft is None or "preview" in form:
            return await self.overview(request, by, form=typed, draft=draft)
        await self._board.set(draft, by=by.account)
        return _to(f"{NOTICES}?neu=gesetzt")

    async def end(self, request: Request, by: SignedIn, id: int) -> Response:
        """End a notice; the next page offers to undo it."""
        try:
            await self._board.end(id, by=by.account)
        except (Changed, UnknownNotice):
            return await self.overview(request, by, conflict=True)
        return _to(f"{NOTICES}?beendet={id}")

    async def resume(self, request: Request, by: SignedIn, id: int) -> Response:
        """Undo the end of a notice."""
        try:
            await self._board.resume(id, by=by.account)
        except (Changed, UnknownNotice):
            return await self.overview(request, by, conflict=True)
        return _to(f"{NOTICES}?neu=zurueck")

    def _overview(self, ended: int) -> dict[str, Any]:
        active = self._board.active()
        past = [self._row(notice) for notice in self._board.store.past(limit=PAST)]
        return {
            "switch": self._switch([notice for notice in active if notice.silences_bot]),
            "active": [self._row(notice) for notice in active],
            "upcoming": [self._row(notice) for notice in self._board.upcoming()],
            "past": past,
            "ended": next((row for row in past if row.notice.id == ended and row.can_be_resumed), None),
        }

    def _switch(self, silencing: Sequence[Notice]) -> Switch:
        places = [(site, channel) for site in self._sites for channel in Channel]
        off = [place for place in places if any(one.reaches(site=place[0], channel=place[1]) for one in silencing)]
        ends = [notice.ends_at for notice in silencing]
        return Switch(
            off=[(self._sites[site], channel) for site, channel in off],
            everywhere=len(off) == len(places),
            since=self._readable(min(notice.begins_at for notice in silencing)) if silencing else None,
            until=self._readable(max(end for end in ends if end)) if ends and None not in ends else None,
        )

    def _preview(self, draft: NoticeDraft) -> dict[str, Any]:
        return {
            "notice": markup(draft.text) if draft.text else None,
            "reply": markup(self._silenced(draft.text)) if draft.silences_bot else None,
            "begins": self._readable(draft.begins_at) if draft.begins_at else None,
            "ends": self._readable(draft.ends_at) if draft.ends_at else None,
        }

    def _row(self, notice: Notice) -> NoticeRow:
        ends = notice.ended_at or notice.ends_at
        return NoticeRow(
            notice=notice,
            html=markup(notice.text),
            begins=self._readable(notice.begins_at),
            ends=self._readable(ends) if ends else None,
            created=self._readable(notice.created_at),
            ended=self._readable(notice.ended_at) if notice.ended_at else None,
            sites=[self._sites.get(site, site) for site in notice.sites],
            channels=notice.channels,
            is_called_off=notice.ended_at is not None and notice.ended_at < notice.begins_at,
            can_be_resumed=notice.can_be_resumed(self._hours.now()),
        )

    def _readable(self, moment: dt.datetime) -> str:
        """By the city's clock: `10. März 2026, 10:02`, today without the date."""
        local, today = moment.astimezone(self._hours.zone), self._hours.now().date()
        pattern = "HH:mm" if local.date() == today else "d. MMMM y, HH:mm"
        return format_datetime(local, pattern, locale="de", tzinfo=self._hours.zone)


def _to(path: str) -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
