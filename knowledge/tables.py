"""The tables of the room. Records are kept whole, as JSON, the way `knowledge.catalogue` describes them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Date, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, UtcDateTime


class ServiceRow(Base):
    """A service's record. `version` counts its changes."""

    __tablename__ = "services"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    record: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class OfficeRow(Base):
    """An office's record."""

    __tablename__ = "offices"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    record: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class LifeSituationRow(Base):
    """A life situation's record."""

    __tablename__ = "life_situations"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    record: Mapped[dict[str, Any]] = mapped_column(JSON)
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class CatalogueVersionRow(Base):
    """One row: the counter that every change of a record raises, so that replicas know when to build a new index."""

    __tablename__ = "catalogue_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer)


class EmbeddingRow(Base):
    """A text's vector as little-endian float32 bytes, by the model that made it and the text's SHA-256."""

    __tablename__ = "embeddings"

    model: Mapped[str] = mapped_column(String(200), primary_key=True)
    text_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class OutcomeRow(Base):
    """What became of one question. The text is masked; the row outlives its conversation, but not `expires_at`."""

    __tablename__ = "outcomes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)
    site: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(32))
    service_id: Mapped[str | None] = mapped_column(String(100))
    aspect: Mapped[str | None] = mapped_column(String(32))
    rating: Mapped[str | None] = mapped_column(String(8))
    conversation_id: Mapped[str | None] = mapped_column(String(64), index=True)
    seq: Mapped[int | None] = mapped_column(Integer)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


class HoursExceptionRow(Base):
    """Days on which an office, or without one the whole administration, has other hours; without hours it is closed.

    A deleted row is kept for a while, so that deleting can be undone.
    """

    __tablename__ = "hours_exceptions"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    office: Mapped[str | None] = mapped_column(String(100))
    first: Mapped[dt.date] = mapped_column(Date)
    last: Mapped[dt.date] = mapped_column(Date, index=True)
    hours: Mapped[str | None] = mapped_column(String(200))
    reason: Mapped[str] = mapped_column(String(200))
    version: Mapped[int] = mapped_column(Integer, default=1)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    deleted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class HoursVersionRow(Base):
    """One row: the counter that every change of the exceptions raises. It is there once the city's file was read."""

    __tablename__ = "hours_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer)
