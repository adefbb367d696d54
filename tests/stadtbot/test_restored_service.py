"""A backup of a running service becomes a service of its own elsewhere, and goes on where the first one was."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.chat_client import Chat
from tests.running import ROOT, RunningService, running_service

pytestmark = pytest.mark.slow


def stadtbot(state: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("STADTBOT_")}
    environment["STADTBOT_STATE_FOLDER"] = str(state)
    command = [sys.executable, "-m", "stadtbot", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, encoding="utf-8")


def test_a_running_service_is_saved_and_goes_on_elsewhere(service: RunningService, tmp_path: Path) -> None:
    state, file = service.log.parent, tmp_path / "backup.tar.gz"
    with closing(Chat(service.url)) as chat, closing(Chat(service.url)) as busy:
        chat.say("Was kostet ein Reisepass?")
        before = chat.messages()
        over, failures = threading.Event(), []

        def talk() -> None:
            while not over.is_set():
                response = busy.post({"text": "Wo kann ich ein Auto anmelden?"})
                if response.is_error or response.json()["messages"][-1]["answer"]["kind"] == "abstain":
                    failures.append(response.status_code)

        talking = threading.Thread(target=talk)
        talking.start()
        try:
            saved = stadtbot(state, "db", "backup", str(file))
        finally:
            over.set()
            talking.join()
        assert saved.returncode == 0, saved.stderr
        assert failures == [], "the service was held up"
        refused = stadtbot(state, "db", "restore", str(file))
        assert refused.returncode == 1
        assert "Stop Stadtbot" in " ".join(refused.stderr.split())
        assert chat.messages() == before

        other = tmp_path / "other"
        other.mkdir()
        shutil.copy(state / "encryption.keys", other)
        restored = stadtbot(other, "db", "restore", str(file))
        assert restored.returncode == 0, restored.stderr
        with running_service(other) as second, httpx.Client(base_url=f"{second.url}/api/chat/conversations") as http:
            headers = {"Authorization": f"Bearer {chat.token}"}
            answer = http.get(f"/{chat.id}/messages", headers=headers).json()
            assert answer["messages"] == before
            body = {"text": "Und für mein Kind?"}
            reply = http.post(f"/{chat.id}/messages", headers=headers, json=body, timeout=30).json()["messages"][-1]
            assert reply["answer"]["service_id"] == "reisepass", "Rasa does not know what it was about"
            again = stadtbot(other, "db", "restore", str(file))
            assert again.returncode == 1
