"""What is counted of the conversations, beside the logic: it neither knows nor calls these observers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session

from bot.models import ConversationRow, MessageRow, Reply
from bot.rasa_client import RasaClient, RasaFailure
from core.database import Database
from core.metrics import Metrics
from knowledge.service import Knowledge
from stadtbot.staffing import Staffing

STORED = "stadtbot.stored"
"""Where a session remembers what it has stored until that is certain."""


class MeasuredRasa(RasaClient):
    """Rasa with a stopwatch."""

    def __init__(self, url: str, *, metrics: Metrics) -> None:
        super().__init__(url)
        self._metrics = metrics

    async def reply(self, *, sender: str, text: str, metadata: Mapping[str, Any]) -> Reply:
        begun, ok = time.perf_counter(), True
        try:
            return await super().reply(sender=sender, text=text, metadata=metadata)
        except RasaFailure:
            ok = False
            raise
        finally:
            self._metrics.observe_rasa(time.perf_counter() - begun, ok=ok)


def observe_messages(database: Database, metrics: Metrics) -> None:
    """Count every message and answer once its transaction has succeeded."""

    def remember(session: Session, _context: object) -> None:
        stored = session.info.setdefault(STORED, [])
        for row in session.new:
            if isinstance(row, MessageRow):
                # The row is there: a message is stored together with its conversation's new number.
                conversation = session.get(ConversationRow, row.conversation_id)
                kind = row.answer["kind"] if row.answer else None
                stored.append((conversation.channel if conversation else "", row.author, kind))

    def count(session: Session) -> None:
        for channel, author, kind in session.info.pop(STORED, []):
            metrics.count_message(channel=channel, author=author)
            if kind is not None:
                metrics.count_answer(kind=kind, channel=channel)

    def forget(session: Session) -> None:
        session.info.pop(STORED, None)

    event.listen(database.sessions, "after_flush", remember)
    event.listen(database.sessions, "after_commit", count)
    event.listen(database.sessions, "after_rollback", forget)


def show_knowledge(knowledge: Knowledge, metrics: Metrics) -> None:
    metrics.gauge_source(
        "catalogue_version",
        "Number of changes of the catalogue.",
        [],
        lambda: {(): knowledge.catalogue_store.version()},
    )
    metrics.gauge_source(
        "index_ready", "Whether there is an index to search.", [], lambda: {(): float(knowledge.ready)}
    )


def show_staffing(staffing: Staffing, metrics: Metrics) -> None:
    """Who waits and who is there, by department. Nothing is counted by person."""

    def waiting() -> dict[tuple[str, ...], float]:
        return _by_department(handover.department for handover in staffing.store.waiting())

    def present() -> dict[tuple[str, ...], float]:
        return _by_department(department for agent in staffing.agents.present() for department in agent.departments)

    def callbacks() -> dict[tuple[str, ...], float]:
        return {(department,): count for department, count in staffing.callbacks.count_open().items()}

    labels = ["department"]
    metrics.gauge_source("handovers_waiting", "Citizens who wait for a person.", labels, waiting)
    metrics.gauge_source("agents_present", "Staff who can be reached.", labels, present)
    metrics.gauge_source("callbacks_open", "Callbacks that are not done.", labels, callbacks)


def _by_department(departments: Iterable[str]) -> dict[tuple[str, ...], float]:
    return {(department,): count for department, count in Counter(departments).items()}
