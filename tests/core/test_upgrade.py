"""A database of an earlier version becomes one of today, and nothing in it is lost."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.store import ConversationStore
from core import database as core_database
from core.clock import FixedClock
from core.database import MIGRATIONS, BrokenReferences, Database
from core.encryption import Keyring, new_key
from tests.conftest import new_database

AT = dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC)
LATER = AT + dt.timedelta(days=30)

MOMENTS = ("at", "created_at", "active_at", "expires_at", "updated_at", "lease_until", "until")
JSONS = ("record", "choices", "answer")

ROWS: dict[str, list[dict[str, Any]]] = {
    "catalogue_version": [{"id": 1, "version": 7}],
    "services": [
        {"id": f"s{number}", "record": {"id": f"s{number}", "title": "Größe"}, "status": "published", "version": 1}
        | {"updated_at": AT}
        for number in range(5)
    ],
    "offices": [{"id": "buero", "record": {"id": "buero"}, "version": 2, "updated_at": AT}],
    "life_situations": [{"id": "umzug", "record": {"id": "umzug"}, "version": 1, "updated_at": AT}],
    "embeddings": [{"model": "m", "text_hash": "0" * 64, "vector": b"\x00\x01\xff"}],
    "leases": [{"job": "tidy", "holder": "a", "until": AT}],
    "conversations": [
        {"id": f"c{number}", "token_hash": "x", "site": "jena", "channel": "web", "language": "de"}
        | {"state": state, "version": 3, "last_seq": 4, "created_at": AT, "active_at": AT, "expires_at": LATER}
        for number, state in enumerate(("bot", "closed", "bot"))
    ],
    "messages": [
        {"conversation_id": f"c{number}", "seq": seq, "author": author, "lang": "de", "text": f"Straße „{seq}“"}
        | {"choices": [{"label": "Ja", "value": "t"}], "answer": {"kind": "service", "service_id": "s1"}, "at": AT}
        for number in range(3)
        for seq, author in enumerate(("bot", "citizen", "bot", "citizen"), start=1)
    ],
    "turns": [
        {"conversation_id": f"c{number}", "seq": 2, "client_id": "k", "body_hash": "h", "version": 3}
        | {"lease_until": AT, "done": True, "reply_seq": 3}
        for number in range(3)
    ],
    "feedback": [{"conversation_id": "c1", "seq": 3, "rating": "up", "comment": "Danke", "at": AT}],
    "outcomes": [
        {"at": AT, "site": "jena", "channel": "web", "text": "Was kostet ein Pass", "outcome": "service"}
        | {"service_id": "s1", "conversation_id": "c1", "seq": 3, "expires_at": LATER}
    ],
}


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database as the first version left it, filled by plain SQL."""
    url = f"sqlite:///{tmp_path / 'old.db'}"
    if request.param == "postgresql":
        url = new_database(request.getfixturevalue("postgres_url"))
    database = Database(url)
    database.upgrade("0001")
    for table, rows in ROWS.items():
        insert(database, table, rows)
    yield database
    database.close()


def insert(database: Database, table: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    statement = sa.text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})")
    typed = [sa.bindparam(name, type_=kind) for name in names if (kind := _type(name)) is not None]
    with database.session() as session:
        session.execute(statement.bindparams(*typed), rows)


def content(database: Database, table: str) -> list[dict[str, Any]]:
    """The rows as they were put in: today's further columns are left out."""
    names = list(ROWS[table][0])
    columns = [sa.column(name, _type(name)) if _type(name) else sa.column(name) for name in names]
    with database.reading() as session:
        rows = session.execute(sa.select(*columns).select_from(sa.table(table))).mappings().all()
    return sorted((dict(row) for row in rows), key=repr)


def _type(name: str) -> sa.types.TypeEngine[Any] | None:
    if name in MOMENTS:
        return core_database.UtcDateTime()
    return sa.JSON() if name in JSONS else None


def test_nothing_is_lost(old: Database) -> None:
    old.upgrade()
    for table, rows in ROWS.items():
        assert content(old, table) == sorted(rows, key=repr), table
    assert old.revision() not in (None, "0001")


def test_references_hold_afterwards(old: Database) -> None:
    old.upgrade()
    if old.engine.dialect.name == "sqlite":
        with old.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    stray = {**ROWS["messages"][0], "conversation_id": "nobody"}
    with pytest.raises(sa.exc.IntegrityError):
        insert(old, "messages", [stray])
    with old.session() as session:
        session.execute(sa.text("DELETE FROM conversations WHERE id = 'c0'"))
    assert {row["conversation_id"] for row in content(old, "messages")} == {"c1", "c2"}


def test_today_s_program_goes_on_with_it(old: Database) -> None:
    old.upgrade()
    store = ConversationStore(old, FixedClock(AT), lifetime=dt.timedelta(days=30), keyring=Keyring([new_key()]))
    assert [message.text for message in store.messages("c0")] == [f"Straße „{seq}“" for seq in range(1, 5)]


def with_migration(folder: Path, monkeypatch: pytest.MonkeyPatch, *, head: str, body: str) -> None:
    """Migrations as they are, and one more."""
    migrations = folder / "migrations"
    shutil.copytree(MIGRATIONS, migrations)
    (migrations / "versions" / "9999_test.py").write_text(
        f"from alembic import op\nimport sqlalchemy as sa\nrevision = '9999'\ndown_revision = {head!r}\n"
        f"def upgrade() -> None:\n    {body}\n"
    )
    monkeypatch.setattr(core_database, "MIGRATIONS", migrations)


def test_rewriting_a_table_deletes_no_rows_that_refer_to_it(
    old: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old.upgrade()
    head = old.revision()
    assert head is not None
    rewrite = (
        "with op.batch_alter_table('conversations', recreate='always') as t: t.alter_column('site', nullable=True)"
    )
    if old.engine.dialect.name == "postgresql":
        rewrite = "op.alter_column('conversations', 'site', nullable=True)"
    with_migration(tmp_path, monkeypatch, head=head, body=rewrite)
    old.upgrade()
    assert old.revision() == "9999"
    for table in ("conversations", "messages", "turns", "feedback"):
        assert content(old, table) == sorted(ROWS[table], key=repr), table


def test_an_upgrade_that_breaks_references_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.db'}")
    database.upgrade()
    head = database.revision()
    assert head is not None
    for table in ("conversations", "messages"):
        insert(database, table, ROWS[table])
    with_migration(tmp_path, monkeypatch, head=head, body="op.execute(\"DELETE FROM conversations WHERE id = 'c2'\")")
    with pytest.raises(BrokenReferences, match="messages"):
        database.upgrade()
    assert database.revision() == head
    assert content(database, "conversations") == sorted(ROWS["conversations"], key=repr)
    database.close()


def test_two_processes_upgrade_at_once(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for url in (f"sqlite:///{tmp_path / 'new.db'}", new_database(request.getfixturevalue("postgres_url"))):
        databases = [Database(url), Database(url)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(Database.upgrade, databases))
        assert databases[0].revision() == databases[1].revision()
        for database in databases:
            database.close()
