"""Inclusive short forms as they are said: `Bürger:innen` is "Bürgerinnen und Bürger"."""

from __future__ import annotations

import re

from nlu.recogniser import words_in

_STAR = r"(?:[:*_·/]-?|/-)"
_STEM = r"(?P<stem>[A-ZÄÖÜ][A-Za-zÄÖÜäöüß-]{2,40}?)"
_PLURAL = re.compile(rf"(?<!\w){_STEM}(?:{_STAR}innen|Innen|\(innen\)|-innen)(?P<rest>[a-zäöüß-]\w*)?(?!\w)")
_SINGULAR = re.compile(
    rf"(?<!\w)(?:(?P<article>[A-Za-zäöü]{{2,8}}(?:{_STAR}|/ ?)[a-zäöü]{{1,6}}) "
    rf"|(?P<single>(?:[Ii]hre[nm]?|[Ee]ine[nm]?|[Ii]hr|[Ee]in|[Dd]e[nm]|[Dd]ie) ))?"
    rf"{_STEM}(?:{_STAR}in|\(in\)|(?<=[a-z])In)(?!\w)"
)
_ADJECTIVE = re.compile(r"(?<!\w)(?P<stem>[A-Za-zÄÖÜäöüß]{2,40}e)(?:[:*_/]-?|\()(?P<ending>[rnsm])\)?(?!\w)")
_ARTICLES = re.compile(rf"(?<!\w)(?P<stem>[Ee]in|[Kk]ein|[Ii]hr|[Ss]ein|[Uu]nser){_STAR}(?P<ending>e[rnsm]?|r)(?!\w)")
_HINT = re.compile(r"[a-zäöüß](?:[:*_·/(]-?[inermsz]|In(?:nen)?(?!\w)|-innen)")
_DATIVE = words_in(
    "den von mit bei zu unter aus nach seit allen vielen ihren unseren anderen diesen einigen mehreren zwischen "
    "neben deren seinen beiden meisten"
)
_ARTICLES_OF_BOTH = {
    "ihr": ("ihre", "ihr"),
    "ihre": ("ihre", "ihr"),
    "ihren": ("ihre", "ihren"),
    "ihrem": ("ihrer", "ihrem"),
    "ein": ("eine", "ein"),
    "eine": ("eine", "ein"),
    "einen": ("eine", "einen"),
    "einem": ("einer", "einem"),
    "den": ("die", "den"),
    "dem": ("der", "dem"),
    "die": ("die", "der"),
}
_PLURALS = {
    "Freund": "Freunde",
    "Ärzt": "Ärzte",
    "Anwält": "Anwälte",
    "Beamt": "Beamte",
    "Nachbar": "Nachbarn",
    "Köch": "Köche",
    "Wirt": "Wirte",
    "Dieb": "Diebe",
    "Gäst": "Gäste",
    "Vorständ": "Vorstände",
    "Bot": "Boten",
    "Sohn": "Söhne",
    "Schwäg": "Schwager",
    "Chef": "Chefs",
    "Profi": "Profis",
    "Azubi": "Azubis",
    "Feind": "Feinde",
    "Ministerialbeamt": "Ministerialbeamte",
}
_SINGULAR_OF = {"Ärzt": "Arzt", "Anwält": "Anwalt", "Beamt": "Beamter", "Köch": "Koch", "Gäst": "Gast"}
_WEAK_ENDINGS = (
    "og",
    "und",
    "eg",
    "at",
    "pert",
    "zeug",
    "ot",
    "ath",
    "att",
    "ern",
    "soph",
    "nom",
    "mensch",
    "at",
    "pat",
    "gen",
    "ass",
    "kund",
    "as",
)
_STRONG_STEMS = ("ent", "ant", "ist", "et", "at", "it", "ot", "urg", "arch")


def gender(text: str) -> str:
    """The text with both forms said in full, the male one inflected for the dative where a word before shows it."""
    if not _HINT.search(text):
        return text
    if "nnen" in text:
        text = _PLURAL.sub(_plural, text)
    if "in" in text or "In" in text:
        text = _SINGULAR.sub(_singular, text)
    text = _ARTICLES.sub(_article, text)
    return _ADJECTIVE.sub(_adjective, text)


def _plural(found: re.Match[str]) -> str:
    stem, rest = found["stem"].rstrip("-"), found["rest"]
    if rest:
        return f"{_male_singular(stem)}{rest}"
    words = found.string[max(0, found.start() - 40) : found.start()].lower().split()
    is_dative = bool(words) and (
        words[-1] in _DATIVE or (len(words) > 1 and words[-1].endswith("en") and words[-2] in _DATIVE)
    )
    male = _male_plural(stem)
    if is_dative and male.endswith(("er", "e", "el", "ler")):
        male += "n"
    return f"{stem}innen und {male}"


def _male_plural(stem: str) -> str:
    for known, plural in _PLURALS.items():
        if stem.lower().endswith(known.lower()):
            whole = stem[: len(stem) - len(known)]
            return whole + (plural if not whole or whole.endswith("-") else plural.lower())
    if stem.endswith(("er", "el", "en")):
        return stem
    if stem.endswith("or"):
        return f"{stem}en"
    if stem.endswith((*_WEAK_ENDINGS, *_STRONG_STEMS)):
        return f"{stem}en"
    return f"{stem}e"


def _male_singular(stem: str) -> str:
    for known, single in _SINGULAR_OF.items():
        if stem.lower().endswith(known.lower()):
            whole = stem[: len(stem) - len(known)]
            return whole + (single if not whole else single.lower())
    return f"{stem}e" if stem.endswith(("og", "eg", "kund", "Kund", "pert", "zeug", "att", "bot", "Bot")) else stem


def _singular(found: re.Match[str]) -> str:
    stem, article = found["stem"].rstrip("-"), found["article"]
    if found["single"]:
        return _with_articles(found["single"].strip(), stem)
    if article:
        female, male = _both_articles(article)
        if male in ("des", "eines"):
            stem = stem.removesuffix("s")
        return f"{female} {stem}in oder {male} {_inflected(_male_singular(stem), male)}"
    return f"{stem}in oder {_male_singular(stem)}"


def _with_articles(article: str, stem: str) -> str:
    female, male = _ARTICLES_OF_BOTH[article.lower()]
    if article[0].isupper():
        female = female.capitalize()
        male = male.capitalize() if female.startswith("I") else male
    return f"{female} {stem}in oder {male} {_male_singular(stem)}"


def _both_articles(article: str) -> tuple[str, str]:
    one, other = re.split(rf"{_STAR} ?", article, maxsplit=1)
    if len(other) <= 2 and other not in ("er", "in"):
        female = one if one.lower().endswith("e") else f"{one}e{other.removeprefix('e')}"
        male = f"{one}{other}" if one.lower().endswith("e") else one
        if other in ("n",) and one.lower().endswith("e"):
            return one, f"{one}n"
        if other == "r" and one.lower().endswith(("ein", "ihr")):
            return f"{one}er", f"{one}em"
        return female, male[0].lower() + male[1:]
    first, second = one.lower(), other.lower()
    if first == "die" or (first, second) in (("der", "dem"), ("der", "des")):
        female, male = first, second
    elif second in ("die", "eine", "keine", "jede", "ihre", "seine", "diese") or (
        first in ("des", "dem", "einem", "eines") and second in ("der", "einer")
    ):
        female, male = second, first
    else:
        female, male = first, second
    return (female.capitalize() if one[0].isupper() else female), male


def _inflected(noun: str, article: str) -> str:
    if article in ("des", "eines", "ihres", "keines"):
        return f"{noun}s" if noun.endswith(("er", "or", "el")) else noun
    return noun


def _article(found: re.Match[str]) -> str:
    stem, ending = found["stem"], found["ending"]
    if ending == "e":
        return f"{stem}e oder {stem.lower()}"
    female = ending if ending.startswith("e") else f"e{ending}"
    return f"{stem}{female} oder {stem.lower()}e{'n' if ending == 'en' else 'm'}"


def _adjective(found: re.Match[str]) -> str:
    stem, ending = found["stem"], found["ending"]
    return f"{stem} oder {stem if stem[0].isupper() else stem.lower()}{ending}"
