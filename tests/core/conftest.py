"""Stores of accounts and what belongs to them, on the database of the test."""

from __future__ import annotations

import pytest

from core.clock import FixedClock
from core.database import Database
from core.encryption import Keyring
from core.pending import PendingSignins
from core.sessions import SessionStore


@pytest.fixture
def sessions(database: Database, clock: FixedClock) -> SessionStore:
    return SessionStore(database, clock)


@pytest.fixture
def pending(database: Database, clock: FixedClock, keyring: Keyring) -> PendingSignins:
    return PendingSignins(database, clock, keyring)
