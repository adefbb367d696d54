"""Agents' page on callbacks, `/mitarbeit/rueckrufe`. Who is to be called is shown to the agent who makes the call."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from bot.models import MAX_TEXT_LENGTH, Channel
from bot.store import ConversationGone, ConversationStore
from core.accounts import Account, Role
from core.clock import Clock
from core.gate import StaffGate
from core.staff_pages import PREFIX, SignedIn, StaffPages
from handover.agents import AgentStore
from handover.callbacks import Callback, CallbackStore
from handover.contacts import mail_address, telephone_address
from handover.departments import Departments
from handover.errors import HandoverError, Taken, UnknownHandover
from handover.models import Agent, CallbackWish
from handover.moments import Moments
from handover.settings import HandoverSettings
from handover.telling import Telling
from handover.views import Views
from nlu.text import clean

CALLBACKS = f"{PREFIX}/rueckrufe"
DONE_SHOWN = 20
DONE = ("uebernommen", "zurueckgegeben", "nicht-erreicht", "bemerkung", "weitergegeben", "geoeffnet")
"""What the page confirms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackEntry:
    """A callback in one of the lists."""

    id: str
    topic: str | None
    channel: Channel
    department: str
    due: str
    overdue: bool
    attempts: int
    taken_by: str | None
    """Name of the colleague who makes the call."""
    instead_of: str | None
    """Id of that colleague, where somebody else may make it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCallback:
    """One that the agent has taken."""

    entry: CallbackEntry
    wish: CallbackWish
    tel: str | None
    mailto: str | None
    remark: str
    error: str
    came: str
    erased: str
    conversation: str | None
    elsewhere: dict[str, str]
    """Departments that it can be given to: names by id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoneCallback:
    """One that is done. `erased` is when its personal data go, None where they have gone."""

    id: str
    topic: str | None
    channel: Channel
    department: str
    done: str
    erased: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """A remark that could not be kept."""

    id: str
    remark: str
    error: str


class CallbacksPages:
    """The routes and what they need."""

    def __init__(
        self,
        *,
        callbacks: CallbackStore,
        conversations: ConversationStore,
        agents: AgentStore,
        departments: Departments,
        views: Views,
        telling: Telling,
        moments: Moments,
        settings: HandoverSettings,
        clock: Clock,
        gate: StaffGate,
        pages: StaffPages,
    ) -> None:
        self._callbacks = callbacks
        self._conversations = conversations
        self._agents = agents
        self._departments = departments
        self._views = views
        self._telling = telling
        self._moments = moments
        self._settings = settings
        self._clock = clock
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        By = Annotated[SignedIn, Depends(self._gate.page(Role.AGENT))]

        @router.get(CALLBACKS)
        async def overview(request: Request, by: By, neu: str = "", erledigt: str = "") -> Response:
            return await self.overview(request, by, done=neu, finished=erledigt)

        @router.post(f"{CALLBACKS}/{{id}}/uebernehmen")
        async def take(request: Request, by: By, id: str) -> Response:
            colleague = await _text(request, "statt")

            def act() -> Callback:
                instead_of = colleague if colleague and self._is_gone(colleague) else None
                return self._callbacks.take(id, by.account, instead_of=instead_of)

            return await self._act(request, by, id, act, done="neu=uebernommen")

        @router.post(f"{CALLBACKS}/{{id}}/zurueckgeben")
        async def give_back(request: Request, by: By, id: str) -> Response:
            return await self._give_back(request, by, id, tried=False, done="neu=zurueckgegeben")

        @router.post(f"{CALLBACKS}/{{id}}/nicht-erreicht")
        async def not_reached(request: Request, by: By, id: str) -> Response:
            return await self._give_back(request, by, id, tried=True, done="neu=nicht-erreicht")

        @router.post(f"{CALLBACKS}/{{id}}/bemerkung")
        async def remark(request: Request, by: By, id: str) -> Response:
            remark = await _text(request, "remark")
            if len(remark) > MAX_TEXT_LENGTH:
                return await self.overview(request, by, typed=Typed(id=id, remark=remark, error="too-long"))
            return await self._act(
                request, by, id, lambda: self._callbacks.remark(id, by.account, remark), done="neu=bemerkung"
            )

        @router.post(f"{CALLBACKS}/{{id}}/weitergeben")
        async def move(request: Request, by: By, id: str) -> Response:
            return await self.move(request, by, id)

        @router.post(f"{CALLBACKS}/{{id}}/erledigt")
        async def finish(request: Request, by: By, id: str) -> Response:
            return await self._act(
                request, by, id, lambda: self._callbacks.finish(id, by.account), done=f"erledigt={id}"
            )

        @router.post(f"{CALLBACKS}/{{id}}/oeffnen")
        async def reopen(request: Request, by: By, id: str) -> Response:
            return await self._act(
                request, by, id, lambda: self._callbacks.reopen(id, by.account), done="neu=geoeffnet"
            )

        return router

    async def overview(
        self,
        request: Request,
        by: SignedIn,
        *,
        done: str = "",
        finished: str = "",
        conflict: str = "",
        typed: Typed | None = None,
    ) -> Response:
        """What the agent has taken, what is open, and what was done lately."""
        status = HTTPStatus.CONFLICT if conflict else HTTPStatus.UNPROCESSABLE_ENTITY if typed else HTTPStatus.OK
        context = await run_in_threadpool(self._overview, by.account, typed)
        return self._pages.render(
            request,
            by,
            "handover/callbacks.html",
            status=status,
            done=done if done in DONE else "",
            undo=next((one for one in context["finished"] if one.id == finished and one.erased), None),
            conflict=conflict,
            minutes=int(self._settings.callback_undo.total_seconds() // 60),
            days=self._settings.callback_life.days,
            **context,
        )

    async def move(self, request: Request, by: SignedIn, id: str) -> Response:
        """Give a callback to another department, with what was written about it."""
        remark, department = await _text(request, "remark"), await _text(request, "department")
        if department not in {one.id for one in await run_in_threadpool(self._departments.enabled)}:
            return await self.overview(request, by, typed=Typed(id=id, remark=remark, error="unknown-office"))
        if len(remark) > MAX_TEXT_LENGTH:
            return await self.overview(request, by, typed=Typed(id=id, remark=remark, error="too-long"))
        return await self._act(
            request,
            by,
            id,
            lambda: self._callbacks.move(id, by.account, department=department, remark=remark),
            done="neu=weitergegeben",
        )

    async def _give_back(self, request: Request, by: SignedIn, id: str, *, tried: bool, done: str) -> Response:
        remark = await _text(request, "remark")
        if len(remark) > MAX_TEXT_LENGTH:
            return await self.overview(request, by, typed=Typed(id=id, remark=remark, error="too-long"))
        return await self._act(
            request,
            by,
            id,
            lambda: self._callbacks.give_back(id, by.account, tried=tried, remark=remark),
            done=done,
        )

    async def _act(self, request: Request, by: SignedIn, id: str, act: Callable[[], Any], *, done: str) -> Response:
        """Do something with a callback of the agent's departments, and tell the workspaces."""

        def checked() -> None:
            callback = self._callbacks.get(id)
            if callback.taken_by != by.account.id and callback.department not in self._concern(by.account):
                raise UnknownHandover(id)
            act()

        try:
            await run_in_threadpool(checked)
        except (Taken, UnknownHandover) as error:
            return await self.overview(request, by, conflict=error.code)
        self._telling.staff("board")
        return RedirectResponse(f"{CALLBACKS}?{done}", HTTPStatus.SEE_OTHER)

    def _concern(self, account: Account) -> frozenset[str]:
        return self._views.callback_departments(self._views.agent(account))

    def _is_gone(self, account_id: str) -> bool:
        """Whether an agent cannot make a call: no workspace is open, or it is no agent any more."""
        try:
            return not self._agents.is_there(self._agents.get(account_id))
        except HandoverError:
            return True

    # What the page shows

    def _overview(self, account: Account, typed: Typed | None) -> dict[str, Any]:
        concern = self._concern(account)
        colleagues = {agent.account_id: agent for agent in self._agents.all()}
        found = self._callbacks.open(concern, or_taken_by=account.id)
        return {
            "own": [self._own(one, colleagues, typed) for one in found if one.taken_by == account.id],
            "waiting": [self._entry(one, colleagues) for one in found if one.taken_by != account.id],
            "finished": [
                self._done(one, one.done_at)
                for one in self._callbacks.done(concern, limit=DONE_SHOWN)
                if one.done_at is not None
            ],
        }

    def _entry(self, one: Callback, colleagues: dict[str, Agent]) -> CallbackEntry:
        colleague = colleagues.get(one.taken_by) if one.taken_by else None
        gone = colleague is None or not self._agents.is_there(colleague)
        return CallbackEntry(
            id=one.id,
            topic=self._views.title(one.service_id),
            channel=one.channel,
            department=self._name(one.department),
            due=self._moments.until(one.due_at),
            overdue=one.due_at < self._clock.now(),
            attempts=one.attempts,
            taken_by=colleague.name if colleague else None,
            instead_of=one.taken_by if gone else None,
        )

    def _own(self, one: Callback, colleagues: dict[str, Agent], typed: Typed | None) -> OwnCallback:
        if one.wish is None:
            raise UnknownHandover(one.id)
        mine = typed if typed and typed.id == one.id else None
        return OwnCallback(
            entry=self._entry(one, colleagues),
            wish=one.wish,
            tel=telephone_address(one.wish.phone) if one.wish.phone else None,
            mailto=mail_address(one.wish.email) if one.wish.email else None,
            remark=mine.remark if mine else one.remark,
            error=mine.error if mine else "",
            came=self._moments.at(one.created_at),
            erased=self._moments.at(one.expires_at),
            conversation=one.conversation_id if self._exists(one.conversation_id) else None,
            elsewhere={
                department.id: department.name
                for department in self._departments.enabled()
                if department.id != one.department
            },
        )

    def _done(self, one: Callback, done_at: dt.datetime) -> DoneCallback:
        return DoneCallback(
            id=one.id,
            topic=self._views.title(one.service_id),
            channel=one.channel,
            department=self._name(one.department),
            done=self._moments.at(done_at),
            erased=self._moments.at(done_at + self._settings.callback_undo) if one.wish else None,
        )

    def _name(self, department: str) -> str:
        known = self._departments.get(department)
        return known.name if known else department

    def _exists(self, conversation_id: str | None) -> bool:
        if conversation_id is None:
            return False
        try:
            self._conversations.get(conversation_id)
        except ConversationGone:
            return False
        return True


async def _text(request: Request, name: str) -> str:
    value = (await request.form()).get(name, "")
    return clean(value) if isinstance(value, str) else ""
