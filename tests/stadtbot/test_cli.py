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
