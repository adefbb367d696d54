"""What all measurements of speed share: the questions that are asked, and what their times come to."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

QUESTIONS = Path(__file__).parent.parent / "tests" / "knowledge" / "questions.jsonl"


def questions() -> list[str]:
    """Questions of the development set, no two alike."""
    lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(json.loads(line)["q"] for line in lines if line.strip()))


def milliseconds(work: Callable[[], Any]) -> float:
    """How long it takes."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def percentiles(times: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and number of runs."""
    cuts = statistics.quantiles(times, n=100, method="inclusive")
    return {"p50_ms": round(cuts[49], 1), "p95_ms": round(cuts[94], 1), "runs": len(times)}
