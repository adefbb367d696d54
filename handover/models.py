"""What a handover is made of: the tables, and the values that other modules pass around."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from sqlalchemy import JSON, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.models import MAX_TEXT_LENGTH, Channel
from core.database import Base, UtcDateTime
from core.encryption import SealedText
from handover.contacts import national_number, valid_email


class Status(StrEnum):
    """Whether an agent takes conversations."""

    AVAILABLE = "available"
    AWAY = "away"
    OFFLINE = "offline"


class End(StrEnum):
    """How a handover came to its end."""

    CLOSED = "closed"
    """An agent closed the conversation."""
    RETURNED = "returned"
    """An agent gave it back to the bot."""
    CANCELLED = "cancelled"
    """The citizen went back to the bot."""
    LEFT = "left"
    """The citizen was gone, or hung up."""
    CLOSING_TIME = "closing_time"
    NOBODY = "nobody"
    """The last agent of the department went away."""


class Reason(StrEnum):
    """With what result an agent closes a conversation."""

    SOLVED = "solved"
    FORWARDED = "forwarded"
    CALLBACK = "callback"
    NOT_RESPONSIBLE = "not_responsible"
    NO_REPLY = "no_reply"
    MISUSE = "misuse"


class Tag(StrEnum):
    """What an agent tells the editors."""

    ANSWER_MISSING = "answer_missing"
    ANSWER_WRONG = "answer_wrong"
    ANSWER_UNCLEAR = "answer_unclear"
    BOT_MISUNDERSTOOD = "bot_misunderstood"


class HandoverRow(Base):
    """A conversation's way through the queue to an agent. At most one of a conversation is open.

    It waits while `agent_id` is null. An offer is a lease: until `offered_until` only `offered_to` may claim it.
    Without `offered_to` those in `passed_by` are left in peace until then.
    `citizen_read` and `agent_read` are the numbers of the last messages that each side has seen; `answered_at` is
    when the agent last said something, null before that.
    """

    __tablename__ = "handovers"
    __table_args__ = (
        Index(
            "uq_handovers_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(String(16))
    department: Mapped[str] = mapped_column(String(100))
    service_id: Mapped[str | None] = mapped_column(String(100), default=None)
    priority: Mapped[int] = mapped_column(Integer, default=0)
    agent_id: Mapped[str | None] = mapped_column(String(32), default=None)
    offered_to: Mapped[str | None] = mapped_column(String(32), default=None)
    offered_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None)
    passed_by: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    queued_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    accepted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None)
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None, index=True)
    end: Mapped[str | None] = mapped_column(String(16), default=None)
    reason: Mapped[str | None] = mapped_column(String(32), default=None)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    agent_read: Mapped[int] = mapped_column(Integer, default=0)
    citizen_read: Mapped[int] = mapped_column(Integer, default=0)
    citizen_seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class AgentRow(Base):
    """An account as an agent: departments, telephone and presence. No figures of a person's work are kept."""

    __tablename__ = "agents"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    departments: Mapped[list[str]] = mapped_column(JSON, default=list)
    extension: Mapped[str | None] = mapped_column(String(32), default=None)
    capacity: Mapped[int] = mapped_column(Integer, default=3)
    status: Mapped[str] = mapped_column(String(16), default=Status.OFFLINE)
    note: Mapped[str] = mapped_column(String(120), default="")
    seen_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None)
    missed: Mapped[int] = mapped_column(Integer, default=0)


class NoteRow(Base):
    """What agents tell each other about a conversation; citizens never see it."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), index=True)
    author: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(SealedText)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class CallbackRow(Base):
    """A citizen's wish to be called back. `wish` and `remark` are sealed, and erased soon after it is done."""

    __tablename__ = "callbacks"
    __table_args__ = (UniqueConstraint("conversation_id", "client_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conversation_id: Mapped[str | None] = mapped_column(String(32), default=None)
    client_id: Mapped[str | None] = mapped_column(String(64), default=None)
    site: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(16))
    department: Mapped[str] = mapped_column(String(100))
    service_id: Mapped[str | None] = mapped_column(String(100), default=None)
    wish: Mapped[str | None] = mapped_column(SealedText, default=None)
    remark: Mapped[str | None] = mapped_column(SealedText, default=None)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    taken_by: Mapped[str | None] = mapped_column(String(32), default=None)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


class CannedReplyRow(Base):
    """A text that agents use again and again; without a department all of them."""

    __tablename__ = "canned_replies"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    text: Mapped[str] = mapped_column(Text)
    department: Mapped[str | None] = mapped_column(String(100), default=None)
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A handover as it stands."""

    id: str
    conversation_id: str
    channel: Channel
    department: str
    service_id: str | None
    priority: int
    agent_id: str | None
    offered_to: str | None
    offered_until: dt.datetime | None
    passed_by: tuple[str, ...]
    created_at: dt.datetime
    queued_at: dt.datetime
    accepted_at: dt.datetime | None
    answered_at: dt.datetime | None
    ended_at: dt.datetime | None
    end: End | None
    agent_read: int
    citizen_read: int
    citizen_seen_at: dt.datetime

    def offered(self, now: dt.datetime) -> bool:
        """Whether the lease of an offer holds."""
        return self.offered_to is not None and self.offered_until is not None and self.offered_until > now

    def rests(self, now: dt.datetime) -> bool:
        """Whether somebody declined a moment ago, who is not to be asked again at once."""
        return self.offered_to is None and self.offered_until is not None and self.offered_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent as the queue sees one."""

    account_id: str
    name: str
    departments: frozenset[str]
    extension: str | None
    capacity: int
    status: Status
    note: str
    seen_at: dt.datetime | None
    missed: int


class CallbackWish(BaseModel):
    """Whom to call back about what. `consent`: the citizen agreed that this is stored until it is done."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str = Field(min_length=1, max_length=100)
    phone: str | None = Field(default=None, max_length=40)
    email: str | None = Field(default=None, max_length=200)
    concern: str = Field(min_length=1, max_length=MAX_TEXT_LENGTH)
    consent: bool
    client_id: str | None = Field(default=None, min_length=1, max_length=64)

    @field_validator("phone")
    @classmethod
    def _is_a_number(cls, phone: str | None) -> str | None:
        return national_number(phone) if phone else None

    @field_validator("email")
    @classmethod
    def _is_an_address(cls, email: str | None) -> str | None:
        return valid_email(email) if email else None

    @model_validator(mode="after")
    def _can_be_reached_and_agrees(self) -> CallbackWish:
        if not self.phone and not self.email:
            raise ValueError("needs a telephone number or an e-mail address")
        if not self.consent:
            raise ValueError("needs consent")
        return self
