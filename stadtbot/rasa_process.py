"""Rasa as a child of the service: trained when its data changed, started, watched and taken along at the end."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import make_url

from nlu.static_embedding import BUNDLED_MODEL
from stadtbot.settings import ROOT

log = logging.getLogger(__name__)

PROJECT = ROOT / "bot" / "rasa"
PYTHON = PROJECT / ".venv" / "bin" / "python"
MODELS = PROJECT / "models"
DATA = tuple(ROOT / "training_data" / name for name in ("nlu", "rules", "stories"))
COMPONENTS = tuple(
    ROOT / "nlu" / name
    for name in ("cue_extractor.py", "dense_featurizer.py", "intent_classifier.py", "static_embedding.py")
)
"""Parts of Rasa's pipeline that are ours; a model is trained with them as they are."""

QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "PYTHONWARNINGS": "ignore",
    "LOG_LEVEL": "CRITICAL",
    "LOG_LEVEL_LIBRARIES": "CRITICAL",
}
"""No telemetry, no accelerator, and no log of what citizens write."""

ERROR_NAME = re.compile(rb"^(?:\x1b\[\d+m)?([A-Za-z_][\w.]*(?:Error|Exception))\b", re.MULTILINE)
RESTART_AFTER_S = (1.0, 5.0, 15.0, 30.0)


class TrainingFailed(RuntimeError):
    """Rasa could not make a model; the message holds its own words."""


def model_path() -> Path:
    """The model that belongs to the present training data and embedding model, whether it exists or not."""
    digest = hashlib.sha256()
    files = [PROJECT / "config.yml", PROJECT / "domain.yml", *COMPONENTS]
    files += sorted(path for name in ("model.safetensors", "tokenizer.json") for path in BUNDLED_MODEL.rglob(name))
    files += sorted(path for folder in DATA for path in folder.rglob("*.yml"))
    for path in files:
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return MODELS / f"stadtbot-{digest.hexdigest()[:16]}.tar.gz"


def train(*, force: bool = False) -> Path:
    """Train a model unless there is one for the present data; older models are deleted.

    Returns:
        The model's path.

    Raises:
        TrainingFailed: Rasa did not make one.
    """
    model = model_path()
    if model.exists() and not force:
        return model
    MODELS.mkdir(exist_ok=True)
    unfinished = f"unfinished-{os.getpid()}"
    command = [PYTHON, "-m", "rasa", "train", "--config", "config.yml", "--domain", "domain.yml", "--out", MODELS]
    command += ["--fixed-model-name", unfinished, "--data", *(folder for folder in DATA if folder.is_dir())]
    done = subprocess.run(
        _tied([str(part) for part in command]),
        cwd=PROJECT,
        env=_environment(),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    made = MODELS / f"{unfinished}.tar.gz"
    if done.returncode or not made.exists():
        made.unlink(missing_ok=True)
        raise TrainingFailed(f"{done.stdout}\nrasa train ended with {done.returncode}")
    made.replace(model)
    for old in MODELS.glob("*.tar.gz"):
        if old != model:
            old.unlink()
    return model


class RasaProcess:
    """Runs Rasa on loopback and starts it again when it ends."""

    def __init__(self, *, port: int, actions_port: int, secret: str, database_url: str, state_folder: Path) -> None:
        self._port = port
        self._endpoints = state_folder / "rasa-endpoints.yml"
        self._process: asyncio.subprocess.Process | None = None
        state_folder.mkdir(parents=True, exist_ok=True)
        content = yaml.safe_dump(endpoints(actions_port=actions_port, secret=secret, database_url=database_url))
        self._endpoints.touch(mode=0o600)
        self._endpoints.write_text(content)

    async def run(self) -> None:
        """Keep Rasa running until cancelled; then end it. The model must be trained."""
        failures = 0
        try:
            while True:
                started = asyncio.get_running_loop().time()
                self._process = await self._start()
                code, _ = await asyncio.gather(self._process.wait(), _log_errors(self._process))
                lived = asyncio.get_running_loop().time() - started
                failures = 0 if lived > max(RESTART_AFTER_S) else failures
                log.error("Rasa ended with %s after %.0f s; it is started again", code, lived)
                await asyncio.sleep(RESTART_AFTER_S[min(failures, len(RESTART_AFTER_S) - 1)])
                failures += 1
        finally:
            await self._stop()

    async def _start(self) -> asyncio.subprocess.Process:
        options = {
            "--interface": "127.0.0.1",
            "--port": self._port,
            "--model": model_path(),
            "--endpoints": self._endpoints,
            "--credentials": "credentials.yml",
        }
        arguments = [str(part) for option in options.items() for part in option]
        return await asyncio.create_subprocess_exec(
            *_tied([str(PYTHON), "serve.py", "run", "--enable-api", *arguments]),
            cwd=PROJECT,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    async def _stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), timeout=10)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _log_errors(process: asyncio.subprocess.Process) -> None:
    """Log the kinds of Rasa's errors alone: its messages may quote what citizens write."""
    assert process.stderr is not None
    while chunk := await process.stderr.read(65536):
        for name in ERROR_NAME.findall(chunk):
            log.warning("Rasa: %s", name.decode())


def endpoints(*, actions_port: int, secret: str, database_url: str) -> dict[str, Any]:
    """Rasa's endpoints: our actions with their secret, and where conversations are kept."""
    return {
        "action_endpoint": {
            "url": f"http://127.0.0.1:{actions_port}/actions",
            "headers": {"Authorization": f"Bearer {secret}"},
        },
        "tracker_store": {"type": "SQL", **_tracker_store(database_url)},
    }


def _tracker_store(database_url: str) -> Mapping[str, Any]:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return {"dialect": "sqlite", "db": url.database}
    return {"dialect": "postgresql", "url": url.set(drivername="postgresql").render_as_string(hide_password=False)}


def _tied(command: list[str]) -> list[str]:
    """A command that the kernel ends when we are killed, so that no old Rasa holds the port."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else command


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STADTBOT_", "PYTHON"))}
    return {**kept, **QUIET, "PYTHONPATH": str(ROOT)}
