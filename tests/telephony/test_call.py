"""Whole calls as plays (tests/telephony/calls), in virtual time; and a caller who hangs up at any moment of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.telephony import virtual_time
from tests.telephony.scripted import Play, plays

PLAYS = plays()


def name_of(script: dict[str, Any]) -> str:
    return f"{script['file']}: {script['name']}"


@pytest.mark.parametrize("script", PLAYS, ids=name_of)
def test_call(script: dict[str, Any]) -> None:
    play = Play(script)
    virtual_time.run(play.act())
    expected = {"closed": True, **script["expect"]}
    if "transfer" in " ".join(play.pbx.done):
        expected["closed"] = False
    found = {
        "done": play.pbx.done,
        "said": play.service.said,
        "warmed": play.service.warmed,
        "alternatives": len(play.service.alternatives[0]) if play.service.alternatives else 0,
        "closed": play.service.closed,
        "slow": play.mouth.slow,
        "holding": any(play.mouth.holding),
        "moments": play.mouth.spoken.count("Einen Moment bitte."),
        "callback": play.service.callbacks[-1] if play.service.callbacks else None,
    }
    assert {key: found[key] for key in expected if key in found} == {
        key: value for key, value in expected.items() if key in found
    }
    for unsaid in expected.get("unsaid", []):
        assert unsaid not in " ".join(play.mouth.spoken)
    assert not play.mouth.holding or not play.mouth.holding[-1]
    if not script.get("repeats"):
        twice = [text for text, after in zip(play.mouth.spoken, play.mouth.spoken[1:], strict=False) if text == after]
        assert twice == []


@pytest.mark.parametrize("script", PLAYS, ids=name_of)
def test_caller_hangs_up_at_any_moment(script: dict[str, Any]) -> None:
    for moment in range(0, 100, 3):
        play = Play(script)
        virtual_time.run(cut(play, moment))
        put_through = any("transfer" in done for done in play.pbx.done)
        if play.service.begun and not put_through and not script.get("close fails"):
            assert play.service.closed, moment


async def cut(play: Play, moment: float) -> None:
    """Play until the caller hangs up, whatever was to come then."""
    acting = asyncio.create_task(play.act())
    await asyncio.sleep(moment)
    play.ears.tell(None)
    await asyncio.wait({acting}, timeout=100)  # whose script waits for something that is no longer said
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)


def test_who_hangs_up_at_once_leaves_no_conversation_behind() -> None:
    play = Play({"steps": [{"hangs up": True}]})
    virtual_time.run(play.act())
    assert play.service.closed
    assert play.pbx.done == []


def test_closing_is_tried_again() -> None:
    play = Play({"steps": [{"waits": 3}, {"hangs up": True}], "close fails": 2})
    virtual_time.run(play.act())
    assert play.service.closed


def test_first_words_come_within_a_second_and_the_way_to_a_human_within_ten() -> None:
    play = Play({"steps": [{"hears": "Was möchten Sie wissen?"}, {"hangs up": True}]})
    play.service.start_takes_s = 3
    virtual_time.run(play.act())
    first, second = zip(play.mouth.spoken[:2], play.mouth.times[:2], strict=True)
    assert first[1] < 1
    assert second[0].startswith("Einen Menschen erreichen Sie jederzeit")
    assert second[1] < 10


def test_a_call_that_is_cancelled_is_closed() -> None:
    play = Play({"steps": [{"waits": 1_000}]})

    async def cancelled() -> None:
        acting = asyncio.create_task(play.act())
        await asyncio.sleep(20)
        acting.cancel()
        await asyncio.wait({acting})

    virtual_time.run(cancelled())
    assert play.service.closed
