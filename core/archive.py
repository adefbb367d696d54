"""One file that holds a backup: a gzipped tar of `manifest.json` and the databases, nothing else.

Reading trusts nothing: neither names nor sizes nor kinds of what is in the file, and never more than it says itself.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FORMAT = 1
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 64 * 1024
BLOCK = tarfile.BLOCKSIZE
CHUNK = 1024 * 1024
COMPRESSION = 6

Progress = Callable[[str, int, int], object]
"""Told what is being done, and how much of how much of it."""


class BackupError(RuntimeError):
    """Base of what can go wrong with backups; the message is for the operator.

    BackupError
    ├── BadArchive: the file is no backup, or a damaged one
    ├── BackupFailed: no backup could be made
    └── RestoreRefused: a backup was not restored; the old databases are as they were
    """


class BadArchive(BackupError):
    """The file is no backup, or a damaged one."""


class BackupFailed(BackupError):
    """No backup could be made."""


class RestoreRefused(BackupError):
    """A backup was not restored; the old databases are as they were."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Member(_Part):
    """A database in the file."""

    name: str = Field(pattern=r"^[a-z]{1,20}\.(db|dump)$")
    database: Literal["service", "rasa"]
    dialect: Literal["sqlite", "postgresql"]
    size: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class Manifest(_Part):
    """What the file holds. `revision` is the migration that the service's tables are at."""

    format: int = Field(ge=1)
    app_version: str = Field(max_length=100)
    made_at: dt.datetime
    revision: str = Field(max_length=64)
    members: tuple[Member, ...] = Field(min_length=1, max_length=2)


def member_of(file: Path, *, database: Literal["service", "rasa"], dialect: Literal["sqlite", "postgresql"]) -> Member:
    """The entry for a file, under its own name."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Member(name=file.name, database=database, dialect=dialect, size=file.stat().st_size, sha256=digest)


def write(archive: BinaryIO, manifest: Manifest, files: Mapping[str, Path], progress: Progress) -> None:
    """Write a backup, the manifest first.

    Args:
        archive: where to.
        manifest: what it holds.
        files: the members by name.
        progress: told how far it is.
    """
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=COMPRESSION, fileobj=archive) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as tar,
    ):
        text = manifest.model_dump_json(indent=2).encode()
        tar.addfile(_entry(MANIFEST, len(text), manifest.made_at), io.BytesIO(text))
        for member in manifest.members:
            with files[member.name].open("rb") as content:
                counted = _Counted(content, lambda done, size=member.size: progress("Packing", done, size))  # type: ignore[misc]
                tar.addfile(_entry(member.name, member.size, manifest.made_at), counted)


def read_manifest(archive: Path) -> Manifest:
    """What a backup says that it holds.

    Raises:
        BadArchive: it is none, or made by a newer program.
    """
    with _opened(archive) as packed:
        return _manifest(packed)


def unpack(archive: Path, targets: Mapping[str, Path], progress: Progress) -> Manifest:
    """Take the databases out, each to its own path, and check that they are what the manifest says.

    Args:
        archive: the backup.
        targets: where each member goes, by its name; the files are for their owner only.
        progress: told how far it is.

    Raises:
        BadArchive: the file is damaged or holds something else than a backup; what was taken out is useless.
    """
    with _opened(archive) as packed:
        manifest = _manifest(packed)
        for member in manifest.members:
            _take(packed, member, targets[member.name], progress)
        if any(_exactly(packed, 2 * BLOCK)):
            raise BadArchive("There is more in the backup than its manifest names.")
        return manifest


def room_for(manifest: Manifest, folder: Path) -> None:
    """
    Raises:
        RestoreRefused: the databases would not fit into a folder.
    """
    needed, free = sum(member.size for member in manifest.members), shutil.disk_usage(folder).free
    if needed > free:
        raise RestoreRefused(f"The backup needs {_megabytes(needed)}, and {folder} has only {_megabytes(free)} left.")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _entry(name: str, size: int, at: dt.datetime) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o600, int(at.timestamp())
    return entry


class _Counted(io.RawIOBase):
    """A file that tells how much of it has been read."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], object]) -> None:
        self._file = file
        self._tell = tell
        self._done = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        self._tell(self._done)
        return data


@contextmanager
def _opened(archive: Path) -> Iterator[gzip.GzipFile]:
    """The unpacked content of a backup; damage of the packing becomes `BadArchive`."""
    try:
        file = archive.open("rb")
    except OSError as error:
        raise BadArchive(f"{archive} cannot be read: {error.strerror}.") from None
    with file, gzip.GzipFile(fileobj=file) as packed:
        try:
            yield packed
        except EOFError:
            raise BadArchive(f"{archive} is cut off: it was not copied whole.") from None
        except (gzip.BadGzipFile, zlib.error):
            raise BadArchive(f"{archive} is damaged, or no backup of Stadtbot.") from None


def _manifest(packed: gzip.GzipFile) -> Manifest:
    entry = _next(packed, MANIFEST)
    if entry.size > MAX_MANIFEST_BYTES:
        raise BadArchive("This is no backup of Stadtbot: its manifest is far too long.")
    text = _exactly(packed, _padded(entry.size))[: entry.size]
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError:
        raise BadArchive("This is no backup of Stadtbot: its manifest cannot be read.") from None
    if manifest.format > FORMAT:
        raise BadArchive(f"The backup was made by a newer program ({manifest.app_version}). Restore it with that one.")
    if len({member.database for member in manifest.members}) != len(manifest.members):
        raise BadArchive("The backup names a database twice.")
    if len({member.name for member in manifest.members}) != len(manifest.members):
        raise BadArchive("The backup names a file twice.")
    return manifest


def _take(packed: gzip.GzipFile, member: Member, target: Path, progress: Progress) -> None:
    entry = _next(packed, member.name)
    if entry.size != member.size:
        raise BadArchive(f"{member.name} is not as long as the manifest says: the backup is damaged.")
    digest, left = hashlib.sha256(), member.size
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while left:
            chunk = _exactly(packed, min(left, CHUNK))
            file.write(chunk)
            digest.update(chunk)
            left -= len(chunk)
            progress("Unpacking", member.size - left, member.size)
        file.flush()
        os.fsync(file.fileno())
    _exactly(packed, _padded(member.size) - member.size)
    if digest.hexdigest() != member.sha256:
        raise BadArchive(f"{member.name} does not have the checksum that the manifest names: the backup is damaged.")


def _next(packed: gzip.GzipFile, name: str) -> tarfile.TarInfo:
    """The header of the next entry, which must be a plain file of this name (so no link, folder or other path)."""
    try:
        entry = tarfile.TarInfo.frombuf(_exactly(packed, BLOCK), "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        raise BadArchive(
            f"The backup is damaged, or none of Stadtbot: there is no {name} where it should be."
        ) from None
    if entry.name != name or not entry.isreg() or entry.size < 0:
        raise BadArchive(f"This is no backup of Stadtbot: {entry.name[:100]!r} stands where {name} should be.")
    return entry


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _exactly(packed: gzip.GzipFile, size: int) -> bytes:
    data = packed.read(size)
    if len(data) != size:
        raise EOFError
    return data
