"""Large files from the net: resumed where the connection was cut, checked, and there whole or not at all."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

Progress = Callable[[str, int, int], None]
"""What is done, how far it is, and how far it goes (0 if unknown); in bytes."""

LARGEST = 4_000_000_000
PAUSES_S = (1.0, 2.0, 5.0, 10.0)
"""After connections that brought nothing; after the last one it is given up."""
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class FetchFailed(RuntimeError):
    """A model could not be brought; the message says why, and what can be done."""


class _Again(Exception):
    """The connection was cut, or the server is busy."""


@dataclass(frozen=True)
class RemoteFile:
    """A file and what is known of it beforehand."""

    url: str
    size: int | None = None
    """Bytes."""
    sha256: str | None = None

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def host(self) -> str:
        return httpx.URL(self.url).host


class Downloads:
    """Downloads into a folder, which keeps what a later run can resume.

    Args:
        folder: where files are put, and `NAME.part` with what there is of them.
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

    def fetch(self, file: RemoteFile) -> tuple[Path, str]:
        """The file's path and its SHA-256.

        Raises:
            FetchFailed: no connection, another size or checksum than was said, or a refusal.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f"{file.name}.part"
        if (whole := self._folder / file.name).exists():  # a file that follows was cut off
            whole.replace(part)
        resumed = part.exists()
        self._receive_all(file, part)
        digest = self._digest(file, part)
        if resumed and file.sha256 not in (None, digest):  # the beginning may be of another file
            _forget(part)
            self._receive_all(file, part)
            digest = self._digest(file, part)
        if file.sha256 not in (None, digest):
            _forget(part)
            raise FetchFailed(f"{file.url} has the SHA-256 {digest} instead of {file.sha256}. It was thrown away.")
        _validator(part).unlink(missing_ok=True)
        return part.replace(whole), digest

    def _receive_all(self, file: RemoteFile, part: Path) -> None:
        in_vain = 0
        while True:
            before = _size(part)
            try:
                return self._receive(file, part)
            except (httpx.TransportError, _Again) as error:
                in_vain = 0 if _size(part) > before else in_vain + 1
                if in_vain > len(PAUSES_S):
                    raise FetchFailed(
                        f"{file.host} cannot be reached ({type(error).__name__}): is this machine online? "
                        "What has arrived is kept; start again to go on with it."
                    ) from None
                self._sleep(PAUSES_S[max(0, in_vain - 1)])
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise FetchFailed(f"{file.url} cannot be fetched: {type(error).__name__}") from None

    def _receive(self, file: RemoteFile, part: Path) -> None:
        """Bring what is missing, by one connection."""
        have = _size(part)
        if file.size is not None and have == file.size:
            return
        headers = {"Accept-Encoding": "identity"}
        if have and _validator(part).exists():
            headers |= {"Range": f"bytes={have}-", "If-Range": _validator(part).read_text(encoding="ascii")}
        elif have and file.sha256 is not None:  # should it be another file by now, the checksum tells
            headers |= {"Range": f"bytes={have}-"}
        with self._http.stream("GET", file.url, headers=headers) as response:
            self._check(file, part, response)
            have, total = _extent(response, have)
            if (file.size is not None and total not in (0, file.size)) or total > LARGEST:
                _forget(part)
                expected = f"instead of {file.size:,}" if file.size else "which is too much"
                raise FetchFailed(f"{file.url} has {total:,} bytes, {expected}.")
            if have == 0:
                _validator(part).unlink(missing_ok=True)
                if (etag := response.headers.get("ETag", "")).startswith('"') and etag.isascii():
                    _validator(part).write_text(etag, encoding="ascii")
            with part.open("r+b" if have else "wb", buffering=0) as output:
                output.seek(have)
                output.truncate()
                for chunk in response.iter_raw():
                    have += len(chunk)
                    if have > (file.size or total or LARGEST):
                        output.close()
                        _forget(part)
                        raise FetchFailed(f"{file.url} does not end where it should.")
                    output.write(chunk)
                    self._progress(file.name, have, file.size or total)
        if have < (file.size or 0):
            raise _Again

    def _check(self, file: RemoteFile, part: Path, response: httpx.Response) -> None:
        if response.url.scheme != httpx.URL(file.url).scheme:
            raise FetchFailed(f"{file.host} leads to an address that is not protected: {response.url.host}")
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            _forget(part)
            raise _Again
        if response.is_server_error or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise _Again
        if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise FetchFailed(f"{file.host} answers {response.status_code} for {file.url}")

    def _digest(self, file: RemoteFile, part: Path) -> str:
        digest, done, size = hashlib.sha256(), 0, _size(part)
        with part.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
                done += len(chunk)
                self._progress(f"Checking {file.name}", done, size)
        return digest.hexdigest()


def _extent(response: httpx.Response, have: int) -> tuple[int, int]:
    """From which byte on the response is, and how many there are altogether (0 if it does not say)."""
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        said = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if said is None or int(said[1]) != have:
            raise FetchFailed(f"{response.url.host} sends another part of the file than was asked for.")
        return have, int(said[2])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdecimal() else 0


def _validator(part: Path) -> Path:
    return part.with_suffix(".etag")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator(part).unlink(missing_ok=True)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0
