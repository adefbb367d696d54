"""The process with the Piper voice: what it answers, what it refuses, and how it is kept running."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import psutil
import pytest

from telephony import synthesis_process
from telephony.errors import ModelMissing, SynthesisFailed
from telephony.recogniser import VoskModel
from telephony.synthesis_process import FOLDER, PYTHON, SynthesisProcess
from telephony.synthesiser import Piper
from telephony.voice import Voice
from tests.telephony.lines import frames_of, silence
from tests.telephony.sip import until
from tests.telephony.synthesis_server import SynthesisServer, synthesis_server

SENTENCE = "Ich möchte einen neuen Personalausweis beantragen."


@pytest.fixture
def client(synthesis: SynthesisServer) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {synthesis.secret}"}
    with httpx.Client(base_url=synthesis.url, headers=headers, trust_env=False, timeout=60) as client:
        yield client


def seconds(client: httpx.Client, text: str, **options: float) -> float:
    response = client.post("/speak", json={"text": text, **options})
    assert response.status_code == 200, response
    return len(response.content) / 2 / int(response.headers["X-Sample-Rate"])


def test_a_sentence_becomes_samples(client: httpx.Client, synthesis: SynthesisServer) -> None:
    response = client.post("/speak", json={"text": SENTENCE})
    samples = np.frombuffer(response.content, "<i2")
    assert response.headers["X-Sample-Rate"] == str(synthesis.rate)
    assert 2 < len(samples) / synthesis.rate < 5
    assert np.abs(samples).max() > 10_000


def test_sentences_come_one_by_one(client: httpx.Client) -> None:
    with client.stream("POST", "/speak", json={"text": f"{SENTENCE} {SENTENCE} {SENTENCE}"}) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert sum(len(chunk) for chunk in response.iter_raw()) > 3 * 2 * 2 * 16_000


def test_a_slower_pace_takes_longer(client: httpx.Client) -> None:
    assert seconds(client, SENTENCE, pace=0.7) > 1.2 * seconds(client, SENTENCE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"{}",
        b'{"text": ""}',
        b'{"text": " "}',
        b'{"text": 1}',
        b'{"text": "a\\u0000b"}',
        b'{"text": "a", "pace": 0}',
        b'{"text": "a", "pace": 9}',
        b'{"text": "a", "pace": "1"}',
        b'{"text": "a", "pace": NaN}',
        b'{"text": "a", "pace": true}',
        b'{"text": "' + b"a" * 2_001 + b'"}',
    ],
)
def test_what_is_no_request_is_refused(client: httpx.Client, content: bytes) -> None:
    assert client.post("/speak", content=content).status_code == 422
    assert seconds(client, "Ja.") > 0.1


def test_other_addresses_and_long_bodies(client: httpx.Client) -> None:
    assert client.post("/other", json={"text": "a"}).status_code == 404
    assert client.get("/speak").status_code == 404
    assert client.put("/speak").status_code == 501
    assert client.post("/speak", content=b" " * 20_000).status_code == 413
    assert client.post("/speak", content=iter([b"{}"])).status_code == 411
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("shown", [None, "", "Bearer", "Bearer wrong", "Bearer ä", "Basic eA=="])
def test_nobody_speaks_without_the_secret(synthesis: SynthesisServer, shown: str | None) -> None:
    headers = [] if shown is None else [(b"Authorization", shown.encode())]
    with httpx.Client(base_url=synthesis.url, trust_env=False) as stranger:
        assert stranger.post("/speak", json={"text": "Hallo."}, headers=headers).status_code == 401
        assert stranger.get("/healthz").status_code == 200


def test_only_this_machine_is_served(synthesis: SynthesisServer) -> None:
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(synthesis.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]


def test_neither_secret_nor_text_is_shown_anywhere(client: httpx.Client, synthesis: SynthesisServer) -> None:
    for text in ("Mein Name ist Ottilie.", "Ottilie [[ottilie]] 普通话", "🦄 Ottilie"):
        client.post("/speak", json={"text": text})
    process = psutil.Process(synthesis.pid)
    assert synthesis.secret not in f"{process.cmdline()} {process.environ()}"
    assert synthesis.complaints.read_bytes() == b""


def test_many_ask_at_once(client: httpx.Client, synthesis: SynthesisServer) -> None:
    lengths: list[float] = []
    threads = [threading.Thread(target=lambda: lengths.append(seconds(client, SENTENCE))) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lengths) == 24
    assert max(lengths) == min(lengths) > 2


def test_idle_connections_do_not_pile_up(synthesis: SynthesisServer) -> None:
    address = ("127.0.0.1", int(synthesis.url.rpartition(":")[2]))
    idle = [socket.create_connection(address) for _ in range(100)]
    try:
        refused = 0
        for connection in idle:
            connection.settimeout(0.05)
            try:
                refused += connection.recv(1) == b""
            except TimeoutError:
                continue
            except ConnectionResetError:
                refused += 1
        assert refused >= 100 - 64
        assert psutil.Process(synthesis.pid).num_threads() < 90
    finally:
        for connection in idle:
            connection.close()


def test_a_listener_who_leaves_harms_nobody(client: httpx.Client) -> None:
    for _ in range(8):
        with client.stream("POST", "/speak", json={"text": f"{SENTENCE} " * 20}) as response:
            next(response.iter_raw())
    assert seconds(client, SENTENCE) > 2


def test_a_speech_that_breaks_off_is_a_failure(tiny_voice: Path, tmp_path: Path) -> None:
    with synthesis_server(tiny_voice, tmp_path) as server:

        async def test() -> None:
            piper = Piper(server.url, server.secret)
            assert len((await piper.say(SENTENCE)).samples) > 60_000
            os.kill(server.pid, signal.SIGKILL)
            with pytest.raises(SynthesisFailed):
                await piper.say(SENTENCE)
            await piper.close()

        asyncio.run(test())


def test_the_recogniser_understands_the_voice(synthesis: SynthesisServer, tiny_vosk_model: Path) -> None:
    wanted = [
        "Ich möchte einen neuen Personalausweis beantragen.",
        "Was kostet ein Reisepass?",
        "Ich brauche einen Termin beim Bürgerservice.",
        "Welche Unterlagen brauche ich?",
    ]

    async def spoken() -> list[bytes]:
        piper = Piper(synthesis.url, synthesis.secret)
        voice = Voice(piper)
        said = [b"".join([chunk async for chunk in voice.speak(text)]) for text in wanted]
        await piper.close()
        return said

    model = VoskModel(tiny_vosk_model)
    for text, audio in zip(wanted, asyncio.run(spoken()), strict=True):
        recogniser = model.recogniser()
        for frame in frames_of(silence(300) + audio + silence(500)):
            recogniser.accept(frame)
        assert recogniser.finish()[0].text == text.lower().strip(".?")
        recogniser.close()


def test_it_is_started_again_when_it_is_killed(tiny_voice: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis_process, "RESTART_AFTER_S", (0.05,))

    async def test() -> None:
        process = SynthesisProcess(tiny_voice)
        with pytest.raises(SynthesisFailed):
            await process.say("Ja.")
        task = asyncio.create_task(process.run())
        assert await process.ready(within_s=60)
        first = process.pid
        assert (await process.say("Ja.")).rate == 16_000
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: process.starts == 2, within_s=60)
        assert (await process.say("Ja.")).rate == 16_000
        second = process.pid
        task.cancel()
        await asyncio.wait({task})
        assert second not in psutil.pids()
        assert not await process.ready(within_s=0)

    asyncio.run(test())


def test_it_is_started_again_when_it_hangs(
    tiny_voice: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(synthesis_process, "RESTART_AFTER_S", (0.05,))
    monkeypatch.setattr(synthesis_process, "WATCH_EVERY_S", 0.5)

    async def test() -> None:
        process = SynthesisProcess(tiny_voice)
        task = asyncio.create_task(process.run())
        assert await process.ready(within_s=60)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        await until(lambda: process.starts == 2, within_s=60)
        assert (await process.say("Ja.")).rate == 16_000
        task.cancel()
        await asyncio.wait({task})

    asyncio.run(test())
    assert "The synthesis process hangs" in caplog.text


def test_a_voice_that_cannot_be_loaded_is_told_by_its_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(synthesis_process, "RESTART_AFTER_S", (0.05,))
    (tmp_path / "x.onnx").write_bytes(b"no voice")
    (tmp_path / "x.onnx.json").write_text("{}")

    async def test() -> None:
        task = asyncio.create_task(SynthesisProcess(tmp_path / "x.onnx").run())
        await until(lambda: caplog.text.count("it is started again") == 2, within_s=60)
        task.cancel()
        await asyncio.wait({task})

    with caplog.at_level(logging.INFO):
        asyncio.run(test())
    assert "Invalid" in caplog.text


def test_what_is_missing_is_named(tiny_voice: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="models fetch voice"):
        SynthesisProcess(tmp_path / "no.onnx")
    with pytest.raises(ModelMissing, match="scripts/setup phone"):
        SynthesisProcess(tiny_voice, python=tmp_path / "python")


def test_it_ends_with_its_parent(tiny_voice: Path) -> None:
    code = textwrap.dedent(f"""
        import asyncio, sys
        from pathlib import Path
        from telephony.synthesis_process import SynthesisProcess
        async def main():
            process = SynthesisProcess(Path({str(tiny_voice)!r}))
            asyncio.create_task(process.run())
            await process.ready(within_s=60)
            print(process.pid, flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert psutil.wait_procs([child], timeout=10)[1] == []


def test_piper_is_imported_by_its_own_process_alone() -> None:
    root = FOLDER.parents[1]
    rooms = ("bot", "core", "handover", "knowledge", "nlu", "stadtbot", "telephony", "bench")
    sources = [path for room in rooms for path in (root / room).rglob("*.py") if ".venv" not in path.parts]
    importing = [path for path in sources if "import piper" in (text := path.read_text()) or "from piper" in text]
    assert importing == [FOLDER / "server.py"]
    assert "piper" not in (root / "requirements.txt").read_text()
    assert "piper" not in (root / "requirements-dev.txt").read_text()
    assert subprocess.run([sys.executable, "-c", "import piper"], capture_output=True, check=False).returncode != 0
    assert subprocess.run([PYTHON, "-c", "import stadtbot"], capture_output=True, check=False, cwd="/").returncode != 0
