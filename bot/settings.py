"""Settings of conversations."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, Field


class ChatSettings(BaseModel):
    """How long conversations live and how much one client may do."""

    lifetime: dt.timedelta = Field(default=dt.timedelta(days=30), gt=dt.timedelta(), le=dt.timedelta(days=365))
    """How long after its last message a conversation is erased."""
    idle: dt.timedelta = Field(default=dt.timedelta(minutes=30), gt=dt.timedelta())
    """After how long without a message a web conversation closes."""
    conversations_limit: str = "30/hour"
    """New conversations per client address."""
    messages_limit: str = "40/minute"
    """Messages per client address."""
    reads_limit: str = "600/minute"
    """Reading requests per client address, event streams included."""
    streams_per_conversation: int = Field(default=4, ge=1)
    """Event streams that one conversation may hold open."""
