"""Fixtures that every room's tests may use."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from core.accounts import AccountStore
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring, new_key
from tests import postgres
from tests.running import RunningService, running_service
from tests.staff_client import open_always


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Address of a PostgreSQL server, with a gap for the database's name."""
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty, upgraded database of each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'test.db'}"
    else:
        url = new_database(request.getfixturevalue("postgres_url"))
    database = Database(url)
    database.upgrade()
    yield database
    database.close()


def new_database(template: str) -> str:
    """A new, empty PostgreSQL database; gives its address."""
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(template.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return template.format(name)


@pytest.fixture
def clock() -> FixedClock:
    """A Tuesday morning."""
    return FixedClock(dt.datetime(2026, 3, 10, 9, 0, tzinfo=dt.UTC))


@pytest.fixture
def keyring() -> Keyring:
    return Keyring([new_key()])


@pytest.fixture
def audit(database: Database, clock: FixedClock) -> AuditLog:
    return AuditLog(database, clock)


@pytest.fixture
def accounts(database: Database, clock: FixedClock, keyring: Keyring, audit: AuditLog) -> AccountStore:
    return AccountStore(database, clock, keyring, audit)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The whole service with a real Rasa and the demo city, as an operator starts it."""
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="session")
def staffed_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service of its own for tests with staff: two departments are open at any hour, accounts are up to the tests."""
    with running_service(tmp_path_factory.mktemp("staffed")) as running:
        open_always(running, "zentrale", "buergerservice")
        time.sleep(1.1)  # the service keeps hours for a second
        yield running
