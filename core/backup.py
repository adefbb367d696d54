"""Backups of the service's and Rasa's databases, made while they are used, and restored all or nothing."""

from __future__ import annotations

import datetime as dt
import fcntl
import importlib.metadata
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from core.archive import (
    FORMAT,
    BackupFailed,
    Manifest,
    Member,
    Progress,
    RestoreRefused,
    member_of,
    read_manifest,
    room_for,
    unpack,
    write,
)
from core.clock import Clock
from core.copies import IN_USE, Whole, held, same, whole
from core.database import BrokenReferences, Database, known_revisions

Name = Literal["service", "rasa"]
UNFINISHED = ".stadtbot-backup-"
"""How the names of backups begin that are being written."""

UPGRADE_FIRST = "The backup is of a newer version of Stadtbot ({version}). Install that one first, then restore."


class Backups:
    """Makes and restores backups of one service's databases."""

    def __init__(self, *, service: str, rasa: str, state_folder: Path, clock: Clock) -> None:
        """
        Args:
            service: SQLAlchemy address of the service's database.
            rasa: address of the one where Rasa keeps its conversations; may be the same.
            state_folder: where copies lie for a moment; a local folder with room for both databases.
            clock: the time.
        """
        self._service = service
        self._databases: dict[Name, Whole] = {"service": whole(service)}
        if not same(service, rasa):
            self._databases["rasa"] = whole(rasa)
        self._urls: dict[Name, str] = {"service": service, "rasa": rasa}
        self._state = state_folder
        self._clock = clock

    def save(self, file: Path, *, replace: bool = False, progress: Progress) -> Manifest:
        """Write a backup to a file, which only its owner may read and which is there whole or not at all.

        Raises:
            BackupFailed: there is no backup; what was at `file` is as it was.
        """
        if file.exists() and not replace:
            raise BackupFailed(f"{file} is there already. Choose another name, or replace it with --force.")
        revision = self._revision()
        try:
            with self._work("backup") as work, _new_file(file) as archive:
                members = []
                # Rasa first: what it does not know of a conversation does no harm.
                for name, database in reversed(self._databases.items()):
                    copy = work / f"{name}{database.suffix}"
                    database.save(copy, progress)
                    members.append(member_of(copy, database=name, dialect=database.dialect))
                manifest = Manifest(
                    format=FORMAT,
                    app_version=importlib.metadata.version("stadtbot"),
                    made_at=self._clock.now(),
                    revision=revision,
                    members=tuple(members),
                )
                write(archive, manifest, {member.name: work / member.name for member in members}, progress)
        except OSError as error:
            raise BackupFailed(f"{file} cannot be written: {error.strerror}.") from None
        return manifest

    def restore(
        self,
        file: Path,
        *,
        settle: Callable[[str, str, dt.datetime], object],
        keep_old: bool = False,
        progress: Progress,
    ) -> Manifest:
        """Put a backup in the place of the present databases.

        Nothing is touched before the whole backup is read, checked, upgraded and settled.

        Args:
            file: the backup.
            settle: gets the addresses of the new databases (the service's and Rasa's) and the time of the backup,
                before they are put in place, to erase in them what must not come back; what it raises ends the
                restore.
            keep_old: leave the old databases beside the new ones.
            progress: told how far it is.

        Raises:
            BadArchive: the file is damaged or no backup.
            RestoreRefused: it cannot be restored here and now.
        """
        manifest = read_manifest(file)
        members = self._fitting(manifest)
        with self._alone(), self._work("restore") as work, ExitStack() as cleared:
            for name in members:
                self._databases[name].check_unused()
                cleared.callback(self._databases[name].forget_prepared)
            copies = {name: self._databases[name].staged() or work / members[name].name for name in members}
            for copy in copies.values():
                room_for(manifest, copy.parent)
            unpack(file, {member.name: copies[name] for name, member in members.items()}, progress)
            urls = {name: self._databases[name].prepare(copy) for name, copy in copies.items()}
            progress("Upgrading", 0, 0)
            _upgrade(urls["service"], manifest)
            settle(urls["service"], urls.get("rasa", urls["service"]), manifest.made_at)
            self._exchange(list(members), keep_old=keep_old)
        return manifest

    def kept(self) -> list[str]:
        """Names of the old databases that a restore with `keep_old` leaves."""
        return [database.kept() for database in self._databases.values()]

    def _fitting(self, manifest: Manifest) -> dict[Name, Member]:
        members: dict[Name, Member] = {member.database: member for member in manifest.members}
        if set(members) != set(self._databases):
            raise RestoreRefused(
                f"The backup holds the databases of {' and '.join(sorted(members))}, "
                f"the settings name those of {' and '.join(sorted(self._databases))}."
            )
        for name, member in members.items():
            if member.dialect != self._databases[name].dialect:
                raise RestoreRefused(
                    f"The backup is one of {member.dialect}, but the settings name {self._databases[name].dialect}."
                )
        if manifest.revision not in known_revisions():
            raise RestoreRefused(UPGRADE_FIRST.format(version=manifest.app_version))
        return dict(sorted(members.items(), reverse=True))

    def _exchange(self, names: list[Name], *, keep_old: bool) -> None:
        mark = _mark(self._state)
        mark.touch(mode=0o600)
        # The service's first: it is the one that may be refused, and then nothing has happened.
        for number, name in enumerate(names):
            try:
                self._databases[name].exchange()
            except RestoreRefused:
                if not number:
                    mark.unlink()
                raise
        mark.unlink()
        if not keep_old:
            for name in names:
                self._databases[name].forget_old()

    def _revision(self) -> str:
        address = sa.make_url(self._service)
        if address.get_backend_name() == "sqlite" and not Path(address.database or "").exists():
            raise BackupFailed(f"There is no database {address.database} yet.")
        database = Database(self._service)
        try:
            revision = database.revision()
        except SQLAlchemyError as error:
            raise BackupFailed(f"The database cannot be read: {type(error).__name__}.") from None
        finally:
            database.close()
        if revision is None:
            raise BackupFailed("The database holds no tables of Stadtbot.")
        return revision

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with ExitStack() as stack:
            for name in self._databases:
                try:
                    stack.enter_context(held(self._urls[name], alone=True))
                except BlockingIOError:
                    raise RestoreRefused(IN_USE.format(name=sa.make_url(self._urls[name]).database)) from None
            yield

    @contextmanager
    def _work(self, purpose: str) -> Iterator[Path]:
        """A folder of our own, emptied of what a killed run left.

        Raises:
            BackupFailed: another backup or restore is under way.
        """
        self._state.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self._state / "backup.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupFailed("Another backup or restore is under way.") from None
            work = self._state / f"{purpose}.unfinished"
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(mode=0o700)
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)


def was_interrupted(state_folder: Path) -> bool:
    """Whether a restore ended between one database and the other, so that they do not belong together."""
    return _mark(state_folder).exists()


def _mark(state_folder: Path) -> Path:
    return state_folder / "restore.interrupted"


def _upgrade(url: str, manifest: Manifest) -> None:
    database = Database(url)
    try:
        revision = database.revision()
        if revision is None:
            raise RestoreRefused("The database in the backup holds no tables of Stadtbot.")
        if revision not in known_revisions():
            raise RestoreRefused(UPGRADE_FIRST.format(version=manifest.app_version))
        database.upgrade()
    except (SQLAlchemyError, BrokenReferences) as error:
        raise RestoreRefused(f"The database in the backup cannot be upgraded: {type(error).__name__}.") from None
    finally:
        database.close()


@contextmanager
def _new_file(file: Path) -> Iterator[BinaryIO]:
    """A file for its owner only that appears under its name once it is whole and on the disk."""
    for left in file.parent.glob(f"{UNFINISHED}*"):
        with suppress(OSError), left.open("rb") as stale:
            fcntl.flock(stale, fcntl.LOCK_EX | fcntl.LOCK_NB)  # one that is being written is locked
            left.unlink()
    number, name = tempfile.mkstemp(prefix=UNFINISHED, dir=file.parent)
    try:
        with os.fdopen(number, "wb") as new:
            fcntl.flock(new, fcntl.LOCK_EX)
            yield new
            new.flush()
            os.fsync(new.fileno())
            os.replace(name, file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
