"""The people and the switches behind the bot: asked of whoever knows, which is a room above."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from core.events import Event


@dataclass(frozen=True, slots=True)
class Contact:
    """Whether staff can be reached now, and a sentence on when and how."""

    open: bool
    text: str
    speech: str


class Reachability(Protocol):
    """Knows when staff can be reached."""

    def contact(self, service_id: str | None = None) -> Contact:
        """The present state, for the department that answers for a service."""
        ...


class Staff(Reachability, Protocol):
    """The people who take over where the bot cannot help."""

    def contact_about(self, conversation_id: str) -> Contact:
        """The present state, for the department that answers for what was talked about and the citizen's channel."""
        ...

    async def request(self, conversation_id: str) -> int | None:
        """Put a conversation of the bot into the queue.

        Returns:
            The number of the message that tells the citizen, or None where nobody can be reached.
        """
        ...

    async def heard(self, conversation_id: str) -> None:
        """A citizen has said something in a conversation that the bot does not own."""
        ...

    async def hung_up(self, conversation_id: str) -> None:
        """A caller is gone, whoever owned the conversation: close it."""
        ...

    async def joined(self, conversation_id: str) -> Sequence[Event]:
        """A citizen follows a conversation; gives what has to be known at once, such as the place in the queue."""
        ...

    def seen(self, conversation_id: str) -> None:
        """A citizen looks at a conversation now and then instead of following it."""
        ...

    def left(self, conversation_id: str) -> None:
        """An event stream of a citizen has ended. Called while the request is cancelled: must not wait."""
        ...

    def erased(self, conversation_id: str) -> None:
        """A conversation is no more."""
        ...


@dataclass(frozen=True, slots=True)
class SiteNotice:
    """What holds on a site at present: a notice for everybody, and whether the bot answers there."""

    text: str | None = None
    speech: str | None = None
    until: dt.datetime | None = None
    bot: bool = True

    def as_told(self) -> dict[str, Any]:
        """What clients are told of it, in JSON's types."""
        until = self.until.isoformat() if self.until else None
        notice = {"text": self.text, "speech": self.speech, "until": until} if self.text else None
        return {"notice": notice, "bot": self.bot}


class Notices(Protocol):
    """Knows what the city's staff have announced or switched off."""

    def current(self, *, site: str, channel: str) -> SiteNotice:
        """The present state; cheap enough for every message."""
        ...
