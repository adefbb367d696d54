"""Passwords: which ones are accepted, and their hashes (Argon2id with the parameters of RFC 9106 for low memory)."""

from __future__ import annotations

import re
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

MIN_LENGTH = 12
MAX_LENGTH = 200
EASY_PARTS = re.compile(
    r"passwor[td]|kennwort|geheim|hallo|willkommen|welcome|stadtbot|buergerservice|bürgerservice|qwert[yz]\w*|asdf\w*"
    r"|admin|letmein|frühling|sommer|herbst|winter|0?123456789?0?|\d{4}$|(.)\1{2,}",
)
"""What is guessed first."""
MIN_REST = 6
"""Different characters that must be left without the easy parts."""

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
_NOBODYS = _hasher.hash("the hash against which a password is checked when there is no account")


class PasswordRefused(ValueError):
    """The password is not accepted; `code` says why: too-short, too-long or too-easy."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def check_strength(password: str, *, login: str, name: str) -> None:
    """Accept or refuse a new password.

    Raises:
        PasswordRefused: it is too short, or it can be guessed from the login, the name or common words.
    """
    if len(password) < MIN_LENGTH:
        raise PasswordRefused("too-short")
    if len(password) > MAX_LENGTH:
        raise PasswordRefused("too-long")
    rest = unicodedata.normalize("NFKC", password).casefold()
    for part in sorted({login.casefold(), *re.split(r"\W+", f"{login} {name}".casefold())}, key=len, reverse=True):
        if len(part) >= 3:
            rest = rest.replace(part, "")
    if len(set(EASY_PARTS.sub("", rest))) < MIN_REST:
        raise PasswordRefused("too-easy")


def hash_password(password: str) -> str:
    return _hasher.hash(_normal(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Whether a password is the right one; takes as long where there is none to compare with."""
    try:
        same = _hasher.verify(password_hash or _NOBODYS, _normal(password[: MAX_LENGTH + 1]))
    except (VerificationError, InvalidHashError):
        return False
    return same and password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)
