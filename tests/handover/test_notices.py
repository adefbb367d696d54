from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bot.contact import Notices, SiteNotice
from bot.models import Channel
from core.accounts import Account, AccountStore, Role
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring, new_key
from core.events import EventHub
from handover.errors import Changed, UnknownNotice
from handover.notice_board import TOPIC, NoticeBoard
from handover.notices import InvalidNotice, NoticeDraft

NOTHING = SiteNotice()
SITES = ("jena", "stadtwerke")
Told = list[dict[str, Any]]


@pytest.fixture
def audit(database: Database, clock: FixedClock) -> AuditLog:
    return AuditLog(database, clock)


@pytest.fixture
def supervisor(database: Database, clock: FixedClock, audit: AuditLog) -> Account:
    accounts = AccountStore(database, clock, Keyring([new_key()]), audit)
    return accounts.create(login="leitung", name="Leitung", roles=[Role.SUPERVISOR], by=None)


@pytest.fixture
def events() -> EventHub:
    return EventHub()


@pytest.fixture
def board(database: Database, clock: FixedClock, audit: AuditLog, events: EventHub) -> NoticeBoard:
    return NoticeBoard(database, clock, audit, events, sites=SITES)


def draft(clock: FixedClock, text: str = "Die Server ziehen um.", **fields: Any) -> NoticeDraft:
    values = {"ends_at": clock.now() + dt.timedelta(hours=2), "comment": "Wartung", **fields}
    return NoticeDraft(text=text, **values)


def off(clock: FixedClock, text: str = "", **fields: Any) -> NoticeDraft:
    return draft(clock, text, silences_bot=True, **{"ends_at": None, **fields})


def here(board: Notices, site: str = "jena", channel: str = "web") -> SiteNotice:
    return board.current(site=site, channel=channel)


def told(events: EventHub, act: Callable[[], Coroutine[Any, Any, Any]]) -> Told:
    """What is published while something is done."""

    async def listen() -> Told:
        with events.subscribe(TOPIC) as queue:
            await act()
            return [queue.get_nowait().data for _ in range(queue.qsize())]

    return asyncio.run(listen())


def test_a_notice_is_there_at_once_and_gone_in_time(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    until = clock.now() + dt.timedelta(hours=2)
    asyncio.run(board.set(draft(clock), by=supervisor))
    text = "Die Server ziehen um."
    assert here(board) == SiteNotice(text=text, speech=text, until=until, bot=True)
    clock.advance(hours=1, minutes=59, seconds=59)
    assert here(board).text == text
    clock.advance(seconds=1)
    assert here(board) == NOTHING


def test_a_notice_waits_for_its_time(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    asyncio.run(board.set(draft(clock, begins_at=clock.now() + dt.timedelta(hours=1)), by=supervisor))
    assert here(board) == NOTHING
    assert [notice.comment for notice in board.upcoming()] == ["Wartung"]
    clock.advance(hours=1)
    assert here(board).text == "Die Server ziehen um."
    assert board.upcoming() == []
    assert [notice.created_by for notice in board.active()] == ["Leitung"]


def test_it_reaches_its_sites_and_channels_only(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    asyncio.run(board.set(off(clock, sites=["jena"], channels=[Channel.PHONE]), by=supervisor))
    silent = {(site, channel) for site in SITES for channel in Channel if not here(board, site, channel).bot}
    assert silent == {("jena", "phone")}


def test_all_that_holds_is_told_the_newest_first(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    asyncio.run(board.set(draft(clock, "Das Bürgeramt ist zu."), by=supervisor))
    asyncio.run(board.set(off(clock), by=supervisor))
    asyncio.run(board.set(draft(clock, "Die [Wahl](https://wahl.example) ist am 1. März."), by=supervisor))
    notice = here(board)
    assert notice.text == "Die [Wahl](https://wahl.example) ist am 1. März.\n\nDas Bürgeramt ist zu."
    assert notice.speech == "Die Wahl ist am 1. März. Das Bürgeramt ist zu."
    assert notice.until == clock.now() + dt.timedelta(hours=2)
    assert not notice.bot


def test_the_bot_stays_off_until_the_last_who_wants_it_off(
    board: NoticeBoard, clock: FixedClock, supervisor: Account
) -> None:
    first = asyncio.run(board.set(off(clock), by=supervisor))
    second = asyncio.run(board.set(off(clock), by=supervisor))
    asyncio.run(board.end(first, by=supervisor))
    assert not here(board).bot
    asyncio.run(board.end(second, by=supervisor))
    assert here(board) == NOTHING


def test_ending_can_be_undone_for_a_while(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    id = asyncio.run(board.set(off(clock), by=supervisor))
    asyncio.run(board.end(id, by=supervisor))
    assert here(board).bot
    assert board.store.past(limit=10)[0].can_be_resumed(clock.now())
    asyncio.run(board.resume(id, by=supervisor))
    assert not here(board).bot
    asyncio.run(board.end(id, by=supervisor))
    clock.advance(minutes=15)
    assert not board.store.past(limit=10)[0].can_be_resumed(clock.now())
    with pytest.raises(Changed):
        asyncio.run(board.resume(id, by=supervisor))
    assert here(board).bot


def test_of_two_who_end_it_the_second_learns_of_the_first(
    board: NoticeBoard, clock: FixedClock, supervisor: Account
) -> None:
    id = asyncio.run(board.set(draft(clock), by=supervisor))
    asyncio.run(board.end(id, by=supervisor))
    with pytest.raises(Changed):
        asyncio.run(board.end(id, by=supervisor))
    with pytest.raises(UnknownNotice):
        asyncio.run(board.end(id + 1, by=supervisor))


def test_one_that_is_over_is_not_ended_again(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    id = asyncio.run(board.set(draft(clock), by=supervisor))
    clock.advance(hours=2)
    with pytest.raises(Changed):
        asyncio.run(board.end(id, by=supervisor))
    assert [notice.id for notice in board.store.past(limit=10)] == [id]


def test_one_that_is_to_come_can_be_called_off(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    begins = clock.now() + dt.timedelta(hours=1)
    id = asyncio.run(board.set(off(clock, begins_at=begins), by=supervisor))
    asyncio.run(board.end(id, by=supervisor))
    clock.advance(hours=1)
    assert here(board) == NOTHING


@pytest.mark.parametrize(
    ("fields", "problems"),
    [
        ({"text": " "}, [("text", "missing")]),
        ({"comment": ""}, [("comment", "missing")]),
        ({"ends_at": None}, [("ends_at", "missing")]),
        ({"ends_at": dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC)}, [("ends_at", "past")]),
        (
            {
                "begins_at": dt.datetime(2026, 3, 12, tzinfo=dt.UTC),
                "ends_at": dt.datetime(2026, 3, 12, tzinfo=dt.UTC),
                "text": "",
            },
            [("text", "missing"), ("ends_at", "before-begin")],
        ),
    ],
)
def test_what_makes_no_sense_is_refused(
    board: NoticeBoard, clock: FixedClock, supervisor: Account, fields: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    with pytest.raises(InvalidNotice) as error:
        asyncio.run(board.set(draft(clock, **{"text": "Hinweis.", **fields}), by=supervisor))
    assert list(error.value.problems) == problems
    assert here(board) == NOTHING


def test_switching_off_needs_neither_text_nor_end(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    asyncio.run(board.set(off(clock), by=supervisor))
    assert here(board) == SiteNotice(bot=False)


def test_every_act_is_in_the_audit_log(
    board: NoticeBoard, clock: FixedClock, supervisor: Account, audit: AuditLog
) -> None:
    id = asyncio.run(board.set(off(clock, "Wir prüfen eine Störung."), by=supervisor))
    asyncio.run(board.end(id, by=supervisor))
    asyncio.run(board.resume(id, by=supervisor))
    entries = audit.entries()[:3]
    assert [(entry.act, entry.subject, entry.actor_login) for entry in entries] == [
        ("notice_resumed", str(id), "leitung"),
        ("notice_ended", str(id), "leitung"),
        ("notice_set", str(id), "leitung"),
    ]
    assert entries[2].details["comment"] == "Wartung"
    assert entries[2].details["silences_bot"] is True


def test_an_act_that_cannot_be_entered_does_not_happen(
    board: NoticeBoard, clock: FixedClock, supervisor: Account, audit: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any, **_details: Any) -> None:
        raise RuntimeError("no entry")

    monkeypatch.setattr(audit, "record_in", refuse)
    with pytest.raises(RuntimeError, match="no entry"):
        asyncio.run(board.set(off(clock), by=supervisor))
    clock.advance(seconds=1)
    assert here(board) == NOTHING


def test_who_listens_is_told_of_acts_and_of_the_time(
    board: NoticeBoard, clock: FixedClock, supervisor: Account, events: EventHub
) -> None:
    wish = off(clock, "Wartung.", sites=["jena"], channels=[Channel.WEB], ends_at=clock.now() + dt.timedelta(minutes=1))
    until = (clock.now() + dt.timedelta(minutes=1)).isoformat()
    place = {"site": "jena", "channel": "web"}
    assert told(events, lambda: board.set(wish, by=supervisor)) == [
        {**place, "bot": False, "notice": {"text": "Wartung.", "speech": "Wartung.", "until": until}}
    ]
    assert told(events, board.announce) == []
    clock.advance(minutes=1)
    assert told(events, board.announce) == [{**place, "bot": True, "notice": None}]


def test_another_process_follows_within_a_second_and_tells_its_own(
    board: NoticeBoard, clock: FixedClock, supervisor: Account, database: Database, audit: AuditLog
) -> None:
    own = EventHub()
    elsewhere = NoticeBoard(database, clock, audit, own, sites=SITES)
    asyncio.run(board.set(off(clock, sites=["jena"]), by=supervisor))
    clock.advance(seconds=1)
    assert not here(elsewhere).bot
    assert [(event["channel"], event["bot"]) for event in told(own, elsewhere.announce)] == [
        ("web", False),
        ("kiosk", False),
        ("phone", False),
    ]


def test_the_watch_goes_on_after_a_failure(
    board: NoticeBoard,
    clock: FixedClock,
    supervisor: Account,
    events: EventHub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("handover.notice_board.LOOK_EVERY_S", 0.01)
    answers = iter([RuntimeError("database is away")])
    read = board.store.open

    def sometimes() -> Any:
        for error in answers:
            raise error
        return read()

    async def watched() -> dict[str, Any]:
        with events.subscribe(TOPIC) as queue:
            watch = asyncio.create_task(board.watch())
            event = await asyncio.wait_for(queue.get(), timeout=5)
            watch.cancel()
            return event.data

    board.store.add(off(clock), by=supervisor)
    monkeypatch.setattr(board._open, "_load", sometimes)
    assert asyncio.run(watched())["bot"] is False
    assert "the notices could not be read" in caplog.text


def test_notices_do_not_stay_for_ever(board: NoticeBoard, clock: FixedClock, supervisor: Account) -> None:
    asyncio.run(board.set(draft(clock), by=supervisor))
    asyncio.run(board.set(off(clock), by=supervisor))
    clock.advance(days=401)
    assert board.store.expire() == 1
    assert not here(board).bot
