"""Telephone numbers and e-mail addresses that citizens leave: checked, and written the usual way."""

from __future__ import annotations

import re
from urllib.parse import quote

import phonenumbers
from email_validator import EmailNotValidError, validate_email

HERE = "DE"
HERE_CODE = 49
SHORTEST = 5
"""Digits below which it is no number of a person, although it may be one of a service."""

_DIALABLE = re.compile(r"[0-9*#+]{1,32}")


def national_number(text: str) -> str:
    """A number as people in Germany dial it, "03641 490"; numbers of other countries with their code.

    Raises:
        ValueError: nobody can be called under it.
    """
    try:
        number = phonenumbers.parse(text, HERE)
    except phonenumbers.NumberParseException:
        raise ValueError("not a telephone number") from None
    if not phonenumbers.is_possible_number(number) or len(str(number.national_number)) < SHORTEST:
        raise ValueError("not a telephone number")
    formats = phonenumbers.PhoneNumberFormat
    here = number.country_code == HERE_CODE
    return str(phonenumbers.format_number(number, formats.NATIONAL if here else formats.INTERNATIONAL))


def valid_email(text: str) -> str:
    """An address that mail can be sent to, as far as its form tells.

    Raises:
        ValueError: it cannot be one.
    """
    try:
        return validate_email(text, check_deliverability=False).normalized
    except EmailNotValidError:
        raise ValueError("not an e-mail address") from None


def dialable(text: str) -> str:
    """An extension without its blanks. Nothing else may get into what the telephone system is told to dial.

    Raises:
        ValueError: there is something in it that no telephone dials.
    """
    number = "".join(text.split())
    if _DIALABLE.fullmatch(number) is None:
        raise ValueError("cannot be dialled")
    return number


def telephone_address(number: str) -> str:
    """What a link to a number leads to: `tel:0364149`."""
    return f"tel:{''.join(char for char in number if char in '0123456789+')}"


def mail_address(email: str) -> str:
    """What a link to an e-mail address leads to, which cannot add a subject or another recipient."""
    return f"mailto:{quote(email, safe='@')}"
