"""Stores of accounts and what belongs to them, on the database of the test."""

from __future__ import annotations

import pytest

from core.accounts import AccountStore
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring, new_key
from core.pending import PendingSignins
from core.sessions import SessionStore


@pytest.fixture
def keyring() -> Keyring:
    return Keyring([new_key()])


@pytest.fixture
def audit(database: Database, clock: FixedClock) -> AuditLog:
    return AuditLog(database, clock)


@pytest.fixture
def accounts(database: Database, clock: FixedClock, keyring: Keyring, audit: AuditLog) -> AccountStore:
    return AccountStore(database, clock, keyring, audit)


@pytest.fixture
def sessions(database: Database, clock: FixedClock) -> SessionStore:
    return SessionStore(database, clock)


@pytest.fixture
def pending(database: Database, clock: FixedClock, keyring: Keyring) -> PendingSignins:
    return PendingSignins(database, clock, keyring)
