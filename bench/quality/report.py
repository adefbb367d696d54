"""Writes `docs/quality.md` from the figures; its words stand in `report.md.jinja`."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bench.quality.figures import ALL, Figures, aims
from tests.running import ROOT

PAGE = ROOT / "docs" / "quality.md"
PLOT = ROOT / "docs" / "risk-coverage.svg"

CATALOGUES = {
    "jena": "Jena, our own questions",
    "jena_bare": "Jena without synonyms and examples, the same questions",
    "munich": "Munich, its development questions",
}
LENGTHS = {ALL: "all", "short": "up to 3 words", "long": "more than 3 words"}
METHODS = {"words": "words alone", "vectors": "vectors alone", "fused": "both, fused"}
STYLES = {
    ALL: "**all**",
    "keyword": "keywords",
    "full": "full sentence",
    "typo": "typing errors",
    "story": "a story",
    "colloquial": "colloquial",
    "easy": "easy language",
    "non_native": "not a native speaker",
}
KINDS = {
    ALL: "**all**",
    "off_topic": "nothing for a city",
    "other_authority": "another authority's task",
    "missing_service": "a city's task that this catalogue lacks",
    "other_city": "another city",
    "near_miss": "the words of a service, but another matter",
    "smalltalk": "small talk",
    "nonsense": "nonsense",
}


def write(figures: Figures, path: Path = PAGE) -> None:
    """Write the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"share": _share, "cell": _cell}
    text = environment.get_template("report.md.jinja").render(
        figures=figures,
        aims=list(aims(figures)),
        plot=PLOT.name,
        catalogues=CATALOGUES,
        lengths=LENGTHS,
        methods=METHODS,
        styles=STYLES,
        kinds=KINDS,
    )
    path.write_text(text, encoding="utf-8")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
