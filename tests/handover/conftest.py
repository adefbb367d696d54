"""The small city with its staff, on the database of the test."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from bot.store import ConversationStore
from core.accounts import AccountStore
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring
from core.events import EventHub
from core.i18n import Phrases
from core.leases import Leases
from handover.settings import HandoverSettings
from knowledge.service import Knowledge
from stadtbot.staffing import ERASED_WITH_A_CONVERSATION, Staffing
from tests.handover.house import House
from tests.handover.small_city import small_city
from tests.knowledge.samples import HashingEmbedder
from tests.running import ROOT


@pytest.fixture
def knowledge(database: Database, clock: FixedClock, tmp_path: Path) -> Knowledge:
    """What the small city knows; without an index, which nobody searches here."""
    return Knowledge(database, clock, city_folder=small_city(tmp_path), embedder=HashingEmbedder())


@pytest.fixture
def house(
    database: Database,
    clock: FixedClock,
    keyring: Keyring,
    audit: AuditLog,
    accounts: AccountStore,
    knowledge: Knowledge,
) -> House:
    """Everything that staff need, a Tuesday at ten; the central office and the citizens' office answer."""
    return build_house(
        database=database, clock=clock, keyring=keyring, audit=audit, accounts=accounts, knowledge=knowledge
    )


def build_house(
    *,
    database: Database,
    clock: FixedClock,
    keyring: Keyring,
    audit: AuditLog,
    accounts: AccountStore,
    knowledge: Knowledge,
    holder: str = "first",
    settings: HandoverSettings | None = None,
) -> House:
    """The house as one of perhaps several processes sees it."""
    knowledge.refresh()
    settings = settings or HandoverSettings()
    events, leases = EventHub(), Leases(database, clock)
    conversations = ConversationStore(
        database, clock, keyring, lifetime=dt.timedelta(days=30), also_erased=ERASED_WITH_A_CONVERSATION
    )
    staffing = Staffing(
        database=database,
        clock=clock,
        keyring=keyring,
        audit=audit,
        events=events,
        leases=leases,
        holder=holder,
        knowledge=knowledge,
        conversations=conversations,
        phrases=Phrases(ROOT / "handover" / "locale"),
        settings=settings,
    )
    return House(
        database=database,
        clock=clock,
        keyring=keyring,
        audit=audit,
        accounts=accounts,
        knowledge=knowledge,
        conversations=conversations,
        events=events,
        leases=leases,
        settings=settings,
        staffing=staffing,
    )
