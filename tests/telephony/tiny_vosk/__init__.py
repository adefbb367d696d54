"""A tiny German Vosk model, built from espeak-ng's speech: plumbing for tests, see the README beside this file."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CACHE = ROOT / "var" / "tests"


def model_folder() -> Path:
    """The model's folder; the first call of all builds it, in a minute or two, and others wait for that one."""
    folder = CACHE / f"tiny-vosk-{_fingerprint()}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "tiny-vosk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _build(folder)
    return folder


def _build(folder: Path) -> None:
    for outdated in CACHE.glob("tiny-vosk-*/"):
        shutil.rmtree(outdated)
    with tempfile.TemporaryDirectory(dir=CACHE, prefix="building-") as work:
        command = [sys.executable, "-m", "tests.telephony.tiny_vosk.build", f"{work}/model"]
        subprocess.run(command, check=True, cwd=ROOT)  # in a process of its own, whose memory goes with it
        Path(work, "model").rename(folder)


def _fingerprint() -> str:
    sources = sorted([*HERE.glob("*.py"), HERE / "sentences.txt"])
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]
