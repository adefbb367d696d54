"""Whether a human can be reached: the department is open, and one of its agents is there."""

from __future__ import annotations

from dataclasses import dataclass

from bot.contact import Contact
from bot.models import Channel
from core.i18n import Phrases
from handover.agents import AgentStore
from handover.departments import Departments
from knowledge.service import Knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a department can be reached. `open` is None where its hours are not known."""

    department: str
    open: bool | None
    staffed: bool

    @property
    def reachable(self) -> bool:
        return bool(self.open) and self.staffed


class StaffReachability:
    """Tells it from hours and presence; nobody else works it out."""

    def __init__(self, knowledge: Knowledge, departments: Departments, agents: AgentStore, phrases: Phrases) -> None:
        self._knowledge = knowledge
        self._departments = departments
        self._agents = agents
        self._phrases = phrases

    def of(self, department: str, *, channel: Channel = Channel.WEB) -> Reach:
        """How one department can be reached now; callers need a queue for callers, and an agent with a telephone."""
        return Reach(
            department=department,
            open=self._departments.hours_state(department).open,
            staffed=self.is_staffed(department, channel=channel),
        )

    def is_staffed(self, department: str, *, channel: Channel = Channel.WEB) -> bool:
        """Whether somebody of a department takes conversations of a channel now."""
        known = self._departments.get(department)
        by_phone = channel is Channel.PHONE
        if known is None or not known.enabled or (by_phone and not known.phone_queue):
            return False
        staff = (agent for agent in self._agents.present() if department in agent.departments)
        return any(agent.extension is not None or not by_phone for agent in staff)

    def is_closed(self, department: str) -> bool:
        """Whether a department is known to be closed now."""
        return self._departments.hours_state(department).open is False

    def best(self, service_id: str | None, *, channel: Channel = Channel.WEB) -> Reach:
        """The department that answers for a service, or the central office where only that one can be reached."""
        reach = self.of(self._departments.for_service(service_id), channel=channel)
        if reach.reachable:
            return reach
        central = self.of(self._knowledge.central_office.id, channel=channel)
        return central if central.reachable else reach

    def contact(self, service_id: str | None = None, *, channel: Channel = Channel.WEB) -> Contact:
        """What a citizen is told."""
        reach = self.best(service_id, channel=channel)
        if reach.reachable:
            return self._contact("contact.reachable", reach, open_now=True)
        if reach.open is None:
            return self._contact("contact.unknown", reach, open_now=False)
        return self._contact("contact.nobody" if reach.open else "contact.closed", reach, open_now=False)

    def _contact(self, key: str, reach: Reach, *, open_now: bool) -> Contact:
        def values(*, spoken: bool) -> dict[str, str]:
            hours = self._departments.today_text(reach.department, spoken=spoken) or ""
            return {
                "phone": self._knowledge.city.hotline,
                "department": self.name(reach.department),
                "hours": f"{hours[:1].upper()}{hours[1:]}.",
            }

        return Contact(
            open_now,
            self._phrases.text(key, **values(spoken=False)),
            self._phrases.speech(key, **values(spoken=True)),
        )

    def name(self, department: str) -> str:
        """The name of a department as citizens know it."""
        office = self._knowledge.office(department)
        return office.name if office is not None else self._knowledge.central_office.name
