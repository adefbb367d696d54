"""Numbers in German words, written so that a synthesiser reads them rightly.

Babel, which is installed, has no rules for spelling numbers out, and num2words writes each number as one long word,
which espeak-ng (and Piper, which takes its sounds from it) takes apart wrongly: "achthundert" loses its h, the f of
"zweiundvierzig" becomes a w. So there are blanks after thousands and hundreds here and hyphens where words blur,
against the dictionary: `zweitausend sechsundzwanzig`, `zweiund-vierzig`.
"""

from __future__ import annotations

from nlu.speech.lexicon import listed

_ONES = listed(
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn "
    "sechzehn siebzehn achtzehn neunzehn"
)
_TENS = listed("_ _ zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
_ORDINALS = {1: "erst", 3: "dritt", 7: "siebt", 8: "acht"}
_LARGE = ((10**9, "eine Milliarde", "Milliarden"), (10**6, "eine Million", "Millionen"))

LIMIT = 10**12
"""Numbers from here on are read digit by digit."""


def cardinal(number: int, *, one: str = "eins") -> str:
    """The number in words, with `one` for a last one: `ein` before `Euro`, `eine` before `Woche`."""
    if number >= LIMIT:
        return digits(str(number))
    words = []
    for size, single, several in _LARGE:
        count, number = divmod(number, size)
        if count:
            words.append(single if count == 1 else f"{_below_million(count, 'eine')} {several}")
    if number or not words:
        words.append(_below_million(number, one))
    return " ".join(words)


def ordinal(number: int, ending: str = "e") -> str:
    """The ordinal with its ending: `erste`, `zwanzigsten`."""
    if number >= LIMIT or number == 0:
        return cardinal(number)
    head, last = divmod(number, 100)
    stem = _ORDINALS.get(last) or (_below_million(last, "ein") + ("t" if last < 20 else "st"))
    if last == 0:
        return f"{cardinal(number)}st{ending}"
    return (f"{cardinal(head * 100)} " if head else "") + stem + ending


def year(number: int) -> str:
    """A year in words: `neunzehnhundert neunundachtzig`, `zweitausend sechsundzwanzig`."""
    century, rest = divmod(number, 100)
    if not 11 <= century <= 19:
        return cardinal(number)
    return f"{_below_hundred(century, 'ein')}hundert" + (f" {_below_hundred(rest, 'eins')}" if rest else "")


def digits(text: str) -> str:
    """The digits one by one: `eins eins fünf`."""
    return " ".join(_ONES[int(char)] for char in text)


def dialled(text: str) -> str:
    """Digits for writing along: one by one, with a breath after every two; an odd group begins with three.

    Two digits are never one number: "einundvierzig" makes many people write down 14.
    """
    first = 3 if len(text) % 2 and len(text) > 1 else 2
    groups = [text[:first], *(text[at : at + 2] for at in range(first, len(text), 2))]
    return ", ".join(digits(group) for group in groups)


def _below_million(number: int, one: str) -> str:
    thousands, number = divmod(number, 1000)
    words = [f"{_below_thousand(thousands, 'ein')}tausend"] if thousands else []
    if number or not words:
        words.append(_below_thousand(number, one))
    return " ".join(words)


def _below_thousand(number: int, one: str) -> str:
    hundreds, number = divmod(number, 100)
    words = ["acht-hundert" if hundreds == 8 else f"{_below_hundred(hundreds, 'ein')}hundert"] if hundreds else []
    if number or not words:
        words.append(_below_hundred(number, one))
    return " ".join(words)


def _below_hundred(number: int, one: str) -> str:
    if number == 1:
        return one
    if number < 20:
        return _ONES[number]
    tens, ones = divmod(number, 10)
    if not ones:
        return _TENS[tens]
    return f"{'ein' if ones == 1 else _ONES[ones]}und{'-' if tens in (3, 4) else ''}{_TENS[tens]}"
