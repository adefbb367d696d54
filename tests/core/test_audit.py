from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DatabaseError

from core.accounts import Account, AccountStore, Role
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database

LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
EDITS = [
    "UPDATE audit SET act = 'nothing'",
    "UPDATE audit SET expires_at = '2020-01-01 00:00:00'",
    "DELETE FROM audit",
    "DELETE FROM audit WHERE id = 1",
]


@pytest.fixture
def agent(accounts: AccountStore) -> Account:
    return accounts.create(login="agent1", name="Bürgerservice", roles=[Role.AGENT], by=None)


def execute(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


def without_triggers(database: Database, *statements: str) -> None:
    """What somebody can do who has the database in hand."""
    if database.engine.dialect.name == "sqlite":
        execute(database, "DROP TRIGGER audit_is_not_edited", "DROP TRIGGER audit_is_kept", *statements)
    else:
        execute(database, "ALTER TABLE audit DISABLE TRIGGER ALL", *statements)


def test_entries_come_newest_first_and_by_page(audit: AuditLog, agent: Account, clock: FixedClock) -> None:
    audit.record("login", actor=agent)
    clock.advance(minutes=1)
    audit.record("notice_set", actor=agent, subject="jena", until="12:00", sites=["jena"])
    audit.record("login_failed", actor=None, subject="agent1")
    newest, notice, login, created = audit.entries()
    assert (newest.act, newest.actor, newest.actor_login, newest.subject) == ("login_failed", None, None, "agent1")
    assert (notice.actor, notice.actor_login) == (agent.id, "agent1")
    assert notice.details == {"until": "12:00", "sites": ["jena"]}
    assert notice.at - login.at == dt.timedelta(minutes=1)
    assert audit.entries(before=notice.id) == [login, created]
    assert audit.entries(limit=1) == [newest]
    assert audit.entries(act="login") == [login]
    assert audit.entries(actor=" AGENT1") == [notice, login]
    assert audit.acts() == ["account_created", "login", "login_failed", "notice_set"]


@pytest.mark.parametrize("edit", EDITS)
def test_database_refuses_edits(audit: AuditLog, database: Database, edit: str) -> None:
    audit.record("login", actor=None)
    before = audit.entries()
    with pytest.raises(DatabaseError, match="audit log"):
        execute(database, edit)
    assert audit.entries() == before


def test_postgresql_refuses_to_empty_the_log(audit: AuditLog, database: Database) -> None:
    audit.record("login", actor=None)
    if database.engine.dialect.name == "postgresql":
        with pytest.raises(DatabaseError, match="audit log"):
            execute(database, "TRUNCATE audit")
    assert len(audit.entries()) == 1


def test_entries_go_when_their_time_is_over(database: Database) -> None:
    clock = FixedClock(LONG_AGO)
    audit = AuditLog(database, clock, lifetime=dt.timedelta(days=400))
    audit.record("login", actor=None)
    clock.advance(days=1)
    audit.record("logout", actor=None)
    clock.advance(days=398)
    assert audit.expire() == 0
    clock.advance(days=1)
    assert audit.expire() == 1
    assert audit.expire() == 0
    assert [entry.act for entry in audit.entries()] == ["logout"]
    assert audit.verify() is None
    clock.advance(days=1)
    assert audit.expire() == 1
    assert audit.verify() is None
    audit.record("login", actor=None)
    assert audit.verify() is None


def test_clock_that_is_ahead_erases_nothing_early(audit: AuditLog, clock: FixedClock) -> None:
    clock.advance(days=3)
    audit.record("login", actor=None)
    clock.advance(days=10_000)
    assert audit.expire() == 0
    assert len(audit.entries()) == 1


@pytest.mark.parametrize(
    ("tampering", "first_wrong"),
    [
        ("UPDATE audit SET act = 'nothing' WHERE id = 2", 2),
        ("UPDATE audit SET details = '{\"x\": 1}' WHERE id = 3", 3),
        ("UPDATE audit SET actor_login = 'agent2' WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 1", 1),
        ("DELETE FROM audit WHERE id = 4", 4),
        ("DELETE FROM audit", 1),
    ],
)
def test_chain_shows_what_was_done_past_the_triggers(
    audit: AuditLog, database: Database, tampering: str, first_wrong: int
) -> None:
    for number in range(4):
        audit.record("login", actor=None, number=number)
    assert audit.verify() is None
    without_triggers(database, tampering)
    assert audit.verify() == first_wrong


def test_many_writers_make_one_chain(audit: AuditLog) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: audit.record("login", actor=None, number=number), range(80)))
    assert audit.verify() is None
    assert [entry.id for entry in audit.entries(limit=100)] == list(range(80, 0, -1))


def test_act_and_entry_are_there_together_or_not_at_all(audit: AuditLog, database: Database) -> None:
    with pytest.raises(RuntimeError), database.session() as session:
        audit.record_in(session, "claim", actor=None)
        raise RuntimeError
    assert audit.entries() == []
    audit.record("login", actor=None)
    assert audit.verify() is None
