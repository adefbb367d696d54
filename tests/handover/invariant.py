"""What always holds between conversations and handovers, whatever happens at the same time."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import select

from bot.models import ConversationRow, MessageRow, State
from core.database import Database
from handover.models import HandoverRow, NoteRow


def assert_consistent(database: Database) -> None:
    """Ownership of every conversation agrees with its handover, of which at most one is open.

    queued: one without an agent; agent: one with an agent; bot and closed: none. Erased conversations have neither
    handovers nor notes nor messages, and messages are numbered without gaps.
    """
    with database.reading() as session:
        conversations = session.scalars(select(ConversationRow)).all()
        handovers = session.scalars(select(HandoverRow).where(HandoverRow.ended_at.is_(None))).all()
        every = set(session.scalars(select(HandoverRow.conversation_id)))
        noted = set(session.scalars(select(NoteRow.conversation_id)))
        numbers = session.execute(select(MessageRow.conversation_id, MessageRow.seq)).all()
    count = Counter(one.conversation_id for one in handovers)
    assert set(count.values()) <= {1}, "two open handovers of one conversation"
    owner = {one.conversation_id: State.AGENT if one.agent_id else State.QUEUED for one in handovers}
    seqs: dict[str, set[int]] = {}
    for conversation_id, seq in numbers:
        seqs.setdefault(conversation_id, set()).add(seq)
    for one in conversations:
        expected = owner.get(one.id)
        if expected is None:
            assert one.state in (State.BOT, State.CLOSED), f"{one.state} without a handover"
        else:
            assert one.state == expected, f"{one.state}, but the handover says {expected}"
        if one.erased_at is None:
            assert seqs.get(one.id, set()) == set(range(1, one.last_seq + 1)), "a message is missing or too much"
        else:
            assert one.id not in every | noted | set(seqs), "something is left of an erased conversation"
    for handover in handovers:
        assert not (handover.agent_id and handover.offered_to), "offered although somebody has it"
        assert (handover.accepted_at is not None) == (handover.agent_id is not None)
