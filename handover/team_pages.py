"""Supervisors' page on who works for which department, `/mitarbeit/team`. It shows nobody's work."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData

from core.accounts import Account, AccountStore, Role, UnknownAccount
from core.gate import StaffGate
from core.staff_pages import PREFIX, SignedIn, StaffPages
from handover.agents import AgentStore
from handover.contacts import dialable
from handover.departments import Departments
from handover.models import Agent, Status
from handover.telling import Telling
from handover.views import Views

TEAM = f"{PREFIX}/team"
CAPACITIES = range(1, 11)
"""How many conversations at once an agent may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamForm:
    """What was typed about an agent. `errors` holds a code by the field's name."""

    departments: Sequence[str] = ()
    extension: str = ""
    capacity: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, agent: Agent) -> "TeamForm":
        return cls(departments=sorted(agent.departments), extension=agent.extension or "", capacity=str(agent.capacity))


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An agent in the list."""

    id: str
    name: str
    login: str
    departments: Sequence[str]
    extension: str | None
    capacity: int
    status: Status
    note: str


class TeamPages:
    """The routes and what they need."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        agents: AgentStore,
        departments: Departments,
        views: Views,
        telling: Telling,
        gate: StaffGate,
        pages: StaffPages,
    ) -> None:
        self._accounts = accounts
        self._agents = agents
        self._departments = departments
        self._views = views
        self._telling = telling
        self._gate = gate
        self._pages = pages
        self.router = self._routes()

    def _routes(self) -> APIRouter:
        router = APIRouter(include_in_schema=False)
        By = Annotated[SignedIn, Depends(self._gate.page(Role.SUPERVISOR))]

        @router.get(TEAM)
        async def overview(request: Request, by: By, neu: Annotated[str, Query(max_length=32)] = "") -> Response:
            return await self.overview(request, by, changed=neu)

        @router.get(f"{TEAM}/{{account_id}}")
        async def edit(request: Request, by: By, account_id: str) -> Response:
            return await self.edit(request, by, account_id)

        @router.post(f"{TEAM}/{{account_id}}")
        async def save(request: Request, by: By, account_id: str) -> Response:
            return await self.save(request, by, account_id)

        return router

    async def overview(self, request: Request, by: SignedIn, *, changed: str = "", gone: bool = False) -> Response:
        """Everybody who answers citizens, and the departments that nobody works for."""
        members = await run_in_threadpool(self._members)
        return self._pages.render(
            request,
            by,
            "handover/team.html",
            status=HTTPStatus.NOT_FOUND if gone else HTTPStatus.OK,
            members=members,
            changed=next((member.name for member in members if member.id == changed), ""),
            gone=gone,
            empty=await run_in_threadpool(self._empty),
        )

    async def edit(self, request: Request, by: SignedIn, account_id: str, *, form: TeamForm | None = None) -> Response:
        """One agent."""
        account = await run_in_threadpool(self._account, account_id)
        if account is None:
            return await self.overview(request, by, gone=True)
        agent = await run_in_threadpool(self._views.agent, account)
        return self._pages.render(
            request,
            by,
            "handover/team_member.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if form else HTTPStatus.OK,
            owner=account,
            form=form or TeamForm.of(agent),
            capacities=CAPACITIES,
            departments=await run_in_threadpool(self._choices, agent),
        )

    async def save(self, request: Request, by: SignedIn, account_id: str) -> Response:
        """Change an agent."""
        account = await run_in_threadpool(self._account, account_id)
        if account is None:
            return await self.overview(request, by, gone=True)
        agent = await run_in_threadpool(self._views.agent, account)
        wish, typed = _read(await request.form(), departments=await run_in_threadpool(self._choices, agent))
        if wish is None:
            return await self.edit(request, by, account_id, form=typed)

        def assign() -> None:
            self._agents.assign(account_id, by=by.account, **wish)

        await run_in_threadpool(assign)
        self._telling.staff("board")
        return RedirectResponse(f"{TEAM}?neu={account_id}", HTTPStatus.SEE_OTHER)

    def _account(self, account_id: str) -> Account | None:
        """The account, if it is that of an agent."""
        try:
            account = self._accounts.get(account_id)
        except UnknownAccount:
            return None
        return account if account.active and account.has(Role.AGENT) else None

    def _members(self) -> list[Member]:
        accounts = [account for account in self._accounts.all() if account.active and account.has(Role.AGENT)]
        return [self._member(account, self._views.agent(account)) for account in accounts]

    def _member(self, account: Account, agent: Agent) -> Member:
        return Member(
            id=account.id,
            name=account.name,
            login=account.login,
            departments=[self._name(department) for department in sorted(agent.departments)],
            extension=agent.extension,
            capacity=agent.capacity,
            status=agent.status if self._agents.is_there(agent) else Status.OFFLINE,
            note=agent.note,
        )

    def _empty(self) -> list[str]:
        staffed = {department for agent in self._agents.all() for department in agent.departments}
        return [one.name for one in self._departments.enabled() if one.id not in staffed]

    def _choices(self, agent: Agent) -> dict[str, tuple[str, bool]]:
        """Departments by id: their names, and whether staff answer there; the agent's own even if they do not."""
        return {
            one.id: (one.name, one.enabled)
            for one in self._departments.all()
            if one.enabled or one.id in agent.departments
        }

    def _name(self, department: str) -> str:
        known = self._departments.get(department)
        return known.name if known else department


def _read(form: FormData, *, departments: Mapping[str, object]) -> tuple[dict[str, Any] | None, TeamForm]:
    """What is typed about an agent, or None and a form with the mistakes."""
    errors: dict[str, str] = {}
    chosen = [one for one in form.getlist("departments") if isinstance(one, str) and one in departments]
    extension, capacity = (str(form.get(name, "")).strip() for name in ("extension", "capacity"))
    if not chosen:
        errors["departments"] = "no-department"
    try:
        number = dialable(extension) if extension else None
    except ValueError:
        errors["extension"] = "not-dialable"
    if capacity not in map(str, CAPACITIES):
        errors["capacity"] = "bad-capacity"
    if errors:
        return None, TeamForm(departments=chosen, extension=extension[:100], capacity=capacity[:10], errors=errors)
    return (
        {"departments": chosen, "extension": number, "capacity": int(capacity)},
        TeamForm(departments=chosen, extension=extension, capacity=capacity),
    )
