from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

from core.clock import FixedClock
from core.database import Database
from core.leases import Leases

SPAN = dt.timedelta(minutes=1)


def test_one_holder_at_a_time(database: Database, clock: FixedClock) -> None:
    leases = Leases(database, clock)
    assert leases.acquire("tidy", holder="a", span=SPAN)
    assert not leases.acquire("tidy", holder="b", span=SPAN)
    assert leases.acquire("tidy", holder="a", span=SPAN)
    clock.advance(minutes=1)
    assert leases.acquire("tidy", holder="b", span=SPAN)


def test_release_gives_way(database: Database, clock: FixedClock) -> None:
    leases = Leases(database, clock)
    leases.acquire("tidy", holder="a", span=SPAN)
    leases.release("tidy", holder="b")
    assert not leases.acquire("tidy", holder="b", span=SPAN)
    leases.release("tidy", holder="a")
    assert leases.acquire("tidy", holder="b", span=SPAN)


def test_of_many_at_once_one_gets_it(database: Database, clock: FixedClock) -> None:
    leases = Leases(database, clock)
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda number: leases.acquire("tidy", holder=str(number), span=SPAN), range(6)))
    assert sum(got) == 1
