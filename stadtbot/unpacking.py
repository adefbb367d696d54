"""A zip file of somebody else's, unpacked without trusting it."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from stadtbot.downloading import FetchFailed, Progress

MOST_FILES = 10_000


def unpack(archive: Path, folder: Path, *, limit: int, progress: Progress) -> None:
    """Unpack the one folder that an archive holds as `folder`, which must not exist yet; there is all of it or nothing.

    Raises:
        FetchFailed: it is broken, or not what a model's archive is: names that lead elsewhere, links, encryption, more
            than one folder, or more than `limit` bytes.
    """
    try:
        with zipfile.ZipFile(archive) as content:
            members = _checked(content.infolist(), limit=limit)
            total = sum(member.file_size for member, _ in members)
            done = 0
            for member, path in members:
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with content.open(member) as source, target.open("xb") as output:
                    shutil.copyfileobj(source, output, 1 << 20)
                done += member.file_size
                progress(f"Unpacking {archive.name}", done, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise FetchFailed(f"{archive.name} is broken: {error}") from None
    except (FetchFailed, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise FetchFailed(f"{archive.name} cannot be unpacked: {error}") from None


def _checked(members: Iterable[zipfile.ZipInfo], *, limit: int) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The files, with their paths below the archive's one folder."""
    files: dict[PurePosixPath, zipfile.ZipInfo] = {}
    tops: set[str] = set()
    size = 0
    for number, member in enumerate(members):
        path = PurePosixPath(member.filename)
        size += member.file_size
        kind = stat.S_IFMT(member.external_attr >> 16)
        if number >= MOST_FILES or size > limit:
            raise FetchFailed("it holds far more than a model does")
        if path.is_absolute() or not path.parts or ".." in path.parts or "\\" in member.filename:
            raise FetchFailed(f"a name in it leads elsewhere: {member.filename!r}")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise FetchFailed(f"it holds a link or a device: {member.filename!r}")
        if member.flag_bits & 1:
            raise FetchFailed("it is encrypted")
        tops.add(path.parts[0])
        if member.is_dir():
            continue
        below = PurePosixPath(*path.parts[1:])
        if not below.parts or below in files:
            raise FetchFailed(f"a file in it has no place of its own: {member.filename!r}")
        files[below] = member
    if len(tops) != 1:
        raise FetchFailed("it holds not one folder but several, or none")
    return [(member, path) for path, member in files.items()]
