from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

import handover.workspace  # noqa: F401 - its errors are among those that are looked at
from bot.models import ConversationRow, State
from core.i18n import Phrases
from handover.errors import HandoverError
from tests.handover.house import House
from tests.handover.invariant import assert_consistent
from tests.running import ROOT


def errors(base: type[HandoverError] = HandoverError) -> Iterator[type[HandoverError]]:
    yield base
    for error in base.__subclasses__():
        yield from errors(error)


@pytest.mark.parametrize("error", list(errors()), ids=lambda error: error.__name__)
def test_every_error_has_a_sentence_for_people(error: type[HandoverError]) -> None:
    sentence = Phrases(ROOT / "handover" / "locale").text(f"problem.{error.code}")
    assert sentence.endswith(".") and "!" not in sentence


@pytest.mark.parametrize("state", [State.BOT, State.AGENT, State.CLOSED])
def test_disagreement_is_noticed(house: House, state: State) -> None:
    waiting = house.waiting()
    assert_consistent(house.database)
    with house.database.session() as session:
        session.execute(
            sa.update(ConversationRow).where(ConversationRow.id == waiting.conversation_id).values(state=state)
        )
    with pytest.raises(AssertionError, match="handover"):
        assert_consistent(house.database)


def test_one_disagreement_does_not_hold_up_the_others(house: House) -> None:
    """Somebody has repaired the database by hand: the rest of the queue is tended all the same."""
    anna, berta = house.agent("anna"), house.agent("berta")
    broken, talking = house.with_agent(anna), house.with_agent(anna)
    with house.database.session() as session:
        session.execute(
            sa.update(ConversationRow).where(ConversationRow.id == broken.conversation_id).values(state=State.CLOSED)
        )
    house.clock.advance(minutes=1)
    house.alive(berta)
    house.staffing.tending.round()
    assert house.conversations.get(talking.conversation_id).state is State.QUEUED
