"""Amounts of money, measures, fractions, ordinals, house numbers and all other numbers in words."""

from __future__ import annotations

import re

from nlu.recogniser import words_in
from nlu.speech.law import ROMAN
from nlu.speech.lexicon import GENDERS, begins_sentence, gender_of, listed
from nlu.speech.numbers import cardinal, dialled, digits, ordinal

_N = r"(?:\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?)(?![\d])"
_COIN = r"(?:€|EUR(?!\w)|Euros?(?!\w))"
_LARGE = r"(?:Mio\.?|Mrd\.?|Tsd\.?|Millionen|Milliarden|Million|Milliarde)"
_NOUGHT = r"(?:,[–—-]{1,2}|,—)"
_PER = re.compile(rf"({_COIN}|Cent|ct) ?/ ?(?=[A-Za-zÄÖÜ])")
_PREFIX = re.compile(rf"(?<!\w)(?:€|EUR) ?({_N}){_NOUGHT}?(?! ?{_COIN})")
_SPOKEN_CENTS = re.compile(
    r"(?<![\d.,])(\d{1,3}(?:\.\d{3})+|\d+) Euro (\d\d)(?![\w%€]|[.,:–-]\d"
    r"| ?(?:€|%|Euro|Cent|Jahre|Tage|Monate|Wochen|[–-] ?\d))"
)
_THIN = re.compile(r"(?<![\d.,])(\d{1,3}) (\d{3})(?=(?:,\d\d)? ?(?:€|EUR|Euro|Einwohner))")
_MONEY_RANGE = re.compile(
    rf"(?<![\d.,])({_N}){_NOUGHT}?(?: ?{_COIN})? ?(–|—|-|bis(?: zu)?|oder|und|/) ?({_N}){_NOUGHT}?"
    rf" ?(?:({_LARGE}) ?)?{_COIN}"
)
_MONEY = re.compile(rf"(?<![\d.,])({_N}){_NOUGHT}?(?: ?({_LARGE}))? ?{_COIN}")
_COMPOUND_EURO = re.compile(r"(?<![\d.,])(\d+) ?- ?(?:€|Euro|EUR) ?- ?(?=[A-ZÄÖÜ])")
_CENTS = re.compile(rf"(?<![\d.,])({_N}) ?(?:ct(?!\w)|Cent(?!\w))")

_UNITS = {
    "m²": ("f", "Quadratmeter"),
    "qm": ("m", "Quadratmeter"),
    "m2": ("m", "Quadratmeter"),
    "km²": ("m", "Quadratkilometer"),
    "m³": ("m", "Kubikmeter"),
    "m3": ("m", "Kubikmeter"),
    "cbm": ("m", "Kubikmeter"),
    "cm³": ("m", "Kubikzentimeter"),
    "ccm": ("m", "Kubikzentimeter"),
    "cm²": ("m", "Quadratzentimeter"),
    "km": ("m", "Kilometer"),
    "m": ("m", "Meter"),
    "cm": ("m", "Zentimeter"),
    "mm": ("m", "Millimeter"),
    "kg": ("n", "Kilogramm"),
    "g": ("n", "Gramm"),
    "t": ("f", "Tonnen"),
    "l": ("m", "Liter"),
    "ml": ("m", "Milliliter"),
    "ha": ("m", "Hektar"),
    "h": ("f", "Stunden"),
    "Std.": ("f", "Stunden"),
    "Std": ("f", "Stunden"),
    "Stdn.": ("f", "Stunden"),
    "Min.": ("f", "Minuten"),
    "Min": ("f", "Minuten"),
    "min": ("f", "Minuten"),
    "min.": ("f", "Minuten"),
    "Sek.": ("f", "Sekunden"),
    "s": ("f", "Sekunden"),
    "Mio.": ("f", "Millionen"),
    "Mio": ("f", "Millionen"),
    "Mrd.": ("f", "Milliarden"),
    "Mrd": ("f", "Milliarden"),
    "kW": ("n", "Kilowatt"),
    "kWh": ("f", "Kilowattstunden"),
    "kWp": ("n", "Kilowatt Peak"),
    "PS": ("n", "P S"),
    "W": ("n", "Watt"),
    "V": ("n", "Volt"),
    "km/h": ("m", "Kilometer pro Stunde"),
    "dB": ("n", "Dezibel"),
    "dB(A)": ("n", "Dezibel"),
    "KB": ("n", "Kilobyte"),
    "kB": ("n", "Kilobyte"),
    "MB": ("n", "Megabyte"),
    "GB": ("n", "Gigabyte"),
    "Mbit/s": ("n", "Megabit pro Sekunde"),
    "dpi": ("n", "D P I"),
    "°C": ("n", "Grad Celsius"),
    "° C": ("n", "Grad Celsius"),
    "°": ("n", "Grad"),
    "%": ("n", "Prozent"),
    "v.H.": ("n", "Prozent"),
    "v. H.": ("n", "Prozent"),
    "‰": ("n", "Promille"),
    "Pers.": ("f", "Personen"),
    "Stk.": ("n", "Stück"),
    "Jh.": ("n", "Jahrhundert"),
}
_SINGULAR = {"Tonnen": "Tonne", "Stunden": "Stunde", "Minuten": "Minute", "Sekunden": "Sekunde", "Personen": "Person"}
_SINGULAR |= {"Kilowattstunden": "Kilowattstunde", "Millionen": "Million", "Milliarden": "Milliarde"}
_UNIT = "|".join(re.escape(unit) for unit in sorted(_UNITS, key=len, reverse=True))
_UNIT_PER = re.compile(
    r"(?<=[\d ])(Std\.?|Min\.?|km|kg|l|t|kWh|m²|m³|Stunden?|Minuten?|Tage?|Stück|Liter) ?/ ?(?=[A-Za-zÄÖÜ])(?!h)"
)
_MEASURE = re.compile(rf"(?<![\w.,])({_N}) ?({_UNIT})(?![\w²³/(])")
_BARE_UNIT = re.compile(r"(?<!\w)(pro|je|und|in) (m²|m³|km²|km|kg|qm|cbm|kWh|Std\.|Min\.|Pers\.|Stk\.|t|l|ha)(?!\w)")
_MEASURE_RANGE = re.compile(rf"(?<![\w.,])({_N}) ?(?:{_UNIT})? ?(?:–|—|-) ?(?={_N}[ -]?(?:{_UNIT})(?![\w²³/(]))")
_PERCENT_WORD = re.compile(r"(?<![\w.,])(\d+(?:,\d+)?) ?%ig")
_TIMES = re.compile(r"(?<=\d) ?[x×] ?(?=\d)|(?<=m) ?[x×] ?(?=\d)")
_OFTEN = re.compile(r"(?<![\w.,])(\d{1,3}) ?(?:[x×]|-?[Mm]al)(?![\w]| \d)")

_GLYPHS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8"}
_MIXED = re.compile(r"(?<![\w.,/])(\d{1,2}) ?(?:½|(?<= )1/2(?![\d/]))")
_HALF = re.compile(r"(?<![\w.,/])(?:½|1/2)(?![\d/])(?: (?=([A-ZÄÖÜ]\w+)))?")
_FRACTION = re.compile(r"(?<![\w.,/])([1-9])/([3-9]|10)(?![\d/.,])|([¼¾⅓⅔⅛])")
_FRACTIONS = {2: "Halbe", 3: "Drittel", 4: "Viertel", 5: "Fünftel", 6: "Sechstel", 7: "Siebtel", 8: "Achtel"}
_FRACTIONS |= {9: "Neuntel", 10: "Zehntel"}
_HALVES = re.compile(r"(?<![\w.,])(\d{1,2}),5 (?=(?:Stunde|Jahr|Monat|Tag|Woche|Std|Seite|Zimmer)\w*)")

_LETTERED = re.compile(r"(?<=[A-Za-zäöüßÄÖÜ.] )(\d{1,4}) ?([a-h])(?![\w:-]|\.[a-z])")
_ADJECTIVES = listed("jährig fach stündig wöchig tägig stellig köpfig prozentig seitig mal teilig monatig")
_COMPOUND = re.compile(rf"(?<![\w.,])(\d{{1,4}})(?:-(?=[A-Za-zÄÖÜäöü])|(?={'|'.join(_ADJECTIVES)}))(\w*)")
_ORDINAL = re.compile(
    r"(?<![\w.,:/–-])(\d{1,3})\.(?= ?(?:(?:und|oder|bis|u\.) ?\d{1,3}\.|[–/-] ?\d{1,3}\.)| ([A-ZÄÖÜa-zäöü][\wäöüß-]*))"
)
_ORDINAL_DASH = re.compile(r"(?<![\w.,:/–-])(\d{1,3}\.) ?[–-] ?(?=\d{1,3}\. ?[A-ZÄÖÜ])")
_RANGE = re.compile(rf"(?<![\w.,–-])({_N}) ?(?:–|—|-) ?(?={_N}(?![–-]\d))")
_RATIO = re.compile(r"(?<![\w.,:/])(\d{1,4})(?::| : )(\d{1,6})(?![\w:]|[.,]\d)")
_SLASHED = re.compile(r"(?<=\d) ?/ ?(?=\d)")
_SIGNED = re.compile(r"(?<![\w–-])([–−-])(?=\d)")
_COMPARED = re.compile(r"([<>≤≥~±]=?) ?(?=\d)")
_COMPARISONS = {"<": "unter", ">": "über", "≤": "höchstens", "≥": "mindestens", "<=": "höchstens", ">=": "mindestens"}
_COMPARISONS |= {"~": "etwa", "±": "plus minus"}
_ONE_OR_MORE = re.compile(r"(?<![\w.,–-])1 (?=(?:bis|oder) \d+ [A-ZÄÖÜ])")
_ONE_THING = re.compile(r"(?<![\w.,–-])1 (?=([A-Za-zÄÖÜäöü][\wäöüß-]+))")
_NUMBER = re.compile(rf"{_N}")
_ALPHANUMERIC = re.compile(r"(?<=[A-Za-zÄÖÜäöüß])(?=\d)|(?<=\d)(?=[A-Za-zÄÖÜäöüß])")
_VERSION = re.compile(r"(?<![\w,])\d{1,4}(?:\.\d{1,4})+(?![\w]|,\d)")
_SUFFIXED = re.compile(r"(?<![\w.,])(\d{1,3})(er|ern|te|ten|ter|tes|sten|ste)(?!\w)")

_LABELS = words_in(
    "nummer nr nr. teil absatz abs abs. satz paragraf paragrafen artikel zimmer raum klasse stufe seite kapitel "
    "anlage haus block linie typ gruppe zone pflegegrad ziffer gleis punkt schritt variante version etage stock zi. "
    "zi telefon fax s. kap. ziff. art. buchstabe tel. bund bd."
)
_WITH_DATIVE = words_in("nach seit vor in mit von zu ab aus bei binnen")
_WITH_ACCUSATIVE = words_in(
    "für um bis über auf mindestens höchstens maximal etwa ca. ca dauert rund ungefähr circa beträgt kostet je pro "
    "genau haben sie brauchen benötigen"
)
_WEAK = words_in(
    "am im vom zum zur beim dem den des diesem diesen einem einen einer eines ihrem ihren ihrer jedem jeden seinem "
    "seinen ersten letzten"
)
_ARTICLES = frozenset({"der", "die", "das", "ein", "eine", "jeder", "jede", "dieser", "diese"})
_STRONG = {"m": "er", "f": "e", "n": "es"}
_DATIVE_ARTICLE = {"m": "dem", "f": "der", "n": "dem"}
_PREPOSITIONS = words_in("ab nach seit vor mit in an auf bei von zu aus unter über während innerhalb wegen neben")


def amounts(text: str) -> str:
    """The text without a digit."""
    text = _money(text)
    text = _PERCENT_WORD.sub(lambda found: f"{_plain(found[1], one='ein')}prozentig", text)
    text = _UNIT_PER.sub(r"\1 pro ", text)
    text = _fractions(text)
    text = _TIMES.sub(" mal ", text)
    text = _OFTEN.sub(lambda found: f"{cardinal(int(found[1]), one='ein')}mal", text)
    text = _MEASURE_RANGE.sub(lambda found: f"{_plain(found[1], one='ein')} bis ", text)
    text = _MEASURE.sub(_measure, text)
    text = _BARE_UNIT.sub(lambda found: f"{found[1]} {_one_of(_UNITS[found[2]][1])}", text)
    text = _LETTERED.sub(lambda found: f"{cardinal(int(found[1]))} {found[2].upper()}", text)
    text = _COMPOUND.sub(_compound, text)
    text = _SUFFIXED.sub(_suffixed, text)
    text = _ordinals(text)
    text = _COMPARED.sub(lambda found: f"{_COMPARISONS.get(found[1], '')} ", text)
    text = _RANGE.sub(_range, text)
    text = _RATIO.sub(lambda found: f"{cardinal(int(found[1]))} zu {cardinal(int(found[2]))}", text)
    text = _SLASHED.sub(" Schrägstrich ", text)
    text = _VERSION.sub(_version, text)
    text = _ONE_OR_MORE.sub(lambda found: "eins " if _word_before(found) in _LABELS else "ein ", text)
    text = _ONE_THING.sub(_one_thing, text)
    text = _ALPHANUMERIC.sub(" ", text)
    text = _SIGNED.sub("minus ", text)
    return _NUMBER.sub(lambda found: _plain(found[0]), text)


def _money(text: str) -> str:
    if not ("€" in text or "EUR" in text or "Euro" in text or "Cent" in text or "ct" in text):
        return text
    text = _THIN.sub(r"\1.\2", text)
    text = _PER.sub(r"\1 pro ", text)
    text = _PREFIX.sub(r"\1 Euro", text)
    text = _COMPOUND_EURO.sub(lambda found: f"{_capital(cardinal(int(found[1]), one='ein'))}-Euro-", text)
    text = _SPOKEN_CENTS.sub(lambda found: f"{_euros(f'{found[1]},{found[2]}')}", text)
    text = _MONEY_RANGE.sub(_money_range, text)
    text = _MONEY.sub(lambda found: _euros(found[1], found[2], one=_one(found, "m")), text)
    return _CENTS.sub(lambda found: f"{_plain(found[1], one=_one(found, 'm'))} Cent", text)


def _money_range(found: re.Match[str]) -> str:
    low, joint, high, large = found.groups()
    joint = {"–": "bis", "—": "bis", "-": "bis", "/": "oder"}.get(joint, joint)
    first = _euros(low) if _cents(low) else _plain(low.partition(",")[0], one="ein")
    return f"{first} {joint} {_euros(high, large)}"


def _cents(amount: str) -> int:
    _, comma, cents = amount.partition(",")
    return int(cents) if comma else 0


def _euros(amount: str, large: str | None = None, *, one: str = "ein") -> str:
    if large:
        unit = {"Mio": "Millionen", "Mrd": "Milliarden", "Tsd": "Tausend"}.get(large.rstrip("."), large)
        if amount == "1" and unit != "Tausend":
            return f"eine {_one_of(unit)} Euro"
        return f"{_plain(amount)} {unit} Euro"
    whole, comma, cents = amount.partition(",")
    if comma and len(cents) != 2:
        return f"{_plain(amount)} Euro"
    euros = int(whole.replace(".", ""))
    if not int(cents or 0):
        return f"{cardinal(euros, one=one)} Euro"
    if not euros:
        return f"{cardinal(int(cents), one='ein')} Cent"
    return f"{cardinal(euros, one=one)} Euro {cardinal(int(cents))}"


def _fractions(text: str) -> str:
    if not ("/" in text or ",5 " in text or any(glyph in text for glyph in _GLYPHS)):
        return text
    text = _MIXED.sub(lambda found: _and_a_half(int(found[1])), text)
    text = _HALVES.sub(lambda found: f"{_and_a_half(int(found[1]))} " if int(found[1]) else found[0], text)
    text = _HALF.sub(_half, text)
    return _FRACTION.sub(_fraction, text)


def _and_a_half(number: int) -> str:
    return "eineinhalb" if number == 1 else f"{cardinal(number)}einhalb" if number else "einhalb"


def _half(found: re.Match[str]) -> str:
    noun = found[1]
    if not noun:
        return "ein halb"
    before = _word_before(found)
    gender = gender_of(noun)
    if before in _WITH_DATIVE:
        return f"ein{'er' if gender == 'f' else 'em'} halben "
    article = {"f": "eine halbe", "n": "ein halbes"}.get(gender)
    return f"{article or ('einen halben' if before in _WITH_ACCUSATIVE else 'ein halber')} "


def _fraction(found: re.Match[str]) -> str:
    top, bottom = found[1], found[2]
    if found[3]:
        top, bottom = _GLYPHS[found[3]].split("/")
    return f"{cardinal(int(top), one='ein')} {_FRACTIONS[int(bottom)]}"


def _measure(found: re.Match[str]) -> str:
    number, unit = found[1], found[2]
    gender, name = _UNITS[unit]
    if number == "1":
        return f"{_one(found, 'm' if name.endswith('meter') else gender)} {_one_of(name)}{_stop(found)}"
    return f"{_plain(number, one='ein' if gender != 'f' else 'eine')} {name}{_stop(found)}"


def _stop(found: re.Match[str]) -> str:
    """The full stop that an abbreviated unit shares with its sentence."""
    if not found[0].endswith("."):
        return ""
    rest = found.string[found.end() : found.end() + 32].lstrip(" ")
    word = re.match(r"\w+", rest)
    return "." if not rest or rest[0] == "\n" or (word and begins_sentence(word[0])) else ""


def _one_of(name: str) -> str:
    return _SINGULAR.get(name, name)


def _one(found: re.Match[str], gender: str) -> str:
    """`ein` in the form that the word before asks for."""
    before = _word_before(found)
    if before in _WITH_DATIVE:
        return "einer" if gender == "f" else "einem"
    if gender == "m" and before in _WITH_ACCUSATIVE:
        return "einen"
    return "eine" if gender == "f" else "ein"


def _one_thing(found: re.Match[str]) -> str:
    noun = found[1]
    before = _word_before(found)
    raw = _word_before(found, folded=False)
    is_numbered = before in _LABELS or (raw[:1].isupper() and before not in ("sie", "jeweils") and bool(raw))
    if noun in GENDERS and before not in _LABELS:
        return f"{_one(found, GENDERS[noun])} "
    if is_numbered or len(noun) < 4:
        return "eins "
    if noun[0].isupper():
        return f"{_one(found, gender_of(noun))} "
    for ending, word in (("es", "ein"), ("er", "ein"), ("en", "einen")):
        if noun.endswith(ending) and noun not in ("oder", "aber", "unter", "über", "unten", "oben"):
            return f"{word} "
    return "eine " if noun.endswith("e") and noun not in ("ohne", "bitte", "siehe") else "eins "


def _compound(found: re.Match[str]) -> str:
    number, rest = found[1], found[2]
    spoken = cardinal(int(number), one="ein")
    if rest.startswith(_ADJECTIVES):
        return spoken + rest
    if rest.startswith("Jährig"):
        return _capital(spoken) + rest.lower()
    return f"{_capital(spoken)}-{rest}".replace(" ", "-")


def _suffixed(found: re.Match[str]) -> str:
    number, suffix = int(found[1]), found[2]
    if suffix in ("er", "ern"):
        return f"{cardinal(number, one='ein')}{suffix}"
    return ordinal(number, suffix.removeprefix("s").removeprefix("t"))


def _ordinals(text: str) -> str:
    if "." not in text:
        return text
    text = _ORDINAL_DASH.sub(r"\1 bis ", text)
    noun_ahead = re.compile(r"(?:[ ,/–-]|\d{1,3}\.|und|oder|bis|u\.)*([A-ZÄÖÜa-zäöü][\wäöüß-]*)?")
    last = ""

    def one(found: re.Match[str]) -> str:
        nonlocal last
        number, following = int(found[1]), found[2]
        before = _word_before(found)
        if following is None or following in ("und", "oder", "bis", "u"):
            ahead = noun_ahead.match(found.string, found.end())
            following = (ahead[1] if ahead else None) or ""
        is_joined = before in ("und", "oder", "bis") and last
        if not following or not number:
            return found[0]
        if is_joined:
            return ordinal(number, last)
        is_announced = before in _WEAK or before in _ARTICLES
        if following[0].islower() and not is_announced:
            return found[0]
        if following[0].isupper() and following not in GENDERS:
            is_announced = is_announced or before in _PREPOSITIONS or not before
            if begins_sentence(following) or not is_announced:
                return found[0]
        article, last = _ordinal_ending(before, following, found)
        return article + ordinal(number, last)

    return _ORDINAL.sub(one, text)


def _ordinal_ending(before: str, noun: str, found: re.Match[str]) -> tuple[str, str]:
    gender = gender_of(noun)
    if before in _WEAK:
        return "", "en"
    if before in ("die", "das", "eine", "diese", "dieses", "ihre", "jede"):
        return "", "e"
    if before in ("der", "jeder", "dieser"):
        words = re.findall(r"\w+", found.string[max(0, found.start() - 40) : found.start()])
        is_oblique = gender == "f" or (len(words) > 1 and words[-2].lower() in _PREPOSITIONS)
        return "", "en" if is_oblique else "e"
    if before in _PREPOSITIONS:
        return f"{_DATIVE_ARTICLE[gender]} ", "en"
    if before == "bis":
        return ("zur " if gender == "f" else "zum "), "en"
    if before in ("für", "um", "pro", "je"):
        return "", {"m": "en", "f": "e", "n": "es"}[gender]
    return "", _STRONG[gender]


def _range(found: re.Match[str]) -> str:
    return f"{_plain(found[1], one='ein' if _thing_ahead(found) else 'eins')} bis "


def _thing_ahead(found: re.Match[str]) -> bool:
    return bool(re.match(r"\d+(?:,\d+)? [A-Za-zÄÖÜ]", found.string[found.end() : found.end() + 12])) and (
        _word_before(found) not in _LABELS
    )


def _version(found: re.Match[str]) -> str:
    parts = found[0].split(".")
    if all(len(part) == 3 for part in parts[1:]) and len(parts[0]) < 4:
        return found[0]
    return " Punkt ".join(
        digits(part) if part.startswith("0") and len(part) > 1 else cardinal(int(part)) for part in parts
    )


def _plain(number: str, *, one: str = "eins") -> str:
    whole, comma, decimals = number.replace(".", "").partition(",")
    if comma:
        return f"{cardinal(int(whole))} Komma {digits(decimals[:12])}"
    if len(whole) > 6 and "." not in number:
        return ", ".join(dialled(whole[at : at + 20]) for at in range(0, len(whole), 20))
    if whole.startswith("0") and len(whole) > 1:
        return digits(whole)
    return cardinal(int(whole), one=one)


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:]


def _word_before(found: re.Match[str], *, folded: bool = True) -> str:
    words = found.string[max(0, found.start() - 24) : found.start()].split(" ")
    word = (words[-2] if len(words) > 1 and not words[-1] else words[-1]).strip('(„"*')
    return word.lower() if folded else word


def roman(text: str) -> str:
    """Roman numerals in words, where they can be nothing else."""
    text = _ROMAN_ORDINAL.sub(lambda found: f"{ROMAN[found[1]]}." if found[1] in ROMAN else found[0], text)
    return _ROMAN.sub(lambda found: found[1] + _roman(found), text)


_ROMAN = re.compile(
    r"((?<!\w)(?:Teil|SGB|S G B|Absatz|Abschnitt|Kapitel|Stufe|Titel|Band|Hartz|Buch|Anlage|Gruppe|Kategorie|"
    r"Zone|Phase|Typ|Klasse|Nummer|"
    r"Pflegegrad|Lohngruppe|Steuerklasse|Arbeitslosengeld|ALG|A L G|[A-ZÄÖÜ][\wäöüß-]{3,40}) )"
    r"(I|II|III|IV|V|VI|VII|VIII|IX|XI|XII|XIII|XIV)(?!\w|\.[A-Z]|-)"
)
_ROMAN_ORDINAL = re.compile(
    r"(?<!\w)([IVX]{1,4})\.(?= (?:Quartal|Halbjahr|Obergeschoss|Stock|Etage|Weltkrieg|Semester|Abschnitt|Teil)(?!\w))"
)
_SINGLE = words_in(
    "Teil SGB Absatz Abschnitt Kapitel Stufe Titel Band Hartz Buch Anlage Gruppe Kategorie Zone Phase Typ "
    "Steuerklasse Arbeitslosengeld ALG"
)


def _roman(found: re.Match[str]) -> str:
    numeral = found[2]
    if len(numeral) == 1 and found[1].strip() not in _SINGLE and found[1] not in ("S G B ", "A L G "):
        return numeral
    return cardinal(ROMAN[numeral])
