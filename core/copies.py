"""Whole databases: copied while they are used, and put in the place of another one in a single step.

A restore prepares the new database beside the present one and then exchanges the two; whatever moment it is killed at,
the present or the new database is whole and in its place.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, Protocol

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from core.archive import BackupFailed, Progress, RestoreRefused

PAGES = 2_000
"""Pages that are copied between two reports."""
IN_USE = "Somebody uses the database {name}. Stop Stadtbot (and Rasa, where it runs elsewhere), then try again."


class Whole(Protocol):
    """One database as a whole."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]: ...

    @property
    def suffix(self) -> str:
        """Ending of the names of its copies."""
        ...

    def save(self, copy: Path, progress: Progress) -> None:
        """Copy the database as it is at one moment, while others read and write it.

        Raises:
            BackupFailed: there is no copy.
        """
        ...

    def staged(self) -> Path | None:
        """Where a copy must lie to be prepared from, None for anywhere."""
        ...

    def check_unused(self) -> None:
        """
        Raises:
            RestoreRefused: somebody else uses the database.
        """
        ...

    def prepare(self, copy: Path) -> str:
        """Make a new database of a copy, beside the present one; gives its address.

        Raises:
            RestoreRefused: the copy is none of a database.
        """
        ...

    def exchange(self) -> None:
        """Put the prepared database in the present one's place, which is kept under another name.

        Raises:
            RestoreRefused: somebody else uses the database.
        """
        ...

    def kept(self) -> str:
        """Name under which the old database is kept."""
        ...

    def forget_old(self) -> None:
        """Delete the old database."""
        ...

    def forget_prepared(self) -> None:
        """Delete what was prepared and not put in place."""
        ...


def whole(url: str) -> Whole:
    """The database of an SQLAlchemy address."""
    address = sa.make_url(url)
    return (
        WholeSqlite(Path(address.database or "")) if address.get_backend_name() == "sqlite" else WholePostgres(address)
    )


def same(url: str, other: str) -> bool:
    """Whether two addresses name one database."""
    one, two = sa.make_url(url), sa.make_url(other)
    parts = ("host", "port", "database")
    return one.get_backend_name() == two.get_backend_name() and all(
        getattr(one, part) == getattr(two, part) for part in parts
    )


@contextmanager
def held(url: str, *, alone: bool = False) -> Iterator[None]:
    """Hold a database for as long as it is served, or `alone` for as long as it is exchanged.

    SQLite cannot keep another process from opening a file that is about to be replaced, so there is a lock file beside
    it, which the kernel frees when its holder ends, however it ends. PostgreSQL renames no database that is used.

    Raises:
        BlockingIOError: it is held otherwise.
    """
    address = sa.make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        yield
        return
    path = Path(address.database)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b") as lock:
        fcntl.flock(lock, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        yield


class WholeSqlite:
    """A database in a file."""

    dialect: Literal["sqlite"] = "sqlite"
    suffix = ".db"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = path.with_name(f"{path.name}.restoring")
        self._old = path.with_name(f"{path.name}.before-restore")

    def save(self, copy: Path, progress: Progress) -> None:
        def tell(_status: int, left: int, total: int) -> None:
            progress(f"Copying {self._path.name}", total - left, total)

        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            with closing(sqlite3.connect(copy)) as target:
                if self._path.exists():
                    with closing(_open(self._path)) as source:
                        # A copy of many steps begins anew whenever somebody writes; in one transaction it cannot.
                        source.execute("BEGIN")
                        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
                        source.backup(target, pages=PAGES, progress=tell)
                # One file, whatever the source's journal was.
                target.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.Error as error:
            raise BackupFailed(f"{self._path} cannot be copied: {error}.") from None

    def staged(self) -> Path:
        return self._new

    def check_unused(self) -> None:
        if not self._path.exists():
            return
        try:
            with closing(_open(self._path, patience_s=0)) as connection:
                # Only the last one who has the file open may leave WAL mode; this folds the WAL into the file too.
                connection.execute("PRAGMA journal_mode=DELETE")
                connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise RestoreRefused(IN_USE.format(name=self._path)) from None
            # Anything else is damage, and a good reason to restore.

    def prepare(self, copy: Path) -> str:
        if copy != self._new:
            raise ValueError("the copy does not lie where it is staged")
        self._check(copy)
        return f"sqlite:///{copy}"

    def exchange(self) -> None:
        self._check(self._new)
        _sync(self._new)
        self.forget_old()
        if self._path.exists():
            os.link(self._path, self._old)
            for ending in ("-wal", "-shm", "-journal"):  # there are some where the old database is damaged
                with contextlib.suppress(FileNotFoundError):
                    os.replace(f"{self._path}{ending}", f"{self._old}{ending}")
        os.replace(self._new, self._path)
        _sync(self._path.parent)

    def kept(self) -> str:
        return str(self._old)

    def forget_old(self) -> None:
        _unlink(self._old)

    def forget_prepared(self) -> None:
        _unlink(self._new)

    def _check(self, path: Path) -> None:
        """Whether a file is a sound database; leaves it as a single file."""
        try:
            with closing(_open(path)) as connection:
                connection.execute("PRAGMA trusted_schema=OFF")
                connection.execute("PRAGMA journal_mode=DELETE")
                faults = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
                if faults == "ok":
                    return
        except sqlite3.Error as error:
            faults = str(error)
        raise RestoreRefused(f"The database in the backup is damaged: {faults}.")


class WholePostgres:
    """A database on a server. A restore makes a second one there, for which the role needs CREATEDB."""

    dialect: Literal["postgresql"] = "postgresql"
    suffix = ".dump"

    def __init__(self, url: sa.URL) -> None:
        self._url = url
        self._name = url.database or ""
        # The server cuts longer names, and would take one database for the other.
        stem = self._name if len(self._name) <= 40 else sha256(self._name.encode()).hexdigest()[:40]
        self._new, self._old = f"{stem}_restoring", f"{stem}_before_restore"

    def save(self, copy: Path, progress: Progress) -> None:
        progress(f"Copying {self._name}", 0, 0)
        os.close(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        # The archive packs it; packing twice takes time for nothing.
        error = self._run(
            "pg_dump", "--format=custom", "--compress=0", "--no-owner", "--no-privileges", f"--file={copy}"
        )
        if error:
            raise BackupFailed(f"The database {self._name} cannot be copied: {error}")

    def staged(self) -> None:
        return None

    def check_unused(self) -> None:
        with self._server() as server:
            users = server.execute(
                sa.text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = :name AND backend_type = 'client backend'"
                ),
                {"name": self._name},
            ).scalar_one()
        if users:
            raise RestoreRefused(IN_USE.format(name=self._name))

    def prepare(self, copy: Path) -> str:
        try:
            with self._server() as server:
                server.exec_driver_sql(f"DROP DATABASE IF EXISTS {self._quoted(self._new)}")
                server.exec_driver_sql(f"CREATE DATABASE {self._quoted(self._new)} TEMPLATE template0")
        except DBAPIError as error:
            raise RestoreRefused(
                f"No database can be made beside {self._name}: {_first_line(str(error.orig))}"
            ) from None
        options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
        error_text = self._run("pg_restore", *options, f"--dbname={self._new}", str(copy))
        if error_text:
            raise RestoreRefused(f"The database in the backup is damaged: {error_text}")
        return self._url.set(database=self._new).render_as_string(hide_password=False)

    def exchange(self) -> None:
        self.forget_old()
        try:
            with self._server(transaction=True) as server:
                known = sa.text("SELECT 1 FROM pg_database WHERE datname = :name")
                if server.execute(known, {"name": self._name}).scalar():
                    self._rename(server, self._name, self._old)
                self._rename(server, self._new, self._name)
        except DBAPIError as error:
            if isinstance(error.orig, psycopg.errors.ObjectInUse):
                raise RestoreRefused(IN_USE.format(name=self._name)) from None
            raise RestoreRefused(f"{self._name} cannot be renamed: {_first_line(str(error.orig))}") from None

    def kept(self) -> str:
        return self._old

    def forget_old(self) -> None:
        self._drop(self._old)

    def forget_prepared(self) -> None:
        self._drop(self._new)

    def _rename(self, server: sa.Connection, name: str, to: str) -> None:
        server.exec_driver_sql(f"ALTER DATABASE {self._quoted(name)} RENAME TO {self._quoted(to)}")

    def _drop(self, name: str) -> None:
        with self._server() as server:
            server.exec_driver_sql(f"DROP DATABASE IF EXISTS {self._quoted(name)}")

    @contextmanager
    def _server(self, *, transaction: bool = False) -> Iterator[sa.Connection]:
        """A connection to the server that uses none of our databases.

        Raises:
            RestoreRefused: the server does not answer.
        """
        engine = sa.create_engine(self._url.set(database="postgres"), poolclass=sa.NullPool)
        if not transaction:
            engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection = engine.connect()
        except DBAPIError as error:
            raise RestoreRefused(f"The database server does not answer: {_first_line(str(error.orig))}") from None
        with connection, connection.begin():
            yield connection

    def _quoted(self, name: str) -> str:
        return '"' + name.replace('"', '""').replace("%", "%%") + '"'

    def _run(self, program: str, *arguments: str) -> str | None:
        """Run one of PostgreSQL's programs; gives its error, or None where there was none."""
        if shutil.which(program) is None:
            return f"there is no {program} here; install the package postgresql-client."
        command = [program, "--no-password", *arguments]
        done = subprocess.run(command, env=self._environment(), check=False, capture_output=True, encoding="utf-8")
        if not done.returncode:
            return None
        # Only the first line: the next ones may quote rows.
        return _first_line(done.stderr) or f"{program} ended with {done.returncode}."

    def _environment(self) -> dict[str, str]:
        """The address as libpq's variables: on the command line everyone on the machine could read the password."""
        _, options = sa.create_engine(self._url).dialect.create_connect_args(self._url)
        variables = {option.keyword.decode(): option.envvar for option in psycopg.pq.Conninfo.get_defaults()}
        known: dict[str, Any] = {
            variable.decode(): str(options[keyword])
            for keyword, variable in variables.items()
            if variable is not None and keyword in options
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STADTBOT_")}
        return {**kept, **known}


def _open(path: Path, *, patience_s: float = 10) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=patience_s, isolation_level=None)


def _unlink(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0][:300]
