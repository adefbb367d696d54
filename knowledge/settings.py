"""What an operator may set about the catalogue and its search."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class SearchSettings(BaseModel):
    """How the search decides; probabilities and thresholds are those of the calibration file of the model in use."""

    model_config = ConfigDict(extra="forbid")

    calibration_folder: Path | None = None
    """Holds calibration files of the city's own (`MODEL.json`), which go before those of the project."""
    most_candidates: int = Field(default=4, ge=2, le=4)
    current_bonus: float = Field(default=7.0, ge=0)
    """Log-odds that the service being talked about gets on top."""
    office_score: float = Field(default=0.6, ge=0, le=1)
    """From here on an office counts as named."""


class KnowledgeSettings(BaseModel):
    """Settings of the knowledge room."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    embedding_model: str | None = None
    """Folder of a sentence-transformers model, or its name on the hub once `stadtbot models fetch` has brought it; the
    bundled German model if not set."""
    query_prefix: str = ""
    """What such a model wants before a question ("query: "), where its own files do not say it."""
    passage_prefix: str = ""
    """What it wants before a passage ("passage: ")."""
    embedding_threads: int = Field(default=1, ge=1)
    """Threads for one call of the model: more gain little on short questions and take the cores from other calls."""
    outcome_days: int = Field(default=180, ge=1)
    """Days after which the outcome of a question is removed."""
    search: SearchSettings = SearchSettings()
