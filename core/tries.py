"""How often a password or a code may be tried: from one address, and at one account."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request

from core.limits import Limiter
from core.settings import StaffSettings
from core.staff_pages import StaffPages


class Tries:
    """Counts tries."""

    def __init__(
        self, *, limiter: Limiter, settings: StaffSettings, pages: StaffPages, client_of: Callable[[Request], str]
    ) -> None:
        self._limiter = limiter
        self._settings = settings
        self._pages = pages
        self._client_of = client_of

    def count(self, request: Request, login: str = "") -> None:
        """Count a try from the request's address, and at a login if there is one.

        Raises:
            Problem: 429 with `Retry-After`.
        """
        settings, detail = self._settings, self._pages.text("problem.too-many-signins")
        client = self._client_of(request)
        self._limiter.hit(settings.signins_per_address, client=client, name="signins-address", detail=detail)
        if login:
            folded = login.strip().casefold()[:100]
            self._limiter.hit(settings.signins_per_login, client=folded, name="signins-login", detail=detail)
