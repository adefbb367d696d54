"""Dates, years, weekdays, clock times and opening hours in words."""

from __future__ import annotations

import re

from nlu.recogniser import words_in
from nlu.speech.lexicon import begins_sentence, listed
from nlu.speech.numbers import cardinal, ordinal, year

_MONTHS = listed("Januar Februar März April Mai Juni Juli August September Oktober November Dezember")
_SHORT_MONTHS = {"jan": 1, "feb": 2, "febr": 2, "mär": 3, "mrz": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9}
_SHORT_MONTHS |= {"sept": 9, "okt": 10, "nov": 11, "dez": 12}
_MONTH = rf"(?:(?:{'|'.join(_MONTHS)})(?!\w)|(?:{'|'.join(_SHORT_MONTHS)})(?![\w])\.?)"
_YEAR = r"(?:19|20)\d\d(?![\d]|[.,]\d)"

_ISO = re.compile(r"(?<![\w-])((?:19|20)\d\d)-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?![\w]|-\d)")
_MONTH_OF_YEAR = re.compile(rf"(?<![\w./-])(0?[1-9]|1[0-2])/({_YEAR})(?!/)")
_SCHOOL_YEAR = re.compile(r"(?<![\w./-])((?:19|20)\d\d)/((?:20)?\d\d)(?![\w/]|[.,]\d)")
_DATE = (
    r"(?<![\w.,:/-])(?:(?<!\d[-–])|(?<=\.[-–]))(?:(?:0?[1-9]|[12]\d|3[01])\. ?"
    rf"(?:(?:0?[1-9]|1[0-2])\.(?: ?{_YEAR}|\d\d(?![\w.:,]\d|\d| ?Uhr))?|{_MONTH}(?: {_YEAR})?))(?!\d)"
)
_DATE_DASH = re.compile(
    rf"({_DATE}|(?<![\w.,])(?:0?[1-9]|[12]\d|3[01])\.) ?[–-] ?(?=(?:0?[1-9]|[12]\d|3[01])\. ?(?:{_MONTH}|\d))"
)
_FIRST_DAY = re.compile(
    rf"(?<![\w.,:/-])(0?[1-9]|[12]\d|3[01])\. ?(und|oder|bis|bis zum|/|,) ?"
    rf"(?=(?:0?[1-9]|[12]\d|3[01])\. ?(?:{_MONTH}|(?:0?[1-9]|1[0-2])\.))"
)
_DAY = re.compile(rf"(?P<date>{_DATE})")
_DAY_PARTS = re.compile(rf"(\d{{1,2}})\. ?(?:(\d{{1,2}})\. ?|({_MONTH}) ?)(\d{{2,4}})?")
_MONTH_YEAR = re.compile(rf"(?<!\w)({'|'.join(_SHORT_MONTHS)})\.? (?={_YEAR})", re.IGNORECASE)
_OLD_YEAR = re.compile(
    r"(?<![\w.,/-])(1[89]\d\d)(?![\w%€]|[.,:]\d| ?(?:€|%|EUR|Euro|Cent|km|m|m²|qm|kg|g|t|l|Meter|Kilometer|Stück|"
    r"Personen|Einwohner|Kilogramm|Kubikzentimeter|ccm|Watt|Stunden|Tage|Plätze)(?!\w))"
)
_DECADE = re.compile(r"(?<!\w)(?:(19|20)?([1-9]0))er(?: ?-? ?(?=Jahre))?(?!\w)")
_YEARS = re.compile(rf"(?<![\w.,/-])({_YEAR}) ?[–-] ?(?={_YEAR})")

_WEEKDAYS = {
    "mo": "Montag",
    "di": "Dienstag",
    "mi": "Mittwoch",
    "do": "Donnerstag",
    "fr": "Freitag",
    "sa": "Samstag",
    "so": "Sonntag",
}
_FULL = "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag|Sonnabend|Sonntag|Feiertag"
_WEEKDAY = rf"(?<!\w)(?:(?:{_FULL})(?:en|e|s)?|(?:Mo|Di|Mi|Do|Fr|Sa|So)\.?)(?!\w)"
_BETWEEN = r" ?(?:[–—/,&+-]|und|u\.|bis|sowie) ?"
_DAYS = re.compile(rf"{_WEEKDAY}(?:{_BETWEEN}{_WEEKDAY}){{0,6}}")
_SHORT_DAY = re.compile(r"(Mo|Di|Mi|Do|Fr|Sa|So)(?!\w)\.?")
_TIME_AHEAD = re.compile(
    r":? ?(?:von |ab |bis |um |jeweils )?\d{1,2}(?:[:.]\d\d)? ?(?:Uhr|[–-] ?\d|h\b)|:? ?\d{1,2}:\d\d"
    r"|:? ?(?:geschl|vormittag|nachmittag|nach Verein)|: "
)
_CLOCK = r"(?:(?:[01]?\d|2[0-4])(?:[:.][0-5]\d)?(?![\d]))"
_SPAN = rf"(?<![\d.,:/–-]){_CLOCK}(?: ?Uhr)? ?[–-] ?{_CLOCK}(?![.,:]\d)"
_SPANS = re.compile(
    rf"(?P<lead>(?:von|zwischen) )?(?P<spans>{_SPAN}(?:(?: ?Uhr)? ?(?:,|und|u\.|sowie|/|\+|&|oder) ?{_SPAN}){{0,4}})"
    r"(?P<uhr> ?Uhr| ?h(?!\w))?"
)
_ONE_SPAN = re.compile(rf"({_CLOCK})(?: ?Uhr)? ?[–-] ?({_CLOCK})")
_TIME = re.compile(
    r"(?<![\d.,:/])([01]?\d|2[0-4])(?:[:.]([0-5]\d))? ?Uhr(?!\w)(?: ([0-5]\d)(?!\d|[.,:]\d| ?[–-] ?\d))?"
    r"|(?<![\d.,:/])([01]?\d|2[0-4]):([0-5]\d)(?!\d|:\d)"
)
_FROM_TO = re.compile(rf"(?<!\w)((?:von|zwischen) )({_CLOCK})( (?:bis|und) )(?={_CLOCK} ?Uhr)")
_ALWAYS = re.compile(r"(?<![\w/])24/7(?![\w/])")

_DATIVE = words_in("am vom zum dem im beim den diesem jedem jeden diesen kommenden nächsten letzten des spätestens")
_WITH_ARTICLE = {
    "bis": "zum ",
    "ab": "dem ",
    "seit": "dem ",
    "vor": "dem ",
    "nach": "dem ",
    "zwischen": "dem ",
    "mit": "dem ",
    "von": "dem ",
    "für": "den ",
    "auf": "den ",
}
_INHERITING = frozenset({"und", "oder", "sowie", ",", "u."})


def times(text: str) -> str:
    """The text with every date, weekday in short and time of day in words."""
    text = _DAYS.sub(_weekdays, text)
    if not any(map(str.isdigit, text)):
        return text
    text = _ALWAYS.sub("rund um die Uhr", text)
    text = _ISO.sub(lambda found: f"{int(found[3])}.{int(found[2])}.{found[1]}", text)
    text = _MONTH_OF_YEAR.sub(lambda found: f"{_MONTHS[int(found[1]) - 1]} {year(int(found[2]))}", text)
    text = _SCHOOL_YEAR.sub(lambda found: f"{year(int(found[1]))} {cardinal(int(found[2][-2:]))}", text)
    text = _MONTH_YEAR.sub(lambda found: f"{_MONTHS[_SHORT_MONTHS[found[1].lower()] - 1]} ", text)
    text = _YEARS.sub(lambda found: f"{found[1]} bis ", text)
    if "." in text:
        text = _DATE_DASH.sub(lambda found: f"{found[1]} bis ", text)
        text = _days(text)
    if "Uhr" in text or ":" in text or "h" in text:
        text = _SPANS.sub(_spans, text)
        text = _FROM_TO.sub(lambda found: found[1] + _clock(found[2], is_end=False) + found[3], text)
        text = _TIME.sub(_time, text)
    text = _DECADE.sub(_decade, text)
    return _OLD_YEAR.sub(lambda found: year(int(found[1])), text)


def _weekdays(found: re.Match[str]) -> str:
    days = found[0]
    shorts = _SHORT_DAY.findall(days)
    ahead = found.string[found.end() : found.end() + 40]
    is_single = len(shorts) == 1 and not re.search(_FULL, days)
    if is_single and not _TIME_AHEAD.match(ahead):
        return days
    if is_single and days.startswith("So") and ahead.startswith(": "):
        return days
    count = len(re.findall(_WEEKDAY, days))
    spoken = _SHORT_DAY.sub(lambda day: _WEEKDAYS[day[1].lower()], days)
    spoken = re.sub(r" ?[–—-] ?", " bis ", spoken)
    spoken = re.sub(r" ?(?:[/+,]) ?", ", ", spoken)
    spoken = re.sub(r" ?(?:&|u\.) ?", " und ", spoken)
    if count > 1 and " und " not in spoken and " bis " not in spoken:
        first, _, last = spoken.rpartition(", ")
        spoken = f"{first} und {last}" if first else spoken
    return spoken + (" " if ahead[:1].isdigit() else "")


def _days(text: str) -> str:
    """The dates of the text; a second one after `und` takes the ending of the first."""
    last_end, last_article, last_ending = -1, "", "er"

    def ending_at(found: re.Match[str]) -> tuple[str, str]:
        before = found.string[max(0, found.start() - 40) : found.start()]
        words = re.findall(r"[\wÄÖÜäöüß]+\.?|,", before)
        previous = words[-1].lower() if words else ""
        if last_end >= 0 and found.string[last_end : found.start()].strip(" ") in _INHERITING:
            return last_article, last_ending
        if previous == "," and len(words) > 2 and re.fullmatch(_FULL, words[-2]):
            return ("dem ", "en") if words[-3].lower() in _DATIVE else ("", "er")
        if re.fullmatch(_FULL, words[-1] if words else "") and len(words) > 1 and words[-2].lower() in _DATIVE:
            return "dem ", "en"
        if previous in _DATIVE:
            return "", "en"
        if previous in _WITH_ARTICLE and (previous != "bis" or not before.rstrip().endswith(".")):
            return _WITH_ARTICLE[previous], "en"
        return "", "e" if previous in ("der", "dieser", "jeder") else "er"

    def first(found: re.Match[str]) -> str:
        article, ending = ending_at(found)
        joint = {"/": "und", ",": ","}.get(found[2], found[2])
        joint = joint if joint == "," else f" {joint}"
        return f"{article}{ordinal(int(found[1]), ending)}{joint} "

    def whole(found: re.Match[str]) -> str:
        nonlocal last_end, last_article, last_ending
        parts = _DAY_PARTS.fullmatch(found["date"].strip())
        if parts is None:
            return found[0]
        article, ending = ending_at(found)
        before = found.string[max(0, found.start() - 16) : found.start()].rstrip()
        if re.search(r"ten(?: und| oder|,)$", before):
            article, ending = "", "en"
        month = _MONTHS[int(parts[2]) - 1] if parts[2] else _month(parts[3])
        spoken = f"{article}{ordinal(int(parts[1]), ending)} {month}"
        if parts[4]:
            spoken += f" {year(int(parts[4]) + (2000 if len(parts[4]) == 2 else 0))}"
        elif parts[2] and _ends_here(found):
            spoken += "."
        last_end, last_ending = found.end(), ending
        last_article = article if before.lower().endswith("zwischen") else ""
        return spoken + (" " if found[0].endswith(" ") else "")

    text = _FIRST_DAY.sub(first, text)
    return _DAY.sub(whole, text)


def _ends_here(found: re.Match[str]) -> bool:
    """Whether the full stop of `24.12.` is the sentence's as well."""
    rest = found.string[found.end() : found.end() + 24]
    word = re.match(r"\s*(\w*)", rest)
    return not rest.strip() or rest.startswith("\n") or (word is not None and begins_sentence(word[1]))


def _month(name: str) -> str:
    name = name.rstrip(".")
    return name if name in _MONTHS else _MONTHS[_SHORT_MONTHS[name.lower()] - 1]


def _clock(clock: str, *, is_end: bool = True) -> str:
    hour, _, minute = clock.replace(".", ":").partition(":")
    spoken = cardinal(int(hour), one="ein" if is_end or int(minute or 0) else "eins")
    if int(minute or 0):
        return f"{spoken} Uhr {cardinal(int(minute))}"
    return f"{spoken} Uhr" if is_end else spoken


def _spans(found: re.Match[str]) -> str:
    spans = found["spans"]
    after_day = re.search(
        rf"(?:{_FULL})(?:en|e|s)?(?: und Feiertage?n?)?:? ?(?:jeweils )?$",
        found.string[max(0, found.start() - 40) : found.start()],
    )
    is_clock = found["uhr"] or "Uhr" in spans or spans.count(":") >= 2 or after_day
    if not is_clock:
        return found[0]
    lead = found["lead"] or ""

    def one(span: re.Match[str]) -> str:
        start = _clock(span[1], is_end=False)
        words = f"von {start} bis {_clock(span[2])}"
        return words.removeprefix("von ") if lead and span.start() == 0 else words

    spoken = _ONE_SPAN.sub(one, spans)
    spoken = spoken.replace(" Uhr Uhr", " Uhr")
    spoken = re.sub(r" ?(?:/|\+|&|u\.) ?", " und ", spoken)
    spoken = re.sub(r" ?, ?", ", ", spoken)
    if lead.strip() == "zwischen":
        spoken = spoken.replace(" bis ", " und ", 1)
    return lead + spoken


def _time(found: re.Match[str]) -> str:
    hour, minute = (found[1], found[2] or found[3]) if found[1] else (found[4], found[5])
    return _clock(f"{hour}:{minute or '0'}")


def _decade(found: re.Match[str]) -> str:
    century = {"19": "neunzehnhundert ", "20": "zweitausend "}.get(found[1] or "", "")
    return f"{century}{cardinal(int(found[2]))}er" + (" " if found[0][-1] in " -" else "")
