"""What staff may do."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """What an account may do. No role holds another."""

    AGENT = "agent"
    EDITOR = "editor"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
