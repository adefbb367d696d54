"""The telephone's models: where they come from, under which licence, and where they are put."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from stadtbot.downloading import Downloads, FetchFailed, Progress, RemoteFile
from stadtbot.unpacking import unpack

_VOSK = "https://alphacephei.com/vosk/models"
_PIPER = "https://huggingface.co/rhasspy/piper-voices/resolve/v1.0.0/de/de_DE/thorsten/medium"
_VOSK_LICENCE = "Apache-2.0, Alpha Cephei (https://alphacephei.com/vosk/models)"


@dataclass(frozen=True)
class SpeechModel:
    """A model, its files, and what one must know of it."""

    name: str
    """Of its folder."""
    what: str
    licence: str
    files: tuple[RemoteFile, ...]
    """A single zip file with the folder in it, or the folder's files."""
    parts: tuple[str, ...]
    """Files without which it is none."""
    room: int
    """Bytes that it may take, unpacked."""

    @property
    def packed(self) -> bool:
        return self.files[0].name.endswith(".zip")


# The checksums are those that several independent projects pin for these files; no publisher states them.
RECOGNITION = SpeechModel(
    name="vosk-model-small-de-0.15",
    what="German speech recognition, small",
    licence=_VOSK_LICENCE,
    files=(
        RemoteFile(
            f"{_VOSK}/vosk-model-small-de-0.15.zip",
            size=46_499_967,
            sha256="b7e53c90b1f0a38456f4cd62b366ecd58803cd97cd42b06438e2c131713d5e43",
        ),
    ),
    parts=("am/final.mdl", "conf/mfcc.conf"),
    room=300_000_000,
)
LARGE_RECOGNITION = SpeechModel(
    name="vosk-model-de-0.21",
    what="German speech recognition, large (1.9 GB, and several GB of memory)",
    licence=_VOSK_LICENCE,
    files=(RemoteFile(f"{_VOSK}/vosk-model-de-0.21.zip"),),
    parts=("am/final.mdl",),
    room=8_000_000_000,
)
VOICE = SpeechModel(
    name="de_DE-thorsten-medium",
    what="German voice for Piper",
    licence="the recordings are CC0, the collection of voices is MIT (https://huggingface.co/rhasspy/piper-voices)",
    files=(
        RemoteFile(
            f"{_PIPER}/de_DE-thorsten-medium.onnx",
            size=63_201_294,
            sha256="7e64762d8e5118bb578f2eea6207e1a35a8e0c30595010b666f983fc87bb7819",
        ),
        RemoteFile(
            f"{_PIPER}/de_DE-thorsten-medium.onnx.json",
            size=4_819,
            sha256="974adee790533adb273a1ac88f49027d2a1b8f0f2cf4905954a4791e79264e85",
        ),
    ),
    parts=("de_DE-thorsten-medium.onnx", "de_DE-thorsten-medium.onnx.json"),
    room=100_000_000,
)


class Shelf:
    """A folder of models.

    Args:
        folder: it holds a folder for each model, `checksums` of what was fetched, and `.fetching` for what has begun.
        http: how the net is reached.
        progress: is told of every piece.
        sleep: waits between attempts.
    """

    def __init__(
        self, folder: Path, *, http: httpx.Client, progress: Progress, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._folder = folder
        self._http = http
        self._progress = progress
        self._sleep = sleep
        self._checksums = folder / "checksums"

    def has(self, model: SpeechModel) -> bool:
        return all((self._folder / model.name / part).is_file() for part in model.parts)

    def bring(self, model: SpeechModel) -> tuple[Path, dict[str, str]]:
        """Fetch a model, in the place of one that may be there.

        Returns:
            Its folder, and the SHA-256 of its files by address.

        Raises:
            FetchFailed: it is not there afterwards, or the one from before is.
        """
        target = self._folder / model.name
        work = self._folder / ".fetching" / model.name
        with self._locked():
            self._check_room(model)
            downloads = Downloads(work, http=self._http, progress=self._progress, sleep=self._sleep)
            fetched = [(file, *downloads.fetch(self._known(file))) for file in model.files]
            whole = work / "whole"
            shutil.rmtree(whole, ignore_errors=True)
            try:
                self._assemble(model, [path for _, path, _ in fetched], whole)
            finally:
                for _, path, _ in fetched:
                    path.unlink(missing_ok=True)
            _put(whole, target, old=work / "old")
            sums = {file.url: digest for file, _, digest in fetched}
            self._remember(sums)
            shutil.rmtree(work, ignore_errors=True)
        return target, sums

    def _assemble(self, model: SpeechModel, paths: list[Path], whole: Path) -> None:
        if model.packed:
            unpack(paths[0], whole, limit=model.room, progress=self._progress)
        else:
            whole.mkdir()
            for path in paths:
                path.rename(whole / path.name)
        for part in model.parts:
            if not (whole / part).is_file():
                shutil.rmtree(whole)
                raise FetchFailed(f"What {model.files[0].host} sent is no {model.name}: there is no {part} in it.")

    def _check_room(self, model: SpeechModel) -> None:
        needed = model.room + sum(file.size or model.room // 2 for file in model.files)
        if shutil.disk_usage(self._folder).free < needed:
            raise FetchFailed(f"There is too little room in {self._folder}: {needed / 1e9:.1f} GB are needed.")

    def _known(self, file: RemoteFile) -> RemoteFile:
        """The file with the checksum that it had before, if none is pinned."""
        if file.sha256 is not None:
            return file
        return RemoteFile(file.url, file.size, self._remembered().get(file.url))

    def _remembered(self) -> dict[str, str]:
        if not self._checksums.exists():
            return {}
        lines = self._checksums.read_text(encoding="utf-8").splitlines()
        return {url: digest for digest, url in (line.split("  ", 1) for line in lines if "  " in line)}

    def _remember(self, sums: dict[str, str]) -> None:
        lines = [f"{digest}  {url}\n" for url, digest in sorted((self._remembered() | sums).items())]
        new = self._checksums.with_suffix(".new")
        new.write_text("".join(lines), encoding="utf-8")
        new.replace(self._checksums)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        (self._folder / ".fetching").mkdir(parents=True, exist_ok=True)
        with (self._folder / ".fetching" / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FetchFailed(f"Another process is fetching models into {self._folder}.") from None
            yield


def _put(new: Path, target: Path, *, old: Path) -> None:
    """Put a folder in another one's place."""
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
