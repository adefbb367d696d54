"""What callers say to the phone itself rather than to the city: "wiederholen", "langsamer", "Mitarbeiter", "ja"."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

from nlu.text import fold


class Wish(Enum):
    """Something that needs no answer of the service."""

    HUMAN = "human"
    CALLBACK = "callback"
    REPEAT = "repeat"
    SLOWER = "slower"
    GO_ON = "go on"
    BACK = "back"
    GOODBYE = "goodbye"
    YES = "yes"
    NO = "no"


COMPLETE = frozenset({"ja", "ja bitte", "ja genau", "genau", "richtig", "stimmt", "nein", "nein danke"})
"""Answers to a question for yes or no that nothing follows."""

_BEFORE = (
    r"(?:(?:aeh|aehm|ach|also|bitte|hallo|etwas|vielen|danke|dank|nein|ja|gut|okay|dann|und|koennen|koennten|kann|ich|sie|mich|mir|es|das|wir|"
    r"moechte|will|wuerde|gern|gerne|jetzt|lieber|doch|einfach|noch|mal|einmal|mit|zu|zum|zur|auf|an|einen|einem|eine|"
    r"einer|ein|der|die|den|dem|verbinden|geben|haben|wollen|sprechen|reden|verlangen|richtigen?|echten?|menschlichen?|"
    r"weiter)\s+)*"
)
_AFTER = (
    r"(?:\s+(?:bitte|sprechen|reden|verbinden|verbunden|werden|haben|geben|danke|mal|noch|einmal|jetzt|gern|gerne|"
    r"verlangen|vereinbaren|wuenschen|wollen|moechte|ich|an|ja|nein|sie|es|das|ans|telefon|von|der|stadt|vielen|dank))*"
)
_WORDS: dict[Wish, str] = {
    Wish.HUMAN: (
        r"mitarbeiter(?:in|innen|n)?|mensch(?:en)?|person|kolleg(?:en|in|innen)|sachbearbeiter(?:in)?|beraterin?|"
        r"zentrale|vermittlung|jemand(?:em|en)?"
    ),
    Wish.CALLBACK: r"rueckruf|zurueckrufen|zurueckgerufen|rufen sie (?:mich|bitte|mich bitte) zurueck",
    Wish.REPEAT: (
        r"wiederholen(?: sie)?(?: das)?|wiederholung|wie bitte|nochmals?|noch ?mal|noch einmal|"
        r"(?:was|wie) (?:haben|hatten) sie gesagt|was war das|nicht verstanden|nicht gehoert"
    ),
    Wish.SLOWER: r"langsamer|langsam|zu schnell|nicht so schnell",
    Wish.GO_ON: r"weiter|weiterlesen|mehr|mehr hoeren|fortfahren|naechste[rs]?",
    Wish.BACK: r"zurueck|abbrechen|abbruch",
    Wish.GOODBYE: (
        r"auf wieder(?:hoeren|sehen)|wiederhoeren|tschues+i?|ciao|das (?:war|waere) (?:es|alles|s)|das wars|"
        r"(?:nein )?(?:danke )?das (?:war|ist) (?:schon )?alles|auflegen|ende"
    ),
    Wish.YES: (
        r"ja|jawohl|ja (?:genau|gern|gerne|bitte|richtig|stimmt|das stimmt|das ist richtig)|jo|jaja|genau|richtig|"
        r"korrekt|stimmt|das stimmt|das ist richtig|gern|gerne|okay|(?:ja )?(?:ich bin )?(?:damit )?einverstanden|"
        r"in ordnung|passt|sicher|natuerlich|selbstverstaendlich|doch|klar"
    ),
    Wish.NO: (
        r"nein|nee|noe|ne|nicht|nein (?:danke|nicht|falsch|das ist falsch|das stimmt nicht)|falsch|das ist falsch|"
        r"stimmt nicht|das stimmt nicht|das ist nicht richtig|lieber nicht|danke nein|keinesfalls|auf keinen fall|"
        r"nein nicht einverstanden|nicht einverstanden"
    ),
}
_PATTERNS = {wish: re.compile(rf"{_BEFORE}(?:{words}){_AFTER}") for wish, words in _WORDS.items()}
_PLAIN = {
    wish: re.compile(rf"(?:(?:aeh|aehm|also|ach|na|oh)\s+)*(?:{_WORDS[wish]})(?:\s+(?:bitte|danke|gern|gerne))*")
    for wish in (Wish.YES, Wish.NO)
}
_ORDER = (Wish.YES, Wish.NO, *(wish for wish in Wish if wish not in (Wish.YES, Wish.NO)))
_NONE = re.compile(r"\b(?:kein|keine|keinen|nicht|ohne)\b")


def wish_of(text: str) -> Wish | None:
    """The wish that an utterance is as a whole; a question in which such a word stands is none."""
    words = " ".join(re.findall(r"\w+", fold(text)))
    for wish in _ORDER:
        pattern = _PLAIN.get(wish, _PATTERNS[wish])
        if pattern.fullmatch(words):
            return None if wish in (Wish.HUMAN, Wish.CALLBACK) and _NONE.search(words) else wish
    return None


def answer_of(texts: Iterable[str]) -> Wish | None:
    """Yes or no, whichever of several ways to understand an answer is one first."""
    return next((wish for text in texts if (wish := wish_of(text)) in (Wish.YES, Wish.NO)), None)
