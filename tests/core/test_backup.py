"""Backups are made while the databases are used, and restored all or nothing, by the command line."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from bot.models import Channel, ConversationRow, Reply
from bot.store import ConversationStore
from core.archive import MANIFEST
from core.backup import was_interrupted
from core.clock import SystemClock
from core.copies import held
from core.database import Database
from core.encryption import Keyring, add_key, drop_old_keys
from stadtbot.cli import app
from tests.conftest import new_database


@dataclass
class Town:
    """A state folder with its two databases, filled as the service fills them."""

    service: str
    rasa: str
    state: Path
    run: Callable[..., Result]

    def fill(self, count: int = 3) -> list[str]:
        """Conversations with messages here and rows of Rasa's; gives their ids."""
        ids = []
        with self.open() as store:
            for number in range(count):
                conversation, _ = store.create(site="jena", channel=Channel.WEB, language="de")
                store.say(conversation.id, Reply(text=f"Größe {number}", speech="x"))
                ids.append(conversation.id)
        engine = sa.create_engine(self.rasa)
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE IF NOT EXISTS events (id INTEGER, sender_id VARCHAR(255))"))
            connection.execute(
                sa.text("INSERT INTO events VALUES (1, :sender)"), [{"sender": sender} for sender in [*ids, "stranger"]]
            )
        engine.dispose()
        return ids

    @property
    def keys(self) -> Keyring:
        return Keyring.load(keys=None, file=self.state / "encryption.keys")

    def open(self) -> OpenStore:
        return OpenStore(self)

    def scalars(self, url: str, statement: str) -> list[str]:
        engine = sa.create_engine(url)
        with engine.connect() as connection:
            found = list(connection.execute(sa.text(statement)).scalars())
        engine.dispose()
        return sorted(found)

    def texts(self) -> list[str]:
        return self.scalars(self.service, "SELECT text FROM messages")

    def senders(self) -> list[str]:
        return self.scalars(self.rasa, "SELECT sender_id FROM events")


class OpenStore:
    """The conversations of a town, as long as the context lasts."""

    def __init__(self, town: Town) -> None:
        self._database = Database(town.service)
        self._keys = town.keys

    def __enter__(self) -> ConversationStore:
        self._database.upgrade()
        return ConversationStore(self._database, SystemClock(), self._keys, lifetime=dt.timedelta(days=30))

    def __exit__(self, *_: object) -> None:
        self._database.close()


def make_town(folder: Path, monkeypatch: pytest.MonkeyPatch, *, service: str | None, rasa: str | None) -> Town:
    monkeypatch.setenv("STADTBOT_STATE_FOLDER", str(folder))
    for name, url in (("STADTBOT_DATABASE_URL", service), ("STADTBOT_RASA_DATABASE_URL", rasa)):
        if url is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, url)
    return Town(
        service=service or f"sqlite:///{folder / 'stadtbot.db'}",
        rasa=rasa or f"sqlite:///{folder / 'rasa.db'}",
        state=folder,
        run=lambda *arguments: CliRunner().invoke(app, ["db", *(str(argument) for argument in arguments)]),
    )


@pytest.fixture
def sqlite_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    return make_town(tmp_path / "state", monkeypatch, service=None, rasa=None)


@pytest.fixture(params=["sqlite", "postgresql"])
def town(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Town:
    urls: list[str | None] = [None, None]
    if request.param == "postgresql":
        urls = [new_database(request.getfixturevalue("postgres_url")) for _ in range(2)]
    return make_town(tmp_path / "state", monkeypatch, service=urls[0], rasa=urls[1])


@pytest.fixture
def backup(sqlite_town: Town, tmp_path: Path) -> Path:
    """A good backup of three conversations."""
    sqlite_town.fill()
    assert sqlite_town.run("backup", tmp_path / "b.tar.gz").exit_code == 0
    return tmp_path / "b.tar.gz"


def succeeded(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(result: Result) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def test_what_was_saved_comes_back(town: Town, tmp_path: Path) -> None:
    ids = town.fill()
    saved = town.texts()
    file = tmp_path / "b.tar.gz"
    assert "keys are not in it" in succeeded(town.run("backup", file))
    town.fill(2)
    with town.open() as store:
        store.erase(ids[0])
    assert town.texts() != saved
    output = succeeded(town.run("restore", file))
    assert "What citizens have erased since then is back" in output
    assert town.texts() == saved
    assert set(town.senders()) == set(ids), "rows of conversations that are not in the backup are left in Rasa's"
    left = [path.name for path in town.state.iterdir() if "restor" in path.name or "unfinished" in path.name]
    assert left == []


def test_restore_into_an_empty_place(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    town.fill()
    saved = town.texts()
    succeeded(town.run("backup", tmp_path / "b.tar.gz"))
    urls: list[str | None] = [None, None]
    if not town.service.startswith("sqlite"):
        urls = [new_database(request.getfixturevalue("postgres_url")) for _ in range(2)]
    other = make_town(tmp_path / "other", monkeypatch, service=urls[0], rasa=urls[1])
    succeeded(other.run("restore", tmp_path / "b.tar.gz"))
    assert other.texts() == saved


def test_backup_is_for_its_owner_and_overwrites_nothing(sqlite_town: Town, tmp_path: Path) -> None:
    sqlite_town.fill()
    file = tmp_path / "b.tar.gz"
    succeeded(sqlite_town.run("backup", file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert "--force" in refused(sqlite_town.run("backup", file))
    assert file.read_bytes() == before
    sqlite_town.fill()
    succeeded(sqlite_town.run("backup", file, "--force"))
    assert file.read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "state"]


def test_manifest_describes_what_is_inside(backup: Path) -> None:
    with tarfile.open(backup) as tar:
        assert tar.getnames()[0] == MANIFEST
        assert sorted(tar.getnames()) == [MANIFEST, "rasa.db", "service.db"]
        manifest = json.load(tar.extractfile(MANIFEST) or io.BytesIO())
        for member in manifest["members"]:
            content = (tar.extractfile(member["name"]) or io.BytesIO()).read()
            assert len(content) == member["size"]
            assert hashlib.sha256(content).hexdigest() == member["sha256"]
            assert member["dialect"] == "sqlite"
    assert manifest["format"] == 1
    assert dt.datetime.fromisoformat(manifest["made_at"]).tzinfo is not None
    assert set(manifest) == {"format", "app_version", "made_at", "revision", "members"}


def test_backup_without_a_database_is_a_clear_error(town: Town, tmp_path: Path) -> None:
    message = refused(town.run("backup", tmp_path / "b.tar.gz"))
    assert "no database" in message or "no tables" in message
    assert not (tmp_path / "b.tar.gz").exists()
    town.fill()
    assert "cannot be written" in refused(town.run("backup", tmp_path / "no" / "b.tar.gz"))


def test_backup_is_of_one_moment_while_others_write(town: Town, tmp_path: Path) -> None:
    town.fill(1)
    with town.open() as store:
        for _ in range(300):
            conversation, _ = store.create(site="jena", channel=Channel.WEB, language="de")
        over, written = threading.Event(), 0

        def write() -> None:
            nonlocal written
            while not over.is_set():
                store.say(conversation.id, Reply(text="x" * 500, speech="x"))
                written += 1

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                succeeded(town.run("backup", tmp_path / f"{number}.tar.gz"))
        finally:
            over.set()
            writer.join()
    assert written > 10
    succeeded(town.run("restore", tmp_path / "1.tar.gz"))
    counted = town.scalars(town.service, f"SELECT count(*) FROM messages WHERE conversation_id = '{conversation.id}'")
    last = town.scalars(town.service, f"SELECT last_seq FROM conversations WHERE id = '{conversation.id}'")
    assert counted == last
    assert 0 < int(last[0]) < written


def test_password_is_on_no_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    urls = [
        sa.make_url(new_database(request.getfixturevalue("postgres_url"))).set(password="s3cret p@ss") for _ in range(2)
    ]
    texts = [url.render_as_string(hide_password=False) for url in urls]
    town = make_town(tmp_path / "state", monkeypatch, service=texts[0], rasa=texts[1])
    town.fill(1)
    ran: list[tuple[list[str], dict[str, str]]] = []
    real = subprocess.run

    def run(command: list[str], *, env: dict[str, str], **arguments: object) -> object:
        ran.append((command, env))
        return real(command, env=env, **arguments)  # type: ignore[call-overload]

    monkeypatch.setattr("core.copies.subprocess.run", run)
    succeeded(town.run("backup", tmp_path / "b.tar.gz"))
    succeeded(town.run("restore", tmp_path / "b.tar.gz"))
    assert {Path(command[0]).name for command, _ in ran} == {"pg_dump", "pg_restore"}
    for command, environment in ran:
        assert "s3cret" not in " ".join(command)
        assert environment["PGPASSWORD"] == "s3cret p@ss"


# What had to go


def test_what_has_expired_does_not_come_back(town: Town, tmp_path: Path) -> None:
    ids = town.fill()
    past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
    database = Database(town.service)
    with database.session() as session:
        session.execute(sa.update(ConversationRow).where(ConversationRow.id == ids[0]).values(expires_at=past))
    database.close()
    succeeded(town.run("backup", tmp_path / "b.tar.gz"))
    assert "were erased: 1." in succeeded(town.run("restore", tmp_path / "b.tar.gz"))
    assert town.texts() == ["Größe 1", "Größe 2"]
    assert set(town.senders()) == set(ids[1:])


def test_restore_without_the_keys_is_noticed(town: Town, tmp_path: Path) -> None:
    ids = town.fill()
    database = Database(town.service)
    with database.session() as session:
        sealed = town.keys.seal("03641 123456")
        session.execute(sa.update(ConversationRow).where(ConversationRow.id == ids[0]).values(caller=sealed))
    database.close()
    succeeded(town.run("backup", tmp_path / "b.tar.gz"))
    town.fill(1)
    before, keys = town.texts(), town.state / "encryption.keys"
    kept = keys.read_bytes()
    keys.unlink()
    assert "encryption keys" in refused(town.run("restore", tmp_path / "b.tar.gz"))
    assert not keys.exists()
    keys.write_bytes(kept)
    add_key(keys)
    drop_old_keys(keys)
    assert "encryption keys" in refused(town.run("restore", tmp_path / "b.tar.gz"))
    assert town.texts() == before
    keys.write_bytes(kept)
    succeeded(town.run("restore", tmp_path / "b.tar.gz"))


# In use


def test_nothing_is_restored_under_a_running_service(town: Town, tmp_path: Path) -> None:
    town.fill()
    succeeded(town.run("backup", tmp_path / "b.tar.gz"))
    town.fill(1)
    before = town.texts()
    with town.open() as store:
        store.idle(dt.timedelta(days=1))  # a connection is open now and rests in its pool
        assert "Stop Stadtbot" in refused(town.run("restore", tmp_path / "b.tar.gz"))
    assert town.texts() == before
    succeeded(town.run("restore", tmp_path / "b.tar.gz"))


def test_a_service_that_holds_its_database_is_left_alone(sqlite_town: Town, backup: Path) -> None:
    with held(sqlite_town.service):
        assert "Stop Stadtbot" in refused(sqlite_town.run("restore", backup))
    with held(sqlite_town.service, alone=True):
        result = CliRunner().invoke(app, ["run"])
        assert "being restored" in refused(result)
    succeeded(sqlite_town.run("restore", backup))


def test_old_databases_are_kept_on_request(town: Town, tmp_path: Path) -> None:
    town.fill()
    succeeded(town.run("backup", tmp_path / "b.tar.gz"))
    town.fill(1)
    newer = town.texts()
    output = succeeded(town.run("restore", tmp_path / "b.tar.gz", "--keep-old"))
    assert "Delete them soon" in output
    old = (
        f"{town.service}.before-restore"
        if town.service.startswith("sqlite")
        else town.service.replace("?", "_before_restore?")
    )
    assert town.scalars(old, "SELECT text FROM messages") == newer


# Archives that are none


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=tarfile.GNU_FORMAT) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if content else None)
    return buffer.getvalue()


def entry(name: str, content: bytes, *, kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), kind, link
    return info, content


def contents(backup: Path) -> tuple[dict[str, object], dict[str, bytes]]:
    with tarfile.open(backup) as tar:
        files = {name: (tar.extractfile(name) or io.BytesIO()).read() for name in tar.getnames()}
    return json.loads(files.pop(MANIFEST)), files


def manifest_entry(manifest: dict[str, object]) -> tuple[tarfile.TarInfo, bytes]:
    return entry(MANIFEST, json.dumps(manifest).encode())


Spoil = Callable[[dict[str, object], dict[str, bytes]], bytes]


def repacked(manifest: dict[str, object], files: dict[str, bytes], **changes: object) -> bytes:
    return packed(manifest_entry({**manifest, **changes}), *(entry(name, content) for name, content in files.items()))


def sealed_as(manifest: dict[str, object], files: dict[str, bytes], service: bytes) -> bytes:
    """A backup with another service database and right checksums."""
    files = {**files, "service.db": service}
    members = [
        {**member, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for member in manifest["members"]  # type: ignore[attr-defined]
        for content in [files[member["name"]]]
    ]
    return repacked(manifest, files, members=members)


def empty_database() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE x (y)")
        return connection.serialize()


SPOILS: dict[str, tuple[Spoil, str]] = {
    "no archive": (lambda _m, _f: b"This is text.", "no backup"),
    "empty": (lambda _m, _f: b"", "cut off"),
    "other archive": (lambda _m, _f: packed(entry("holiday.jpg", b"x")), "holiday.jpg"),
    "path upwards": (
        lambda m, f: packed(manifest_entry(m), entry("../../evil", b"x"), *(entry(n, c) for n, c in f.items())),
        "../../evil",
    ),
    "path upwards in the manifest": (
        lambda m, f: repacked(m, f, members=[{**m["members"][0], "name": "../../evil.db"}]),  # type: ignore[index]
        "manifest cannot be read",
    ),
    "link": (
        lambda m, f: packed(manifest_entry(m), entry(next(iter(f)), b"", kind=tarfile.SYMTYPE, link="/etc/passwd")),
        "no backup",
    ),
    "hard link": (
        lambda m, f: packed(manifest_entry(m), entry(next(iter(f)), b"", kind=tarfile.LNKTYPE, link="manifest.json")),
        "no backup",
    ),
    "device": (lambda m, f: packed(manifest_entry(m), entry(next(iter(f)), b"", kind=tarfile.CHRTYPE)), "no backup"),
    "bomb in the manifest": (lambda _m, _f: packed(entry(MANIFEST, b"0" * 50_000_000)), "too long"),
    "bomb behind the databases": (
        lambda m, f: packed(
            manifest_entry(m), *(entry(n, c) for n, c in f.items()), entry("more.db", b"0" * 50_000_000)
        ),
        "more in the backup",
    ),
    "bomb as a database": (
        lambda m, f: packed(manifest_entry(m), *(entry(n, c + b"0" * 50_000_000) for n, c in f.items())),
        "not as long",
    ),
    "more than the disk holds": (
        lambda m, f: repacked(m, f, members=[{**member, "size": 10**18} for member in m["members"]]),  # type: ignore[attr-defined]
        "left",
    ),
    "other content": (lambda m, f: repacked(m, {n: c[:-1] + b"?" for n, c in f.items()}), "checksum"),
    "database missing": (lambda m, f: packed(manifest_entry(m), *(entry(n, c) for n, c in list(f.items())[:1])), ""),
    "only one database": (lambda m, f: repacked(m, f, members=m["members"][:1]), "settings name"),  # type: ignore[index]
    "one twice": (lambda m, f: repacked(m, f, members=m["members"][:1] * 2), "twice"),  # type: ignore[index]
    "other dialect": (
        lambda m, f: repacked(m, f, members=[{**x, "dialect": "postgresql"} for x in m["members"]]),  # type: ignore[attr-defined]
        "postgresql",
    ),
    "newer format": (lambda m, f: repacked(m, f, format=2, app_version="9.1"), "9.1"),
    "newer schema": (lambda m, f: repacked(m, f, revision="4711", app_version="9.1"), "9.1"),
    "manifest of nonsense": (
        lambda _m, f: packed(entry(MANIFEST, b"[1]"), *(entry(n, c) for n, c in f.items())),
        "read",
    ),
    "no database at all": (lambda m, f: sealed_as(m, f, b"not a database, not at all" * 100), "damaged"),
    "somebody else's database": (lambda m, f: sealed_as(m, f, empty_database()), "no tables of Stadtbot"),
    "damaged pages": (
        lambda m, f: sealed_as(m, f, f["service.db"][:8192] + b"\xff" * 8192 + f["service.db"][16384:]),
        "",
    ),
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_an_archive_that_is_none_is_a_clear_error(sqlite_town: Town, backup: Path, tmp_path: Path, spoil: str) -> None:
    make, message = SPOILS[spoil]
    sqlite_town.fill(1)
    before, senders = sqlite_town.texts(), sqlite_town.senders()
    spoiled = tmp_path / "in" / "spoiled.tar.gz"
    spoiled.parent.mkdir()
    spoiled.write_bytes(make(*contents(backup)))
    assert message in refused(sqlite_town.run("restore", spoiled))
    assert sqlite_town.texts() == before
    assert sqlite_town.senders() == senders
    left = [path.name for path in tmp_path.rglob("*") if "evil" in path.name or ".restoring" in path.name]
    assert left == []


def test_a_backup_that_is_cut_off_is_a_clear_error(sqlite_town: Town, backup: Path) -> None:
    whole = backup.read_bytes()
    before = sqlite_town.texts()
    for share in range(1, 20):
        backup.write_bytes(whole[: len(whole) * share // 20])
        assert "cut off" in refused(sqlite_town.run("restore", backup))
    for place in range(20, len(whole) - 20, len(whole) // 25):
        backup.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert refused(sqlite_town.run("restore", backup))
    assert sqlite_town.texts() == before


def test_a_file_that_is_not_there(sqlite_town: Town, tmp_path: Path) -> None:
    assert "No such file" in refused(sqlite_town.run("restore", tmp_path / "no.tar.gz"))


def test_a_damaged_database_can_be_replaced(sqlite_town: Town, backup: Path) -> None:
    saved = sqlite_town.texts()
    path = sqlite_town.state / "stadtbot.db"
    path.write_bytes(b"\x00" * 5000)
    succeeded(sqlite_town.run("restore", backup))
    assert sqlite_town.texts() == saved


# Killed


STEPS = (
    "restore",
    "prepare",
    "_exchange",
    "exchange",
    "forget_old",
    "_unlink",
    "_rename",
    "save",
    "_new_file",
    "_work",
)
"""Functions in which it matters when a process is killed."""


def killed_at(step: int, arguments: list[str]) -> int | None:
    """Run a command in a process that kills itself at a line of its work; gives the lines that it did if it ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        seen = 0

        def follow(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal seen
            code = frame.f_code
            if code.co_name not in STEPS or not code.co_filename.endswith(("core/copies.py", "core/backup.py")):
                return None
            if event == "line":
                seen += 1
                if seen == step:
                    os.kill(os.getpid(), signal.SIGKILL)
            return follow

        sys.settrace(follow)
        CliRunner().invoke(app, arguments)
        os.write(writing, str(seen).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        done = pipe.read()
    os.waitpid(child, 0)
    return int(done) if done else None


@pytest.mark.slow
def test_killed_at_any_moment_the_old_or_the_new_is_there(town: Town, tmp_path: Path) -> None:
    ids = town.fill()
    file = tmp_path / "b.tar.gz"
    succeeded(town.run("backup", file))
    new, outcomes = town.texts(), set()
    town.fill(1)
    old, old_senders = town.texts(), town.senders()
    step, lines = 1, None
    while lines is None:
        lines = killed_at(step, ["db", "restore", str(file)])
        texts, senders = town.texts(), town.senders()
        assert texts in (old, new), step
        assert senders in (old_senders, sorted(ids)), step
        if not was_interrupted(town.state):
            assert (texts == new) == (senders == sorted(ids)), step
        outcomes.add((texts == new, senders == sorted(ids)))
        if texts == new or senders == sorted(ids):
            _repeat(town, file)
            assert (town.texts(), town.senders()) == (new, sorted(ids))
            town.fill(1)
            old, old_senders = town.texts(), town.senders()
        step += 1 if town.rasa.startswith("sqlite") else 3
    assert outcomes == {(False, False), (True, False), (True, True)}
    assert not was_interrupted(town.state)
    assert [path.name for path in town.state.iterdir() if "restor" in path.name or "unfinished" in path.name] == []


def _repeat(town: Town, file: Path) -> None:
    """Restore again; a server may need a moment to notice that the killed process is gone."""
    for _ in range(50):
        result = town.run("restore", file)
        if result.exit_code == 0:
            return
        assert "Stop Stadtbot" in result.stderr, result.output
        time.sleep(0.1)
    raise AssertionError("the database stays in use")


def test_an_interrupted_restore_is_finished_before_the_service_starts(sqlite_town: Town, backup: Path) -> None:
    (sqlite_town.state / "restore.interrupted").touch()
    assert "db restore" in refused(CliRunner().invoke(app, ["run"]))
    succeeded(sqlite_town.run("restore", backup))
    assert not was_interrupted(sqlite_town.state)


def test_a_killed_backup_leaves_nothing_for_long(sqlite_town: Town, tmp_path: Path) -> None:
    sqlite_town.fill()
    file = tmp_path / "b.tar.gz"
    step, lines = 1, None
    while lines is None:
        lines = killed_at(step, ["db", "backup", str(file)])
        assert file.exists() == (lines is not None) or not file.exists() or contents(file)
        file.unlink(missing_ok=True)
        step += 4
    succeeded(sqlite_town.run("backup", file))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "state"]
    assert not (sqlite_town.state / "backup.unfinished").exists()
