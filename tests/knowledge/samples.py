"""A small catalogue of an imaginary city, and an embedding model that costs nothing."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.catalogue import LifeSituation, Office, Service
from knowledge.embedding import Vectors
from knowledge.store import Catalogue

SOURCE = {"url": "https://stadt.example/leistung", "as_of": "2026-02-07"}


class HashingEmbedder:
    """Counts hashed character trigrams; remembers what it was asked."""

    name = "hashing"
    version = "hashing:1"
    dimensions = 64

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            padded = f"  {text.lower()[:80]} "
            for at in range(len(padded) - 2):
                vectors[row, zlib.crc32(padded[at : at + 3].encode()) % self.dimensions] += 1
        return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self.encode(texts)


def service(id: str, title: str, *synonyms: str, **fields: Any) -> Service:
    """A service with a short text."""
    value = {"id": id, "title": title, "synonyms": synonyms, "summary": f"{title}: so geht es.", "sources": [SOURCE]}
    return Service.model_validate({**value, **fields})


SERVICES = (
    service("personalausweis", "Personalausweis", "Perso", "Ausweis", examples=["Mein Ausweis läuft bald ab."]),
    service("reisepass", "Reisepass", "Pass", "Kinderreisepass", examples=["Ich fliege bald in den Urlaub."]),
    service("hundesteuer", "Hundesteuer", "Hund anmelden", "Hundemarke", examples=["Wir haben einen Welpen."]),
    service("fuehrerschein-b", "Führerschein Klasse B", "Führerschein machen", "Fahrerlaubnis"),
    service("fuehrerschein-umtausch", "Führerschein umtauschen", "alter Führerschein", "Pflichtumtausch"),
    service("wohngeld", "Wohngeld", "Mietzuschuss", "Zuschuss zur Miete"),
    service("kindergeld", "Kindergeld", "Geld für Kinder"),
    service("geburtsurkunde", "Geburtsurkunde", "Geburt anmelden"),
    service("sperrmuell", "Sperrmüll", "alte Möbel abholen lassen"),
    service("gewerbeanmeldung", "Gewerbe anmelden", "Gewerbeschein"),
)

OFFICES = (
    Office(id="standesamt", name="Standesamt Beispielstadt", phone="0000 111"),
    Office(id="buecherei", name="Stadtbücherei", synonyms=["Bibliothek"]),
)

LIFE_SITUATIONS = (
    LifeSituation(
        id="geburt",
        title="Ein Kind kommt",
        synonyms=["Baby bekommen", "schwanger", "Nachwuchs"],
        examples=["Wir kriegen ein Baby, was müssen wir erledigen?"],
        summary="Das steht nach der Geburt an.",
        speech="Das steht nach der Geburt an.",
        services=["geburtsurkunde", "kindergeld"],
    ),
)


def catalogue(*more: Service, version: int = 1) -> Catalogue:
    """The sample catalogue; a further service of the same id replaces one of it."""
    services = {record.id: record for record in (*SERVICES, *more)}
    return Catalogue(
        services=services,
        offices={record.id: record for record in OFFICES},
        life_situations={record.id: record for record in LIFE_SITUATIONS},
        version=version,
    )
