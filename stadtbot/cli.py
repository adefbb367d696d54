"""The command line: `stadtbot …`.

What a command needs is imported in the command: `--help` must not wait for a model.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from stadtbot.models_cli import models_app
from stadtbot.settings import Settings
from stadtbot.staff_cli import staff_app

if TYPE_CHECKING:
    from core.backup import Backups
    from core.encryption import Keyring
    from knowledge.service import Knowledge

app = typer.Typer(name="stadtbot", help="The bot with which a city answers its citizens.", no_args_is_help=True)
knowledge_app = typer.Typer(help="The city's service catalogue.", no_args_is_help=True)
database_app = typer.Typer(help="The database.", no_args_is_help=True)
app.add_typer(knowledge_app, name="knowledge")
app.add_typer(models_app, name="models")
app.add_typer(database_app, name="db")
app.add_typer(staff_app, name="staff")


@app.command()
def run() -> None:
    """Serve the chat, and Rasa beside it, until Ctrl+C."""
    from stadtbot.run import CannotStart
    from stadtbot.run import run as serve

    settings = Settings()
    if settings.rasa_url is None:
        _train(force=False)
    try:
        serve(settings)
    except CannotStart as error:
        raise _failed(error) from None


@app.command()
def phone(
    settings: Annotated[
        Path, typer.Option(help="The telephone's settings, see telephony/telephony.example.toml.")
    ] = Path("telephony.toml"),
) -> None:
    """Take calls from the city's exchange, until Ctrl+C."""
    from stadtbot.phone import CannotServe, serve

    try:
        serve(settings)
    except CannotServe as error:
        raise _failed(error) from None


@app.command("train")
def train_model(
    force: Annotated[bool, typer.Option(help="Train although there is a model for this data.")] = False,
) -> None:
    """Train Rasa's model, if its data has changed."""
    _train(force=force)


@knowledge_app.command("import")
def import_catalogue(
    file: Annotated[Path, typer.Argument(help="A city's folder, or a CSV file id,leika,title,full,fees,online_url.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
) -> None:
    """Import records that the catalogue does not have yet; edits are never overwritten."""
    from core.clock import SystemClock
    from core.database import Database
    from knowledge.errors import ImportFailed
    from knowledge.importer import read_catalogue
    from knowledge.store import CatalogueStore

    try:
        records = read_catalogue(file)
    except ImportFailed as error:
        raise _failed(error) from None
    database = Database(Settings().database)
    database.upgrade()
    store = CatalogueStore(database, SystemClock())
    known = store.load()
    new = [record for record in records.services if record.id not in known.services]
    for record in new:
        typer.echo(f"new: {record.id} ({record.title})")
    if not dry_run:
        store.import_missing(records.services, records.offices, records.life_situations)
    typer.echo(f"{len(new)} of {len(records.services)} services {'would be' if dry_run else 'were'} imported.")


@knowledge_app.command("search")
def search(text: Annotated[str, typer.Argument(help="What a citizen would ask.")]) -> None:
    """Show what the search finds for a text."""
    knowledge = _knowledge()
    found = knowledge.find(text)
    typer.echo(found.outcome)
    for candidate in found.candidates:
        typer.echo(f"{candidate.score:.3f}  {candidate.id}  {candidate.title}")


@knowledge_app.command("evaluate")
def evaluate_search(
    catalogue: Annotated[Path, typer.Option(help="A folder of records, or a CSV file.")],
    queries: Annotated[Path, typer.Option(help='JSON lines: {"q": text, "ids": [right services]}.')],
) -> None:
    """Measure how well the search finds the right service; works in memory."""
    from knowledge.embedding import embedder_of
    from knowledge.errors import ImportFailed, ModelMissing
    from knowledge.evaluation import evaluate, read_queries
    from knowledge.importer import read_catalogue

    settings = Settings().knowledge
    try:
        with Console(stderr=True).status("Building the index and asking …"):
            embedder = embedder_of(settings)
            report = evaluate(read_catalogue(catalogue), read_queries(queries), embedder, settings.search)
    except (ImportFailed, ModelMissing, ValueError, OSError) as error:
        raise _failed(error) from None
    typer.echo(report.json())


@database_app.command("upgrade")
def upgrade() -> None:
    """Bring the tables up to date."""
    from core.database import Database

    database = Database(Settings().database)
    database.upgrade()
    database.close()


@database_app.command("backup")
def back_up(
    file: Annotated[Path, typer.Argument(help="The backup to write, for example stadtbot-2026-03-10.tar.gz.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file of this name.")] = False,
) -> None:
    """Save the service's and Rasa's databases in one file, while they are used. The encryption keys are not in it."""
    from core.archive import BackupError

    try:
        with _progress() as progress:
            manifest = _backups().save(file, replace=force, progress=progress)
    except BackupError as error:
        raise _failed(error) from None
    size = sum(member.size for member in manifest.members) / 1e6
    typer.echo(f"{file} holds the databases of {manifest.made_at:%Y-%m-%d %H:%M} UTC, {size:,.0f} MB unpacked.")
    typer.echo("The encryption keys are not in it. Keep them too, in another place: without them nobody can read")
    typer.echo("callbacks, and what was written while a person had the conversation.")


@database_app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="The backup.")],
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Leave the old databases beside the new ones; delete them soon.")
    ] = False,
) -> None:
    """Put a backup in the place of the databases. Stadtbot must be stopped."""
    from core.archive import BackupError
    from core.clock import SystemClock
    from core.encryption import EncryptionError
    from stadtbot.settling import settle

    expired = 0

    def settled(service: str, rasa: str, made_at: dt.datetime) -> None:
        nonlocal expired
        expired = settle(service, rasa, clock=SystemClock(), keyring=_present_keys(), made_at=made_at)

    backups = _backups()
    try:
        with _progress() as progress:
            manifest = backups.restore(file, settle=settled, keep_old=keep_old, progress=progress)
    except (BackupError, EncryptionError) as error:
        raise _failed(error) from None
    typer.echo(f"The databases are those of {manifest.made_at:%Y-%m-%d %H:%M} UTC now, and of today's form.")
    typer.echo(f"Conversations that had expired meanwhile and were erased: {expired}. Staff must sign in anew.")
    typer.echo("What citizens have erased since then is back until it expires: see the operator's page.")
    if keep_old:
        typer.echo(f"The old databases are kept as {' and '.join(backups.kept())}. Delete them soon.")


@database_app.command("rotate-keys")
def rotate_keys(
    drop_old: Annotated[
        bool, typer.Option("--drop-old", help="Drop the older keys when nothing is left under them.")
    ] = False,
) -> None:
    """Store what is encrypted under a new key, while Stadtbot runs. After a break start it once more."""
    from core.database import Database
    from core.encryption import EncryptionError
    from stadtbot.key_change import change_keys

    settings = Settings()
    database = Database(settings.database)
    database.upgrade()
    keys = settings.encryption_keys.get_secret_value() if settings.encryption_keys else None
    try:
        with _progress() as progress:
            change = change_keys(
                database,
                keys=keys,
                file=settings.encryption_file,
                drop_old=drop_old,
                progress=lambda done, total: progress("Sealing texts anew", done, total),
            )
    except EncryptionError as error:
        raise _failed(error) from None
    finally:
        database.close()
    typer.echo(f"{change.texts.resealed} texts are under the newest key now.")
    if change.texts.unreadable:
        raise _failed(
            RuntimeError(f"{change.texts.unreadable} texts fit no key and stay as they are; no key is dropped.")
        )
    if drop_old:
        typer.echo(f"{change.dropped} older keys were dropped. Backups that hold texts under them need them still.")


def _backups() -> Backups:
    from core.backup import Backups
    from core.clock import SystemClock

    settings = Settings()
    return Backups(
        service=settings.database,
        rasa=settings.rasa_database,
        state_folder=settings.state_folder,
        clock=SystemClock(),
    )


def _present_keys() -> Keyring | None:
    """The keys as they are; none are made."""
    from core.encryption import Keyring

    settings = Settings()
    if settings.encryption_keys is None and not settings.encryption_file.exists():
        return None
    keys = settings.encryption_keys.get_secret_value() if settings.encryption_keys else None
    return Keyring.load(keys=keys, file=settings.encryption_file)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar on the error output that shows what is done and how far it is."""
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total or None)


def _train(*, force: bool) -> None:
    from stadtbot.rasa_process import TrainingFailed, model_path, train

    if model_path().exists() and not force:
        return
    try:
        with Console().status("Training Rasa's model, which takes a minute or two …"):
            model = train(force=force)
    except TrainingFailed as error:
        raise _failed(error) from None
    typer.echo(f"Trained {model.name}")


def _knowledge() -> Knowledge:
    from core.clock import SystemClock
    from core.database import Database
    from knowledge.errors import ModelMissing
    from knowledge.service import Knowledge

    settings = Settings()
    database = Database(settings.database)
    database.upgrade()
    try:
        knowledge = Knowledge(database, SystemClock(), city_folder=settings.city_folder, settings=settings.knowledge)
    except ModelMissing as error:
        raise _failed(error) from None
    knowledge.refresh()
    return knowledge


def _failed(error: Exception) -> typer.Exit:
    typer.secho(f"{error}", err=True, fg="red")
    return typer.Exit(1)
