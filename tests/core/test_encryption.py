from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import encryption
from core.accounts import AccountRow, AccountStore
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.encryption import (
    InvalidKeys,
    Keyring,
    Unreadable,
    add_key,
    count_sealed,
    drop_old_keys,
    new_key,
    read_keys,
    reseal_all,
    sealed_columns,
)

SECRET = "Rückruf unter 03641 49-0"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state" / "encryption.keys"


@pytest.fixture
def ids(accounts: AccountStore, clock: FixedClock) -> list[str]:
    """Accounts of which each has a sealed text."""
    made = [accounts.create(login=f"agent{number}", name="Auskunft", roles=[], by=None).id for number in range(7)]
    for account_id in made:
        accounts.begin_totp(account_id)
    return made


def stored(database: Database) -> dict[str, str | None]:
    with database.reading() as session:
        rows = session.execute(sa.select(AccountRow.id, AccountRow.totp_candidate))
        return {account_id: sealed for account_id, sealed in rows}


def test_sealed_text_says_nothing_and_opens_again() -> None:
    keyring = Keyring([new_key()])
    sealed = keyring.seal(SECRET)
    assert SECRET not in sealed
    assert keyring.open(sealed) == SECRET
    assert keyring.seal(SECRET) != sealed


def test_wrong_key_and_changed_text_are_unreadable() -> None:
    keyring = Keyring([new_key()])
    sealed = keyring.seal(SECRET)
    for damaged in (sealed[:-4], sealed[:30] + "AAAA" + sealed[34:], "", SECRET):
        with pytest.raises(Unreadable):
            keyring.open(damaged)
    with pytest.raises(Unreadable):
        Keyring([new_key()]).open(sealed)


def test_newest_key_seals_and_all_open() -> None:
    old, new = new_key(), new_key()
    sealed = Keyring([old]).seal(SECRET)
    keyring = Keyring([new, old])
    assert keyring.open(sealed) == SECRET
    assert not keyring.is_current(sealed)
    resealed = keyring.reseal(sealed)
    assert keyring.is_current(resealed)
    assert Keyring([new]).open(resealed) == SECRET


@pytest.mark.parametrize("keys", ["", " , ", "x", f"{'a' * 44}", "ä"])
def test_setting_that_holds_no_keys_is_a_clear_error(file: Path, keys: str) -> None:
    with pytest.raises(InvalidKeys, match="STADTBOT_ENCRYPTION_KEYS"):
        Keyring.load(keys=keys, file=file)
    assert not file.exists()


def test_keys_of_a_setting_need_no_file(file: Path) -> None:
    new, old = new_key(), new_key()
    keyring = Keyring.load(keys=f"{new}, {old}", file=file)
    assert keyring.open(Keyring([old]).seal(SECRET)) == SECRET
    assert not file.exists()


def test_file_is_made_once_and_for_its_owner_only(file: Path) -> None:
    sealed = Keyring.load(keys=None, file=file).seal(SECRET)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Keyring.load(keys=None, file=file).open(sealed) == SECRET
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_processes_that_start_at_once_get_the_same_key(file: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keyrings = list(pool.map(lambda _: Keyring.load(keys=None, file=file), range(8)))
    sealed = keyrings[0].seal(SECRET)
    assert [keyring.open(sealed) for keyring in keyrings] == [SECRET] * 8


@pytest.mark.parametrize("content", [b"", b"damaged\n", b"\xff\xfe", b"a" * 44 + b"\n"])
def test_damaged_file_is_a_clear_error_and_stays(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    for act in (lambda: Keyring.load(keys=None, file=file), lambda: add_key(file), lambda: drop_old_keys(file)):
        with pytest.raises(InvalidKeys, match=r"encryption\.keys"):
            act()
    assert file.read_bytes() == content


def test_keyring_follows_its_file(file: Path) -> None:
    """A running service takes part in a change of keys."""
    service = Keyring.load(keys=None, file=file)
    before = service.seal(SECRET)
    add_key(file)
    elsewhere = Keyring.load(keys=None, file=file)
    assert service.open(elsewhere.seal(SECRET)) == SECRET
    assert elsewhere.is_current(service.seal(SECRET))
    assert drop_old_keys(file) == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert service.seal(SECRET)
    with pytest.raises(Unreadable):
        service.open(before)


def test_keyring_keeps_its_keys_while_the_file_is_damaged(file: Path) -> None:
    service = Keyring.load(keys=None, file=file)
    sealed = service.seal(SECRET)
    file.write_bytes(b"damaged")
    assert service.open(service.seal(SECRET)) == service.open(sealed) == SECRET


def test_sealed_columns_are_found_by_their_type() -> None:
    found = {(table.name, name) for table, name in sealed_columns()}
    assert {("accounts", "totp_secret"), ("accounts", "totp_candidate"), ("pending_signins", "verifier")} <= found


def test_everything_is_resealed(database: Database, keyring: Keyring, ids: list[str]) -> None:
    before = stored(database)
    old, new = keyring, Keyring([new_key()])
    both = _both(new, old)
    seen: list[int] = []
    done = reseal_all(database, both, progress=seen.append)
    assert (done.resealed, done.unreadable) == (7, 0)
    assert sum(seen) == count_sealed(database) == 7
    for account_id, sealed in stored(database).items():
        before_it = before[account_id]
        assert sealed is not None
        assert before_it is not None
        assert new.open(sealed) == old.open(before_it)
    assert reseal_all(database, both).resealed == 0


def test_resealing_goes_on_where_it_was_killed(
    database: Database, keyring: Keyring, ids: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encryption, "BATCH", 3)
    new = Keyring([new_key()])
    both = _both(new, keyring)

    def killed(_seen: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reseal_all(database, both, progress=killed)
    assert sorted(both.is_current(sealed or "") for sealed in stored(database).values()) == [False] * 4 + [True] * 3
    assert reseal_all(database, both).resealed == 4
    assert all(new.open(sealed or "") for sealed in stored(database).values())


def test_what_is_written_meanwhile_stays(database: Database, keyring: Keyring, ids: list[str]) -> None:
    """A text that changes between reading and exchange is not lost."""
    both = _both(Keyring([new_key()]), keyring)
    changed = both.seal("a new secret")

    class Interfering(Keyring):
        def reseal(self, sealed: str) -> str:
            with database.session() as session:
                statement = sa.update(AccountRow).where(AccountRow.totp_candidate == sealed)
                session.execute(statement.values(totp_candidate=changed))
            return super().reseal(sealed)

    interfering = Interfering([new_key()])
    interfering._fernets = both._fernets
    assert reseal_all(database, interfering).resealed == 0
    assert set(stored(database).values()) == {changed}


def test_text_that_no_key_opens_stays_and_is_counted(
    database: Database, keyring: Keyring, ids: list[str], clock: FixedClock, audit: AuditLog
) -> None:
    foreign = Keyring([new_key()]).seal("lost")
    with database.session() as session:
        session.execute(sa.update(AccountRow).where(AccountRow.id == ids[0]).values(totp_candidate=foreign))
    done = reseal_all(database, _both(Keyring([new_key()]), keyring))
    assert (done.resealed, done.unreadable) == (6, 1)
    assert stored(database)[ids[0]] == foreign


def test_keys_in_the_file_are_the_newest_first(file: Path) -> None:
    Keyring.load(keys=None, file=file)
    first = read_keys(file)
    add_key(file)
    assert read_keys(file)[1:] == first


def _both(new: Keyring, old: Keyring) -> Keyring:
    keyring = Keyring([new_key()])
    keyring._fernets = [*new._fernets, *old._fernets]
    return keyring
