"""Recognisers of names after cue words, and of dates of birth."""

from __future__ import annotations

import re
from collections.abc import Callable

from nlu.recogniser import PersonalData, Recogniser, whole, words_in, words_of
from nlu.text import fold

_WORD = r"[^\W\d_][\w'’-]{0,39}"
_WORDS = rf"(?P<data>{_WORD}(?: {_WORD}){{0,4}})"
_TITLE = r"(?:(?:prof|professor|dr|doktor|dipl)\.?(?:-?ing\.?| ?med\.?| ?jur\.?| ?phil\.?| ?rer\.? ?nat\.?)? ){0,2}"
_PARTICLES = words_in("von van vom zu de del den der di el al bin ibn la le")
_NOUN_ENDS = tuple(
    words_in(
        "amt ausweis beauftragte beauftragter bescheinigung buero erlaubnis geld genehmigung heit hilfe karte keit "
        "leiter leiterin "
        "meister meisterin minister ministerin pass pflicht platz praesident praesidentin rat raetin recht schaft "
        "schein service "
        "steuer tion unterlagen urkunde ung ungen vertreter vertreterin vollmacht zeugnis antrag anzeige titel"
    )
)
_SURNAMES_LIKE_VERBS = ("dt", "tt", "icht", "recht", "bert", "pert", "art", "hart", "gut", "vogt")


def is_first_name(word: str) -> bool:
    """Whether the word, or each part of a double name, is a first name that is common in Germany."""
    return all(part in words_of("first_names.txt") for part in fold(word).split("-"))


def _may_be_name(word: str) -> bool:
    folded = fold(word)
    if is_first_name(word):
        return True
    return len(folded) > 1 and folded not in words_of("no_names.txt") and not folded.endswith(_NOUN_ENDS)


def _names(candidate: str, *, most: int = 2) -> int:
    """Length of the name at the beginning: up to `most` words in the first one's case, and particles between."""
    words = candidate.split(" ")
    capital = words[0][0].isupper()
    length = taken = position = 0
    for word in words:
        is_particle = capital and taken and word in _PARTICLES
        if not is_particle:
            if taken == most or not _may_be_name(word) or (capital and not word[0].isupper()):
                break
            taken += 1
            length = position + len(word)
        position += len(word) + 1
    return length


def _known_names(candidate: str) -> int:
    return _names(candidate) if is_first_name(candidate.split(" ")[0]) else 0


def _two_capital_names(candidate: str) -> int:
    words = candidate.split(" ")
    if len(words) > 1 and words[0][0].isupper() and words[1][0].isupper() and all(map(_may_be_name, words[:2])):
        return _names(candidate)
    return _known_names(candidate)


def _surname(candidate: str) -> int:
    """After a form of address: one word, or two where the first is a first name."""
    return _known_names(candidate) or _names(candidate, most=1)


def _typed_small(candidate: str) -> int:
    word = fold(candidate.split(" ")[0])
    if word.endswith("t") and not is_first_name(word) and not word.endswith(_SURNAMES_LIKE_VERBS):
        return 0
    return _surname(candidate)


def _written_large(candidate: str) -> int:
    return _surname(candidate) if candidate[0].isupper() else 0


def _maiden_name(candidate: str) -> int:
    return 0 if re.match(r"[a-zäöüß]+en\b", candidate) else _typed_small(candidate)


def _name(cue: str, measure: Callable[[str], int] = _names) -> Recogniser:
    pattern = re.compile(rf"(?<![\w-])(?:{cue})(?:{_TITLE}){_WORDS}", re.IGNORECASE)
    return Recogniser(PersonalData.NAME, "[Name]", pattern, measure)


_ADDRESSED = r"(?:(?:frau|herrn?|die|der|das|fräulein|familie) )?"
_FILLER = r"(?:(?:jetzt|nun|also|übrigens|nämlich|äh|ähm|seit \w{1,12} \w{1,20}|mit (?:vor|nach)namen)[ ,]{1,2}){0,2}"
_IS = r"(?: ?[:=]| ist| lautet| wäre| war)"
_NAME_OF = r"(?:vor- und nach|vor|nach|zu|familien|geburts|ruf|mädchen)?name[n]?"
_NO_ARTICLE = "".join(
    rf"(?<!\b{word} )"
    for word in words_in(
        "meine deine seine ihre eine keine jede die der einer meiner seiner ihrer unsere als zur diese zwei"
    )
)
_RELATIVE = (
    r"(?:tochter|sohn|kind(?:es)?|baby|säugling|mann(?:es)?|frau|mutter|vaters?|mama|papa|oma|opa|großmutter|"
    r"großvater|bruders?|schwester|"
    r"partner(?:in)?|lebensgefährt(?:e|in)|freund(?:in)?|nachbar(?:n|in)?|enkel(?:in)?|neffe|nichte|tante|onkel|"
    r"ehemann|ehefrau|"
    r"chef(?:in)?|vermieter(?:in)?|betreuer(?:in)?|kollege|kollegin|mitbewohner(?:in)?|cousine?|schwiegermutter|"
    r"schwiegervater|"
    r"verlobter?|zwillinge|kinder|töchter|söhne)"
)
_FINITE_VERB = (
    r"(?:ist|hat|braucht|wird|wurde|will|möchte|soll|kann|muss|darf|kommt|geht|zieht|wohnt|lebt|war|hatte|bekommt|"
    r"heiratet|studiert|sucht)"
)
_AFTER_NAME = r" am apparat\b|,?(?: ist)? mein name\b(?! ist| lautet|:)"

NAMES = (
    _name(rf"(?:ich hei(?:ß|ss)e?|hei(?:ß|ss)e ich)[ :,]{{1,2}}{_FILLER}{_ADDRESSED}"),
    _name(rf"mein(?:e[rnms]?)? (?:voller |ganzer |neuer |alter )?{_NAME_OF}{_IS}[ :]{{0,2}}{_FILLER}{_ADDRESSED}"),
    _name(rf"{_NAME_OF} ?[:=] ?{_ADDRESSED}"),
    _name(r"mein name ", _typed_small),
    _name(r"(?:vor|nach|familien|geburts|mädchen)name[n]? ", _written_large),
    _name(r"name ", _known_names),
    _name(rf"wir hei(?:ß|ss)en {_FILLER}"),
    _name(r"(?:ich bin|hier ist|hier spricht) (?:die |der )?(?:frau|herr) ", _typed_small),
    _name(r"(?:auf|unter) (?:den|dem|meinen|meinem) namen "),
    _name(rf"hier spricht {_ADDRESSED}"),
    _name(r"(?:hier ist|hier|wir sind|hier spricht) (?:die )?familie "),
    _name(rf"hier ist {_ADDRESSED}", _known_names),
    _name(r"(?:er|sie|kind|baby|tochter|sohn) hei(?:ß|ss)t (?:die |der )?"),
    _name(r"hei(?:ß|ss)t (?:die |der )?", _known_names),
    _name(r"ich(?:,| bin(?:['’]?s)?,?) (?:es,? )?(?:auch )?", _known_names),
    _name(r"(?:ich bin(?:['’]?s)?,? (?:es,? )?|hier ist |hier )(?:die|der) ", _two_capital_names),
    _name(rf"{_RELATIVE}[ ,]{{1,2}}(?:namens|mit namen|hei(?:ß|ss)t|hei(?:ß|ss)en)[ :]{{1,2}}"),
    _name(rf"{_RELATIVE}(?:[ :,]{{1,2}}| ?\()", _known_names),
    _name(
        r"(?:grüße|grüßen|grüsse|grüssen|gruß|gruss|mfg|lg|vg|hochachtungsvoll)[ ,!.\n]{1,4}(?:ihre? |eure? |deine? )?"
    ),
    _name(r"(?:geb\.|geborene[rn]?|gebürtige) ?", _maiden_name),
    Recogniser(
        PersonalData.NAME,
        "[Name]",
        re.compile(rf"(?<![\w-])(?i:herrn?|frau|hr\.|fr\.|fräulein) (?i:{_TITLE})(?=[^\W\d_a-zäöüß]){_WORDS}"),
        _surname,
    ),
    _name(rf"(?<!\w){_NO_ARTICLE}(?:herrn?|frau|hr\.|fr\.|fräulein) ", _typed_small),
    _name(r"(?:dr|prof|professor|doktor)\.? (?:(?:dr|med|jur|phil|ing|rer|nat|h\.c|habil)\. ?){0,4}", _surname),
    Recogniser(
        PersonalData.NAME,
        "[Name]",
        re.compile(
            rf"(?<![\w-])(?i:{_RELATIVE}) (?P<data>[A-ZÄÖÜ][\w'’-]{{1,39}})(?: \(\d{{1,2}}\),?)? (?={_FINITE_VERB}\b)"
        ),
        _names,
    ),
    Recogniser(
        PersonalData.NAME,
        "[Name]",
        re.compile(rf"(?<![\w-])(?P<data>{_WORD} {_WORD})(?={_AFTER_NAME})", re.IGNORECASE),
        _known_names,
    ),
    Recogniser(
        PersonalData.NAME,
        "[Name]",
        re.compile(rf"(?<![\w-])(?P<data>{_WORD})(?={_AFTER_NAME})", re.IGNORECASE),
        _names,
    ),
    *(
        Recogniser(
            PersonalData.NAME,
            "[Name]",
            re.compile(rf"(?<!\w)(?i:{_RELATIVE}) (?:\[Name\](?:,| und|, und) ){{{names}}}(?P<data>{_WORD})"),
            _known_names,
        )
        for names in (1, 2, 3)
    ),
)
"""In the order in which they are asked. The last take the second to fourth name of a list: "Max, Lena und Paul"."""

_MONTH = (
    r"(?:jan(?:uar)?|jänner|feb(?:ruar)?|märz|maerz|mrz|apr(?:il)?|mai|juni?|juno|juli?|aug(?:ust)?|sept?(?:ember)?|"
    r"okt(?:ober)?|nov(?:ember)?|"
    r"dez(?:ember)?)\.?"
)
_DAY_WORD = (
    r"(?:erste|zweite|dritte|vierte|fünfte|sechste|siebte|siebente|achte|neunte|zehnte|elfte|zwölfte|\w{3,7}zehnte|"
    r"(?:\w{3,6}und)?zwanzigste|"
    r"(?:einund)?dreißigste)[nr]?"
)
_YEAR_WORD = (
    r"(?:neunzehn ?hundert(?: ?\w{3,18})?|zweitausend(?: ?\w{3,18})?|(?:\w{3,6}und)?(?:fünfzig|sechzig|siebzig|"
    r"achtzig|neunzig|vierzig|dreißig))"
)
_FULL_DATE = (
    rf"(?:\d{{1,2}} ?[./-] ?\d{{1,2}} ?[./-] ?(?:19|20)?\d{{2}}|(?:19|20)\d{{2}}-\d{{2}}-\d{{2}}|"
    rf"\d{{1,2}}\.? ?{_MONTH},? ?'?(?:19|20)?\d{{2}}"
    rf"|\d{{1,2}} \d{{1,2}} (?:19|20)\d{{2}}"
    rf"|(?:{_DAY_WORD}|\d{{1,2}}\.?) (?:{_DAY_WORD}|{_MONTH}) (?:{_YEAR_WORD}|(?:19|20)?\d{{2}}))(?!\w)"
)
_DATE = rf"(?:{_FULL_DATE}|\d{{1,2}}\. ?(?:{_MONTH}|\d{{1,2}}\.)(?!\w)|(?:{_DAY_WORD}) (?:{_DAY_WORD}|{_MONTH})(?!\w))"
_BORN = (
    r"(?:geboren|geb\.?|gebore[nr]e?|geburtsdatum|geburtstag|geb\.?-?datum|geburts-?dat(?:um|\.)?|zur welt gekommen|"
    r"gebdat)"
)
_BETWEEN = (
    r"(?:[\s:,=.-]|(?:am|den|dem|der|die|das|ist|war|lautet|wurde|ich|bin|und|hab|habe|vom|von|mein\w{0,2}|"
    r"sein\w{0,2}|ihr\w{0,2}|"
    r"tochter|sohn\w?\w?|kind\w?\w?|mann\w?\w?|frau|mutter|vaters?|partners?|oma|opa|in [^\W\d_]\w{1,30})\b){0,16}"
)
_OLD_DATE = (
    rf"(?:\d{{1,2}} ?[./-] ?\d{{1,2}} ?[./-] ?(?:19\d\d|200\d)|(?:19\d\d|200\d)-\d\d-\d\d"
    rf"|\d{{1,2}}\.? ?{_MONTH},? ?(?:19\d\d|200\d)|(?:{_DAY_WORD}) (?:{_DAY_WORD}|"
    rf"{_MONTH}) neunzehn ?hundert(?: ?\w{{3,18}})?)(?!\w)"
)
_LEGAL = "".join(
    rf"(?<!{word} )"
    for word in words_in(
        "vom fassung stand gesetz satzung verordnung bescheid beschluss seit ab bis urteil bgbl erlass richtlinie"
    )
)


def _date(pattern: str) -> Recogniser:
    return Recogniser(PersonalData.BIRTH_DATE, "[Geburtsdatum]", re.compile(pattern, re.IGNORECASE), whole)


BIRTH_DATES = (
    _date(rf"(?<!\w){_BORN}{_BETWEEN}(?<!\w)(?P<data>{_DATE})"),
    _date(rf"(?<![\w.])\* ?(?P<data>{_FULL_DATE})"),
    _date(rf"(?<![\w.])(?P<data>{_DATE})(?: in [^\W\d_]\w{{1,30}})? (?:geboren|geb\.|zur welt gekommen)"),
    _date(rf"(?<![\w.]){_LEGAL}(?P<data>{_OLD_DATE})"),
)
"""The last takes any full date before 2010 that is not the date of a law or a letter: almost only birthdays are."""
