"""Notices to citizens, and the switch that silences the bot: what they are and how they are kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import JSON, ColumnElement, Integer, Select, String, Text, delete, or_, select, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from bot.models import Channel
from core.accounts import AccountRow
from core.audit import Actor, AuditLog
from core.clock import Clock
from core.database import Base, Database, UtcDateTime
from handover.errors import Changed, UnknownNotice

UNDO_SPAN = dt.timedelta(minutes=15)
"""How long a notice that somebody has ended can be brought back."""
KEPT_SPAN = dt.timedelta(days=400)
"""How long a notice is kept after its end, as long as the audit log."""


class NoticeRow(Base):
    """What citizens of some sites and channels (none named: all) read for a while, and whether the bot answers."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    speech: Mapped[str | None] = mapped_column(Text)
    begins_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, index=True)
    sites: Mapped[list[str]] = mapped_column(JSON)
    channels: Mapped[list[str]] = mapped_column(JSON)
    silences_bot: Mapped[bool] = mapped_column()
    comment: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(32))
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, index=True)
    ended_by: Mapped[str | None] = mapped_column(String(32))


class InvalidNotice(ValueError):
    """A notice that makes no sense; `problems` holds field and code of each mistake."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__(", ".join(f"{field}: {code}" for field, code in problems))
        self.problems = tuple(problems)


class NoticeDraft(BaseModel):
    """A notice before it is set."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    text: str = Field(default="", max_length=1000)
    """Markdown subset, as in the bot's messages."""
    speech: str | None = Field(default=None, max_length=1000)
    """How the text is said; made of the text if not given."""
    begins_at: dt.datetime | None = None
    """Null: at once."""
    ends_at: dt.datetime | None = None
    """Null: until somebody ends it, which only a switched-off bot may wait for."""
    sites: list[str] = []
    """Keys of the sites; empty: all."""
    channels: list[Channel] = []
    """Empty: all."""
    silences_bot: bool = False
    comment: str = Field(default="", max_length=500)
    """Why; citizens do not see it."""

    def check(self, now: dt.datetime) -> None:
        """
        Raises:
            InvalidNotice: with every mistake.
        """
        begins = self.begins_at or now
        found = [
            ("text", "missing", not self.text and not self.silences_bot),
            ("comment", "missing", not self.comment),
            ("ends_at", "missing", self.ends_at is None and not self.silences_bot),
            ("ends_at", "past", self.ends_at is not None and self.ends_at <= now),
            ("ends_at", "before-begin", self.ends_at is not None and now < self.ends_at <= begins),
        ]
        if problems := [(field, code) for field, code, wrong in found if wrong]:
            raise InvalidNotice(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as it is kept. Names are those of the accounts; None where an account is no more."""

    id: int
    text: str
    speech: str | None
    begins_at: dt.datetime
    ends_at: dt.datetime | None
    sites: tuple[str, ...]
    channels: tuple[Channel, ...]
    silences_bot: bool
    comment: str
    created_at: dt.datetime
    created_by: str | None
    ended_at: dt.datetime | None
    ended_by: str | None

    def is_active(self, now: dt.datetime) -> bool:
        return self.ended_at is None and self.begins_at <= now and (self.ends_at is None or now < self.ends_at)

    def reaches(self, *, site: str, channel: str) -> bool:
        return (not self.sites or site in self.sites) and (not self.channels or channel in self.channels)

    def can_be_resumed(self, now: dt.datetime) -> bool:
        """Whether ending it can still be undone."""
        ended = self.ended_at
        return ended is not None and ended > now - UNDO_SPAN and (self.ends_at is None or self.ends_at > now)


class NoticeStore:
    """Keeps notices. Each act writes its entry in the audit log in the same transaction."""

    def __init__(self, database: Database, clock: Clock, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit

    def add(self, draft: NoticeDraft, *, by: Actor) -> int:
        """Set a notice; returns its id.

        Raises:
            InvalidNotice: it makes no sense.
        """
        now = self._clock.now()
        draft.check(now)
        row = NoticeRow(
            **draft.model_dump(mode="json", exclude={"begins_at", "ends_at", "speech"}),
            speech=draft.speech or None,
            begins_at=draft.begins_at or now,
            ends_at=draft.ends_at,
            created_by=by.id,
            created_at=now,
        )
        with self._database.session() as session:
            session.add(row)
            session.flush()
            self._audit.record_in(session, "notice_set", actor=by, subject=str(row.id), **_details(row))
        return row.id

    def end(self, id: int, *, by: Actor) -> None:
        """End a notice now, or call off one that is to come.

        Raises:
            Changed: it has ended already.
            UnknownNotice: there is none.
        """
        now = self._clock.now()
        open_ = (
            NoticeRow.id == id,
            NoticeRow.ended_at.is_(None),
            or_(NoticeRow.ends_at.is_(None), NoticeRow.ends_at > now),
        )
        self._set(id, *open_, act="notice_ended", by=by, ended_at=now, ended_by=by.id)

    def resume(self, id: int, *, by: Actor) -> None:
        """Undo the end of a notice.

        Raises:
            Changed: it was not ended just now, or its time is over by now.
            UnknownNotice: there is none.
        """
        now = self._clock.now()
        resumable = (
            NoticeRow.id == id,
            NoticeRow.ended_at > now - UNDO_SPAN,
            or_(NoticeRow.ends_at.is_(None), NoticeRow.ends_at > now),
        )
        self._set(id, *resumable, act="notice_resumed", by=by, ended_at=None, ended_by=None)

    def open(self) -> list[Notice]:
        """Those that hold or are to come, the newest first."""
        now = self._clock.now()
        over = or_(NoticeRow.ends_at.is_(None), NoticeRow.ends_at > now)
        return self._find(_notices().where(NoticeRow.ended_at.is_(None), over))

    def past(self, *, limit: int) -> list[Notice]:
        """Those that are over, the newest first."""
        over = or_(NoticeRow.ended_at.is_not(None), NoticeRow.ends_at <= self._clock.now())
        return self._find(_notices().where(over).limit(limit))

    def expire(self) -> int:
        """Remove what was over long ago; returns how many."""
        before = self._clock.now() - KEPT_SPAN
        statement = delete(NoticeRow).where(or_(NoticeRow.ended_at < before, NoticeRow.ends_at < before))
        with self._database.session() as session:
            return len(session.execute(statement.returning(NoticeRow.id)).all())

    def _set(self, id: int, *where: ColumnElement[bool], act: str, by: Actor, **values: object) -> None:
        with self._database.session() as session:
            done = session.execute(update(NoticeRow).where(*where).values(values).returning(NoticeRow.id)).first()
            if done is None:
                raise Changed(str(id)) if session.get(NoticeRow, id) is not None else UnknownNotice(str(id))
            self._audit.record_in(session, act, actor=by, subject=str(id))

    def _find(self, statement: Select[NoticeRow, str, str]) -> list[Notice]:
        with self._database.reading() as session:
            return [_notice(row, creator, ender) for row, creator, ender in session.execute(statement)]


def _notices() -> Select[NoticeRow, str, str]:
    creator, ender = aliased(AccountRow), aliased(AccountRow)
    return (
        select(NoticeRow, creator.name, ender.name)
        .outerjoin(creator, creator.id == NoticeRow.created_by)
        .outerjoin(ender, ender.id == NoticeRow.ended_by)
        .order_by(NoticeRow.id.desc())
    )


def _notice(row: NoticeRow, created_by: str | None, ended_by: str | None) -> Notice:
    return Notice(
        id=row.id,
        text=row.text,
        speech=row.speech,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        sites=tuple(row.sites),
        channels=tuple(Channel(channel) for channel in row.channels),
        silences_bot=row.silences_bot,
        comment=row.comment,
        created_at=row.created_at,
        created_by=created_by,
        ended_at=row.ended_at,
        ended_by=ended_by,
    )


def _details(row: NoticeRow) -> dict[str, object]:
    return {
        "text": row.text,
        "begins_at": row.begins_at.isoformat(),
        "ends_at": row.ends_at.isoformat() if row.ends_at else None,
        "sites": row.sites,
        "channels": row.channels,
        "silences_bot": row.silences_bot,
        "comment": row.comment,
    }
