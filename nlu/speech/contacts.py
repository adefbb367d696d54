"""Web addresses, e-mail, files, telephone numbers and postal codes as they are said.

Telephone numbers keep the groups in which they are written; in each the digits are said one by one, with a breath after
every two, an odd group beginning with three: `03641 49-3800` is "null drei sechs, vier eins, vier neun, drei acht, null
null". "zwei" is never "zwo", which learners of German do not know.
"""

from __future__ import annotations

import re

from nlu.recogniser import words_in
from nlu.speech.lexicon import GENDERS
from nlu.speech.numbers import cardinal, dialled, digits

_MAIL = re.compile(r"(?<![\w.+%@-])(?:mailto:)?([\w.+%-]{1,64})@([\w-]{1,63}(?:\.[\w-]{1,63}){1,6})")
_DOMAINS = "de|com|org|net|eu|info|gov|at|ch|bund|bayern|berlin|nrw|app|io"
_WEB = re.compile(
    r"(?P<lead>(?<!\w)(?:(?:[Ii]m|[Ii]ns) Internet )?(?:(?:[Uu]nter|[Aa]uf|[Üü]ber|[Bb]ei|[Vv]ia|[Ss]iehe|[Aa]n) )?)?"
    r"(?P<url>(?<![\w@.-])(?:(?:https?://|www\.)[^\s<>\"„“”»«]+"
    rf"|(?:[\wäöü-]{{1,40}}\.){{1,4}}(?:{_DOMAINS})(?![\w-]|\.\w)(?:/[^\s<>\"„“”»«]*)?))",
    re.IGNORECASE,
)
_BRACKETED_WEB = re.compile(r" ?[(\[](?:[\w-]{1,20}: )?(?:https?://|www\.)[^\s()\[\]]{1,1000}/[^\s()\[\]]+[)\]]")
_HAS_ADDRESS = re.compile(r"\w\.\w|https?:", re.IGNORECASE)
_FILE = re.compile(
    r"(?<![\w.-])([\wäöüß-]{1,80})\.(pdf|docx?|xlsx?|odt|ods|rtf|jpe?g|png|tiff?|zip|txt|csv|xml|ics|pptx?)(?!\w)",
    re.IGNORECASE,
)
_LEIKA = re.compile(
    r" ?\(?(?<!\d)(?:(?:leika|leistungsschlüssel|leistungs-?id|fim)[\w-]{0,20}"
    r"(?:[ -](?:id|nr\.?|nummer|schlüssel|key))?[:=]? ?)?(?<!\d)99\d{12}(?!\d)\)?",
    re.IGNORECASE,
)
_IBAN = re.compile(r"(?<!\w)([A-Z]{2})(\d{2}(?: ?\d{4}){3,7}(?: ?\d{1,3})?)(?!\w)")
_SEPARATED = r"(?:[ ()/–-]{1,3}\d{1,12})"
_PHONE = re.compile(
    rf"(?<![\w.,/+-])\(?(?P<plus>\+|00(?=49))?(?P<first>(?<=[+0])[1-9]\d{{0,2}}|0\d{{2,12}})\)?(?P<rest>{_SEPARATED}{{0,6}})"
    r"(?!\d|[.,:]\d)"
)
_CUED = re.compile(
    r"((?<!\w)(?:tel|(?:service|bürger|info|beratungs|sorgen)?-?telefon|(?:tele)?fax|durchwahl|(?:telefon|fax|ruf|notruf|service|mobil|handy|durchwahl)-?nummer|"
    r"hotline|mobil|handy|postfach|(?:sperr-?)?notruf|behördenruf(?:nummer)?|behördennummer)"
    r"(?!\w)\.?:? ?(?:unter )?(?:der )?)"
    rf"[-–]?(\d{{1,12}}{_SEPARATED}{{0,6}})(?!\d|[.,:]\d)",
    re.IGNORECASE,
)
_UNIT_AHEAD = r"(?! ?(?:Uhr|Euro|€|%|Cent|Jahre|Tage|Wochen|Monate)|[:.]\d)"
_PAIRS = re.compile(
    r"(?<![\w.,/+-])(?P<plus>plus )?(?P<digits>(?(plus)[1-9]\d?|0\d?)"
    rf"(?:,? \d{{1,2}}(?!\d){_UNIT_AHEAD}){{2,14}})(?!\w|,\d)"
)
"""A number whose digits are written in pairs already: `0 36 41, 49, 38 00`."""

_SHORT_PAIR = re.compile(rf"(?<![\w.,/+-])1 (1[0256])(?:, 1 (1[67]))?(?!\d){_UNIT_AHEAD}(?! [A-ZÄÖÜ])")
_EXTENSIONS = re.compile(r"(?<=\d)([-–]\d{1,5})( (?:bis|und|oder) |, ?|/)[-–](\d{1,5})(?!\d|[.,:]\d)")
_SHORT = re.compile(r"(?<![\w.,/§+-])(?P<code>116 ?\d{3}|11[0256-9])(?![\w%€]|[.,:/–-]\d| ?[€%§]| \d)(?! [A-ZÄÖÜ]\w)")
_SHORT_CODE = re.compile(r"11[0256]")
_BEFORE_SHORT = words_in(
    "die der unter nummer sie ruf rufen wählen notruf notrufnummer polizei feuerwehr rettungsdienst behördennummer "
    "behördenrufnummer rufnummer tel telefon telefonnummer hotline bereitschaftsdienst anrufen"
)
_POSTCODE = re.compile(r"(?<![\w.,/+-])(?:D ?[-–] ?)?(\d{5})(?= ([A-ZÄÖÜ][\wäöüß]*))")
_DIGITS = re.compile(r"\d+")
_TWO_DIGITS = re.compile(r"\d\d")
_CAMEL = re.compile(r"(?<=[a-zäöüß])(?=[A-ZÄÖÜ])")
_NO_TOWNS = words_in(
    "Euro EUR Einwohner Einwohnerinnen Menschen Personen Bürger Bürgerinnen Besucher Tonnen Kilometer Meter Stück "
    "Liter Quadratmeter Hektar Wohnungen Haushalte Studierende Kinder Beschäftigte Fahrzeuge Bäume Cent Prozent Mal"
)


def contacts(text: str) -> str:
    """The text with addresses and numbers of the net and of the telephone in words; keys of services are dropped."""
    if "@" in text:
        text = _MAIL.sub(lambda found: f"{_address(found[1])} ät {_host(found[2])}", text)
    if _HAS_ADDRESS.search(text):
        text = _BRACKETED_WEB.sub("", text)
        text = _WEB.sub(_web, text)
        text = _FILE.sub(_file, text)
    if not _TWO_DIGITS.search(text):
        return text
    if "99" in text:
        text = _LEIKA.sub("", text)
    text = _IBAN.sub(lambda found: f"{' '.join(found[1])} {dialled(_only_digits(found[2]))}", text)
    text = _PAIRS.sub(_pairs, text)
    text = _SHORT_PAIR.sub(lambda found: ", ".join(dialled(f"1{part}") for part in found.groups() if part), text)
    text = _EXTENSIONS.sub(lambda found: f"{found[1]}{found[2]}{dialled(found[3])}", text)
    text = _CUED.sub(lambda found: found[1] + _phone(found[2]), text)
    if "0" in text or "+" in text:
        text = _PHONE.sub(_plain_phone, text)
    if "11" in text:
        text = _SHORT.sub(_short, text)
    return _POSTCODE.sub(_postcode, text)


def _web(found: re.Match[str]) -> str:
    url = found["url"].rstrip(".,;:!?)]'*_")
    rest = found["url"][len(url) :]
    host, _, path = re.sub(r"^https?://", "", url, flags=re.IGNORECASE).partition("/")
    host = re.split(r"[?#:]", host)[0]
    if not path and host.count(".") <= 3 and len(host) <= 40 and host.count("."):
        return f"{found['lead'] or ''}{_host(host)}{rest}"
    lead = found["lead"] or ""
    before = found.string[max(0, found.start() - 12) : found.start()].rstrip().lower()
    if before.endswith(("online", "internet")):
        return rest
    return f"{'Im' if lead[:1].isupper() else 'im'} Internet{rest}"


def _host(host: str) -> str:
    labels = host.lower().strip(".").split(".")
    *names, top = labels
    spoken = [_label(label) for label in names]
    spoken.append({"com": "kom", "org": "org", "net": "net", "info": "info"}.get(top) or _spelled_if_short(top))
    return " Punkt ".join(spoken)


def _spelled_if_short(label: str) -> str:
    return " ".join(label.upper()) if len(label) < 3 or not re.search("[aeiouyäöü]", label) else label


def _address(local: str) -> str:
    parts = [_label(part) for part in local.split(".")]
    return " Punkt ".join(filter(None, parts))


def _label(label: str) -> str:
    words: list[str] = []
    for part in re.findall(r"[^\W\d_]+|\d+|[-_+%]", label):
        if part.isdigit():
            words.append(digits(part))
        elif part in "-_+%":
            words.append({"-": "Bindestrich", "_": "Unterstrich", "+": "plus", "%": "Prozent"}[part])
        else:
            words.append(_spelled_if_short(part))
    return " ".join(words)


def _file(found: re.Match[str]) -> str:
    stem = _CAMEL.sub(" ", re.sub(r"[_-]+", " ", found[1])).strip()
    return f"{stem} {' '.join(found[2].upper())}"


def _phone(number: str) -> str:
    groups = _DIGITS.findall(number.replace("(0)", " "))
    return ", ".join(dialled(group) for group in groups)


def _pairs(found: re.Match[str]) -> str:
    if len(_only_digits(found["digits"])) < 6:
        return found[0]
    return (found["plus"] or "") + ", ".join(dialled(_only_digits(group)) for group in found["digits"].split(","))


def _plain_phone(found: re.Match[str]) -> str:
    first, rest = found["first"], (found["rest"] or "").replace("(0)", " ")
    count = len(_only_digits(first + rest))
    if not 6 <= count <= 20 or (count == 6 and "/" in rest):
        return found[0]
    lead = "plus " if found["plus"] else ""
    tail = ")" if found[0].count("(") < found[0].count(")") else ""
    return f"{lead}{_phone(f'{first} {rest}')}{tail}"


def _short(found: re.Match[str]) -> str:
    before = re.findall(r"\w+|[(„\"]", found.string[max(0, found.start() - 24) : found.start()])
    if len(before) > 1 and before[-1] in ("und", "oder") and _SHORT_CODE.fullmatch(before[-2]):
        return dialled(found["code"])
    if len(found["code"]) > 3 or not before or before[-1].lower() in _BEFORE_SHORT or before[-1] in '(„"':
        return ", ".join(dialled(group) for group in re.findall(r"\d{3}", found["code"]))
    return found[0]


def _postcode(found: re.Match[str]) -> str:
    code, town = found[1], found[2]
    if not code.startswith("0") and (town in _NO_TOWNS or town in GENDERS or code.endswith("000")):
        return cardinal(int(code), one="ein")
    return dialled(code)


def _only_digits(text: str) -> str:
    return re.sub(r"\D", "", text)
