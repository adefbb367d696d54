"""The pages beside the workspace together: callbacks, canned replies, search, team."""

from __future__ import annotations

from fastapi import FastAPI

from bot.store import ConversationStore
from core.accounts import AccountStore, Role
from core.clock import Clock
from core.gate import StaffGate
from core.i18n import Phrases
from core.staff_pages import NavEntry, StaffPages
from handover.agents import AgentStore
from handover.callbacks import CallbackStore
from handover.callbacks_pages import CALLBACKS, CallbacksPages
from handover.canned_replies import CannedReplyStore
from handover.canned_replies_pages import EDITORS, REPLIES, CannedRepliesPages
from handover.departments import Departments
from handover.moments import Moments
from handover.search_pages import SEARCH, SearchPages
from handover.settings import HandoverSettings
from handover.team_pages import TEAM, TeamPages
from handover.telling import Telling
from handover.views import Views
from knowledge.catalogue import City


def list_entries(phrases: Phrases) -> list[NavEntry]:
    """Their places in the navigation."""
    agents = frozenset({Role.AGENT})
    return [
        NavEntry(label=phrases.text("callbacks.title"), href=CALLBACKS, roles=agents),
        NavEntry(label=phrases.text("search.nav"), href=SEARCH, roles=agents),
        NavEntry(label=phrases.text("replies.nav"), href=REPLIES, roles=agents | {*EDITORS}),
        NavEntry(label=phrases.text("team.title"), href=TEAM, roles=frozenset({Role.SUPERVISOR})),
    ]


def mount_list_pages(
    app: FastAPI,
    *,
    accounts: AccountStore,
    agents: AgentStore,
    callbacks: CallbackStore,
    canned_replies: CannedReplyStore,
    conversations: ConversationStore,
    departments: Departments,
    views: Views,
    telling: Telling,
    city: City,
    settings: HandoverSettings,
    clock: Clock,
    phrases: Phrases,
    gate: StaffGate,
    pages: StaffPages,
) -> None:
    """Serve the pages."""
    moments = Moments(phrases, clock, timezone=city.timezone)
    routers = (
        CallbacksPages(
            callbacks=callbacks,
            conversations=conversations,
            agents=agents,
            departments=departments,
            views=views,
            telling=telling,
            moments=moments,
            settings=settings,
            clock=clock,
            gate=gate,
            pages=pages,
        ).router,
        CannedRepliesPages(
            replies=canned_replies,
            departments=departments,
            views=views,
            city=city,
            phrases=phrases,
            gate=gate,
            pages=pages,
        ).router,
        SearchPages(views=views, moments=moments, phrases=phrases, gate=gate, pages=pages).router,
        TeamPages(
            accounts=accounts,
            agents=agents,
            departments=departments,
            views=views,
            telling=telling,
            gate=gate,
            pages=pages,
        ).router,
    )
    for router in routers:
        app.include_router(router)
