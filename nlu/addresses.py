"""Recognisers of home addresses: street and house number, with or without postcode and town."""

from __future__ import annotations

import re

from nlu.recogniser import PersonalData, Recogniser

_LABEL = "[Adresse]"
_FLAGS = re.IGNORECASE

_UNITS = (
    r"(?:uhr|euro|eur|€|cent|%|prozent|j(?:ahr|ähr)\w*|tag\w*|täg\w*|woche\w*|wöch\w*|monat\w*|stund\w*|std|"
    r"minut\w*|min|mal|kind\w*|"
    r"person\w*|leute\w*|zimmer\w*|räume\w*|raum\w*|qm|m²|m2|quadrat\w*|k?m|kilometer|meter\w*|h[uü]nd\w*|katze\w*|"
    r"tier\w*|autos?|pkw|lkw|"
    r"fahrzeug\w*|erwachsene\w*|mitbewohner\w*|wohnung\w*|h[aä]us\w*|etage\w*|stock\w*|semester\w*|mieter\w*|"
    r"partei\w*|famili\w*|st[uü]ck\w*|"
    r"m[aä]nn\w*|frauen|söhne\w*|töchter\w*|fragen?|termin\w*|pl[aä]tz\w*|parkpl\w*|stellpl\w*|ausweise?|pässe|grad|"
    r"jan(?:uar)?|feb(?:ruar)?|märz|april|mai|juni|juli|aug(?:ust)?|sept?(?:ember)?|okt(?:ober)?|nov(?:ember)?|"
    r"dez(?:ember)?)"
)
"""Words that make the number before them a quantity or a date."""

_TENS = r"(?:zwanzig|dreißig|dreissig|vierzig|fünfzig|fuenfzig|sechzig|siebzig|achtzig|neunzig)"
_ONES = r"(?:eins?|zwei|zwo|drei|vier|fünf|fuenf|sechs|sieben|acht|neun)"
_NUMBER_WORD = (
    rf"(?:(?:(?:ein)?hundert(?:und)?)?(?:(?:ein|{_ONES})und{_TENS}|{_TENS}"
    rf"|zehn|elf|zwölf|zwoelf|(?:drei|vier|fünf|fuenf|sech|sieb|acht|neun)zehn|eins|{_ONES})|(?:ein)?hundert)(?!\w)"
)
_HOUSE_NUMBER = (
    r"(?:,? ?(?:nr\.?|nummer|hausnummer) ?)?"
    rf"(?:\d{{1,3}}(?!\d)(?: ?[a-z](?!\w))?(?: ?[-/] ?\d{{1,3}}(?!\d)(?: ?[a-z](?!\w))?)?|"
    rf"(?<!\w){_NUMBER_WORD}(?: [a-d](?!\w))?)"
    rf"(?![.,:]?\d)(?!\. ?{_UNITS}(?!\w))(?! ?{_UNITS}(?!\w))(?![\w%])"
)
_TOWN = r"(?-i:[A-ZÄÖÜ][\w.-]+(?:[ /](?:an der|am|im|ob der|bei|vor der)? ?[A-ZÄÖÜ][\w.-]{3,})?)"
_PLACE = rf"(?:(?:,? ?(?:in )?(?:d-)?\d{{5}}(?!\d)(?: {_TOWN})?))?"

_NO_STREETS = (
    r"(?:park|stell|kita|krippen|kindergarten|schul|studien|arbeits|ausbildungs|spiel|sport|camping|pflege|heim|"
    r"hort|betreuungs|wohn|grill|"
    r"bolz|rast|warte|steh|sitz|liege|fußball|speicher|tages|praktikums|parkhaus|behinderten\w{0,12}|einbahn|spiel|"
    r"rad|geh|fahrrad|feld|rechts|um|aus|"
    r"schulden|liefer|haupt(?=weg)|wald(?=weg)|bürger(?=weg)|fußgänger|zufahrts|ab|hin|heim|durch|einfach )"
)
_STREET_WORD = (
    rf"(?!{_NO_STREETS}(?:platz|weg|straße|strasse)(?!\w))"
    r"[\w-]{2,40}(?:straße|strasse|stra[sß]e|str\.?|weg|gasse|gässchen|platz|allee|chaussee|promenade)"
)
_NAMED_AFTER = (
    r"(?:straße|strasse|str\.|weg|platz|allee|ufer|ring) (?:der|des|am|zum|zur|an der) (?:\d{1,2}\. )?[\w-]{3,40}"
)
_ARTICLES = (
    r"(?:der|die|das|dem|den|des|ein\w*|mein\w*|dein\w*|ihr\w*|unser\w*|euer\w*|jede\w*|kein\w*|welche\w*|diese\w*|"
    r"selben?|eine|und|oder|auf|vor|für|pro|zur|zum|von)"
)
_TWO_WORDS = (
    rf"(?:(?-i:[A-ZÄÖÜ])[\w.-]{{1,30}} ){{0,2}}(?!{_ARTICLES} )[^\W\d_][\w.-]{{2,30}} (?:straße|strasse|str\.?|weg|"
    rf"gasse|platz|allee|chaussee|ring|ufer|damm)"
)

STREET = Recogniser(
    PersonalData.ADDRESS,
    _LABEL,
    re.compile(rf"(?<![\w-])(?:{_NAMED_AFTER}|{_STREET_WORD}|{_TWO_WORDS}),? ?{_HOUSE_NUMBER}{_PLACE}", _FLAGS),
)

_AT = (
    r"(?:am|an der|an den|auf der|auf dem|auf den|im|in der|in den|in dem|unter dem|unter der|hinter der|hinter dem|"
    r"vor dem|vor der|zum|zur|bei der|beim|alte|alter|neue|neuer|großer?|kleiner?|oberer?|unterer?|obere|untere|"
    r"vordere|hintere)"
)
_NO_PLACE = (
    rf"(?:{_UNITS}|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|wochenende|anfang|ende|haus|"
    rf"erdgeschoss|dachgeschoss|"
    r"telefon|alter|schnitt|moment|jahr\w*|sommer|winter|herbst|frühjahr|frühling|nächste\w*|letzte\w*|gleiche\w*|"
    r"selbe\w*|ersten?|zweiten?|dritten?|"
    r"plattenbau|altbau|neubau|wg|bereich|bezirk|zone|paragraph\w*|paragraf\w*|absatz|artikel)(?!\w)"
)
_PLACE_NAME = rf"{_AT} (?!{_NO_PLACE})[\w-]{{3,40}}(?: (?!{_NO_PLACE})[^\W\d_][\w-]{{2,30}})?"
_ANY_NAME = (
    rf"(?!{_NO_PLACE})[^\W\d_][\w-]{{4,40}}(?:straße|str|berg|hof|ring|ufer|damm|graben|tal|markt|steig|stieg|pfad|"
    rf"park|feld|grund|tor|wiese|wiesen|anger|hang|siedlung|blick|höhe|leite|winkel|zeile|gries)"
)
_CUE = (
    r"(?:wohn(?:e|en|t|haft|ung|sitz)?|lebe|adresse|anschrift|gemeldet|umgezogen|eingezogen|umziehen|gezogen|"
    r"zieh(?:e|en|t)?|einziehen|zuhause|"
    r"zu hause|daheim|hauptwohnsitz|nebenwohnsitz|meldeadresse|wohnadresse|postadresse)"
)
CUED_PLACE = Recogniser(
    PersonalData.ADDRESS,
    _LABEL,
    re.compile(
        rf"(?<!\w){_CUE}(?:[ :,]{{1,2}}(?:ist|lautet|jetzt|nun|nach|von|aus|in|neu|ab|bald|seit|heute|gestern|jena|"
        rf"ich|wir|bin|habe|hier|meine|um)(?!\w)){{0,6}}"
        rf"[ :,]{{1,2}}(?:in |im )?(?P<data>(?:{_PLACE_NAME}|{_ANY_NAME}),? ?{_HOUSE_NUMBER}{_PLACE})",
        _FLAGS,
    ),
)
PLACE_WITH_POSTCODE = Recogniser(
    PersonalData.ADDRESS,
    _LABEL,
    re.compile(
        rf"(?<![\w-])(?:{_PLACE_NAME}|{_ANY_NAME}),? ?{_HOUSE_NUMBER},? ?(?:in )?(?:d-)?\d{{5}}(?!\d)(?: {_TOWN})?",
        _FLAGS,
    ),
)
WHOLE_PLACE = Recogniser(
    PersonalData.ADDRESS,
    _LABEL,
    re.compile(rf"\A(?P<data>(?:{_PLACE_NAME}),? ?{_HOUSE_NUMBER}{_PLACE})[.!]?\Z", _FLAGS),
)

ADDRESSES = (PLACE_WITH_POSTCODE, STREET, CUED_PLACE, WHOLE_PLACE)
