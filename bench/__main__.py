"""Measures the whole service as an operator starts it; prints a table and writes `bench/results.json`.

    python -m bench [--full] [--only PART]

The figures belong to the machine and the moment: compare ratios within one run, not numbers between runs.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from bench import handover, scale
from bench.timing import milliseconds, percentiles, questions
from tests.chat_client import Chat
from tests.running import RunningService, running_service

RESULTS = Path(__file__).parent / "results.json"
FOLLOW_UPS = ("Und was kostet das?", "Welche Unterlagen brauche ich?", "Wie lange dauert das?", "Wo muss ich hin?")
TURNS_PER_CONVERSATION = 6


def main() -> None:
    """Measure everything; what is not measured keeps its last figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--full", action="store_true", help="the search in a million passages too, a quarter of an hour"
    )
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    arguments = parser.parse_args()
    console = Console()
    results: dict[str, Any] = {}
    for name, measure in PARTS.items():
        if arguments.only in (None, name):
            results |= measure(console, full=arguments.full)
    results["machine"] = machine()
    results = (json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}) | results
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(table(results))


def measure_service(console: Console, *, full: bool) -> dict[str, Any]:
    """Start, chat and search of the demo city."""
    with _folder() as folder:
        with console.status("Starting for the first time …"), running_service(folder):
            pass
        with console.status("Starting for the second time …"), running_service(folder) as service:
            results = {
                "chat_1_client": measure_chat(service, clients=1, turns=180),
                "chat_8_clients": measure_chat(service, clients=8, turns=480),
                "start": {"ready_s": round(service.ready_s, 1), "rss_mb": resident_mb(service.pid)},
            }
        return {**results, "search": measure_search(folder)}


def measure_scale(console: Console, *, full: bool) -> dict[str, Any]:
    """The search in catalogues larger than any city's."""
    results = {}
    for name, passages in (scale.SIZES | (scale.LARGEST if full else {})).items():
        with console.status(f"Searching {passages:,} passages …"):
            results[name] = scale.measure_apart(passages)
    return results


def measure_handover(console: Console, *, full: bool) -> dict[str, Any]:
    """Messages between citizens and agents, and what cut connections lose."""
    with _folder() as folder, console.status("Fifty citizens talk to ten agents …"):
        results = handover.measure(folder)
    with _folder() as folder, console.status("Cutting a thousand connections …"):
        return {**results, "reconnects": handover.measure_reconnects(folder)}


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stadtbot-bench-") as folder:
        yield Path(folder)


def measure_chat(service: RunningService, *, clients: int, turns: int) -> dict[str, float]:
    """Milliseconds from a request to its complete answer, conversations of alternating questions and follow-ups."""
    source = questions()
    share = turns // clients

    def converse(client: int) -> list[float]:
        asked = cycle(source[client::clients])
        times: list[float] = []
        while len(times) < share:
            chat = Chat(service.url)
            for turn in range(min(TURNS_PER_CONVERSATION, share - len(times))):
                text = FOLLOW_UPS[len(times) % len(FOLLOW_UPS)] if turn % 2 else next(asked)
                times.append(milliseconds(partial(chat.say, text)))
            chat.close()
        return times

    converse(0)[: clients * 2]  # the first requests meet cold caches
    begun = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        times = [value for values in pool.map(converse, range(clients)) for value in values]
    return {**percentiles(times), "per_s": round(len(times) / (time.perf_counter() - begun), 1)}


def measure_search(state_folder: Path) -> dict[str, float]:
    """Milliseconds of one search, no question twice."""
    from core.clock import SystemClock
    from core.database import Database
    from knowledge.service import Knowledge
    from stadtbot.settings import Settings

    settings = Settings(state_folder=state_folder)
    knowledge = Knowledge(Database(settings.database), SystemClock(), city_folder=settings.city_folder)
    knowledge.refresh()
    source = questions()
    for text in source[:10]:
        knowledge.find(f"{text} bitte")
    return percentiles([milliseconds(partial(knowledge.find, text)) for text in source])


def resident_mb(pid: int) -> float:
    """Resident memory of a process and all its children, pages that they share counted once for each."""
    process = psutil.Process(pid)
    return round(sum(part.memory_info().rss for part in [process, *process.children(recursive=True)]) / 2**20)


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def table(results: dict[str, dict[str, Any]]) -> Table:
    """The results for people."""
    shown = Table("what", "figure", "value")
    for name, figures in results.items():
        rows: Iterable[tuple[str, Any]] = figures.items()
        for index, (figure, value) in enumerate(rows):
            shown.add_row("" if index else name, figure, str(value))
    return shown


PARTS = {"service": measure_service, "scale": measure_scale, "handover": measure_handover}
"""What can be measured alone."""


if __name__ == "__main__":
    main()
