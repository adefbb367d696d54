"""Measures the search in catalogues of any size, made up of real titles and sentences (demo city, practice catalogue).

    python -m bench.scale PASSAGES

Prints one line of JSON: milliseconds of a search, resident memory of the index, seconds to build it. The records make
no sense, but their words, lengths and number of different words are like those of a real catalogue.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.timing import milliseconds, percentiles, questions
from knowledge.catalogue import Service
from knowledge.embedding import embedder_of
from knowledge.evaluation import Standing
from knowledge.importer import read_city
from knowledge.index import Index
from knowledge.search import Search
from knowledge.settings import KnowledgeSettings
from knowledge.store import Catalogue
from knowledge.usage import FOLDER, usage
from knowledge.words import sentences
from nlu.training.pairs import practice_services

ROOT = Path(__file__).parent.parent
CITY = ROOT / "training_data" / "cities" / "jena"
SIZES = {"search_1k": 1_000, "search_10k": 10_000, "search_100k": 100_000}
LARGEST = {"search_1m": 1_000_000}
PASSAGES_PER_SERVICE = 8
"""A title, two synonyms, an example, a summary and three windows of the text."""
WORDS_OF_TEXT = 70
DISTRICTS = 400
SEED = 115
QUESTIONS = 60
WARM_UPS = 20

_NOUN = re.compile(r"\b[A-ZÄÖÜ][a-zäöüß]{3,}\b")


@dataclass(frozen=True, slots=True)
class Material:
    """What records are made of."""

    titles: Sequence[str]
    nouns: Sequence[str]
    """Words of the titles; two of them make up a compound."""
    phrases: Sequence[str]
    sentences: Sequence[str]


def main() -> None:
    """Measure one size in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("passages", type=int)
    print(json.dumps(measure(parser.parse_args().passages)))


def measure_apart(passages: int) -> dict[str, Any]:
    """The figures of one size out of a process of its own, so that its memory is nobody else's."""
    command = [sys.executable, "-m", "bench.scale", str(passages)]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def measure(passages: int) -> dict[str, Any]:
    """Build an index of about so many passages and ask it. Memory is what the index adds to model and catalogue."""
    embedder = embedder_of(KnowledgeSettings())
    usage()
    records = catalogue(passages // PASSAGES_PER_SERVICE, material())
    before = resident_mb()
    begun = time.perf_counter()
    index = Index(records, embedder)
    build_s = time.perf_counter() - begun
    search = Search(Standing(index))
    asked, warm_ups = sample(questions())
    for text in warm_ups:
        search.find(text)
    memory_mb = resident_mb() - before
    return {
        **percentiles([milliseconds(partial(search.find, text)) for text in asked]),
        "passages": index.passages,
        "records": len(index.entries),
        "build_s": round(build_s, 1),
        "memory_mb": round(memory_mb),
        "faiss": index.kind_of_vectors,
        "load": round(os.getloadavg()[0], 2),
    }


def material() -> Material:
    """The texts of the demo city and of the practice catalogue."""
    city = read_city(CITY).services
    practice = [row for part in ("embedding", "ranking") for row in practice_services(FOLDER, part)]
    titles = [*(service.title for service in city), *(row["title"] for row in practice)]
    phrases = [
        *(phrase for service in city for phrase in (*service.synonyms, *service.examples)),
        *(phrase for row in practice for phrase in row["phrases"]),
    ]
    texts = [*(f"{one.summary}\n{one.full or ''}" for one in city), *(row["text"] for row in practice)]
    return Material(
        titles=titles,
        nouns=sorted({noun for title in titles for noun in _NOUN.findall(title)}),
        phrases=phrases,
        sentences=list(dict.fromkeys(one.strip() for text in texts for one in sentences(text))),
    )


def catalogue(services: int, source: Material) -> Catalogue:
    """So many services, the same ones every time."""
    chance = random.Random(SEED)
    made = (_service(f"service-{number}", source, chance) for number in range(services))
    return Catalogue(services={service.id: service for service in made})


def _service(id: str, source: Material, chance: random.Random) -> Service:
    first, second = chance.choice(source.nouns), chance.choice(source.nouns)
    full: list[str] = []
    while len(full) < WORDS_OF_TEXT:
        full += chance.choice(source.sentences).split()
    return Service.model_construct(
        id=id,
        title=f"{chance.choice(source.titles)} – {first} im Bezirk {chance.randint(1, DISTRICTS)}",
        synonyms=[first + second.lower(), f"{chance.choice(source.phrases)} {second}"],
        examples=[chance.choice(source.phrases)],
        summary=chance.choice(source.sentences),
        full=" ".join(full[:WORDS_OF_TEXT]),
        status="published",
    )


def sample(asked: Sequence[str]) -> tuple[list[str], list[str]]:
    """Questions to measure, spread evenly, and others to warm up with."""
    step = len(asked) // QUESTIONS
    return list(asked[::step][:QUESTIONS]), list(asked[1::step][:WARM_UPS])


def resident_mb() -> float:
    """Resident memory of this process."""
    gc.collect()
    return float(psutil.Process().memory_info().rss / 2**20)


if __name__ == "__main__":
    main()
