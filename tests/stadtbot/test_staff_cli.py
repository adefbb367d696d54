from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from core.accounts import AccountRow, AccountStore, Role
from core.audit import AuditLog
from core.clock import SystemClock
from core.database import Database
from core.encryption import Keyring, new_key, read_keys
from stadtbot import key_change
from stadtbot.cli import app
from stadtbot.settings import ROOT, Settings

PASSWORD = "Kornblume am Saaleufer 7"
Run = Callable[..., Result]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    monkeypatch.setenv("STADTBOT_STATE_FOLDER", str(folder))
    monkeypatch.setattr(key_change, "SETTLING_S", 0.0)
    return folder


@pytest.fixture
def run(state: Path) -> Run:
    return lambda *arguments, given=None: CliRunner().invoke(app, list(arguments), input=given)


@pytest.fixture
def store(run: Run, state: Path) -> AccountStore:
    lines(run("staff", "list"))
    database = Database(f"sqlite:///{state / 'stadtbot.db'}")
    keyring = Keyring.load(keys=None, file=state / "encryption.keys")
    return AccountStore(database, SystemClock(), keyring, AuditLog(database, SystemClock()))


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_new_account_sets_its_password_by_the_printed_link(run: Run, store: AccountStore) -> None:
    (link,) = lines(run("staff", "add", "Agent1", "--name", "Bürgerservice", "--role", "agent", "--role", "admin"))
    prefix, _, token = link.rpartition("/")
    assert prefix == "/mitarbeit/einrichten"
    account = store.finish_setup(token, PASSWORD)
    assert account
    assert (account.login, account.roles) == ("agent1", frozenset({Role.AGENT, Role.ADMIN}))


def test_password_from_the_input(run: Run, store: AccountStore) -> None:
    add = ("staff", "add", "agent1", "--name", "Bürgerservice", "--role", "agent", "--password-stdin")
    assert run(*add, given="kurz\n").exit_code == 1
    assert store.by_login("agent1") is None
    lines(run(*add, given=f"{PASSWORD}\n"))
    assert store.verify_password("agent1", PASSWORD)
    lines(run("staff", "reset-password", "agent1", "--password-stdin", given="Leuchtturm ohne Meerblick\n"))
    assert store.verify_password("agent1", "Leuchtturm ohne Meerblick")


def test_list_deactivate_and_activate(run: Run, store: AccountStore) -> None:
    for number, role in ((1, "admin"), (2, "agent")):
        lines(run("staff", "add", f"person{number}", "--name", f"Amt {number}", "--role", role))
    lines(run("staff", "deactivate", "person2"))
    assert lines(run("staff", "list")) == ["person1\tadmin\tactive\tAmt 1", "person2\tagent\tinactive\tAmt 2"]
    lines(run("staff", "activate", "person2"))
    assert lines(run("staff", "list"))[1] == "person2\tagent\tactive\tAmt 2"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "admin1", "--name", "X", "--role", "agent"), "There is an account"),
        (("add", "a b", "--name", "X", "--role", "agent"), "not accepted"),
        (("deactivate", "admin1"), "last account"),
        (("deactivate", "nobody"), "no account"),
        (("reset-password", "nobody"), "no account"),
    ],
)
def test_mistakes_are_said(run: Run, store: AccountStore, arguments: tuple[str, ...], sentence: str) -> None:
    lines(run("staff", "add", "admin1", "--name", "Kontenverwaltung", "--role", "admin"))
    result = run("staff", *arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert not result.stdout


def test_acts_of_the_command_line_are_in_the_audit_log(run: Run, store: AccountStore, state: Path) -> None:
    lines(run("staff", "add", "agent1", "--name", "Bürgerservice", "--role", "agent"))
    audit = AuditLog(Database(f"sqlite:///{state / 'stadtbot.db'}"), SystemClock())
    assert [(entry.act, entry.actor) for entry in audit.entries()] == [
        ("password_reset", None),
        ("account_created", None),
    ]


def test_keys_are_changed_while_a_service_uses_them(run: Run, store: AccountStore, state: Path) -> None:
    account = store.create(login="agent1", name="Bürgerservice", roles=[], by=None)
    secret = store.begin_totp(account.id)
    (first,) = read_keys(state / "encryption.keys")
    assert lines(run("db", "rotate-keys")) == ["1 texts are under the newest key now."]
    assert len(read_keys(state / "encryption.keys")) == 2
    assert store.totp_candidate(account.id) == secret
    assert lines(run("db", "rotate-keys", "--drop-old"))[1].startswith("2 older keys were dropped.")
    (last,) = read_keys(state / "encryption.keys")
    assert last != first
    assert store.totp_candidate(account.id) == secret


def test_no_key_goes_while_a_text_needs_another(run: Run, store: AccountStore, state: Path) -> None:
    account = store.create(login="agent1", name="Bürgerservice", roles=[], by=None)
    store.begin_totp(account.id)
    with Database(f"sqlite:///{state / 'stadtbot.db'}").session() as session:
        session.execute(sa.update(AccountRow).values(totp_candidate="gAAAAA"))
    result = run("db", "rotate-keys", "--drop-old")
    assert result.exit_code == 1
    assert "1 texts fit no key" in result.stderr
    assert len(read_keys(state / "encryption.keys")) == 2


def test_keys_of_a_setting_are_the_operators(
    run: Run, store: AccountStore, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = store.create(login="agent1", name="Bürgerservice", roles=[], by=None)
    secret = store.begin_totp(account.id)
    (old,) = read_keys(state / "encryption.keys")
    new = new_key()
    monkeypatch.setenv("STADTBOT_ENCRYPTION_KEYS", f"{new},{old}")
    assert "STADTBOT_ENCRYPTION_KEYS" in run("db", "rotate-keys", "--drop-old").stderr
    assert lines(run("db", "rotate-keys")) == ["1 texts are under the newest key now."]
    with Database(Settings().database).reading() as session:
        assert Keyring([new]).open(session.scalar(sa.select(AccountRow.totp_candidate)) or "") == secret


@pytest.mark.slow
def test_change_of_keys_that_was_killed_is_finished_by_the_next(run: Run, store: AccountStore, state: Path) -> None:
    """The real command, killed in the middle of several thousand texts."""
    keyring = Keyring.load(keys=None, file=state / "encryption.keys")
    database = Database(f"sqlite:///{state / 'stadtbot.db'}")
    now, number = SystemClock().now(), 20_000
    with database.session() as session:
        rows = (
            AccountRow(
                id=f"{count:032}",
                login=f"agent{count}",
                name="Amt",
                roles=[],
                totp_candidate=keyring.seal(str(count)),
                totp_step=0,
                created_at=now,
                updated_at=now,
            )
            for count in range(number)
        )
        session.add_all(rows)
    process = subprocess.Popen([sys.executable, "-m", "stadtbot", "db", "rotate-keys"], cwd=ROOT, env=os.environ)
    newest = 0
    while newest < 200:
        assert process.poll() is None, "the command was too fast for the test"
        time.sleep(0.01)
        newest = _under_newest_key(database, state)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 0 < _under_newest_key(database, state) < number
    lines(run("db", "rotate-keys", "--drop-old"))
    alone = Keyring(read_keys(state / "encryption.keys"))
    with database.reading() as session:
        sealed = session.execute(sa.select(AccountRow.id, AccountRow.totp_candidate)).all()
    assert all(alone.open(text or "") == str(int(account_id)) for account_id, text in sealed)
    assert len(sealed) == number


def _under_newest_key(database: Database, state: Path) -> int:
    keys = read_keys(state / "encryption.keys")
    if len(keys) < 2:
        return 0
    newest = Keyring(keys[:1])
    with database.reading() as session:
        return sum(newest.is_current(text or "") for text in session.scalars(sa.select(AccountRow.totp_candidate)))
