"""Catalogues from files: a city's folder of YAML records, or a CSV of another city's services for evaluation."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from knowledge.catalogue import City, LifeSituation, Office, Record, Service
from knowledge.errors import ImportFailed
from knowledge.hours_exceptions import HoursException

CSV_COLUMNS = ("id", "leika", "title", "full", "fees", "online_url")
CSV_SOURCE = "https://example.org/"

R = TypeVar("R", Service, Office, LifeSituation)
Kind = TypeVar("Kind", bound=Record)


@dataclass(frozen=True, slots=True)
class CityRecords:
    """What a city's folder holds."""

    services: tuple[Service, ...]
    offices: tuple[Office, ...] = ()
    life_situations: tuple[LifeSituation, ...] = ()


def read_catalogue(path: Path) -> CityRecords:
    """The records of a city's folder, of a folder of services alone, or of a CSV file.

    Raises:
        ImportFailed: with file and field of every mistake.
    """
    if path.suffix == ".csv":
        return CityRecords(tuple(read_csv(path)))
    if (path / "services").is_dir():
        return read_city(path)
    return CityRecords(tuple(_Reader(path).records(Service, sorted(path.glob("*.yaml")))))


def read_city(folder: Path) -> CityRecords:
    """The records below `services/`, `offices/` and in `life_situations.yaml`, with their references checked.

    Raises:
        ImportFailed: with file and field of every mistake.
    """
    reader = _Reader(folder, collect=True)
    city = CityRecords(
        services=tuple(reader.records(Service, sorted(folder.glob("services/*.yaml")))),
        offices=tuple(reader.records(Office, [*sorted(folder.glob("offices/*.yaml")), folder / "offices.yaml"])),
        life_situations=tuple(reader.records(LifeSituation, [folder / "life_situations.yaml"])),
    )
    problems = reader.problems or _broken_references(city)
    if problems:
        raise ImportFailed(problems)
    return city


def read_about(folder: Path) -> tuple[City, tuple[HoursException, ...]]:
    """What holds for the whole city, from `city.yaml`, and closures and special openings, from `closures.yaml`.

    Raises:
        ImportFailed: with file and field of every mistake.
    """
    problems: list[str] = []
    city = _validated(City, _yaml(folder / "city.yaml"), "city.yaml", problems)
    entries = (_yaml(folder / "closures.yaml") or {}).get("closures") or [] if city else []
    exceptions = [
        _validated(HoursException, entry, f"closures.yaml ({at})", problems) for at, entry in enumerate(entries, 1)
    ]
    if problems or city is None:
        raise ImportFailed(problems)
    return city, tuple(exception for exception in exceptions if exception is not None)


def _yaml(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if path.is_file() else None


def _validated(kind: type[Kind], value: Any, where: str, problems: list[str]) -> Kind | None:
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        problems += _field_errors(where, error)
        return None


def read_csv(path: Path) -> list[Service]:
    """Services of a CSV file with the columns `id,leika,title,full,fees,online_url`.

    Raises:
        ImportFailed: with line and field of every mistake.
    """
    problems: list[str] = []
    services: list[Service] = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        missing = [column for column in ("id", "title", "full") if column not in (rows.fieldnames or ())]
        if missing:
            raise ImportFailed([f"{path.name}: column {column} is missing" for column in missing])
        for row in rows:
            try:
                services.append(_service_of_row(row))
            except ValidationError as error:
                problems += _field_errors(f"{path.name}:{rows.line_num}", error)
    problems += _repeated(path.name, [service.id for service in services])
    if problems:
        raise ImportFailed(problems)
    return services


def _service_of_row(row: dict[str, str | None]) -> Service:
    value = {column: (row.get(column) or "").strip() or None for column in CSV_COLUMNS}
    leika = value["leika"] or ""
    return Service.model_validate(
        {
            "id": value["id"],
            "leika": leika if re.fullmatch(r"\d{14}", leika) else None,
            "title": value["title"],
            "summary": _first_paragraph(value["full"]) or value["title"],
            "full": value["full"],
            "fees": [value["fees"]] if value["fees"] else [],
            "online_url": value["online_url"],
            "sources": [{"url": value["online_url"] or CSV_SOURCE}],
        }
    )


def _first_paragraph(text: str | None) -> str | None:
    return text.split("\n", 1)[0].strip() if text else None


class _Reader:
    """Reads YAML records and keeps the mistakes until all files are seen."""

    def __init__(self, folder: Path, *, collect: bool = False) -> None:
        self._folder = folder
        self._collect = collect
        self.problems: list[str] = []

    def records(self, kind: type[R], paths: Iterable[Path]) -> list[R]:
        found: list[R] = []
        before = len(self.problems)
        for path in paths:
            if path.is_file():
                found += self._file(kind, path)
        self.problems += _repeated(self._folder.name, [record.id for record in found])
        if not self._collect and len(self.problems) > before:
            raise ImportFailed(self.problems)
        return found

    def _file(self, kind: type[R], path: Path) -> list[R]:
        name = str(path.relative_to(self._folder))
        try:
            content: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except yaml.YAMLError as error:
            self.problems.append(f"{name}: {' '.join(str(error).split())}")
            return []
        entries = content if isinstance(content, list) else [content]
        single = not isinstance(content, list)
        found: list[R] = []
        for entry in entries:
            try:
                record = kind.model_validate(entry)
            except ValidationError as error:
                where = name if single else f"{name} ({_label(entry)})"
                self.problems += _field_errors(where, error)
                continue
            if single and record.id != path.stem:
                self.problems.append(f"{name}: id: {record.id!r} is not the file's name")
            found.append(record)
        return found


def _label(entry: Any) -> str:
    return str(entry.get("id", "no id")) if isinstance(entry, dict) else "not a record"


def _field_errors(where: str, error: ValidationError) -> list[str]:
    return [
        f"{where}: {'.'.join(str(part) for part in mistake['loc']) or 'record'}: {mistake['msg']}"
        for mistake in error.errors(include_url=False, include_input=False)
    ]


def _repeated(where: str, ids: Sequence[str]) -> list[str]:
    return [f"{where}: id: {id!r} is there {count} times" for id, count in Counter(ids).items() if count > 1]


def _broken_references(city: CityRecords) -> list[str]:
    offices = {office.id for office in city.offices}
    services = {service.id for service in city.services}
    problems: list[str] = []
    for service in city.services:
        where = f"services/{service.id}.yaml"
        problems += _unknown(where, "offices", service.offices, offices, "office")
        problems += _unknown(where, "owner", [service.owner] if service.owner else [], offices, "office")
    for situation in city.life_situations:
        where = f"life_situations.yaml ({situation.id})"
        problems += _unknown(where, "services", situation.services, services, "service")
    return problems


def _unknown(where: str, field: str, references: Sequence[str], known: set[str], kind: str) -> list[str]:
    return [f"{where}: {field}: no {kind} {reference!r}" for reference in references if reference not in known]
