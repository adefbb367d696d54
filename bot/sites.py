"""The websites of a city on which the chat may stand: origins, look and legal links (`sites.toml`)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator


class InvalidSites(ValueError):
    """The file with the sites is not right; the message says where."""


class Look(BaseModel):
    """How the widget looks on a site."""

    model_config = ConfigDict(extra="forbid")

    accent: str = Field(default="#00529e", pattern=r"^#[0-9a-fA-F]{6}$")
    position: Literal["right", "left"] = "right"


class Legal(BaseModel):
    """Pages that a citizen must be able to reach from the chat."""

    model_config = ConfigDict(extra="forbid")

    privacy: str
    imprint: str
    accessibility: str


class Site(BaseModel):
    """One website. Without origins only the service's own pages may use it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    origins: list[str] = []
    languages: list[str] = ["de"]
    look: Look = Look()
    legal: Legal

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            scheme, separator, host = origin.partition("://")
            if scheme not in ("http", "https") or not separator or not host or "/" in host or "*" in host:
                raise ValueError("an origin is scheme, host and port, without a path: https://www.example.org")
        return origins


def load_sites(path: Path) -> dict[str, Site]:
    """The sites by their keys.

    Raises:
        InvalidSites: the file cannot be read or a site is not right.
    """
    try:
        with path.open("rb") as file:
            return {key: Site.model_validate(value) for key, value in tomllib.load(file).items()}
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise InvalidSites(f"{path.name}: {error}") from error
