from __future__ import annotations

import pytest
import sqlalchemy as sa

from core.accounts import Account, AccountStore, Role
from core.clock import FixedClock
from core.database import Database
from core.sessions import SessionStore


@pytest.fixture
def agent(accounts: AccountStore) -> Account:
    return accounts.create(login="agent1", name="Bürgerservice", roles=[Role.AGENT], by=None)


def test_token_finds_its_session(sessions: SessionStore, agent: Account) -> None:
    session, token = sessions.begin(agent.id, provider="https://login.example")
    found = sessions.find(token)
    assert found == session
    assert (session.account_id, session.provider) == (agent.id, "https://login.example")
    assert sessions.find("another token") is None
    assert sessions.begin(agent.id)[1] != token


def test_token_is_not_stored(sessions: SessionStore, agent: Account, database: Database) -> None:
    _, token = sessions.begin(agent.id)
    with database.engine.connect() as connection:
        assert token not in repr(connection.execute(sa.text("SELECT * FROM sessions")).all())


def test_session_ends_after_an_hour_without_use(sessions: SessionStore, agent: Account, clock: FixedClock) -> None:
    _, token = sessions.begin(agent.id)
    for _ in range(5):
        clock.advance(minutes=59)
        assert sessions.find(token)
    clock.advance(minutes=60)
    assert sessions.find(token) is None
    assert sessions.expire() == 1


def test_open_stream_counts_as_use(sessions: SessionStore, agent: Account, clock: FixedClock) -> None:
    session, token = sessions.begin(agent.id)
    clock.advance(minutes=59)
    assert sessions.touch(session.id)
    clock.advance(minutes=59)
    assert sessions.find(token)
    sessions.end(session.id)
    assert not sessions.touch(session.id)


def test_session_ends_after_twelve_hours_of_use(sessions: SessionStore, agent: Account, clock: FixedClock) -> None:
    session, token = sessions.begin(agent.id)
    for _ in range(23):
        clock.advance(minutes=30)
        assert sessions.touch(session.id)
    clock.advance(minutes=30)
    assert not sessions.touch(session.id)
    assert sessions.find(token) is None


def test_ending_all_but_one(sessions: SessionStore, agent: Account, accounts: AccountStore) -> None:
    other = accounts.create(login="agent2", name="Standesamt", roles=[], by=None)
    mine, _ = sessions.begin(agent.id)
    for _ in range(3):
        sessions.begin(agent.id)
    _, others_token = sessions.begin(other.id)
    assert len(sessions.of(agent.id)) == 4
    assert sessions.end_all(agent.id, except_=mine.id) == 3
    assert sessions.of(agent.id) == [mine]
    assert sessions.find(others_token)
    assert sessions.end_all(agent.id) == 1
