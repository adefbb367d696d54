"""`stadtbot staff …`: accounts, from the command line of the machine on which the service runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from core.roles import Role
from stadtbot.settings import Settings

if TYPE_CHECKING:
    from core.accounts import Account, AccountStore

staff_app = typer.Typer(help="Accounts of staff.", no_args_is_help=True)

Login = Annotated[str, typer.Argument(help="With what the person signs in.")]
FromInput = Annotated[bool, typer.Option("--password-stdin", help="Read the password from the input.")]


@staff_app.command("add")
def add(
    login: Login,
    name: Annotated[str, typer.Option(help="What citizens see, for example Bürgerservice.")],
    role: Annotated[list[Role], typer.Option(help="What the person may do; give it once for each role.")],
    password_stdin: FromInput = False,
) -> None:
    """Make an account; without a password it prints a link with which its owner sets one."""
    from core.passwords import check_strength

    with _accounts() as accounts:
        if password_stdin:
            password = _password()
            check_strength(password, login=login, name=name)
        account = accounts.create(login=login, name=name, roles=set(role), by=None)
        if password_stdin:
            accounts.set_password(account.id, password, by=None)
            typer.echo(f"{account.login} can sign in.")
        else:
            _print_link(accounts, account)


@staff_app.command("list")
def list_all() -> None:
    """Show every account: login, roles, state, name."""
    with _accounts() as accounts:
        for account in accounts.all():
            state = "active" if account.active else "inactive"
            typer.echo("\t".join((account.login, ",".join(sorted(account.roles)), state, account.name)))


@staff_app.command("reset-password")
def reset_password(login: Login, password_stdin: FromInput = False) -> None:
    """Take a password away; without a new one it prints a link with which the owner sets one."""
    with _accounts() as accounts:
        account = _account(accounts, login)
        if password_stdin:
            accounts.set_password(account.id, _password(), by=None)
            typer.echo(f"{account.login} has a new password.")
        else:
            _print_link(accounts, account)


@staff_app.command("deactivate")
def deactivate(login: Login) -> None:
    """Keep a person out from now on; who is signed in is signed out."""
    with _accounts() as accounts:
        account = accounts.change(_account(accounts, login).id, by=None, active=False)
        typer.echo(f"{account.login} cannot sign in any more.")


@staff_app.command("activate")
def activate(login: Login) -> None:
    """Let a person in again."""
    with _accounts() as accounts:
        account = accounts.change(_account(accounts, login).id, by=None, active=True)
        typer.echo(f"{account.login} can sign in again.")


@contextmanager
def _accounts() -> Iterator[AccountStore]:
    """The accounts; what goes wrong with them becomes a sentence."""
    from core.accounts import AccountError, AccountStore
    from core.audit import AuditLog
    from core.clock import SystemClock
    from core.database import Database
    from core.encryption import EncryptionError, Keyring
    from core.passwords import PasswordRefused

    settings, clock = Settings(), SystemClock()
    database = Database(settings.database)
    keys = settings.encryption_keys.get_secret_value() if settings.encryption_keys else None
    try:
        database.upgrade()
        keyring = Keyring.load(keys=keys, file=settings.encryption_file)
        audit = AuditLog(database, clock, lifetime=settings.staff.audit_lifetime)
        yield AccountStore(database, clock, keyring, audit)
    except (AccountError, PasswordRefused) as error:
        raise _failed(_sentence(error)) from None
    except EncryptionError as error:
        raise _failed(str(error)) from None
    finally:
        database.close()


def _sentence(error: Exception) -> str:
    from core import accounts, passwords

    match error:
        case accounts.AccountExists():
            return "There is an account with this login."
        case accounts.InvalidAccount():
            return "Login or name is not accepted: a login has 2 to 100 letters, digits and . _ - + @."
        case accounts.LastAdmin():
            return "This is the last account that may manage accounts."
        case accounts.UnknownAccount():
            return "There is no account with this login."
        case passwords.PasswordRefused(code="too-short"):
            return f"The password is too short: it needs {passwords.MIN_LENGTH} characters."
        case passwords.PasswordRefused(code="too-long"):
            return f"The password is too long: it may have {passwords.MAX_LENGTH} characters."
        case _:
            return "The password is too easy to guess."


def _account(accounts: AccountStore, login: str) -> Account:
    from core.accounts import UnknownAccount

    account = accounts.by_login(login)
    if account is None:
        raise UnknownAccount(login)
    return account


def _password() -> str:
    return sys.stdin.readline().rstrip("\r\n")


def _print_link(accounts: AccountStore, account: Account) -> None:
    from core.staff_pages import PREFIX

    token = accounts.begin_setup(account.id, by=None)
    typer.echo(f"Give this link to {account.login}; it is valid once and for 24 hours:", err=True)
    typer.echo(f"{PREFIX}/einrichten/{token}")


def _failed(sentence: str) -> typer.Exit:
    typer.secho(sentence, err=True, fg="red")
    return typer.Exit(1)
