"""Recognisers of personal data that is made of digits and signs: contacts, accounts, documents, files, vehicles."""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher, PhoneNumberType
from stdnum import iban, luhn
from stdnum.de import idnr

from nlu.recogniser import PersonalData, Recogniser, checked, words_in

_FLAGS = re.IGNORECASE

_LINK = r"(?:[\s:=#,.-]|(?:ist|lautet|nr|nummer|die|der|das|hat|war|mit|von|mir|meinem|meiner)\b){0,14}"
"""What may stand between a cue word and its number."""

_CODE = r"[\w./-]{0,20}\d[\w./-]{0,20}(?<![./-])"
"""One token with a digit in it."""

_UNITS = (
    r"(?:euro|eur|€|uhr|cent|prozent|jahr|tag|woche|monat|stunde|minute"
    r"|januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember)"
)

_FREE_OF_PERSONS = frozenset(
    {
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
        PhoneNumberType.VOICEMAIL,
    }
)
"""Service numbers (0800, 0180, 0900, 032 of companies): no citizen is reached by them."""


_UNKNOWN_PHONE = re.compile(r"\(?0[1-9]\d{1,4}\)?(?: ?[/–-] ?|(?<=\)) ?| (?!\d{5}(?!\d)))\d[\d ]{4,9}|01[5-7]\d{7,10}")
"""Written like a number of a German network, whether or not the network has given it out."""

_DATE = re.compile(r"\d{1,2}[./-] ?\d{1,2}[./-] ?(?:19|20)?\d\d(?!\d|[./-]\d)")
_POSTCODES = re.compile(r"\d{5}(?:[ /.–-]{1,3}\d{5})+")


def _phone_length(candidate: str) -> int:
    if _POSTCODES.fullmatch(candidate) or _DATE.match(candidate):
        return 0
    match = next(iter(PhoneNumberMatcher(candidate, "DE", leniency=Leniency.VALID)), None)
    if match is None or match.start > 1:
        return len(candidate) if _UNKNOWN_PHONE.fullmatch(candidate) else 0
    return 0 if phonenumbers.number_type(match.number) in _FREE_OF_PERSONS else int(match.end)


def _iban_length(candidate: str) -> int:
    end = len(candidate)
    while end > 14:
        if iban.is_valid(candidate[:end]):
            return end
        end -= 1
        while end and not candidate[end - 1].isalnum():
            end -= 1
    return 0


def _may_be_private(candidate: str) -> bool:
    digits = re.sub(r"\D", "", candidate)
    return len(digits) >= 5 and not digits.startswith(("116", "0800", "0180", "0900", "0137"))


def _is_card(candidate: str) -> bool:
    digits = re.sub(r"\D", "", candidate)
    return digits[0] in "23456" and luhn.is_valid(digits)


def _digit_sum(number: int) -> int:
    return sum(map(int, str(number)))


def is_pension_number(candidate: str) -> bool:
    """Whether the check digit of a Rentenversicherungsnummer fits (VKVV § 4)."""
    number = re.sub(r"\W", "", candidate).upper()
    digits = number[:8] + f"{ord(number[8]) - 64:02}" + number[9:11]
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    total = sum(_digit_sum(int(digit) * weight) for digit, weight in zip(digits, weights, strict=True))
    return total % 10 == int(number[11])


def is_health_insurance_number(candidate: str) -> bool:
    """Whether the check digit of a Krankenversichertennummer fits (SGB V § 290: modulus 10, weights 1 and 2)."""
    number = re.sub(r"\W", "", candidate).upper()
    digits = f"{ord(number[0]) - 64:02}" + number[1:9]
    total = sum(_digit_sum(int(digit) * (1 + place % 2)) for place, digit in enumerate(digits))
    return total % 10 == int(number[9])


def has_icao_check_digit(candidate: str) -> bool:
    """Whether the last digit checks the rest (ICAO Doc 9303, part 3: weights 7, 3, 1)."""
    number = candidate.upper()
    total = sum(int(char, 36) * (7, 3, 1)[place % 3] for place, char in enumerate(number[:-1]))
    return total % 10 == int(number[-1])


def _is_document(candidate: str) -> bool:
    digits = sum(char.isdigit() for char in candidate)
    return digits >= 4 if len(candidate) == 9 else digits >= 2 and has_icao_check_digit(candidate)


_NO_DISTRICT = words_in(
    "abs art bab bgb din dsgvo eg esg est eu ev hr hrb iso kfz lkw nr pdf pkw sgb tel usb usw vo zb"
)
_NO_MIDDLE = words_in("mo di mi do fr sa so id")
_ROMAN = words_in("i ii iv v vi ix x xi")
_NO_PLATE = words_in(
    "ab alle als am an auf aus bei bin bis da das dem den der die ein er es euro fest für hab im in ist ja je kein "
    "kw lkw man mit mal "
    "muss nach neu nr nur ob oder ohne pkw pro ps seit sie so um und vom von vor was wie wir wo zu zum zur gibt"
)


def _is_plate(candidate: str) -> bool:
    district, middle = (word.lower() for word in re.findall(r"[^\W\d_]+", candidate)[:2])
    is_joined = re.search(r"[-–:·]", candidate)
    if not is_joined and (district in _NO_PLATE or middle in _ROMAN):
        return False
    return district not in _NO_DISTRICT and middle not in _NO_MIDDLE


def _is_plate_after_cue(candidate: str) -> bool:
    words = re.findall(r"[^\W\d_]+", candidate.lower())
    return words[0] not in _NO_PLATE and "".join(words) not in _NO_PLATE


def _cued(cue: str, data: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{cue}){_LINK}(?<!\w)(?P<data>{data})", _FLAGS)


_DIGIT_WORD = (
    r"(?:null|eins?|zwei|zwo|drei|vier|fünf|fuenf|sechs|sieben|acht|neun|zehn|elf|zwölf|zwoelf|doppel|\w{3,8}zehn|"
    r"\w{3,8}und\w{3,8}(?:ß|ss|z)ig|\d{1,4})"
)

EMAIL = Recogniser(
    PersonalData.EMAIL,
    "[E-Mail]",
    re.compile(r"(?<![\w.+%'-])[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+", _FLAGS),
)
SPOKEN_EMAIL = Recogniser(
    PersonalData.EMAIL,
    "[E-Mail]",
    re.compile(
        r"(?<![\w.+-])(?:[\w+-]{1,30} (?:punkt|minus|bindestrich|unterstrich) ){0,3}[\w.+-]{1,64}"
        r" ?(?:\((?:at|ät)\)|\[at\]|\bat\b|\bät\b|\baet\b|klammeraffe|@) ?[\w-]{1,40}"
        r"(?: (?:minus|bindestrich) [\w-]{1,30})?"
        r" ?(?:\.|\(punkt\)|\bpunkt\b|\bdot\b) ?[a-z]{2,6}(?!\w)",
        _FLAGS,
    ),
)
IBAN = Recogniser(
    PersonalData.IBAN,
    "[IBAN]",
    re.compile(r"(?<!\w)[a-z]{2}[ .-]?\d{2}(?:[ .-]?[a-z0-9]){11,30}", _FLAGS),
    _iban_length,
)
GERMAN_IBAN = Recogniser(
    PersonalData.IBAN,
    "[IBAN]",
    re.compile(r"(?<!\w)de(?:[ .-]?\d){18,22}(?!\d)|(?<=iban )[a-z]{2}\d{2}(?: ?\d){10,28}(?!\d)", _FLAGS),
)
CREDIT_CARD = Recogniser(
    PersonalData.CREDIT_CARD,
    "[Kreditkarte]",
    re.compile(r"(?<![\w./-])\d(?:[ -]?\d){12,18}(?!\w)"),
    checked(_is_card),
)
PENSION_NUMBER = Recogniser(
    PersonalData.PENSION_NUMBER,
    "[Rentenversicherungsnummer]",
    re.compile(r"(?<!\w)\d{2} ?\d{2} ?\d{2} ?\d{2} ?[a-z] ?\d{2} ?\d(?!\w)", _FLAGS),
    checked(is_pension_number),
)
CUED_PENSION_NUMBER = Recogniser(
    PersonalData.PENSION_NUMBER,
    "[Rentenversicherungsnummer]",
    _cued(
        r"(?:renten|sozial)versicherungs-?(?:nummer|nr)|sv-?nummer|rv-?nummer|rvnr",
        r"\d{2} ?(?:\d ?){6}[a-z] ?\d{2} ?\d|[\d ]{6,14}[a-z]? ?\d{1,4}",
    ),
)
HEALTH_INSURANCE_NUMBER = Recogniser(
    PersonalData.HEALTH_INSURANCE_NUMBER,
    "[Krankenversichertennummer]",
    re.compile(r"(?<!\w)[a-z] ?\d{3} ?\d{3} ?\d{3}(?!\w)", _FLAGS),
    checked(is_health_insurance_number),
)
CUED_HEALTH_INSURANCE_NUMBER = Recogniser(
    PersonalData.HEALTH_INSURANCE_NUMBER,
    "[Krankenversichertennummer]",
    _cued(
        r"(?:kranken)?versicherte?n?-?(?:nummer|nr)|krankenversicherungs-?(?:nummer|nr)|krankenkassennummer|kvnr|"
        r"kv-?nummer",
        r"[a-z]? ?\d{3,10}(?: \d{2,4}){0,3}",
    ),
)
TAX_ID = Recogniser(
    PersonalData.TAX_ID,
    "[Steuer-ID]",
    re.compile(r"(?<![\w./-])\d{2}[ /]?\d{3}[ /]?\d{3}[ /]?\d{3}(?!\w)"),
    checked(idnr.is_valid),
)
CUED_TAX_ID = Recogniser(
    PersonalData.TAX_ID,
    "[Steuer-ID]",
    _cued(
        r"steuer-?ids?|steuer-?identifikations-?(?:nummer|nr)|steuer-?ident-?(?:nummer|nr)|identifikationsnummer|"
        r"idnr|tin",
        r"\d(?:[ ./-]?\d){8,12}",
    ),
)
TAX_NUMBER = Recogniser(
    PersonalData.TAX_NUMBER,
    "[Steuernummer]",
    re.compile(r"(?<![\w./-])\d{2,3}/\d{3,4}/\d{4,5}(?!\w)"),
)
CUED_TAX_NUMBER = Recogniser(
    PersonalData.TAX_NUMBER,
    "[Steuernummer]",
    _cued(r"steuer-?(?:nummer|nr)|st\.?-?nr", r"\d(?:[ ./-]?\d){7,13}"),
)
PHONE = Recogniser(
    PersonalData.PHONE,
    "[Telefonnummer]",
    re.compile(r"(?<![\w.,:/+(-])(?:\(?\+ ?\(?[1-9]|\(?0)[\d() /.–-]{5,30}\d(?!\w)"),
    _phone_length,
)
CUED_PHONE = Recogniser(
    PersonalData.PHONE,
    "[Telefonnummer]",
    _cued(
        r"(?:telefon|handy|mobil|ruf|festnetz|rückruf)(?:-?nummer|-?nr)?|tel|fon|fax|erreichbar (?:unter|auf)|"
        r"erreichen (?:sie )?(?:mich )?"
        r"(?:unter|auf)|(?:ruf|rufen sie|anrufen|anruf|rückruf|zurückrufen|"
        r"whatsapp) (?:mich )?(?:bitte )?(?:an )?(?:unter|auf)",
        r"[+(]?\d(?:[ ()/.–-]{0,3}\d){4,14}(?![\w/-])(?!\.\d)" rf"(?! ?{_UNITS})",
    ),
    checked(_may_be_private),
)
SPOKEN_PHONE = Recogniser(
    PersonalData.PHONE,
    "[Telefonnummer]",
    re.compile(rf"(?<!\w)(?:null|plus|0\d{{0,4}})(?:[ ,-]{{1,2}}{_DIGIT_WORD}(?!\w)){{5,16}}", _FLAGS),
    checked(lambda candidate: any(char.isalpha() for char in candidate)),
)
IDENTITY_DOCUMENT = Recogniser(
    PersonalData.IDENTITY_DOCUMENT,
    "[Ausweisnummer]",
    re.compile(r"(?<![\w-])[cfghjklmnprtvwxyz][0-9cfghjklmnprtvwxyz]{7,8}\d(?![\w-])", _FLAGS),
    checked(_is_document),
)
CUED_IDENTITY_DOCUMENT = Recogniser(
    PersonalData.IDENTITY_DOCUMENT,
    "[Ausweisnummer]",
    _cued(
        r"(?:personal-?|dienst-?|schwerbehinderten-?)?ausweis-?(?:nummer|nr|nummern)|(?:personal)?ausweis (?:nummer|"
        r"nr|mit der nummer)"
        r"|perso-?(?:nummer|nr)|(?:reise)?pass-?(?:nummer|nr)|(?:reise)?pass (?:nummer|nr|mit der nummer)"
        r"|(?:führerschein|fahrerlaubnis|aufenthaltstitel|dokumenten?|serien|visum)s?-?(?:nummer|nr)|"
        r"(?:führerschein|aufenthaltstitel) (?:nummer|nr)",
        r"(?=\w{0,14}\d)[a-z0-9]{5,15}(?!\w)|[a-z]{0,3}\d(?: ?[a-z]{0,2}\d){4,12}(?!\w)",
    ),
)
FILE_NUMBER = Recogniser(
    PersonalData.FILE_NUMBER,
    "[Aktenzeichen]",
    _cued(
        r"aktenzeichen|az|akz|geschäftszeichen|gesch\.?-?z|gz|kassenzeichen|kundenzeichen|mein zeichen|ihr zeichen|"
        r"buchungszeichen"
        r"|(?:vorgangs|antrags|fall|kunden|bescheid|rechnungs|akten|bg|bedarfsgemeinschafts|mitglieds|kindergeld|"
        r"wohngeld|"
        r"versicherungs|kassen|vertrags|beleg|bearbeitungs|ordnungs|verfahrens|auftrags|kontroll|matrikel|vin|"
        r"fahrgestell|zulassungs|"
        r"buchungs|termin)-?(?:nummer|nr)",
        rf"(?:[ivx]{{1,4}}[ -]|[a-z]{{1,3}} (?=\d))?{_CODE}"
        rf"(?: (?!(?:vom|von|am|bis|und|in|mit|für|der|die|ab|um|zum|seit|"
        rf"im)\b)(?:[a-z]{{1,4}}\.? )?\d[\w./-]{{0,20}}(?<![./-])(?! ?{_UNITS})){{0,3}}",
    ),
)
LICENCE_PLATE = Recogniser(
    PersonalData.LICENCE_PLATE,
    "[Kennzeichen]",
    re.compile(
        r"(?<![\w-])(?:[A-ZÄÖÜ]{1,3} ?[-–:·] ?[A-Z]{1,2}[ -]?[1-9]\d{0,3} ?[EH]?|"
        r"[A-ZÄÖÜ]{1,3} [A-Z]{1,2} ?[1-9]\d{0,3}[EH]?"
        r"|[a-zäöüA-ZÄÖÜ]{1,3}[-–][a-zA-Z]{1,2}[ -]?[1-9]\d{0,3}[ehEH]?)"
        rf"(?![\w/-])(?![.,]\d)(?! ?(?i:{_UNITS}))"
    ),
    checked(_is_plate),
)
CUED_LICENCE_PLATE = Recogniser(
    PersonalData.LICENCE_PLATE,
    "[Kennzeichen]",
    _cued(
        r"(?:kfz-?|auto)?kennzeichen|nummernschild|autonummer",
        rf"[a-zäöü]{{1,3}}[ -]?[a-z]{{1,2}}[ -]?[1-9]\d{{0,3}}[eh]?(?![\w/-])(?![.,]\d)(?! ?{_UNITS})",
    ),
    checked(_is_plate_after_cue),
)
LONG_NUMBER = Recogniser(
    PersonalData.NUMBER,
    "[Nummer]",
    re.compile(r"(?<![\w.,/+-])[1-9]\d{9,33}(?![\w/])"),
)

CONTACTS = (EMAIL, SPOKEN_EMAIL)
NUMBERS = (
    GERMAN_IBAN,
    IBAN,
    CUED_PENSION_NUMBER,
    PENSION_NUMBER,
    CUED_HEALTH_INSURANCE_NUMBER,
    HEALTH_INSURANCE_NUMBER,
    CUED_TAX_ID,
    CUED_TAX_NUMBER,
    CUED_IDENTITY_DOCUMENT,
    FILE_NUMBER,
    PHONE,
    CUED_PHONE,
    SPOKEN_PHONE,
    CREDIT_CARD,
    TAX_ID,
    TAX_NUMBER,
    IDENTITY_DOCUMENT,
    CUED_LICENCE_PLATE,
    LICENCE_PLATE,
    LONG_NUMBER,
)
