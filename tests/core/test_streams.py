from __future__ import annotations

import anyio
import pytest
from starlette.types import Receive, Scope, Send

from core.streams import ClosedStreams

SCOPE: Scope = {"type": "http"}


async def _nothing() -> dict[str, object]:
    return {}


async def _send(_message: object) -> None: ...


def _failing(*errors: Exception) -> ClosedStreams:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise BaseExceptionGroup("unhandled errors in a TaskGroup", list(errors))

    return ClosedStreams(app)


def test_reader_who_went_away_is_no_error() -> None:
    nested = ExceptionGroup("inner", [anyio.BrokenResourceError()])
    anyio.run(_failing(anyio.BrokenResourceError(), nested), SCOPE, _nothing, _send)


def test_other_errors_stay_errors() -> None:
    with pytest.raises(BaseExceptionGroup):
        anyio.run(_failing(anyio.BrokenResourceError(), ValueError("x")), SCOPE, _nothing, _send)
