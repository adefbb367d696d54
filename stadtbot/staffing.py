"""Where the handover room is joined: the people behind one service."""

from __future__ import annotations

from fastapi import FastAPI

from bot.api import ChatApi
from bot.replies import Replies
from bot.service import ChatService
from bot.store import ConversationStore
from core.accounts import AccountStore
from core.audit import AuditLog
from core.clock import Clock
from core.database import Database
from core.encryption import Keyring
from core.events import EventHub
from core.gate import StaffGate
from core.i18n import Phrases
from core.leases import Leases
from core.staff_pages import StaffPages
from handover.agents import AgentStore
from handover.api import CitizenApi
from handover.attendance import Attendance
from handover.callback_desk import CallbackDesk
from handover.callbacks import CallbackStore
from handover.canned_replies import CannedReplyStore
from handover.departments import Departments
from handover.desk import Desk
from handover.lists import mount_list_pages
from handover.models import HandoverRow, NoteRow
from handover.reachability import StaffReachability
from handover.settings import HandoverSettings
from handover.staff_api import StaffApi
from handover.store import HandoverStore
from handover.telling import Telling
from handover.tending import Tending
from handover.views import Views
from handover.workspace import Workspace
from knowledge.service import Knowledge

ERASED_WITH_A_CONVERSATION = (HandoverRow, NoteRow)


class Staffing:
    """Queue, agents, callbacks and the workspace, over the conversations of a service."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        audit: AuditLog,
        events: EventHub,
        leases: Leases,
        holder: str,
        knowledge: Knowledge,
        conversations: ConversationStore,
        phrases: Phrases,
        settings: HandoverSettings,
    ) -> None:
        self._conversations = conversations
        self._knowledge = knowledge
        self._events = events
        self._phrases = phrases
        self._settings = settings
        self._clock = clock
        self._audit = audit
        self.departments = Departments(database, knowledge, clock)
        self.agents = AgentStore(database, clock, audit, settings)
        self.store = HandoverStore(database, clock, keyring, audit, conversations=conversations)
        self.callbacks = CallbackStore(database, clock, keyring, audit, settings)
        self.canned_replies = CannedReplyStore(database, clock, audit)
        self.citizens = Attendance(clock)
        self.workspaces = Attendance(clock)
        self.reachability = StaffReachability(knowledge, self.departments, self.agents, phrases)
        self.telling = Telling(
            events=events, store=self.store, agents=self.agents, reachability=self.reachability, phrases=phrases
        )
        self.tending = Tending(
            store=self.store,
            agents=self.agents,
            reachability=self.reachability,
            phrases=phrases,
            clock=clock,
            settings=settings,
        )
        self.desk = Desk(
            conversations=conversations,
            store=self.store,
            agents=self.agents,
            citizens=self.citizens,
            workspaces=self.workspaces,
            reachability=self.reachability,
            telling=self.telling,
            tending=self.tending,
            leases=leases,
            phrases=phrases,
            clock=clock,
            holder=holder,
        )
        self.workspace = Workspace(
            desk=self.desk,
            store=self.store,
            conversations=conversations,
            agents=self.agents,
            reachability=self.reachability,
            telling=self.telling,
            outcomes=knowledge.outcomes,
            clock=clock,
            settings=settings,
        )

    def views(self, replies: Replies) -> Views:
        """What the workspace shows."""
        return Views(
            knowledge=self._knowledge,
            conversations=self._conversations,
            store=self.store,
            agents=self.agents,
            callbacks=self.callbacks,
            departments=self.departments,
            reachability=self.reachability,
            citizens=self.citizens,
            replies=replies,
            audit=self._audit,
            clock=self._clock,
        )

    def install(self, app: FastAPI, *, chat: ChatApi, service: ChatService, gate: StaffGate, replies: Replies) -> None:
        """Serve the citizens' routes and those of the workspace's scripts."""
        callbacks = CallbackDesk(
            conversations=self._conversations,
            callbacks=self.callbacks,
            departments=self.departments,
            reachability=self.reachability,
            telling=self.telling,
            phrases=self._phrases,
            clock=self._clock,
            timezone=self._knowledge.city.timezone,
        )
        citizens = CitizenApi(
            chat=chat,
            service=service,
            desk=self.desk,
            callbacks=callbacks,
            phrases=self._phrases,
            settings=self._settings,
        )
        app.include_router(citizens.router)
        staff = StaffApi(
            gate=gate,
            workspace=self.workspace,
            views=self.views(replies),
            conversations=self._conversations,
            canned_replies=self.canned_replies,
            workspaces=self.workspaces,
            events=self._events,
            phrases=self._phrases,
        )
        staff.install(app)

    def show_lists(
        self, app: FastAPI, *, accounts: AccountStore, gate: StaffGate, pages: StaffPages, replies: Replies
    ) -> None:
        """Serve the pages beside the workspace: callbacks, canned replies, search, team."""
        mount_list_pages(
            app,
            accounts=accounts,
            agents=self.agents,
            callbacks=self.callbacks,
            canned_replies=self.canned_replies,
            conversations=self._conversations,
            departments=self.departments,
            views=self.views(replies),
            telling=self.telling,
            city=self._knowledge.city,
            settings=self._settings,
            clock=self._clock,
            phrases=self._phrases,
            gate=gate,
            pages=pages,
        )

    def expire(self) -> None:
        """Erase what has had its time."""
        self.callbacks.expire()
        self.canned_replies.expire()
