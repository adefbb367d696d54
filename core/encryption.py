"""Texts that are stored encrypted, and the keys for them.

A sealed text is a Fernet token (AES-128-CBC with HMAC-SHA256). New texts are sealed with the newest key; older keys
only open what was sealed with them until it is resealed.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Row, Table, Text, TypeDecorator, and_, func, select, tuple_, update

from core.database import Base, Database

BATCH = 200
"""Rows that are resealed in one transaction."""


class EncryptionError(Exception):
    """Base of what can go wrong with encryption.

    EncryptionError
    ├── InvalidKeys: keys that are none
    └── Unreadable: a text that no key opens
    """


class InvalidKeys(EncryptionError):
    """The keys are damaged, or there are none; the message says where."""


class Unreadable(EncryptionError):
    """None of the keys opens the text."""


class SealedText(TypeDecorator[str]):
    """Marks a column that holds sealed texts. It seals nothing: that is up to the store, which has the keyring."""

    impl = Text
    cache_ok = True


class Keyring:
    """Seals and opens texts. Keys that come from a file are followed there, so that they can be changed in use."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Take the keys, the newest first.

        Raises:
            InvalidKeys: one of them is not a Fernet key, or there is none.
        """
        self._fernets = _fernets(keys)
        self._file: Path | None = None
        self._stamp: tuple[int, int] | None = None

    @classmethod
    def load(cls, *, keys: str | None, file: Path) -> Keyring:
        """The keys of a setting, separated by commas, else of a file with one key a line, made at the first start.

        Raises:
            InvalidKeys: the setting or the file is damaged; a damaged file stays as it is.
        """
        if keys is not None:
            return _checked([key.strip() for key in keys.split(",") if key.strip()], "STADTBOT_ENCRYPTION_KEYS")
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_new(file, [new_key()])
        stamp = _stamp(file)
        keyring = _checked(read_keys(file), str(file))
        keyring._file, keyring._stamp = file, stamp
        return keyring

    def seal(self, text: str) -> str:
        """The text, encrypted with the newest key."""
        self._follow()
        return self._fernets[0].encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text of a sealed one.

        Raises:
            Unreadable: no key fits, or the text is damaged.
        """
        for _ in range(2):
            with contextlib.suppress(InvalidToken):
                return MultiFernet(self._fernets).decrypt(sealed.encode()).decode()
            if not self._follow():
                break
        raise Unreadable("no key opens this text")

    def reseal(self, sealed: str) -> str:
        """The same text, sealed with the newest key.

        Raises:
            Unreadable: no key fits, or the text is damaged.
        """
        return self.seal(self.open(sealed))

    def is_current(self, sealed: str) -> bool:
        """Whether the newest key opens the text."""
        self._follow()
        try:
            self._fernets[0].decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def _follow(self) -> bool:
        """Take the file's keys if it has changed; a damaged file changes nothing."""
        if self._file is None or (stamp := _stamp(self._file)) == self._stamp:
            return False
        with contextlib.suppress(InvalidKeys):
            self._fernets, self._stamp = _fernets(read_keys(self._file)), stamp
            return True
        return False


def new_key() -> str:
    return Fernet.generate_key().decode()


def read_keys(file: Path) -> list[str]:
    """The keys of a file, the newest first.

    Raises:
        InvalidKeys: the file cannot be read.
    """
    try:
        return file.read_text(encoding="ascii").split()
    except (OSError, ValueError) as error:
        raise InvalidKeys(f"{file}: {error}") from None


def add_key(file: Path) -> None:
    """Put a new key before the others of a file.

    Raises:
        InvalidKeys: the file is damaged.
    """
    keys = read_keys(file)
    _checked(keys, str(file))
    _replace(file, [new_key(), *keys])


def drop_old_keys(file: Path) -> int:
    """Leave only the newest key in a file; gives the number of those that went.

    Raises:
        InvalidKeys: the file is damaged.
    """
    keys = read_keys(file)
    _checked(keys, str(file))
    _replace(file, keys[:1])
    return len(keys) - 1


def sealed_columns() -> list[tuple[Table, str]]:
    """Every column of every room's tables that holds sealed texts."""
    return [
        (table, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, SealedText)
    ]


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many texts got the newest key, and how many no key opens."""

    resealed: int
    unreadable: int


def reseal_all(
    database: Database, keyring: Keyring, *, progress: Callable[[int], object] = lambda seen: None
) -> Resealed:
    """Seal every stored text with the newest key, in small transactions and without losing concurrent writes.

    What is sealed with it already stays, so a run that was killed is simply started again. The tables are those of
    the modules that are imported.

    Args:
        database: where the texts are.
        keyring: the keys.
        progress: told after each transaction how many texts it looked at.
    """
    resealed = unreadable = 0
    for table, name in sealed_columns():
        last: Row[*tuple[Any, ...]] | None = None
        while rows := _batch(database, table, name, after=last):
            last = rows[-1]
            new = {}
            for row in rows:
                if keyring.is_current(row[-1]):
                    continue
                try:
                    new[row] = keyring.reseal(row[-1])
                except Unreadable:
                    unreadable += 1
            resealed += _exchange(database, table, name, new)
            progress(len(rows))
    return Resealed(resealed, unreadable)


def count_sealed(database: Database) -> int:
    """The number of sealed texts."""
    with database.reading() as session:
        queries = (
            select(func.count()).select_from(table).where(table.c[name].is_not(None))
            for table, name in sealed_columns()
        )
        return sum(session.scalar(query) or 0 for query in queries)


def _batch(
    database: Database, table: Table, name: str, *, after: Row[*tuple[Any, ...]] | None
) -> Sequence[Row[*tuple[Any, ...]]]:
    keys = list(table.primary_key.columns)
    query = select(*keys, table.c[name]).where(table.c[name].is_not(None)).order_by(*keys).limit(BATCH)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(*after[:-1], types=[key.type for key in keys]))
    with database.reading() as session:
        return session.execute(query).all()


def _exchange(database: Database, table: Table, name: str, new: dict[Row[*tuple[Any, ...]], str]) -> int:
    """Put texts in the place of those that were read; what has changed meanwhile stays, it has the newest key."""
    if not new:
        return 0
    exchanged = 0
    with database.session() as session:
        for row, sealed in new.items():
            key: tuple[Any, ...] = row[:-1]
            same = [column == value for column, value in zip(table.primary_key.columns, key, strict=True)]
            statement = update(table).where(and_(*same, table.c[name] == row[-1])).values({name: sealed})
            exchanged += session.connection().execute(statement).rowcount
    return exchanged


def _fernets(keys: Sequence[str]) -> list[Fernet]:
    if not keys:
        raise InvalidKeys("there is no key")
    try:
        return [Fernet(key) for key in keys]
    except ValueError:
        raise InvalidKeys("a key is not 32 bytes in URL-safe base64") from None


def _stamp(file: Path) -> tuple[int, int] | None:
    """What tells one state of a file from the next; None without a file."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _checked(keys: Sequence[str], source: str) -> Keyring:
    try:
        return Keyring(keys)
    except InvalidKeys as error:
        raise InvalidKeys(f"{source}: {error}") from None


def _write_new(file: Path, keys: Sequence[str]) -> None:
    """Write a file that only its owner reads; of several processes that do so at once, the first one's stays."""
    temporary = _written(file, keys)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, file)
    finally:
        temporary.unlink()


def _replace(file: Path, keys: Sequence[str]) -> None:
    _written(file, keys).replace(file)


def _written(file: Path, keys: Sequence[str]) -> Path:
    """A finished file beside another one (`mkstemp` makes it for its owner only)."""
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(number, "w", encoding="ascii") as new:
        new.write("".join(f"{key}\n" for key in keys))
        new.flush()
        os.fsync(new.fileno())
    return Path(name)
