from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.models import Channel
from core.i18n import Phrases
from handover.models import Agent, Handover, Status
from handover.places import Place, can_take, places

NOW = dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC)
PHRASES = Phrases(Path(__file__).parents[2] / "handover" / "locale")


def waiting(number: int, department: str = "zentrale", channel: Channel = Channel.WEB) -> Handover:
    return Handover(
        id=f"h{number}",
        conversation_id=f"c{number}",
        channel=channel,
        department=department,
        service_id=None,
        priority=0,
        agent_id=None,
        offered_to=None,
        offered_until=None,
        passed_by=(),
        created_at=NOW,
        queued_at=NOW,
        accepted_at=None,
        answered_at=None,
        ended_at=None,
        end=None,
        agent_read=0,
        citizen_read=0,
        citizen_seen_at=NOW,
    )


def agent(
    name: str, *, departments: Sequence[str] = ("zentrale",), capacity: int = 1, extension: str | None = None
) -> Agent:
    return Agent(
        account_id=name,
        name=name,
        departments=frozenset(departments),
        extension=extension,
        capacity=capacity,
        status=Status.AVAILABLE,
        note="",
        seen_at=NOW,
        missed=0,
    )


def waits(
    queue: Sequence[Handover], present: Sequence[Agent], *, minutes: float = 5, **active: int
) -> list[tuple[int, int]]:
    usual = dt.timedelta(minutes=minutes)
    found = places(queue, present=present, active=active, handling=lambda _department: usual)
    return [(place.position, place.wait_minutes) for one in queue if (place := found[one.conversation_id])]


def test_each_department_has_a_queue_of_its_own() -> None:
    queue = [waiting(1), waiting(2, "buergerservice"), waiting(3), waiting(4, "buergerservice")]
    staff = [agent("a"), agent("b", departments=["buergerservice"])]
    assert [position for position, _ in waits(queue, staff)] == [1, 1, 2, 2]


def test_whom_a_free_agent_can_take_waits_no_time() -> None:
    queue = [waiting(1), waiting(2), waiting(3)]
    assert waits(queue, [agent("a", capacity=2)]) == [(1, 1), (2, 1), (3, 3)]


def test_agents_work_side_by_side() -> None:
    queue = [waiting(number) for number in range(4)]
    busy = {"a": 2, "b": 2}
    assert waits(queue, [agent("a", capacity=2), agent("b", capacity=2)], **busy) == [(1, 2), (2, 3), (3, 4), (4, 5)]


def test_nobody_there_and_no_end_are_told_as_an_hour_at_most() -> None:
    assert waits([waiting(1), waiting(2)], []) == [(1, 5), (2, 10)]
    assert waits([waiting(number) for number in range(100)], [], minutes=7)[-1] == (100, 60)


def test_agent_with_more_than_the_capacity_is_not_a_gap() -> None:
    assert waits([waiting(1)], [agent("a", capacity=1)], a=3) == [(1, 5)]


@pytest.mark.parametrize(
    ("place", "text"),
    [
        (Place(1, 1), "Sie sind an erster Stelle, es dauert nicht lange."),
        (Place(2, 3), "Sie sind an zweiter Stelle, etwa 3 Minuten."),
        (Place(12, 60), "Sie sind an zwölfter Stelle, etwa 60 Minuten."),
        (Place(13, 60), "Sie sind an 13. Stelle, etwa 60 Minuten."),
    ],
)
def test_place_in_words(place: Place, text: str) -> None:
    event = place.event(PHRASES)
    assert event.name == "queue"
    assert (event.data["position"], event.data["wait_minutes"]) == (place.position, place.wait_minutes)
    assert event.data["text"] == text
    assert event.data["speech"]


def test_callers_need_a_telephone_at_the_other_end() -> None:
    caller = waiting(1, channel=Channel.PHONE)
    assert not can_take(agent("a"), caller)
    assert can_take(agent("a", extension="321"), caller)
    assert not can_take(agent("a", departments=["buergerservice"], extension="321"), caller)
    assert can_take(agent("a"), waiting(1, channel=Channel.KIOSK))
