"""The secret with which the phone bridge and kiosks begin conversations of their channels."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def credential(value: str | None, file: Path) -> str:
    """The one of the settings, else that of a file which is made at the first start, for the owner's eyes only.

    Raises:
        OSError: the file can be neither read nor made.
    """
    if value is not None:
        return value
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as new:
            new.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    return file.read_text(encoding="ascii").strip()
