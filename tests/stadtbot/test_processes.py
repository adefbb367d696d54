"""Processes are killed and come back; nothing that was said is lost."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.chat_client import Chat
from tests.running import free_port, start, stop, wait_for

pytestmark = pytest.mark.slow

PATIENCE_S = 120.0


class Service:
    """A service on fixed ports that can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ports = (free_port(), free_port(), free_port())
        self.url = f"http://127.0.0.1:{self._ports[0]}"
        self.start()

    def start(self) -> None:
        self.process = start(self._folder, self._ports, {})
        wait_for(f"{self.url}/readyz", self.process)

    @property
    def rasa(self) -> psutil.Process:
        children = psutil.Process(self.process.pid).children(recursive=True)
        return next(child for child in children if "serve.py" in child.cmdline())


@pytest.fixture(scope="module")
def own_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("processes"))
    yield service
    stop(service.process)


def test_rasa_is_killed_and_comes_back(own_service: Service) -> None:
    with closing(Chat(own_service.url)) as chat:
        assert chat.say("Was kostet ein Reisepass?")["answer"]["service_id"] == "reisepass"
        own_service.rasa.kill()
        assert "03641 49-0" in chat.say("Und welche Unterlagen brauche ich?")["text"]
        assert chat.say("Hilfe, es brennt!")["answer"]["kind"] == "emergency"
        wait_for(f"{own_service.url}/readyz", own_service.process, within_s=PATIENCE_S)
        reply = chat.say("Und welche Unterlagen brauche ich?")
        assert reply["answer"]["service_id"] == "reisepass"
        assert reply["answer"]["aspect"] == "documents"
        assert [message["seq"] for message in chat.messages()] == list(range(1, 10))


def test_service_is_killed_and_goes_on_where_it_was(own_service: Service) -> None:
    with closing(Chat(own_service.url)) as chat:
        chat.say("Was kostet ein Reisepass?")
        before = chat.messages()
        rasa = own_service.rasa
        own_service.process.kill()
        own_service.process.wait()
        assert psutil.wait_procs([rasa], timeout=10)[1] == [], "Rasa outlived the service"
        own_service.start()
        assert chat.messages() == before
        assert chat.say("Und für mein Kind?")["answer"]["service_id"] == "reisepass"


def test_service_ends_when_it_is_asked_to(own_service: Service) -> None:
    rasa = own_service.rasa
    begun = time.monotonic()
    stop(own_service.process)
    assert time.monotonic() - begun < 20
    assert not rasa.is_running()
    own_service.start()
