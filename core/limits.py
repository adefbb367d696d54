"""Limits on how often one client may do something."""

from __future__ import annotations

from http import HTTPStatus
from math import ceil
from time import time

from limits import parse
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from core.problems import Problem


class Limiter:
    """Counts hits per client in a moving window, in memory or in Redis."""

    def __init__(self, storage: str = "memory://") -> None:
        self._limiter = MovingWindowRateLimiter(storage_from_string(storage))

    def hit(self, limit: str, *, client: str, name: str, detail: str) -> None:
        """Count one hit.

        Args:
            limit: for example `30/minute`.
            client: whom to count for.
            name: what to count.
            detail: sentence for the person who must wait.

        Raises:
            Problem: 429 with `Retry-After`, when the client has used its share up.
        """
        item = parse(limit)
        if self._limiter.hit(item, name, client):
            return
        wait = max(1, ceil(self._limiter.get_window_stats(item, name, client).reset_time - time()))
        raise Problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", detail, headers={"Retry-After": str(wait)})
