"""Text as it comes from keyboards, clipboards and recognisers, made fit for reading and for matching."""

from __future__ import annotations

import re
import unicodedata

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\n]+")
_BLANKS_AT_LINE_ENDS = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")

_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
"""Controls, format characters (zero width, bidi, soft hyphen, tags) and lone surrogates."""

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff]"
)
"""Characters of other categories that show nothing: fillers, variation selectors, non-characters."""

_LETTERS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ı": "i"}
)


def clean(text: str) -> str:
    """The text without anything invisible, in Unicode NFC, with single blanks and at most one blank line in a row.

    Cleaning a clean text changes nothing.
    """
    text = _LINE_ENDS.sub("\n", text)
    text = _BLANKS.sub(" ", text)
    text = "".join(char for char in _INVISIBLE.sub("", text) if char == "\n" or not _is_invisible(char))
    text = _BLANKS.sub(" ", unicodedata.normalize("NFC", text))
    text = _BLANKS_AT_LINE_ENDS.sub("\n", text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def fold(text: str) -> str:
    """The text for comparisons: lower case, umlauts and ß spelled out, other accents removed.

    `Straße`, `STRASSE` and `strasse` come out the same, and so do `für` and `fuer`.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFC", text).translate(_LETTERS)
    text = "".join(char for char in unicodedata.normalize("NFKD", text) if unicodedata.category(char) != "Mn")
    return text.casefold().translate(_LETTERS)


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE_CATEGORIES
