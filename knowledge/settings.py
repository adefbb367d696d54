"""What an operator may set about the catalogue and its search."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class SearchSettings(BaseModel):
    """Where the search draws its lines. The probabilities are those of the calibration file of the model in use."""

    model_config = ConfigDict(extra="forbid")

    sure_probability: float = Field(default=0.6, ge=0, le=1)
    """From here on the best service is answered without asking back."""
    sure_probability_of_one_word: float = Field(default=0.8, ge=0, le=1)
    """The same for a text of a single topical word, which often names several services."""
    sure_probability_of_name: float = Field(default=0.4, ge=0, le=1)
    """The same for a text that is a name of this service alone."""
    answerable_probability: float = Field(default=0.5, ge=0, le=1)
    """Below this probability that the catalogue has an answer at all, the search keeps silent."""
    candidate_probability: float = Field(default=0.06, ge=0, le=1)
    """A service below this is not offered as a choice, unless it makes up the second one."""
    most_candidates: int = Field(default=4, ge=2, le=4)
    current_bonus: float = Field(default=3.0, ge=0)
    """Log-odds that the service being talked about gets on top."""
    office_score: float = Field(default=0.6, ge=0, le=1)
    """From here on an office counts as named."""


class KnowledgeSettings(BaseModel):
    """Settings of the knowledge room."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    embedding_model: Path | None = None
    """Folder of a sentence-transformers model; the interim model if not set."""
    embedding_threads: int = Field(default=1, ge=1)
    """Threads for one call of the model: more gain little on short questions and take the cores from other calls."""
    outcome_days: int = Field(default=180, ge=1)
    """Days after which the outcome of a question is removed."""
    search: SearchSettings = SearchSettings()
