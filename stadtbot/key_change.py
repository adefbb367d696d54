"""Changing the keys under which texts are stored, while the service runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import bot.models  # noqa: F401 - whatever has sealed columns takes part
import core.accounts
import core.pending  # noqa: F401 - and this
import handover.models  # noqa: F401 - and this
import knowledge.tables  # noqa: F401 - and this
from core.database import Database
from core.encryption import (
    EncryptionError,
    Keyring,
    Resealed,
    add_key,
    count_sealed,
    drop_old_keys,
    reseal_all,
)

SETTLING_S = 5.0
"""How long a write that was sealed just before the key changed may take; older keys are dropped after that."""


class KeysInSetting(EncryptionError):
    """The keys come from a setting, which only the operator can change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChange:
    """What a change of keys did."""

    texts: Resealed
    dropped: int


def change_keys(
    database: Database,
    *,
    keys: str | None,
    file: Path,
    drop_old: bool,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> KeyChange:
    """Add a key, seal everything with it and, if wanted, drop the older ones once nothing is left under them.

    Where the keys are a setting everything is sealed with its first one.

    Args:
        database: where the texts are.
        keys: the setting with the keys, if it is used.
        file: the file with the keys, else.
        drop_old: whether the older keys go.
        progress: told how many texts of how many were looked at.

    Raises:
        KeysInSetting: older keys cannot be dropped from a setting.
        InvalidKeys: setting or file are damaged, or there is no file.
    """
    if keys is not None and drop_old:
        raise KeysInSetting(
            "The keys are in STADTBOT_ENCRYPTION_KEYS: run this without --drop-old, then remove the older ones there."
        )
    if keys is None:
        add_key(file)
    keyring = Keyring.load(keys=keys, file=file)
    total, done = count_sealed(database), 0

    def seen(number: int) -> None:
        nonlocal done
        done += number
        progress(min(done, total), total)

    texts = reseal_all(database, keyring, progress=seen)
    if not drop_old:
        return KeyChange(texts=texts, dropped=0)
    time.sleep(SETTLING_S)
    late = reseal_all(database, keyring)
    texts = Resealed(texts.resealed + late.resealed, late.unreadable)
    return KeyChange(texts=texts, dropped=0 if texts.unreadable else drop_old_keys(file))
