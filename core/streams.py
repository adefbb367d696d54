"""Event streams whose reader has gone away."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send


class ClosedStreams:
    """ASGI middleware that takes a reader's going for what it is: the end of a stream, and no error.

    FastAPI closes the reading end of an event stream before it stops the task that writes to it; when an event comes
    in between, the task fails with `BrokenResourceError`, and every citizen who closes a tab may leave a traceback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except BaseExceptionGroup as group:
            if group.split(anyio.BrokenResourceError)[1] is not None:
                raise
