"""The second factor: codes of an app that change every 30 seconds (RFC 6238), and codes for when the app is lost."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import secrets

import pyotp

STEP_S = 30
DRIFT_STEPS = 1
"""Steps by which the app's clock may be wrong."""
RECOVERY_CODES = 10
RECOVERY_CODE_BYTES = 10


def new_secret() -> str:
    """A random secret in base32."""
    return pyotp.random_base32()


def address(secret: str, *, login: str, issuer: str) -> str:
    """What the QR code says (`otpauth://`)."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def accepted_step(secret: str, code: str, *, now: dt.datetime, after: int) -> int | None:
    """The step whose code this is, if it lies near and after the last one that was accepted; compares all of them."""
    totp = pyotp.TOTP(secret)
    given = "".join(code.split()).encode()
    current = int(now.timestamp()) // STEP_S
    found = None
    for step in range(current - DRIFT_STEPS, current + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), given) and step > after:
            found = step
    return found


def new_codes() -> list[str]:
    """Recovery codes of 80 random bits each, in groups of four letters or digits."""
    return [_grouped(secrets.token_bytes(RECOVERY_CODE_BYTES)) for _ in range(RECOVERY_CODES)]


def hash_of_code(code: str) -> str:
    """What is stored of a recovery code; spaces, dashes and case do not matter."""
    normal = "".join(character for character in code.upper() if character.isalnum())
    return hashlib.sha256(normal.encode()).hexdigest()


def _grouped(random: bytes) -> str:
    text = base64.b32encode(random).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))
