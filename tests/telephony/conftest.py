"""Fixtures of telephony: a real exchange, and telephones that call it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.telephony.pbx_server import PbxServer, pbx_server


@pytest.fixture(scope="session")
def asterisk() -> Iterator[PbxServer]:
    """An exchange for all tests; whoever ends it or changes its settings brings it back."""
    with pbx_server() as server:
        yield server
