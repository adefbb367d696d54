"""Canned replies: texts that agents use again and again, with gaps that the workspace fills."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from bot.models import MAX_TEXT_LENGTH
from core.accounts import Account
from core.audit import AuditLog
from core.clock import Clock
from core.database import Database
from handover.errors import Changed, UnknownHandover
from handover.models import CannedReplyRow
from knowledge.errors import ImportFailed
from knowledge.store import upsert
from nlu.text import fold

FILE = "canned_replies.yaml"
"""Where a city's folder has the replies to begin with."""
UNDO = dt.timedelta(days=1)
"""How long a deleted reply can be brought back."""
GAPS = ("name", "amt", "stadt", "telefon", "leistung")
"""What the workspace fills: the agent's name, department, city, hotline, and the service that is talked about."""
_GAP = re.compile(r"\{([^{}\n]*)\}")


class CannedReply(BaseModel):
    """A reply; without a department for all of them. `{name}`, `{amt}`, `{stadt}`, … are gaps."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    id: str | None = None
    title: str = Field(min_length=1, max_length=120)
    text: str = Field(min_length=1, max_length=MAX_TEXT_LENGTH)
    department: str | None = None
    version: int = 0

    def unknown_gaps(self) -> list[str]:
        """What stands in braces and is none of the gaps."""
        return [name for name in _GAP.findall(self.text) if name not in GAPS]

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with its gaps filled, as far as there are values."""
        return _GAP.sub(lambda gap: values.get(gap[1], gap[0]), self.text)

    def matches(self, text: str) -> bool:
        """Whether all words of a search occur in it."""
        inside = fold(f"{self.title} {self.text}")
        return all(word in inside for word in fold(text).split())


def read_replies(folder: Path) -> list[CannedReply]:
    """The replies of a city's folder; none where it has no file of them.

    Raises:
        ImportFailed: the file has mistakes.
    """
    path = folder / FILE
    if not path.is_file():
        return []
    entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or []
    replies, problems = [], []
    for at, entry in enumerate(entries, 1):
        try:
            reply = CannedReply.model_validate(entry)
        except ValidationError as error:
            problems += [f"{FILE} ({at}): {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            continue
        problems += [f"{FILE} ({at}): there is no gap {{{name}}}" for name in reply.unknown_gaps()]
        if reply.id is None:
            problems.append(f"{FILE} ({at}): id: Field required")
        replies.append(reply)
    if problems:
        raise ImportFailed(problems)
    return replies


class CannedReplyStore:
    """Keeps the replies. Every change writes its entry in the audit log."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    def import_once(self, replies: Sequence[CannedReply]) -> int:
        """Enter the replies of the city's folder, unless there has ever been one; returns how many."""
        now = self._clock.now()
        rows = [{**reply.model_dump(exclude={"version"}), "version": 1, "updated_at": now} for reply in replies]
        with self._database.session() as session:
            if not rows or session.scalar(select(CannedReplyRow.id).limit(1)) is not None:
                return 0
            new = upsert(session)(CannedReplyRow).values(rows).on_conflict_do_nothing()
            return len(session.execute(new.returning(CannedReplyRow.id)).all())

    def all(self, departments: Collection[str] | None = None) -> list[CannedReply]:
        """Replies by title: all of them, or those that some departments use."""
        query = select(CannedReplyRow).where(CannedReplyRow.deleted_at.is_(None)).order_by(CannedReplyRow.title)
        if departments is not None:
            common = CannedReplyRow.department.is_(None)
            query = query.where(or_(common, CannedReplyRow.department.in_(departments)))
        with self._database.reading() as session:
            return [_reply(row) for row in session.scalars(query)]

    def deleted(self) -> list[CannedReply]:
        """Those that can be brought back, the one deleted last first."""
        query = select(CannedReplyRow).where(CannedReplyRow.deleted_at > self._clock.now() - UNDO)
        with self._database.reading() as session:
            return [_reply(row) for row in session.scalars(query.order_by(CannedReplyRow.deleted_at.desc()))]

    def get(self, reply_id: str) -> CannedReply:
        """
        Raises:
            UnknownHandover: there is no such reply any more.
        """
        with self._database.reading() as session:
            row = session.get(CannedReplyRow, reply_id)
            if row is None or row.deleted_at is not None:
                raise UnknownHandover(reply_id)
            return _reply(row)

    def put(self, reply: CannedReply, by: Account) -> CannedReply:
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
            act = "reply_added" if reply.id is None else "reply_changed"
            self._audit.record_in(session, act, actor=by, subject=row.title, id=row.id)
            return _reply(row)

    def delete(self, reply_id: str, by: Account) -> None:
        """Take a reply away; it can be brought back for a day.

        Raises:
            UnknownHandover: there is no such reply.
        """
        with self._database.session() as session:
            row = _live(session, reply_id)
            row.deleted_at = self._clock.now()
            self._audit.record_in(session, "reply_deleted", actor=by, subject=row.title, id=row.id)

    def bring_back(self, reply_id: str, by: Account) -> CannedReply:
        """Undo `delete`.

        Raises:
            UnknownHandover: it is gone for good.
        """
        with self._database.session() as session:
            row = session.get(CannedReplyRow, reply_id, with_for_update=True)
            if row is None or (row.deleted_at is not None and row.deleted_at <= self._clock.now() - UNDO):
                raise UnknownHandover(reply_id)
            if row.deleted_at is not None:
                row.deleted_at = None
                self._audit.record_in(session, "reply_restored", actor=by, subject=row.title, id=row.id)
            return _reply(row)

    def expire(self) -> None:
        """Erase what can no longer be brought back. A mark stays, by which `import_once` sees that it had its turn."""
        old = (CannedReplyRow.deleted_at <= self._clock.now() - UNDO, CannedReplyRow.text != "")
        with self._database.session() as session:
            session.execute(update(CannedReplyRow).where(*old).values(title="", text="", department=None))


def _live(session: Session, reply_id: str) -> CannedReplyRow:
    row = session.get(CannedReplyRow, reply_id, with_for_update=True)
    if row is None or row.deleted_at is not None:
        raise UnknownHandover(reply_id)
    return row


def _reply(row: CannedReplyRow) -> CannedReply:
    return CannedReply(id=row.id, title=row.title, text=row.text, department=row.department, version=row.version)
