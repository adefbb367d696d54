"""Settings of the handover."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field


class HandoverSettings(BaseModel):
    """How long people wait for each other."""

    model_config = ConfigDict(extra="forbid")

    offer: dt.timedelta = Field(default=dt.timedelta(seconds=30), gt=dt.timedelta())
    """How long an agent may think about an offer before it goes to the next."""
    missed_offers: int = Field(default=2, ge=1)
    """After how many offers in a row that an agent does not answer the agent counts as away."""
    agent_gone: dt.timedelta = Field(default=dt.timedelta(seconds=45), ge=dt.timedelta(seconds=10))
    """After how long without a sign of the workspace an agent counts as offline; conversations go back to the queue."""
    agent_silent: dt.timedelta = Field(default=dt.timedelta(minutes=5), gt=dt.timedelta())
    """How long a citizen may wait for an agent's answer before the conversation goes back to the queue."""
    citizen_gone: dt.timedelta = Field(default=dt.timedelta(minutes=10), gt=dt.timedelta())
    """After how long without a sign of the citizen a waiting conversation leaves the queue."""
    nobody: dt.timedelta = Field(default=dt.timedelta(minutes=2), ge=dt.timedelta())
    """How long the queue of a department is kept when its last agent has gone away."""
    callback_life: dt.timedelta = Field(default=dt.timedelta(days=30), gt=dt.timedelta())
    """After how long a callback is erased although nobody has made it."""
    callback_undo: dt.timedelta = Field(default=dt.timedelta(minutes=15), ge=dt.timedelta())
    """How long after it is done a callback can be opened again; then name and number are erased."""
    messages_limit: str = "120/minute"
    """Messages and signs of typing per citizen's address while staff are concerned."""
    callbacks_limit: str = "5/hour"
    """Callbacks per citizen's address."""
