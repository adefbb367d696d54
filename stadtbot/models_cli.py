"""`stadtbot models …`: models that do not come with the project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stadtbot.settings import Settings

if TYPE_CHECKING:
    from stadtbot.downloading import Progress
    from stadtbot.models import SpeechModel

models_app = typer.Typer(help="Models that do not come with the project.", no_args_is_help=True)


class What(StrEnum):
    """What can be fetched."""

    EMBEDDING = "embedding"
    RECOGNITION = "recognition"
    VOICE = "voice"


@models_app.callback()
def models() -> None:
    """Models that do not come with the project."""


@models_app.command("fetch")
def fetch(
    what: Annotated[list[What] | None, typer.Argument(help="Which ones; all of them, if none is named.")] = None,
    large: Annotated[bool, typer.Option("--large", help="The large model of recognition, 1.9 GB.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Fetch although it is there.")] = False,
) -> None:
    """Bring models from their publishers: of search (if the settings name one), of the telephone's ears and voice.

    What was cut off goes on where it was. The service and the telephone never ask for a model.
    """
    from stadtbot.models import LARGE_RECOGNITION, RECOGNITION, VOICE

    wanted = set(what or What)
    if What.EMBEDDING in wanted:
        _fetch_embedding()
    if What.RECOGNITION in wanted:
        _fetch_speech(LARGE_RECOGNITION if large else RECOGNITION, again=again)
    if What.VOICE in wanted:
        _fetch_speech(VOICE, again=again)


def _fetch_embedding() -> None:
    from huggingface_hub import snapshot_download

    model = Settings().knowledge.embedding_model
    if model is None or Path(model).is_dir():
        typer.echo("The settings name no model of the hub: there is nothing to fetch.")
        return
    try:
        folder = snapshot_download(model, allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"])
    except (OSError, ValueError) as error:
        raise _failed(f"{model} could not be fetched: {error}") from None
    typer.echo(f"{model} is here now: {folder}")


def _fetch_speech(model: SpeechModel, *, again: bool) -> None:
    import httpx

    from stadtbot.downloading import FetchFailed
    from stadtbot.models import Shelf

    folder = Settings().state_folder / "models"
    with httpx.Client(follow_redirects=True, timeout=30) as http, _bar() as progress:
        shelf = Shelf(folder, http=http, progress=progress)
        if shelf.has(model) and not again:
            typer.echo(f"{model.name} is here: {folder / model.name}")
            return
        typer.echo(f"{model.name}: {model.what}. Licence: {model.licence}.")
        try:
            target, sums = shelf.bring(model)
        except FetchFailed as error:
            by_hand = " ".join(file.url for file in model.files)
            raise _failed(f"{error}\nBy hand: {by_hand} to {folder / model.name}") from None
        except OSError as error:
            raise _failed(f"{model.name} could not be stored: {error}") from None
    pinned = {file.url: file.sha256 for file in model.files}
    for url, digest in sums.items():
        note = "as expected" if pinned[url] else "noted for the next time; nobody has told us what it should be"
        typer.echo(f"SHA-256 {digest} ({note})")
    typer.echo(f"{model.name} is here now: {target}")


@contextmanager
def _bar() -> Iterator[Progress]:
    """A bar on the error output: what is done, bytes, speed and the time that is left."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Bar(
        *columns, TransferSpeedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task("", total=None, visible=False)
        shown = ""

        def progress(what: str, done: int, total: int) -> None:
            nonlocal shown
            if what != shown:
                shown = what
                bar.reset(task, description=what, visible=True)
            bar.update(task, completed=done, total=total or None)

        yield progress


def _failed(message: str) -> typer.Exit:
    typer.secho(message, err=True, fg="red")
    return typer.Exit(1)
