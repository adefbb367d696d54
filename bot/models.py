"""What a conversation is made of: messages as clients see them, and the tables that keep them."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy import JSON, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime
from core.encryption import SealedText
from knowledge.catalogue import Aspect, Circumstance

MAX_TEXT_LENGTH = 2_000
"""Characters of one message of a citizen."""


class Channel(StrEnum):
    """How a citizen reaches the bot."""

    WEB = "web"
    KIOSK = "kiosk"
    PHONE = "phone"


class State(StrEnum):
    """Who owns a conversation."""

    BOT = "bot"
    QUEUED = "queued"
    AGENT = "agent"
    CLOSED = "closed"


class Author(StrEnum):
    """Who says a message."""

    CITIZEN = "citizen"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Expects(StrEnum):
    """What kind of reply a message waits for."""

    OPEN = "open"
    YES_NO = "yes_no"
    CHOICE = "choice"
    NUMBER = "number"


class Model(BaseModel):
    """Base of what goes over HTTP."""

    model_config = ConfigDict(extra="forbid")


class Target(Model):
    """Where a choice leads. Only the server sees it; the client sees a token."""

    kind: Literal["service", "life_situation", "aspect", "human", "none", "affirm", "deny"]
    id: str | None = None
    aspect: Aspect | None = None
    circumstances: list[Circumstance] = []


class DraftChoice(Model):
    """A choice before it has its token."""

    label: str
    target: Target


class Action(Model):
    """A next step outside the chat."""

    kind: Literal["online", "appointment", "form", "map", "call"]
    label: str
    url: str


class Office(Model):
    """The office that answers, in one line."""

    id: str
    name: str
    phone: str | None = None
    hours_today: str | None = None


class Answer(Model):
    """What stands behind a bot's message: the card and the key figures of it."""

    kind: Literal["service", "clarify", "abstain", "refuse", "smalltalk", "handover", "emergency", "office"]
    service_id: str | None = None
    leika: str | None = None
    title: str | None = None
    aspect: Aspect | None = None
    aspects: list[Aspect] = []
    score: float | None = None
    source_url: str | None = None
    as_of: str | None = None
    office: Office | None = None
    actions: list[Action] = []
    candidates: list[str] = []
    reason: Literal["ambiguous", "life_situation"] | None = None


class Reply(Model):
    """A bot's message before it is stored: the one `custom` payload of an action."""

    text: str = Field(min_length=1)
    speech: str = Field(min_length=1)
    choices: list[DraftChoice] = []
    expects: Expects = Expects.OPEN
    answer: Answer | None = None
    wants_human: bool = False
    """The citizen asked for a human: the conversation is handed over, and nothing is said but that."""


class Choice(Model):
    """One of the replies that a message offers; `value` is valid for the life of its conversation."""

    label: str
    value: str


class Message(Model):
    """A message as clients get it."""

    seq: int
    author: Author
    lang: str
    text: str
    speech: str | None = None
    choices: list[Choice] = []
    expects: Expects | None = None
    answer: Answer | None = None
    at: dt.datetime


class SpeechAlternative(Model):
    """One hypothesis of the speech recogniser."""

    text: str = Field(max_length=MAX_TEXT_LENGTH)
    confidence: float = Field(ge=0, le=1)


class Speech(Model):
    """What a caller said, the likeliest hypothesis first."""

    alternatives: list[SpeechAlternative] = Field(min_length=1, max_length=10)


class Utterance(Model):
    """What a citizen says: exactly one of text, choice or speech."""

    text: str | None = None
    choice: str | None = Field(default=None, min_length=1, max_length=64)
    speech: Speech | None = None
    client_id: str | None = Field(default=None, min_length=1, max_length=64)

    @model_validator(mode="after")
    def _is_one_thing(self) -> Utterance:
        if sum(part is not None for part in (self.text, self.choice, self.speech)) != 1:
            raise ValueError("needs exactly one of text, choice or speech")
        return self


class Turn(Model):
    """Everything that one utterance brought, the citizen's own message first; `version` rises with every new state."""

    messages: list[Message]
    state: State
    version: int


class ConversationRow(Base):
    """A conversation. `version` rises with every change of ownership."""

    __tablename__ = "conversations"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    site: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(35))
    state: Mapped[str] = mapped_column(String(16))
    caller: Mapped[str | None] = mapped_column(SealedText, default=None)
    version: Mapped[int] = mapped_column(Integer, default=0)
    last_seq: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    active_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    erased_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime, default=None, index=True)


class MessageRow(Base):
    """A message. `choices` holds label, value and target of each choice.

    What was said while the bot did not own the conversation stands in `sealed`, and `text` is empty.
    """

    __tablename__ = "messages"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    author: Mapped[str] = mapped_column(String(16))
    lang: Mapped[str] = mapped_column(String(35))
    text: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str | None] = mapped_column(SealedText, default=None)
    speech: Mapped[str | None] = mapped_column(Text, default=None)
    choices: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    expects: Mapped[str | None] = mapped_column(String(16), default=None)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON, default=None)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class TurnRow(Base):
    """One utterance by its client's id, so that sending it twice does not say it twice.

    `body_hash` is keyed with the conversation's token, which is not stored; of a message of staff it is the account,
    for a hash of their words would tell them. `version` is the conversation's when the turn began.
    A turn that is not done is under way until `lease_until`; after that whoever asks again takes it up.
    """

    __tablename__ = "turns"
    __table_args__ = (UniqueConstraint("conversation_id", "client_id"),)

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    client_id: Mapped[str | None] = mapped_column(String(64))
    body_hash: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    lease_until: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    done: Mapped[bool] = mapped_column(default=False)
    reply_seq: Mapped[int | None] = mapped_column(Integer, default=None)


class FeedbackRow(Base):
    """A citizen's rating of one answer, or of the conversation where `seq` is 0. The latest one counts."""

    __tablename__ = "feedback"

    conversation_id: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    rating: Mapped[str] = mapped_column(String(4))
    comment: Mapped[str | None] = mapped_column(Text, default=None)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
