"""The people behind the small city: queue, agents and workspace over real conversations, without HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from bot.models import Answer, Channel, Reply
from bot.store import ConversationStore
from core.accounts import Account, AccountStore, Role
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring
from core.events import EventHub
from core.leases import Leases
from handover.departments import DepartmentRow
from handover.models import Handover, Status
from handover.settings import HandoverSettings
from handover.store import Words
from knowledge.service import Knowledge
from stadtbot.staffing import Staffing

WORDS = Words("Eine Nachricht.", "Eine Nachricht.")


@dataclass(frozen=True, kw_only=True)
class House:
    """A service's rooms for staff, and what stands behind them."""

    database: Database
    clock: FixedClock
    keyring: Keyring
    audit: AuditLog
    accounts: AccountStore
    knowledge: Knowledge
    conversations: ConversationStore
    events: EventHub
    leases: Leases
    settings: HandoverSettings
    staffing: Staffing

    def agent(
        self,
        login: str,
        *,
        departments: Sequence[str] = ("zentrale",),
        extension: str | None = None,
        capacity: int = 3,
        status: Status = Status.AVAILABLE,
    ) -> Account:
        """An agent, whose workspace gives a sign of life right now."""
        account = self.accounts.create(login=login, name=login.title(), roles=[Role.AGENT], by=None)
        self.staffing.agents.enrol(account.id, departments=departments)
        self.staffing.agents.assign(
            account.id, departments=departments, extension=extension, capacity=capacity, by=None
        )
        self.staffing.agents.set_status(account.id, status)
        self.staffing.agents.touch([account.id])
        return account

    def alive(self, *agents: Account) -> None:
        """The workspaces of these agents give a sign of life."""
        self.staffing.agents.touch([agent.id for agent in agents])

    def conversation(self, *, channel: Channel = Channel.WEB, topic: str | None = None) -> str:
        """A conversation that the bot owns, in which a service was talked about; gives its id."""
        made, _ = self.conversations.create(site="jena", channel=channel, language="de")
        answer = Answer(kind="service", service_id=topic) if topic else None
        self.conversations.say(made.id, Reply(text="Guten Tag.", speech="Guten Tag.", answer=answer))
        return made.id

    def ask(self, conversation_id: str, *, department: str = "zentrale", service: str | None = None) -> Handover:
        """Put a conversation into the queue of a department, whether somebody is there or not."""
        requested = self.staffing.store.request(
            conversation_id,
            department=department,
            service_id=service,
            channel=self.conversations.get(conversation_id).channel,
            words=WORDS,
        )
        assert requested is not None
        return requested[0]

    def waiting(
        self, *, department: str = "zentrale", channel: Channel = Channel.WEB, topic: str | None = None
    ) -> Handover:
        """A new conversation that waits."""
        return self.ask(self.conversation(channel=channel, topic=topic), department=department, service=topic)

    def with_agent(self, agent: Account, *, channel: Channel = Channel.WEB) -> Handover:
        """A new conversation that an agent has."""
        return self.staffing.store.claim(self.waiting(channel=channel).id, agent, words=WORDS)

    def citizen_says(self, conversation_id: str, text: str = "Und nun?") -> int:
        """A citizen's message; gives its number."""
        return self.conversations.open_turn(
            conversation_id, text=text, masked=text, client_id=uuid.uuid4().hex, body_hash="", lang="de"
        ).seq

    def agent_says(self, conversation_id: str, agent: Account, text: str = "Einen Moment.") -> None:
        """An agent's message."""
        self.staffing.store.say(conversation_id, agent.id, text=text, client_id=uuid.uuid4().hex)

    def texts(self, conversation_id: str) -> list[str]:
        """What was said, in order."""
        return [message.text for message in self.conversations.messages(conversation_id)]

    def enable(self, department: str, *, hours: str | None = None, phone_queue: bool = True) -> None:
        """Let staff answer in a department, at these hours."""
        with self.database.session() as session:
            row = session.get(DepartmentRow, department) or DepartmentRow(id=department, version=0)
            row.enabled, row.phone_queue, row.hours, row.updated_at = True, phone_queue, hours, self.clock.now()
            row.version += 1
            session.add(row)
        self.staffing.departments.changed()
