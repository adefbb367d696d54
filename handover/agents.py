"""Agents: who works for which departments, and who is there."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping

from sqlalchemy import Select, select, update

from core.accounts import Account, AccountRow, Role
from core.audit import AuditLog
from core.clock import Clock
from core.database import Database
from handover.contacts import dialable
from handover.errors import UnknownHandover
from handover.models import Agent, AgentRow, Status
from handover.settings import HandoverSettings
from knowledge.store import upsert


class AgentStore:
    """Keeps agents and their presence."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog, settings: HandoverSettings) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._settings = settings

    def enrol(self, account_id: str, *, departments: Collection[str]) -> Agent:
        """The agent of an account; made with these departments if there is none yet."""
        with contextlib.suppress(UnknownHandover):
            return self.get(account_id)
        with self._database.session() as session:
            new = upsert(session)(AgentRow).values(account_id=account_id, departments=sorted(departments))
            session.execute(new.on_conflict_do_nothing())
        return self.get(account_id)

    def get(self, account_id: str) -> Agent:
        """
        Raises:
            UnknownHandover: the account is no agent.
        """
        with self._database.reading() as session:
            found = session.execute(_agents().where(AgentRow.account_id == account_id)).first()
            if found is None:
                raise UnknownHandover(account_id)
            return _agent(*found)

    def all(self) -> list[Agent]:
        """Every agent whose account is active and still has the role, by name."""
        with self._database.reading() as session:
            found = session.execute(_agents().where(AccountRow.active)).all()
            return [_agent(row, account) for row, account in found if Role.AGENT in account.roles]

    def present(self) -> list[Agent]:
        """Those who take conversations now."""
        return [agent for agent in self.all() if self.is_present(agent)]

    def is_present(self, agent: Agent) -> bool:
        """Whether an agent takes conversations: available, and the workspace gives signs of life."""
        return agent.status is Status.AVAILABLE and self.is_there(agent)

    def is_there(self, agent: Agent) -> bool:
        """Whether the workspace of an agent gives signs of life."""
        return agent.seen_at is not None and agent.seen_at > self._clock.now() - self._settings.agent_gone

    def assign(
        self,
        account_id: str,
        *,
        departments: Collection[str],
        extension: str | None,
        capacity: int,
        by: Account | None,
    ) -> None:
        """Set what is decided about an agent, and write it into the audit log.

        Raises:
            ValueError: the extension cannot be dialled.
        """
        values = {
            "departments": sorted(departments),
            "extension": dialable(extension) if extension else None,
            "capacity": capacity,
        }
        with self._database.session() as session:
            row = upsert(session)(AgentRow).values(account_id=account_id, **values)
            session.execute(row.on_conflict_do_update(index_elements=[AgentRow.account_id], set_=values))
            login = session.scalar(select(AccountRow.login).where(AccountRow.id == account_id))
            self._audit.record_in(session, "agent_assigned", actor=by, subject=login or account_id, **values)

    def set_status(self, account_id: str, status: Status, *, note: str | None = None) -> None:
        """Come, take a break or go; coming forgets the offers that were missed."""
        values: dict[str, object] = {"status": status}
        if note is not None:
            values["note"] = note
        if status is Status.AVAILABLE:
            values |= {"missed": 0, "seen_at": self._clock.now()}
        self._set(account_id, values)

    def set_away(self, account_id: str) -> None:
        """Nothing more is offered to an agent who is available but does not answer."""
        with self._database.session() as session:
            available = (AgentRow.account_id == account_id, AgentRow.status == Status.AVAILABLE)
            session.execute(update(AgentRow).where(*available).values(status=Status.AWAY))

    def miss(self, account_id: str) -> bool:
        """Count an offer that was not answered; true if the agent counts as away from now on."""
        with self._database.session() as session:
            row = session.get(AgentRow, account_id, with_for_update=True)
            if row is None:
                return False
            row.missed += 1
            away = row.missed >= self._settings.missed_offers and row.status == Status.AVAILABLE
            if away:
                row.status, row.missed = Status.AWAY, 0
            return away

    def touch(self, account_ids: Collection[str]) -> None:
        """The workspaces of these agents give signs of life."""
        if account_ids:
            now = self._clock.now()
            with self._database.session() as session:
                session.execute(update(AgentRow).where(AgentRow.account_id.in_(account_ids)).values(seen_at=now))

    def sign_off_gone(self) -> list[Agent]:
        """Set those offline whose workspace has given no sign for too long."""
        gone = [agent for agent in self.all() if agent.status is not Status.OFFLINE and not self.is_there(agent)]
        for agent in gone:
            self.set_status(agent.account_id, Status.OFFLINE)
        return gone

    def _set(self, account_id: str, values: Mapping[str, object]) -> None:
        with self._database.session() as session:
            session.execute(update(AgentRow).where(AgentRow.account_id == account_id).values(values))


def _agents() -> Select[AgentRow, AccountRow]:
    return select(AgentRow, AccountRow).join(AccountRow, AccountRow.id == AgentRow.account_id).order_by(AccountRow.name)


def _agent(row: AgentRow, account: AccountRow) -> Agent:
    return Agent(
        account_id=row.account_id,
        name=account.name,
        departments=frozenset(row.departments),
        extension=row.extension,
        capacity=row.capacity,
        status=Status(row.status),
        note=row.note,
        seen_at=row.seen_at,
        missed=row.missed,
    )
