"""The relational database under all rooms: SQLite in WAL mode on one machine, PostgreSQL beyond."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

MIGRATIONS = Path(__file__).parent / "migrations"

SQLITE_BUSY_TIMEOUT_MS = 10_000
UPGRADE_LOCK = 0x57AD7B07
"""Number of the advisory lock under which PostgreSQL's tables are upgraded."""


class BrokenReferences(RuntimeError):
    """Rows refer to rows that are not there; the message names the tables."""


class Base(DeclarativeBase):
    """Base of every room's tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcDateTime(TypeDecorator[dt.datetime]):
    """A moment, aware in Python and UTC in the database (SQLite would lose the zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored moment must be aware of its time zone")
        moment = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Database:
    """Gives short transactions. Thread-safe; sessions are not."""

    def __init__(self, url: str) -> None:
        """Open a database by its SQLAlchemy address, for example `sqlite:///var/stadtbot.db`."""
        self.url = make_url(url)
        self.engine = _sqlite_engine(url) if self.url.get_backend_name() == "sqlite" else _server_engine(url)
        self.sessions = sessionmaker(self.engine, expire_on_commit=False)
        """Makes the writing transactions; observers listen to its events."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A transaction that may write: commits at the end, rolls back on any error."""
        with self.sessions.begin() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads and never waits for a writer."""
        reader = self.engine.execution_options(stadtbot_reads=True)
        with Session(reader, expire_on_commit=False) as session:
            yield session

    def upgrade(self, revision: str = "head") -> None:
        """Bring the tables to a revision of the migrations, creating them if there are none; all or nothing.

        Raises:
            BrokenReferences: the upgraded SQLite tables would not fit together; nothing was changed.
        """
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                with _foreign_keys_off(connection), connection.begin():
                    before = _revision(connection)
                    command.upgrade(self._alembic(connection), revision)
                    if _revision(connection) != before:
                        _check_references(connection)
            else:
                with connection.begin():
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
                    command.upgrade(self._alembic(connection), revision)

    def revision(self) -> str | None:
        """The migration that the tables are at, None where there are none."""
        with self.engine.connect() as connection:
            return _revision(connection)

    def _alembic(self, connection: Any) -> Config:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        return config

    def ping(self) -> None:
        """Ask for an answer.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not give one.
        """
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        self.engine.dispose()


def known_revisions() -> set[str]:
    """Every migration that this program has."""
    return {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _sqlite_engine(url: str) -> Engine:
    # Parameters are hidden in both engines' errors: they would bring what people have said into the log.
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_MS / 1000}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        # A transaction that turns from reading to writing may fail at once instead of waiting; so writers lock first.
        reads = connection.get_execution_options().get("stadtbot_reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """No cascades: a batch migration drops the table that it rewrites, which would delete the rows that refer to it.

    SQLite ignores this pragma inside a transaction, hence the way around SQLAlchemy, which would begin one.
    """
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check_references(connection: Connection) -> None:
    tables = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    if tables:
        raise BrokenReferences(f"rows refer to rows that are not there: {', '.join(sorted(tables))}")


def _server_engine(url: str) -> Engine:
    return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=10, hide_parameters=True)
