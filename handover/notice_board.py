"""What holds on each site and channel at present, and who is told when that changes."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Collection, Iterable

from starlette.concurrency import run_in_threadpool

from bot.contact import SiteNotice
from bot.models import Channel
from core.audit import Actor, AuditLog
from core.cache import Fresh
from core.clock import Clock
from core.database import Database
from core.events import Event, EventHub
from handover.notices import Notice, NoticeDraft, NoticeStore
from knowledge.wording import sentence, speakable

log = logging.getLogger(__name__)

TOPIC = "sites"
LOOK_EVERY_S = 0.5


class NoticeBoard:
    """Sets and ends notices, and tells what holds from a copy that is at most a second old."""

    def __init__(
        self, database: Database, clock: Clock, audit: AuditLog, events: EventHub, *, sites: Collection[str]
    ) -> None:
        """
        Args:
            database: keeps the notices.
            clock: the time.
            audit: where every act is entered.
            events: gets an event `site` on the topic `sites` for each site and channel on which something changes.
            sites: keys of the city's sites.
        """
        self.store = NoticeStore(database, clock, audit)
        self._clock = clock
        self._events = events
        self._places = [(site, channel) for site in sorted(sites) for channel in Channel]
        self._open = Fresh(self.store.open, clock)
        self._told = {place: self.current(site=place[0], channel=place[1]) for place in self._places}

    def current(self, *, site: str, channel: str) -> SiteNotice:
        """What holds on a site for a channel: all texts, the newest first; the bot is off if one notice says so."""
        now = self._clock.now()
        active = [
            notice
            for notice in self._open.get()
            if notice.is_active(now) and notice.reaches(site=site, channel=channel)
        ]
        told = [notice for notice in active if notice.text]
        return SiteNotice(
            text="\n\n".join(notice.text for notice in told) or None,
            speech=" ".join(notice.speech or sentence(speakable(notice.text)) for notice in told) or None,
            until=_latest(notice.ends_at for notice in told),
            bot=not any(notice.silences_bot for notice in active),
        )

    def active(self) -> list[Notice]:
        """The notices that hold now, the newest first."""
        now = self._clock.now()
        return [notice for notice in self._open.reload() if notice.is_active(now)]

    def upcoming(self) -> list[Notice]:
        """Those to come, the next one first."""
        now = self._clock.now()
        return sorted((notice for notice in self._open.reload() if notice.begins_at > now), key=_beginning)

    async def set(self, draft: NoticeDraft, *, by: Actor) -> int:
        """Set a notice; returns its id.

        Raises:
            InvalidNotice: it makes no sense.
        """
        id = await run_in_threadpool(self.store.add, draft, by=by)
        await self.announce()
        return id

    async def end(self, id: int, *, by: Actor) -> None:
        """End a notice.

        Raises:
            Changed: it has ended already.
            UnknownNotice: there is none.
        """
        await run_in_threadpool(self.store.end, id, by=by)
        await self.announce()

    async def resume(self, id: int, *, by: Actor) -> None:
        """Undo the end of a notice.

        Raises:
            Changed: it was not ended just now, or its time is over by now.
            UnknownNotice: there is none.
        """
        await run_in_threadpool(self.store.resume, id, by=by)
        await self.announce()

    async def announce(self) -> None:
        """Tell what has changed since it was told last, by an act or because of the time."""
        await run_in_threadpool(self._open.reload)
        for site, channel in self._places:
            present = self.current(site=site, channel=channel)
            if present != self._told[site, channel]:
                self._told[site, channel] = present
                self._events.publish(TOPIC, Event("site", {"site": site, "channel": channel, **present.as_told()}))

    async def watch(self) -> None:
        """Announce changes of other processes, and those that the time brings, for ever."""
        while True:
            try:
                await self.announce()
            except Exception:  # the next look may succeed; nothing else watches the notices
                log.exception("the notices could not be read")
            await asyncio.sleep(LOOK_EVERY_S)


def _latest(moments: Iterable[dt.datetime | None]) -> dt.datetime | None:
    """The last of the moments; None if one of them is open, or there is none."""
    found = list(moments)
    ends = [moment for moment in found if moment is not None]
    return max(ends) if ends and len(ends) == len(found) else None


def _beginning(notice: Notice) -> dt.datetime:
    return notice.begins_at
