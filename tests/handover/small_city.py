"""A city of three offices and two services, whose index is built in no time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

SOURCE = [{"url": "https://stadt.example/leistung"}]
BUREAU = "Mo,Fr 08:30-13:00; Tu 08:30-18:00; We 09:00-13:00; Th 08:30-16:00"
CITY = {
    "name": "Beispielstadt",
    "hotline": "0000 0",
    "hotline_hours": "Mo-Fr 08:00-18:00",
    "central_office": "zentrale",
    "main_office": "buergerservice",
    "regional_key": "160000000000",
    "state": "TH",
}
OFFICES: list[dict[str, Any]] = [
    {"id": "zentrale", "name": "Zentrale", "phone": "0000 0"},
    {"id": "buergerservice", "name": "Bürgerservice", "phone": "0000 1", "opening_hours": BUREAU},
    {"id": "standesamt", "name": "Standesamt", "opening_hours": "Tu 09:00-12:00,14:00-18:00"},
]
SERVICES: list[dict[str, Any]] = [
    {"id": "reisepass", "title": "Reisepass", "summary": "Der Pass.", "offices": ["buergerservice"], "sources": SOURCE},
    {"id": "heirat", "title": "Heirat", "summary": "Die Ehe.", "offices": ["standesamt"], "sources": SOURCE},
]


def small_city(folder: Path, *, closures: list[dict[str, Any]] | None = None) -> Path:
    """Write the city's folder below another one; gives the folder."""
    city = folder / "city"
    (city / "services").mkdir(parents=True)
    (city / "city.yaml").write_text(yaml.safe_dump(CITY, allow_unicode=True))
    (city / "offices.yaml").write_text(yaml.safe_dump(OFFICES, allow_unicode=True))
    (city / "closures.yaml").write_text(yaml.safe_dump({"closures": closures or []}, allow_unicode=True))
    for service in SERVICES:
        (city / "services" / f"{service['id']}.yaml").write_text(yaml.safe_dump(service, allow_unicode=True))
    return city
