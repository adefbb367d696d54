"""Takes callbacks from citizens: to which department, until when, and what the citizen is told."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from starlette.concurrency import run_in_threadpool

from bot.models import State
from bot.store import Conversation, ConversationStore
from core.clock import Clock
from core.i18n import Phrases
from handover.callbacks import CallbackStore
from handover.departments import Departments
from handover.models import CallbackWish
from handover.reachability import StaffReachability
from handover.telling import Telling

LAST_MOMENT = dt.timedelta(hours=2)
"""A wish that comes later than that before closing time is for the next day."""
UNKNOWN_HOURS = dt.timedelta(days=2)
"""Until when an office gets in touch whose hours are not known."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A callback that was taken."""

    text: str
    speech: str
    due_at: dt.datetime


class CallbackDesk:
    """Where callbacks are left."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        callbacks: CallbackStore,
        departments: Departments,
        reachability: StaffReachability,
        telling: Telling,
        phrases: Phrases,
        clock: Clock,
        timezone: str,
    ) -> None:
        self._conversations = conversations
        self._callbacks = callbacks
        self._departments = departments
        self._reachability = reachability
        self._telling = telling
        self._phrases = phrases
        self._clock = clock
        self._zone = ZoneInfo(timezone)

    async def take(self, conversation: Conversation, wish: CallbackWish) -> Noted:
        """Keep a wish, for the department of what was talked about, and say so in the conversation."""
        noted, new = await run_in_threadpool(self._take, conversation, wish)
        if new:
            self._telling.message(conversation.id)
            self._telling.staff("board")
        return noted

    def _take(self, conversation: Conversation, wish: CallbackWish) -> tuple[Noted, bool]:
        service_id = self._conversations.topic(conversation.id)
        department = self._departments.for_service(service_id)
        callback, new = self._callbacks.add(
            conversation, wish, department=department, service_id=service_id, due_at=self._due(department)
        )
        values = {"department": self._reachability.name(callback.department), "due": self._readable(callback.due_at)}
        key = "callback.taken" if wish.phone else "callback.taken_by_mail"
        noted = Noted(self._phrases.text(key, **values), self._phrases.speech(key, **values), callback.due_at)
        if new and conversation.state is not State.CLOSED:
            self._conversations.tell(conversation.id, text=noted.text, speech=noted.speech)
        return noted, new

    def _due(self, department: str) -> dt.datetime:
        """The end of the opening in which the office can get in touch: this one, or else the next."""
        now = self._clock.now()
        state = self._departments.hours_state(department)
        if state.open and state.closes_at is not None and state.closes_at - now < LAST_MOMENT:
            state = self._departments.hours_state(department, state.closes_at)
        if not state.open and state.opens_at is not None:
            state = self._departments.hours_state(department, state.opens_at)
        return state.closes_at or now + UNKNOWN_HOURS

    def _readable(self, moment: dt.datetime) -> str:
        """For example `Donnerstag, 12. März, 18 Uhr`."""
        local = moment.astimezone(self._zone)
        return format_datetime(
            local, "EEEE, d. MMMM, H:mm 'Uhr'" if local.minute else "EEEE, d. MMMM, H 'Uhr'", locale="de"
        )
