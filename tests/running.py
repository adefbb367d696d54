"""Starts the whole service as an operator does, for tests and measurements."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN_S = 240.0


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that is ready."""

    url: str
    loopback_url: str
    rasa_url: str
    database_url: str
    rasa_database_url: str
    log: Path
    pid: int
    ready_s: float


def free_port() -> int:
    """A loopback port that nobody listens on at the moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(folder: Path, ports: tuple[int, int, int], settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the process; its output goes to `folder/service.log`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STADTBOT_")}
    environment |= {
        "STADTBOT_PORT": str(ports[0]),
        "STADTBOT_ACTIONS_PORT": str(ports[1]),
        "STADTBOT_RASA_PORT": str(ports[2]),
        "STADTBOT_STATE_FOLDER": str(folder),
        "STADTBOT_CHAT__CONVERSATIONS_LIMIT": "100000/hour",
        "STADTBOT_CHAT__MESSAGES_LIMIT": "100000/minute",
        "STADTBOT_CHAT__READS_LIMIT": "100000/minute",
        "STADTBOT_HANDOVER__MESSAGES_LIMIT": "100000/minute",
        "STADTBOT_HANDOVER__CALLBACKS_LIMIT": "100000/hour",
        "STADTBOT_STAFF__SIGNINS_PER_ADDRESS": "100000/minute",
        **settings,
    }
    with (folder / "service.log").open("ab") as log:
        command = [sys.executable, "-m", "stadtbot", "run"]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)


def wait_for(url: str, process: subprocess.Popen[bytes], *, within_s: float = READY_WITHIN_S) -> float:
    """Seconds until an address answers with 200.

    Raises:
        RuntimeError: the process ended, or the time is over.
    """
    begun = time.monotonic()
    while time.monotonic() - begun < within_s:
        if process.poll() is not None:
            raise RuntimeError(f"the service ended with {process.returncode}")
        try:
            if httpx.get(url, timeout=2).status_code == httpx.codes.OK:
                return time.monotonic() - begun
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the service did not get ready")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process as an operator does, and wait for it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


@contextmanager
def running_service(folder: Path, **settings: str) -> Iterator[RunningService]:
    """A service with a state folder of its own, stopped at the end; with `STADTBOT_RASA_URL` it need not be ready."""
    ports = (free_port(), free_port(), free_port())
    url = f"http://127.0.0.1:{ports[0]}"
    process = start(folder, ports, settings)
    try:
        try:
            path = "healthz" if "STADTBOT_RASA_URL" in settings else "readyz"
            ready_s = wait_for(f"{url}/{path}", process)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{(folder / 'service.log').read_text()[-4000:]}") from None
        yield RunningService(
            url=url,
            loopback_url=f"http://127.0.0.1:{ports[1]}",
            rasa_url=f"http://127.0.0.1:{ports[2]}",
            database_url=f"sqlite:///{folder / 'stadtbot.db'}",
            rasa_database_url=f"sqlite:///{folder / 'rasa.db'}",
            log=folder / "service.log",
            pid=process.pid,
            ready_s=ready_s,
        )
    finally:
        stop(process)
