"""A PostgreSQL server of the tests' own, from Debian's package, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class NoPostgres(RuntimeError):
    """PostgreSQL's programs are not installed."""


@contextmanager
def server() -> Iterator[str]:
    """A running server; gives its SQLAlchemy address without a database name.

    Raises:
        NoPostgres: there are no programs to start one with.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="stadtbot-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        _run(programs / "initdb", "--pgdata", folder / "data", "--auth", "trust", "--username", "stadtbot", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        _run(programs / "pg_ctl", "--pgdata", folder / "data", "--log", folder / "log", "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://stadtbot@/{{}}?host={folder}"
        finally:
            _run(programs / "pg_ctl", "--pgdata", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise NoPostgres("install the package postgresql")
    return found[-1]


def _run(*command: Path | str) -> None:
    line = [str(part) for part in command]
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        line = ["runuser", "-u", "postgres", "--", *line]
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")
