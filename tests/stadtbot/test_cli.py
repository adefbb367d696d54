from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from stadtbot.cli import app
from stadtbot.settings import ROOT

JENA = ROOT / "training_data" / "cities" / "jena"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("STADTBOT_STATE_FOLDER", str(tmp_path / "state"))
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.strip().splitlines()


def test_importing_twice_changes_nothing(run) -> None:  # type: ignore[no-untyped-def]
    assert lines(run("knowledge", "import", JENA, "--dry-run"))[-1].startswith("78 of 78 services would be")
    assert lines(run("knowledge", "import", JENA))[-1].startswith("78 of 78")
    assert lines(run("knowledge", "import", JENA)) == ["0 of 78 services were imported."]


def test_mistake_in_a_record_is_named(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path / "services"
    folder.mkdir()
    (folder / "x.yaml").write_text(
        "id: x\ntitle: X\nsummary: X.\nfees: [{text: 5 Euro, amount: 5}]\n", encoding="utf-8"
    )
    result = run("knowledge", "import", folder)
    assert result.exit_code == 1
    assert "x.yaml" in result.stderr
    assert "amount" in result.stderr


def test_evaluation_ends_with_its_figures(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    catalogue, queries = tmp_path / "services.csv", tmp_path / "queries.jsonl"
    catalogue.write_text(
        "id,leika,title,full,fees,online_url\n"
        "1,,Drachen anmelden,Wer einen Drachen hält meldet ihn an.,5 Euro,\n"
        "2,,Einhorn abmelden,Das Einhorn ist umgezogen.,,\n",
        encoding="utf-8",
    )
    queries.write_text('{"q": "Drachen anmelden", "ids": ["1"]}\n{"q": "Einhorn", "ids": ["2"]}\n', encoding="utf-8")
    figures = json.loads(lines(run("knowledge", "evaluate", "--catalogue", catalogue, "--queries", queries))[-1])
    assert set(figures) == {"n", "r1", "r3", "r5", "ndcg5", "p50_ms", "p95_ms"}
    assert figures["n"] == 2
    assert figures["r1"] == 1


def test_evaluation_without_a_file_is_a_clear_error(run, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = run("knowledge", "evaluate", "--catalogue", tmp_path / "no.csv", "--queries", tmp_path / "no.jsonl")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_search_shows_what_is_found(run) -> None:  # type: ignore[no-untyped-def]
    assert "reisepass" in lines(run("knowledge", "search", "Was kostet ein Reisepass?"))[1]


@pytest.mark.parametrize("model", ["nowhere/no-such-model", "/no/such/folder", "half a model"])
@pytest.mark.parametrize("command", ["search", "evaluate"])
def test_a_model_that_is_not_here_is_a_clear_error(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, model: str
) -> None:
    if model == "half a model":
        model = str(tmp_path)
        (tmp_path / "modules.json").write_text('[{"type": "StaticEmbedding"}]', encoding="utf-8")
    monkeypatch.setenv("STADTBOT_KNOWLEDGE__EMBEDDING_MODEL", model)
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"q": "Reisepass", "ids": ["reisepass"]}\n', encoding="utf-8")
    files = ["--catalogue", JENA, "--queries", queries]
    result = run("knowledge", command, *(files if command == "evaluate" else ["Was kostet ein Reisepass?"]))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert model in result.stderr
    assert "stadtbot models fetch" in result.stderr
    assert not result.stdout


def test_there_is_nothing_to_fetch_without_a_model_of_the_hub(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr("huggingface_hub.snapshot_download", fetched.append)
    assert "nothing to fetch" in lines(run("models", "fetch", "embedding"))[0]
    monkeypatch.setenv("STADTBOT_KNOWLEDGE__EMBEDDING_MODEL", str(tmp_path))
    assert "nothing to fetch" in lines(run("models", "fetch", "embedding"))[0]
    assert fetched == []


def test_a_model_of_the_hub_is_fetched(  # type: ignore[no-untyped-def]
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def download(model: str, **_: object) -> str:
        fetched.append(model)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setenv("STADTBOT_KNOWLEDGE__EMBEDDING_MODEL", "organisation/model")
    assert lines(run("models", "fetch", "embedding")) == [f"organisation/model is here now: {tmp_path}"]
    assert fetched == ["organisation/model"]


@pytest.mark.parametrize("error", [OSError("no network"), ValueError("no such name")])
def test_a_model_that_cannot_be_fetched_is_a_clear_error(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def download(model: str, **_: object) -> str:
        raise error

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setenv("STADTBOT_KNOWLEDGE__EMBEDDING_MODEL", "organisation/model")
    result = run("models", "fetch", "embedding")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert f"organisation/model could not be fetched: {error}" in result.stderr
