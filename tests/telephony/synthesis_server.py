"""The synthesis process as tests start it, outside of any event loop."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from telephony.synthesis_process import PYTHON, SERVER

SECRET = "a secret of the tests"


@dataclass(frozen=True)
class SynthesisServer:
    """Speaks at a loopback address: `Voice(Piper(server.url, server.secret))`."""

    url: str
    secret: str
    rate: int
    pid: int
    complaints: Path


@contextmanager
def synthesis_server(voice: Path, folder: Path) -> Iterator[SynthesisServer]:
    complaints = folder / "complaints"
    with complaints.open("wb") as file:
        process = subprocess.Popen(
            [PYTHON, "-I", SERVER, voice], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file
        )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{SECRET}\n".encode())
            process.stdin.close()
            told = json.loads(process.stdout.readline())
            yield SynthesisServer(f"http://127.0.0.1:{told['port']}", SECRET, told["rate"], process.pid, complaints)
        finally:
            process.kill()
