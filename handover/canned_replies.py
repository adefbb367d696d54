"""Canned replies: texts that agents use again and again, with gaps that the workspace fills."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from bot.models import MAX_TEXT_LENGTH
from core.clock import Clock
from core.database import Database
from handover.errors import Changed, UnknownHandover
from handover.models import CannedReplyRow

UNDO = dt.timedelta(days=1)
"""How long a deleted reply can be brought back."""
GAPS = ("name", "amt", "stadt", "telefon", "leistung")
"""What the workspace fills: the agent's name, department, city, hotline, and the service that is talked about."""


class CannedReply(BaseModel):
    """A reply; without a department for all of them. `{name}`, `{amt}`, `{stadt}`, … are gaps."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: str | None = None
    title: str = Field(min_length=1, max_length=120)
    text: str = Field(min_length=1, max_length=MAX_TEXT_LENGTH)
    department: str | None = None
    version: int = 0


class CannedReplyStore:
    """Keeps the replies."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def all(self, departments: Collection[str] | None = None) -> list[CannedReply]:
        """Replies by title: all of them, or those that some departments use."""
        query = select(CannedReplyRow).where(CannedReplyRow.deleted_at.is_(None)).order_by(CannedReplyRow.title)
        if departments is not None:
            common = CannedReplyRow.department.is_(None)
            query = query.where(or_(common, CannedReplyRow.department.in_(departments)))
        with self._database.reading() as session:
            return [_reply(row) for row in session.scalars(query)]

    def put(self, reply: CannedReply) -> CannedReply:
        """Add a reply without an id, or change one that is still of the version that was read.

        Raises:
            UnknownHandover: there is no such reply any more.
            Changed: somebody else has changed it.
        """
        with self._database.session() as session:
            row = CannedReplyRow(id=uuid.uuid4().hex, version=0) if reply.id is None else _live(session, reply.id)
            if reply.id is not None and row.version != reply.version:
                raise Changed(reply.id)
            row.title, row.text, row.department = reply.title, reply.text, reply.department
            row.version += 1
            row.updated_at = self._clock.now()
            session.add(row)
            return _reply(row)

    def delete(self, reply_id: str) -> None:
        """Take a reply away; it can be brought back for a day.

        Raises:
            UnknownHandover: there is no such reply.
        """
        with self._database.session() as session:
            _live(session, reply_id).deleted_at = self._clock.now()

    def bring_back(self, reply_id: str) -> CannedReply:
        """Undo `delete`.

        Raises:
            UnknownHandover: it is gone for good.
        """
        with self._database.session() as session:
            row = session.get(CannedReplyRow, reply_id, with_for_update=True)
            if row is None:
                raise UnknownHandover(reply_id)
            row.deleted_at = None
            return _reply(row)

    def expire(self) -> None:
        """Remove what can no longer be brought back."""
        with self._database.session() as session:
            session.execute(delete(CannedReplyRow).where(CannedReplyRow.deleted_at <= self._clock.now() - UNDO))


def _live(session: Session, reply_id: str) -> CannedReplyRow:
    row = session.get(CannedReplyRow, reply_id, with_for_update=True)
    if row is None or row.deleted_at is not None:
        raise UnknownHandover(reply_id)
    return row


def _reply(row: CannedReplyRow) -> CannedReply:
    return CannedReply(id=row.id, title=row.title, text=row.text, department=row.department, version=row.version)
