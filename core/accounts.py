"""Accounts of staff. Every change is one short transaction that writes its entry in the audit log as well."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import unicodedata
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import JSON, ForeignKey, Integer, String, UniqueConstraint, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from core import passwords
from core.audit import AuditLog
from core.clock import Clock
from core.database import Base, Database, UtcDateTime
from core.encryption import Keyring, SealedText
from core.roles import Role as Role
from core.second_factor import accepted_step, hash_of_code, new_codes, new_secret
from core.sessions import end_sessions, token_hash

LINK_LIFETIME = dt.timedelta(hours=24)
LOGIN = re.compile(r"[\w.@+-]{2,100}")
MAX_NAME_LENGTH = 100


class AccountError(Exception):
    """Base of what can go wrong with accounts.

    AccountError
    ├── UnknownAccount: there is none
    ├── InvalidAccount: a login or a name is not accepted
    ├── AccountExists: the login, or the person at the provider, has an account
    └── LastAdmin: nobody would be left who may manage accounts
    """


class UnknownAccount(AccountError):
    """There is no such account."""


class InvalidAccount(AccountError):
    """The login or the name is not accepted; `code` says which: login-invalid or name-invalid."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AccountExists(AccountError):
    """The login is taken, or the person at the provider has an account already."""


class LastAdmin(AccountError):
    """The change would leave no active account that may manage accounts."""


class AccountRow(Base):
    """An account. `name` is what citizens see; `login` is case-folded.

    `totp_candidate` is a secret that its owner has not confirmed yet, `totp_step` the last step whose code was taken.
    """

    __tablename__ = "accounts"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    login: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str | None] = mapped_column(String(200), default=None)
    totp_secret: Mapped[str | None] = mapped_column(SealedText, default=None)
    totp_candidate: Mapped[str | None] = mapped_column(SealedText, default=None)
    totp_step: Mapped[int] = mapped_column(Integer, default=0)
    roles: Mapped[list[str]] = mapped_column(JSON)
    issuer: Mapped[str | None] = mapped_column(String(500), default=None)
    subject: Mapped[str | None] = mapped_column(String(255), default=None)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class RecoveryCodeRow(Base):
    """A code that stands in once for a lost second factor."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)


class SetupLinkRow(Base):
    """A link with which the owner of an account sets the password, once."""

    __tablename__ = "setup_links"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(UtcDateTime, index=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account without its secrets. `provider` is the issuer that may vouch for the person."""

    id: str
    login: str
    name: str
    roles: frozenset[Role]
    active: bool
    has_password: bool
    has_totp: bool
    provider: str | None

    def has(self, *roles: Role) -> bool:
        """Whether the account has one of the roles; true without any."""
        return not roles or not self.roles.isdisjoint(roles)


class AccountStore:
    """Keeps accounts. `by` is the account that acts; None where it is the command line."""

    def __init__(self, database: Database, clock: Clock, keyring: Keyring, audit: AuditLog) -> None:
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._audit = audit

    def create(
        self,
        *,
        login: str,
        name: str,
        roles: Collection[Role],
        by: Account | None,
        provider: tuple[str, str] | None = None,
    ) -> Account:
        """A new account, without a password; `provider` is issuer and subject of a person at a provider.

        Raises:
            InvalidAccount: login or name is not accepted.
            AccountExists: the login is taken, or the person has an account.
        """
        now = self._clock.now()
        row = AccountRow(
            id=uuid.uuid4().hex,
            login=normal_login(login),
            name=_normal_name(name),
            roles=sorted(roles),
            active=True,
            totp_step=0,
            created_at=now,
            updated_at=now,
        )
        if provider is not None:
            row.issuer, row.subject = provider
        try:
            with self._database.session() as session:
                session.add(row)
                session.flush()
                self._audit.record_in(
                    session, "account_created", actor=by, subject=row.login, name=row.name, roles=row.roles
                )
        except IntegrityError:
            raise AccountExists(row.login) from None
        return _account(row)

    def get(self, account_id: str) -> Account:
        """
        Raises:
            UnknownAccount: there is none of this id.
        """
        with self._database.reading() as session:
            return _account(_find(session, account_id))

    def by_login(self, login: str) -> Account | None:
        with self._database.reading() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.login == _folded(login)))
            return _account(row) if row is not None else None

    def by_provider(self, issuer: str, subject: str) -> Account | None:
        """The account of a person whom a provider vouches for."""
        query = select(AccountRow).where(AccountRow.issuer == issuer, AccountRow.subject == subject)
        with self._database.reading() as session:
            row = session.scalar(query)
            return _account(row) if row is not None else None

    def all(self) -> list[Account]:
        """Every account, by name."""
        with self._database.reading() as session:
            return [_account(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.name))]

    def change(
        self,
        account_id: str,
        *,
        by: Account | None,
        name: str | None = None,
        roles: Collection[Role] | None = None,
        active: bool | None = None,
        keep_session: str | None = None,
    ) -> Account:
        """Change what is given. Other roles and deactivation end the account's sessions, except `keep_session`.

        Raises:
            UnknownAccount: there is none of this id.
            InvalidAccount: the name is not accepted.
            LastAdmin: nobody would be left who may manage accounts.
        """
        with self._database.session() as session:
            _hold_admins(session)
            row = _find(session, account_id, lock=True)
            before = _account(row)
            row.name = row.name if name is None else _normal_name(name)
            row.roles = row.roles if roles is None else sorted(roles)
            row.active = row.active if active is None else active
            after = _account(row)
            if after == before:
                return after
            row.updated_at = self._clock.now()
            if (after.roles, after.active) != (before.roles, before.active):
                end_sessions(session, account_id, except_=keep_session if after.active else None)
            session.flush()
            if _is_admin(before) and not _is_admin(after) and not any(map(_is_admin, _active(session))):
                raise LastAdmin(account_id)
            self._audit.record_in(
                session, _act_of_change(before, after), actor=by, subject=row.login, **_differences(before, after)
            )
        return after

    def verify_password(self, login: str, password: str) -> Account | None:
        """The active account of this login and password; takes as long where there is no such login."""
        with self._database.reading() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.login == _folded(login)))
        stored = row.password_hash if row is not None else None
        if not passwords.matches(password, stored) or row is None or stored is None or not row.active:
            return None
        if passwords.is_outdated(stored):
            same = (AccountRow.id == row.id) & (AccountRow.password_hash == stored)
            with self._database.session() as session:
                session.execute(update(AccountRow).where(same).values(password_hash=passwords.hash_password(password)))
        return _account(row)

    def set_password(
        self, account_id: str, password: str, *, by: Account | None, keep_session: str | None = None
    ) -> None:
        """Set a password; the account's links and its sessions except `keep_session` end.

        Raises:
            UnknownAccount: there is none of this id.
            PasswordRefused: the password is too short or too easy to guess.
        """
        account = self.get(account_id)
        passwords.check_strength(password, login=account.login, name=account.name)
        hashed = passwords.hash_password(password)
        with self._database.session() as session:
            self._put_password(session, account_id, hashed, by=by, keep_session=keep_session)

    def begin_setup(self, account_id: str, *, by: Account | None) -> str:
        """Take the password away; gives the token of a link, valid once for 24 hours, to set a new one.

        Raises:
            UnknownAccount: there is none of this id.
        """
        token = secrets.token_urlsafe(32)
        until = self._clock.now() + LINK_LIFETIME
        with self._database.session() as session:
            row = _find(session, account_id, lock=True)
            row.password_hash = None
            row.updated_at = self._clock.now()
            end_sessions(session, account_id)
            session.execute(delete(SetupLinkRow).where(SetupLinkRow.account_id == account_id))
            session.add(SetupLinkRow(token_hash=token_hash(token), account_id=account_id, expires_at=until))
            session.flush()
            self._audit.record_in(session, "password_reset", actor=by, subject=row.login)
        return token

    def of_setup(self, token: str) -> Account | None:
        """The active account whose password a link sets."""
        query = select(AccountRow).join(SetupLinkRow, SetupLinkRow.account_id == AccountRow.id)
        query = query.where(
            SetupLinkRow.token_hash == token_hash(token),
            SetupLinkRow.expires_at > self._clock.now(),
            AccountRow.active.is_(True),
        )
        with self._database.reading() as session:
            row = session.scalar(query)
            return _account(row) if row is not None else None

    def finish_setup(self, token: str, password: str) -> Account | None:
        """Set the password of a link, which is used up then; None where the link is not valid.

        Raises:
            PasswordRefused: the password is too short or too easy to guess; the link stays valid.
        """
        account = self.of_setup(token)
        if account is None:
            return None
        passwords.check_strength(password, login=account.login, name=account.name)
        hashed = passwords.hash_password(password)
        with self._database.session() as session:
            used = delete(SetupLinkRow).where(SetupLinkRow.token_hash == token_hash(token))
            if session.execute(used.returning(SetupLinkRow.account_id)).first() is None:
                return None
            return self._put_password(session, account.id, hashed, by=account, keep_session=None)

    def link(self, account_id: str, *, issuer: str, subject: str, by: Account | None) -> None:
        """Let a provider vouch for the account's owner.

        Raises:
            UnknownAccount: there is none of this id.
            AccountExists: the person at the provider has another account.
        """
        try:
            with self._database.session() as session:
                row = _find(session, account_id, lock=True)
                row.issuer, row.subject = issuer, subject
                row.updated_at = self._clock.now()
                session.flush()
                self._audit.record_in(session, "provider_linked", actor=by, subject=row.login, issuer=issuer)
        except IntegrityError:
            raise AccountExists(account_id) from None

    def unlink(self, account_id: str, *, by: Account | None) -> None:
        """Take the link to a provider away.

        Raises:
            UnknownAccount: there is none of this id.
        """
        with self._database.session() as session:
            row = _find(session, account_id, lock=True)
            row.issuer = row.subject = None
            row.updated_at = self._clock.now()
            self._audit.record_in(session, "provider_unlinked", actor=by, subject=row.login)

    def begin_totp(self, account_id: str) -> str:
        """A new secret for the second factor, in base32, that counts once a code has confirmed it.

        Raises:
            UnknownAccount: there is none of this id.
        """
        secret = new_secret()
        with self._database.session() as session:
            _find(session, account_id, lock=True).totp_candidate = self._keyring.seal(secret)
        return secret

    def totp_candidate(self, account_id: str) -> str | None:
        """The secret that waits for its first code.

        Raises:
            UnknownAccount: there is none of this id.
            Unreadable: no key opens it.
        """
        with self._database.reading() as session:
            sealed = _find(session, account_id).totp_candidate
        return self._keyring.open(sealed) if sealed is not None else None

    def enable_totp(self, account_id: str, code: str, *, by: Account | None) -> list[str] | None:
        """Turn the second factor on by a first code; gives recovery codes, or None for a wrong code.

        Raises:
            UnknownAccount: there is none of this id.
            Unreadable: no key opens the secret.
        """
        with self._database.session() as session:
            row = _find(session, account_id, lock=True)
            if row.totp_candidate is None:
                return None
            secret = self._keyring.open(row.totp_candidate)
            step = accepted_step(secret, code, now=self._clock.now(), after=0)
            if step is None:
                return None
            row.totp_secret, row.totp_candidate, row.totp_step = row.totp_candidate, None, step
            row.updated_at = self._clock.now()
            codes = new_codes()
            session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == account_id))
            session.add_all(RecoveryCodeRow(account_id=account_id, code_hash=hash_of_code(code)) for code in codes)
            session.flush()
            self._audit.record_in(session, "totp_enabled", actor=by, subject=row.login)
        return codes

    def disable_totp(self, account_id: str, *, by: Account | None) -> None:
        """Turn the second factor off.

        Raises:
            UnknownAccount: there is none of this id.
        """
        with self._database.session() as session:
            row = _find(session, account_id, lock=True)
            row.totp_secret = row.totp_candidate = None
            row.updated_at = self._clock.now()
            session.execute(delete(RecoveryCodeRow).where(RecoveryCodeRow.account_id == account_id))
            session.flush()
            self._audit.record_in(session, "totp_disabled", actor=by, subject=row.login)

    def verify_second_factor(self, account_id: str, code: str) -> bool:
        """Whether a code of the app is right and new, or a recovery code, which is used up then.

        Raises:
            UnknownAccount: there is none of this id.
            Unreadable: no key opens the secret.
        """
        with self._database.session() as session:
            used = delete(RecoveryCodeRow).where(
                RecoveryCodeRow.account_id == account_id, RecoveryCodeRow.code_hash == hash_of_code(code)
            )
            row = _find(session, account_id, lock=True)
            if session.execute(used.returning(RecoveryCodeRow.code_hash)).first() is not None:
                self._audit.record_in(session, "recovery_code_used", actor=_account(row), subject=row.login)
                return True
            if row.totp_secret is None:
                return False
            secret = self._keyring.open(row.totp_secret)
            step = accepted_step(secret, code, now=self._clock.now(), after=row.totp_step)
            if step is None:
                return False
            row.totp_step = step
            return True

    def recovery_codes_left(self, account_id: str) -> int:
        with self._database.reading() as session:
            codes = select(RecoveryCodeRow.code_hash).where(RecoveryCodeRow.account_id == account_id)
            return len(session.scalars(codes).all())

    def expire_links(self) -> int:
        """Erase the setup links whose time is over; gives their number."""
        over = delete(SetupLinkRow).where(SetupLinkRow.expires_at <= self._clock.now())
        with self._database.session() as session:
            return len(session.scalars(over.returning(SetupLinkRow.token_hash)).all())

    def erase_inactive(self, *, after: dt.timedelta) -> int:
        """Erase the accounts that have been inactive for a while; gives their number."""
        over = AccountRow.active.is_(False) & (AccountRow.updated_at <= self._clock.now() - after)
        with self._database.session() as session:
            logins = session.scalars(delete(AccountRow).where(over).returning(AccountRow.login)).all()
            for login in logins:
                self._audit.record_in(session, "account_erased", actor=None, subject=login)
            return len(logins)

    def _put_password(
        self, session: Session, account_id: str, hashed: str, *, by: Account | None, keep_session: str | None
    ) -> Account:
        row = _find(session, account_id, lock=True)
        row.password_hash = hashed
        row.updated_at = self._clock.now()
        end_sessions(session, account_id, except_=keep_session)
        session.execute(delete(SetupLinkRow).where(SetupLinkRow.account_id == account_id))
        session.flush()
        self._audit.record_in(session, "password_set", actor=by, subject=row.login)
        return _account(row)


def normal_login(login: str) -> str:
    """A login as it is stored.

    Raises:
        InvalidAccount: it is not accepted.
    """
    folded = _folded(login)
    if not LOGIN.fullmatch(folded):
        raise InvalidAccount("login-invalid")
    return folded


def _folded(login: str) -> str:
    return unicodedata.normalize("NFKC", login).strip().casefold()


def _normal_name(name: str) -> str:
    normal = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(normal) <= MAX_NAME_LENGTH or not normal.isprintable():
        raise InvalidAccount("name-invalid")
    return normal


def _find(session: Session, account_id: str, *, lock: bool = False) -> AccountRow:
    query = select(AccountRow).where(AccountRow.id == account_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise UnknownAccount(account_id)
    return row


def _hold_admins(session: Session) -> None:
    """Lock the active accounts, so that two admins cannot take each other the role at the same time."""
    session.execute(select(AccountRow.id).where(AccountRow.active.is_(True)).order_by(AccountRow.id).with_for_update())


def _active(session: Session) -> list[Account]:
    return [_account(row) for row in session.scalars(select(AccountRow).where(AccountRow.active.is_(True)))]


def _is_admin(account: Account) -> bool:
    return account.active and Role.ADMIN in account.roles


def _act_of_change(before: Account, after: Account) -> str:
    if before.active != after.active:
        return "account_activated" if after.active else "account_deactivated"
    return "account_changed"


def _differences(before: Account, after: Account) -> dict[str, object]:
    changes: dict[str, object] = {}
    if before.name != after.name:
        changes["name"] = {"from": before.name, "to": after.name}
    if before.roles != after.roles:
        changes["roles"] = {"from": sorted(before.roles), "to": sorted(after.roles)}
    return changes


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        login=row.login,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles),
        active=row.active,
        has_password=row.password_hash is not None,
        has_totp=row.totp_secret is not None,
        provider=row.issuer,
    )
