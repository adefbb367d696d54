from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from sqlalchemy import update

from core.accounts import (
    Account,
    AccountExists,
    AccountRow,
    AccountStore,
    InvalidAccount,
    LastAdmin,
    Role,
    UnknownAccount,
)
from core.audit import AuditLog
from core.clock import FixedClock
from core.database import Database
from core.passwords import PasswordRefused
from core.sessions import SessionStore

PASSWORD = "Kornblume am Saaleufer 7"
OTHER_PASSWORD = "Leuchtturm ohne Meerblick"


def account(accounts: AccountStore, login: str = "agent1", *roles: Role) -> Account:
    return accounts.create(login=login, name="Bürgerservice", roles=roles or (Role.AGENT,), by=None)


def with_password(accounts: AccountStore, login: str = "agent1", *roles: Role) -> Account:
    made = account(accounts, login, *roles)
    accounts.set_password(made.id, PASSWORD, by=made)
    return made


def with_totp(accounts: AccountStore, clock: FixedClock) -> tuple[Account, pyotp.TOTP, list[str]]:
    made = with_password(accounts)
    totp = pyotp.TOTP(accounts.begin_totp(made.id))
    codes = accounts.enable_totp(made.id, totp.at(clock.now()), by=made)
    assert codes is not None
    clock.advance(seconds=30)
    return made, totp, codes


def acts(audit: AuditLog) -> list[str]:
    return [entry.act for entry in reversed(audit.entries())]


def test_account_comes_back_as_it_was_made(accounts: AccountStore) -> None:
    made = accounts.create(
        login=" Agent1@Stadt.example ", name=" Bürgerservice  Frau K. ", roles={Role.AGENT, Role.EDITOR}, by=None
    )
    assert accounts.get(made.id) == accounts.by_login("AGENT1@stadt.example") == made
    assert (made.login, made.name) == ("agent1@stadt.example", "Bürgerservice Frau K.")
    assert made.roles == {Role.AGENT, Role.EDITOR}
    assert (made.active, made.has_password, made.has_totp, made.provider) == (True, False, False, None)


def test_login_is_taken_whatever_its_case(accounts: AccountStore) -> None:
    account(accounts, "agent1")
    with pytest.raises(AccountExists):
        account(accounts, "AGENT1")


@pytest.mark.parametrize(("login", "name"), [("a b", "X"), ("x", "X"), ("agent1", " "), ("agent1", "a\0b")])
def test_what_is_no_login_or_no_name_is_refused(accounts: AccountStore, login: str, name: str) -> None:
    with pytest.raises(InvalidAccount):
        accounts.create(login=login, name=name, roles=[], by=None)


def test_unknown_account(accounts: AccountStore) -> None:
    assert accounts.by_login("nobody") is None
    for act in (accounts.get, accounts.begin_totp, lambda unknown: accounts.change(unknown, by=None, active=False)):
        with pytest.raises(UnknownAccount):
            act("nobody")


def test_right_password_of_an_active_account_only(accounts: AccountStore) -> None:
    made = with_password(accounts)
    account(accounts, "agent2")
    found = accounts.verify_password("Agent1", PASSWORD)
    assert found is not None
    assert found.id == made.id
    assert accounts.verify_password("agent1", OTHER_PASSWORD) is None
    assert accounts.verify_password("agent2", PASSWORD) is None
    assert accounts.verify_password("nobody", PASSWORD) is None
    accounts.change(made.id, by=None, active=False)
    assert accounts.verify_password("agent1", PASSWORD) is None


def test_every_wrong_sign_in_costs_one_hash(accounts: AccountStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with_password(accounts)
    account(accounts, "agent2")
    checked: list[str] = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, stored: str, given: str) -> bool:
        checked.append(stored)
        return verify(self, stored, given)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for login in ("agent1", "agent2", "nobody"):
        accounts.verify_password(login, OTHER_PASSWORD)
    assert len(checked) == 3


def test_password_is_stored_as_a_hash_of_today(accounts: AccountStore, database: Database) -> None:
    made = with_password(accounts)
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    with database.session() as session:
        session.execute(update(AccountRow).where(AccountRow.id == made.id).values(password_hash=old))
    assert accounts.verify_password("agent1", PASSWORD)
    with database.reading() as session:
        stored = session.get_one(AccountRow, made.id).password_hash
    assert stored is not None
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert accounts.verify_password("agent1", PASSWORD)


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("kurz", "too-short"),
        ("x" * 300, "too-long"),
        ("aaaaaaaaaaaaaaaa", "too-easy"),
        ("Passwort1234", "too-easy"),
        ("agent1agent1!", "too-easy"),
        ("Bürgerservice2026", "too-easy"),
        ("123456789012", "too-easy"),
    ],
)
def test_weak_password_is_refused(accounts: AccountStore, password: str, code: str) -> None:
    made = account(accounts)
    with pytest.raises(PasswordRefused) as refused:
        accounts.set_password(made.id, password, by=made)
    assert refused.value.code == code


def test_new_password_ends_the_other_sessions(accounts: AccountStore, sessions: SessionStore) -> None:
    made = account(accounts)
    (mine, my_token), (_, other_token) = sessions.begin(made.id), sessions.begin(made.id)
    accounts.set_password(made.id, PASSWORD, by=made, keep_session=mine.id)
    assert sessions.find(my_token)
    assert sessions.find(other_token) is None


def test_other_roles_and_deactivation_end_sessions(accounts: AccountStore, sessions: SessionStore) -> None:
    made = account(accounts)
    _, token = sessions.begin(made.id)
    accounts.change(made.id, by=None, name="Anders")
    assert sessions.find(token)
    accounts.change(made.id, by=None, roles=[Role.EDITOR])
    assert sessions.find(token) is None
    session, token = sessions.begin(made.id)
    accounts.change(made.id, by=None, active=False, keep_session=session.id)
    assert sessions.find(token) is None


def test_last_admin_stays(accounts: AccountStore) -> None:
    first = account(accounts, "admin1", Role.ADMIN)
    second = account(accounts, "admin2", Role.ADMIN)
    accounts.change(second.id, by=first, active=False)
    for change in ({"active": False}, {"roles": [Role.AGENT]}):
        with pytest.raises(LastAdmin):
            accounts.change(first.id, by=first, **change)
    assert accounts.get(first.id) == first
    accounts.change(second.id, by=first, active=True)
    assert not accounts.change(first.id, by=first, active=False).active


def test_two_admins_cannot_take_each_other_the_role_at_once(accounts: AccountStore) -> None:
    made = [account(accounts, f"admin{number}", Role.ADMIN) for number in range(4)]

    def deactivate(number: int) -> bool:
        try:
            return not accounts.change(made[number].id, by=None, active=False).active
        except LastAdmin:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(deactivate, range(4))) == [False, True, True, True]


def test_setup_link_is_used_once(accounts: AccountStore) -> None:
    made = account(accounts)
    token = accounts.begin_setup(made.id, by=None)
    assert accounts.of_setup(token) == made
    with pytest.raises(PasswordRefused):
        accounts.finish_setup(token, "kurz")
    assert accounts.finish_setup(token, PASSWORD)
    assert accounts.verify_password("agent1", PASSWORD)
    assert accounts.finish_setup(token, OTHER_PASSWORD) is None
    assert accounts.of_setup(token) is None


def test_setup_link_ends_after_a_day_and_with_a_newer_one(accounts: AccountStore, clock: FixedClock) -> None:
    made = account(accounts)
    first = accounts.begin_setup(made.id, by=None)
    second = accounts.begin_setup(made.id, by=None)
    assert accounts.of_setup(first) is None
    clock.advance(hours=23)
    assert accounts.of_setup(second)
    clock.advance(hours=1)
    assert accounts.finish_setup(second, PASSWORD) is None
    assert accounts.expire_links() == 1


def test_setup_link_rests_while_the_account_is_inactive(accounts: AccountStore) -> None:
    made = account(accounts)
    token = accounts.begin_setup(made.id, by=None)
    accounts.change(made.id, by=None, active=False)
    assert accounts.of_setup(token) is None
    assert accounts.finish_setup(token, PASSWORD) is None
    accounts.change(made.id, by=None, active=True)
    assert accounts.finish_setup(token, PASSWORD)


def test_reset_takes_the_old_password_away(accounts: AccountStore) -> None:
    made = with_password(accounts)
    accounts.begin_setup(made.id, by=None)
    assert accounts.verify_password("agent1", PASSWORD) is None


def test_second_factor_is_on_after_its_first_code(accounts: AccountStore, clock: FixedClock) -> None:
    made = with_password(accounts)
    secret = accounts.begin_totp(made.id)
    assert accounts.totp_candidate(made.id) == secret
    assert accounts.enable_totp(made.id, "000000", by=made) is None
    assert not accounts.get(made.id).has_totp
    assert accounts.enable_totp(made.id, pyotp.TOTP(secret).at(clock.now()), by=made)
    assert accounts.get(made.id).has_totp
    assert accounts.totp_candidate(made.id) is None


def test_code_of_the_app_counts_once(accounts: AccountStore, clock: FixedClock) -> None:
    made, totp, _ = with_totp(accounts, clock)
    code = totp.at(clock.now())
    assert accounts.verify_second_factor(made.id, f"{code[:3]} {code[3:]}")
    assert not accounts.verify_second_factor(made.id, code)
    clock.advance(minutes=5)
    assert not accounts.verify_second_factor(made.id, code)
    assert accounts.verify_second_factor(made.id, totp.at(clock.now(), counter_offset=-1))


def test_of_many_with_the_same_code_one_gets_in(accounts: AccountStore, clock: FixedClock) -> None:
    made, totp, _ = with_totp(accounts, clock)
    code = totp.at(clock.now())
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: accounts.verify_second_factor(made.id, code), range(4)))
    assert sum(got) == 1


def test_recovery_code_counts_once(accounts: AccountStore, clock: FixedClock) -> None:
    made, _, codes = with_totp(accounts, clock)
    assert len(set(codes)) == 10
    assert accounts.verify_second_factor(made.id, codes[3].lower().replace("-", " "))
    assert not accounts.verify_second_factor(made.id, codes[3])
    assert accounts.recovery_codes_left(made.id) == 9


def test_second_factor_can_be_taken_away(accounts: AccountStore, clock: FixedClock) -> None:
    made, totp, codes = with_totp(accounts, clock)
    accounts.disable_totp(made.id, by=made)
    assert not accounts.get(made.id).has_totp
    assert not accounts.verify_second_factor(made.id, totp.at(clock.now()))
    assert not accounts.verify_second_factor(made.id, codes[0])


def test_secrets_are_not_readable_in_the_database(
    accounts: AccountStore, clock: FixedClock, database: Database
) -> None:
    made, totp, codes = with_totp(accounts, clock)
    token = accounts.begin_setup(made.id, by=None)
    with database.engine.connect() as connection:
        stored = "".join(
            repr(connection.execute(sa.text(f"SELECT * FROM {table}")).all())
            for table in ("accounts", "recovery_codes", "setup_links", "audit")
        )
    for secret in (PASSWORD, totp.secret, token, *codes):
        assert secret not in stored


def test_provider_vouches_for_one_account(accounts: AccountStore) -> None:
    made = account(accounts)
    accounts.link(made.id, issuer="https://login.example", subject="4711", by=made)
    found = accounts.by_provider("https://login.example", "4711")
    assert found is not None
    assert (found.id, found.provider) == (made.id, "https://login.example")
    assert accounts.by_provider("https://other.example", "4711") is None
    other = account(accounts, "agent2")
    with pytest.raises(AccountExists):
        accounts.link(other.id, issuer="https://login.example", subject="4711", by=other)
    accounts.unlink(made.id, by=made)
    assert accounts.by_provider("https://login.example", "4711") is None


def test_every_change_is_in_the_audit_log(accounts: AccountStore, audit: AuditLog) -> None:
    admin = account(accounts, "admin1", Role.ADMIN)
    made = accounts.create(login="agent1", name="Bürgerservice", roles=[Role.AGENT], by=admin)
    accounts.change(made.id, by=admin, name="Standesamt", roles=[Role.EDITOR])
    accounts.change(made.id, by=admin, name="Standesamt")
    accounts.change(made.id, by=admin, active=False)
    accounts.change(made.id, by=admin, active=True)
    accounts.finish_setup(accounts.begin_setup(made.id, by=admin), PASSWORD)
    assert acts(audit) == [
        "account_created",
        "account_created",
        "account_changed",
        "account_deactivated",
        "account_activated",
        "password_reset",
        "password_set",
    ]
    changed = audit.entries(act="account_changed")[0]
    assert (changed.actor, changed.actor_login, changed.subject) == (admin.id, "admin1", "agent1")
    assert changed.details == {
        "name": {"from": "Bürgerservice", "to": "Standesamt"},
        "roles": {"from": ["agent"], "to": ["editor"]},
    }


def test_refused_change_leaves_no_entry(accounts: AccountStore, audit: AuditLog) -> None:
    admin = account(accounts, "admin1", Role.ADMIN)
    with pytest.raises(LastAdmin):
        accounts.change(admin.id, by=admin, active=False)
    assert acts(audit) == ["account_created"]


def test_inactive_account_is_erased_after_a_while(accounts: AccountStore, audit: AuditLog, clock: FixedClock) -> None:
    gone, kept = account(accounts, "agent1"), account(accounts, "agent2")
    accounts.begin_setup(gone.id, by=None)
    accounts.change(gone.id, by=None, active=False)
    clock.advance(days=99)
    assert accounts.erase_inactive(after=dt.timedelta(days=100)) == 0
    clock.advance(days=1)
    assert accounts.erase_inactive(after=dt.timedelta(days=100)) == 1
    assert accounts.all() == [kept]
    assert audit.entries()[0].subject == "agent1"
