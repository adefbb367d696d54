"""Piper as a child of the bridge: started, watched, started again when it ends or hangs, and taken along at the end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from telephony.errors import ModelMissing, SynthesisFailed
from telephony.synthesiser import Piper, Speech

log = logging.getLogger(__name__)

FOLDER = Path(__file__).parent / "synthesis"
PYTHON = FOLDER / ".venv" / "bin" / "python"
SERVER = FOLDER / "server.py"
RESTART_AFTER_S = (1.0, 5.0, 15.0, 30.0)
START_WITHIN_S = 120.0
"""For loading the voice, on a machine that is busy with starting everything else."""
WATCH_EVERY_S = 5.0
HANGS_AFTER = 3
"""Health checks in a row without an answer."""
_KIND_OF_ERROR = re.compile(rb"^([A-Za-z_]\w*$|[\w.]+Error(?=:))", re.MULTILINE)
"""The server tells kinds alone; what ends it before it can is a traceback."""


class SynthesisProcess:
    """Speaks by a process with one Piper voice (`Synthesiser`). `run()` keeps it running.

    Raises:
        ModelMissing: there is no such voice, or the process's environment has not been set up.
    """

    def __init__(
        self,
        voice: Path,
        *,
        workers: int = 2,
        threads: int = 2,
        python: Path = PYTHON,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for file in (voice, Path(f"{voice}.json")):
            if not file.is_file():
                raise ModelMissing(f"There is no {file}. `stadtbot models fetch voice` brings a voice.")
        if not python.is_file():
            raise ModelMissing("The voice's environment is missing: run `scripts/setup phone`.")
        self._command = (str(python), "-I", str(SERVER), str(voice.absolute()))
        self._options = ("--workers", str(workers), "--threads", str(threads), "--parent", str(os.getpid()))
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._piper: Piper | None = None
        self._ready = asyncio.Event()
        self.starts = 0
        """How often the process was ready to speak."""

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    async def say(self, text: str, *, pace: float = 1.0) -> Speech:
        """Speak a sentence; fails at once while the process is not there."""
        if self._piper is None:
            raise SynthesisFailed("the synthesis process is not running")
        return await self._piper.say(text, pace=pace)

    async def ready(self, *, within_s: float) -> bool:
        """Wait until the voice is loaded; whether it is."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._ready.wait()
        return self._ready.is_set()

    async def run(self) -> None:
        """Keep the process running until cancelled; then end it."""
        failures = 0
        while True:
            started = self._clock()
            await self._live()
            lived = self._clock() - started
            failures = 0 if lived > max(RESTART_AFTER_S) else failures
            log.error("The synthesis process ended after %.0f s; it is started again", lived)
            await asyncio.sleep(RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S) - 1)])
            failures += 1

    async def _live(self) -> None:
        """One life of the process, from its start to its end."""
        pipe = asyncio.subprocess.PIPE
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self._command,
                *self._options,
                cwd=FOLDER,
                env=_environment(),
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                start_new_session=True,  # Ctrl+C is for us: callers still hear a farewell
            )
        except OSError as error:
            log.error("The synthesis process cannot be started: %s", type(error).__name__)
            return
        complaints = asyncio.create_task(_log_errors(process))
        try:
            self._piper = await _introduced(process)
            if self._piper is not None:
                self.starts += 1
                self._ready.set()
                await self._watch(process, self._piper)
        finally:
            self._ready.clear()
            piper, self._piper = self._piper, None
            with suppress(ProcessLookupError):
                process.kill()  # it holds nothing that would have to be saved
            await process.wait()
            await complaints
            if piper is not None:
                await piper.close()

    async def _watch(self, process: asyncio.subprocess.Process, piper: Piper) -> None:
        """Wait until the process ends, or does not answer any more."""
        ended = asyncio.create_task(process.wait())
        silent = 0
        try:
            while silent < HANGS_AFTER:
                await asyncio.wait({ended}, timeout=WATCH_EVERY_S)
                if ended.done():
                    return
                silent = 0 if await piper.alive(within_s=WATCH_EVERY_S) else silent + 1
            log.error("The synthesis process hangs")
        finally:
            ended.cancel()


async def _introduced(process: asyncio.subprocess.Process) -> Piper | None:
    """The process's client, when it has told its port; None if it does not."""
    assert process.stdin is not None
    assert process.stdout is not None
    secret = secrets.token_urlsafe(32)
    try:
        async with asyncio.timeout(START_WITHIN_S):
            process.stdin.write(f"{secret}\n".encode())
            await process.stdin.drain()
            process.stdin.close()
            port = int(json.loads(await process.stdout.readline())["port"])
    except (TimeoutError, OSError, ValueError, KeyError, TypeError):
        return None
    return Piper(f"http://127.0.0.1:{port}", secret)


async def _log_errors(process: asyncio.subprocess.Process) -> None:
    """Log the kinds of its errors alone: their messages may quote what is spoken."""
    assert process.stderr is not None
    while chunk := await process.stderr.read(65_536):
        for kind in _KIND_OF_ERROR.findall(chunk):
            log.warning("Synthesis process: %s", kind.decode())


def _environment() -> dict[str, str]:
    """What a program needs to run, and none of our secrets."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")}
