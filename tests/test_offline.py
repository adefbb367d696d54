from __future__ import annotations

import os
import socket

import pytest


@pytest.mark.skipif("STADTBOT_OFFLINE" not in os.environ, reason="the suite was not cut off from the network")
def test_the_suite_has_no_network_but_loopback() -> None:
    assert [name for _, name in socket.if_nameindex()] == ["lo"]
