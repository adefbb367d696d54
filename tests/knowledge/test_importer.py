from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from knowledge.errors import ImportFailed
from knowledge.importer import read_catalogue, read_city, read_csv
from tests.knowledge.samples import OFFICES, SERVICES

SERVICE = {"id": "wohngeld", "title": "Wohngeld", "summary": "Zuschuss.", "sources": [{"url": "https://stadt.example"}]}
SITUATION = {"id": "umzug", "title": "Umzug", "summary": "Das steht an.", "speech": "Das steht an."}


@pytest.fixture
def city(tmp_path: Path) -> Path:
    for folder, records in (("services", SERVICES), ("offices", OFFICES)):
        for record in records:
            write(tmp_path / folder / f"{record.id}.yaml", record.model_dump(mode="json", exclude_defaults=True))
    return tmp_path


def write(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(value, allow_unicode=True), encoding="utf-8")


def mistakes(city: Path) -> tuple[str, ...]:
    with pytest.raises(ImportFailed) as failure:
        read_city(city)
    return failure.value.problems


def test_reads_a_citys_folder(city: Path) -> None:
    write(city / "life_situations.yaml", [{**SITUATION, "services": ["wohngeld", "sperrmuell"]}])
    records = read_city(city)
    assert {record.id for record in records.services} == {record.id for record in SERVICES}
    assert {record.id for record in records.offices} == {record.id for record in OFFICES}
    assert [record.id for record in records.life_situations] == ["umzug"]
    assert read_catalogue(city) == records


def test_reads_a_folder_of_services_alone(city: Path) -> None:
    assert len(read_catalogue(city / "services").services) == len(SERVICES)


def test_a_mistake_names_file_and_field(city: Path) -> None:
    write(
        city / "services" / "wohngeld.yaml", {**SERVICE, "fees": [{"text": "Gebühr", "amount_eur": -3}], "titel": "x"}
    )
    problems = mistakes(city)
    assert any(problem.startswith("services/wohngeld.yaml: fees.0.amount_eur:") for problem in problems)
    assert any(problem.startswith("services/wohngeld.yaml: titel:") for problem in problems)


def test_all_mistakes_are_told_at_once(city: Path) -> None:
    write(city / "services" / "wohngeld.yaml", {"id": "wohngeld"})
    write(city / "offices" / "standesamt.yaml", {"id": "standesamt"})
    (city / "services" / "reisepass.yaml").write_text("title: [", encoding="utf-8")
    told = {problem.split(":")[0] for problem in mistakes(city)}
    assert told == {"services/wohngeld.yaml", "offices/standesamt.yaml", "services/reisepass.yaml"}


def test_references_must_exist(city: Path) -> None:
    write(city / "services" / "wohngeld.yaml", {**SERVICE, "offices": ["mondamt"]})
    write(city / "life_situations.yaml", [{**SITUATION, "services": ["wohngeld", "einhornschein"]}])
    assert mistakes(city) == (
        "services/wohngeld.yaml: offices: no office 'mondamt'",
        "life_situations.yaml (umzug): services: no service 'einhornschein'",
    )


def test_an_id_is_there_once_and_is_the_files_name(city: Path) -> None:
    write(city / "services" / "zuschuss.yaml", SERVICE)
    problems = mistakes(city)
    assert "services/zuschuss.yaml: id: 'wohngeld' is not the file's name" in problems
    assert any("'wohngeld' is there 2 times" in problem for problem in problems)


def test_reads_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "services.csv"
    path.write_text(
        "id,leika,title,full,fees,online_url\n"
        '10,99108013104000,Wohngeld,"Erste Zeile.\nZweite Zeile.",kostenlos,https://stadt.example/10\n'
        "11,unbekannt,Hundesteuer,,,\n",
        encoding="utf-8",
    )
    first, second = read_csv(path)
    assert (first.id, first.leika, first.summary) == ("10", "99108013104000", "Erste Zeile.")
    assert first.fees[0].text == "kostenlos"
    assert (second.leika, second.summary, second.fees) == (None, "Hundesteuer", [])
    assert len(read_catalogue(path).services) == 2


def test_a_csv_without_its_columns_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "services.csv"
    path.write_text("id,name\n1,Wohngeld\n", encoding="utf-8")
    with pytest.raises(ImportFailed, match="column title is missing"):
        read_csv(path)


def test_a_csv_mistake_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "services.csv"
    path.write_text("id,leika,title,full,fees,online_url\n1,,Wohngeld,,,kein Link\n", encoding="utf-8")
    with pytest.raises(ImportFailed, match=r"services.csv:2: (online_url|sources)"):
        read_csv(path)
