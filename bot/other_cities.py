"""Whether a text asks about another city.

The name of a city says little: people move from there, were born there, or live in a street that is called after it.
Only a city that is the place of what is asked for counts, and in doubt the question is about this city.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlu.text import fold

PLACE_NAMES = Path(__file__).with_name("place_names.txt")

Words = tuple[str, ...]

AMBIGUOUS = frozenset(
    {"essen", "halle", "hof", "singen", "siegen", "giessen", "weiden", "plauen", "wels", "zug", "hagen", "marl"}
)
"""Names that mean something else as well; they need a word such as "in" before them."""
CLEAR_PLACE_WORDS = frozenset({"in", "stadt", "gemeinde", "landkreis", "kreis", "stadtverwaltung"})
PLACE_WORDS = CLEAR_PLACE_WORDS | {"im", "fuer"}
"""Before a name they make it a place; before an ambiguous name some do not: "für Essen" is for food."""
DISTRICT_WORDS = frozenset({"stadt", "gemeinde", "landkreis", "kreis", "der", "dem", "den"})
OTHER_RELATIONS = re.compile(
    r"aus|vo[nmr]|nach|ab|bis|ueber|zwischen|bei|mit|gegen|richtung|an|am|auf|zu[mr]?|um|als|seit|ohne|namens|"
    r"de[rnm]|die|das|eine?|herrn?|frau|familie|verein|kennzeichen|strasse|platz|weg|allee|ring|gasse"
)
"""Before a name they say that the city is no place of a service, or that the name is no city's."""
STREET_WORDS = frozenset({"strasse", "str", "platz", "allee", "weg", "ring", "gasse", "chaussee"})
REQUESTS = re.compile(
    r"wo|wohin|was|wie|wieviel|wann|wer|wen|wem|welche[rsmn]?|kann|koennen|koennte[n]?|muss|muessen|darf|duerfen|soll|"
    r"sollen|will|wollen|moechte[n]?|moecht|wuerde[n]?|brauch\w*|benoetig\w*|such\w*|gibts?|gilt|gehts?|"
    r"kostet|kosten|"
    r"ist|hat|haben|bekomm\w*|krieg\w*|zeig\w*|nenn\w*|sag\w*"
)
OWN_STATE = re.compile(
    r"bin|habe?|hatten?|war(?:en)?|wurden?|worden|gewesen|wohn(?:e|t|en|haft)?|leb(?:e|t|en)|komm(?:e|t|en)|stamm(?:e|t|en)|"
    r"studier(?:e|t|en)|arbeit(?:e|et|en)?|heirate[nt]?|studium|praktikum|ausbildung|job|urlaub|unfall|geburtsort|"
    r"(?:haupt|neben|zweit|erst)wohn(?:ung|sitz)"
)
"""What somebody has, had or does in a city: it is told and not asked for."""
PAST = re.compile(
    r"\w*(?:geboren|gestorben|verstorben|ausgestellt|beantragt|gemeldet|zugelassen|gekauft|geheiratet|verheiratet|"
    r"getraut|gelebt|gewohnt|gearbeitet|studiert|gemacht|bestanden|erworben|verloren|gefunden|"
    r"gestohlen|geklaut|geblitzt|geschieden|abgelegt|abgeschlossen|getauft|beigesetzt|beerdigt|registriert|gewesen)"
)
MOVES = re.compile(r"(?:um|weg|her|hin|zu|aus|ver|ein)?(?:zieh(?:e|en|t|st)|gezogen|zogen)|(?:um|zu|weg)zug\w*")
ELSEWHERE_BY_NATURE = re.compile(
    r"\b(?:\w*(?:gericht|finanzamt|arbeitsagentur|familienkasse|rentenversicherung|zollamt|botschaft|konsulat|flughafen|"
    r"universitaet|hochschule|klinik|klinikum|krankenhaus)|bundes\w*|landes\w*|partnersta?e?dt\w*|staedtepartner\w*|punkte|"
    r"standesamt (?:i|1|eins))\b"
)
"""What is not a city's own, wherever it stands."""

HERE = re.compile(r"\b(?:hier\w*|eure\w?|euer|(?:bei|zu) (?:euch|ihnen))\b")

_CLAUSE_ENDS = re.compile(r"[.?!,;:\n]|\b(?:und|oder|aber|sondern|weil|wenn|dass|obwohl|falls)\b")
_WORD = re.compile(r"[^\W_]+")
_SAINT = re.compile(r"\bst\.")


@dataclass(frozen=True, slots=True)
class _Named:
    """A city's name in a clause: the words before it and after it."""

    before: Words
    after: Words
    ambiguous: bool


class OtherCities:
    """Finds other cities in texts."""

    def __init__(self, city: str, names: Iterable[str] = ()) -> None:
        """Read the list of places.

        Args:
            city: the name of this city.
            names: more names of other places.
        """
        lines = PLACE_NAMES.read_text(encoding="utf-8").splitlines()
        listed = (line for line in lines if line and not line.startswith("#"))
        own = _words(city)
        self._own = frozenset({" ".join(own), f"{own[-1]}er"})
        self._names = frozenset(_words(name) for name in (*listed, *names)) - {own}
        self._longest = max(map(len, self._names))

    def named(self, text: str) -> bool:
        """Whether a text names another city, and not this one."""
        return not self._names_own(text) and any(self._places(clause) for clause in _clauses(text))

    def only_told(self, text: str) -> bool:
        """Whether another city is plainly where somebody comes from or was, or something happened."""
        words = _words(text)
        return self._is_here(text) or any(
            word in {"aus", "von"} or MOVES.fullmatch(word) or PAST.fullmatch(word) for word in words
        )

    def asked(self, text: str) -> bool:
        """Whether another city is the place of what a text asks for."""
        clauses = [clause for clause in _clauses(text) if clause]
        if self._is_here(text) or any(MOVES.fullmatch(word) for clause in clauses for word in clause):
            return False
        told = any(_is_told(clause) for clause in clauses)
        return any(
            self._is_place(place, clause) and (place.before or place.after or not told)
            for clause in clauses
            for place in self._places(clause)
        )

    def _names_own(self, text: str) -> bool:
        joined = f" {' '.join(_words(text))} "
        return any(f" {name} " in joined for name in self._own)

    def _is_here(self, text: str) -> bool:
        return self._names_own(text) or HERE.search(fold(text)) is not None

    def _places(self, clause: Words) -> list[_Named]:
        """The other cities that a clause names."""
        return list(self._find(clause))

    def _find(self, clause: Words) -> Iterator[_Named]:
        at = 0
        while at < len(clause):
            lengths = range(min(self._longest, len(clause) - at), 0, -1)
            length = next((length for length in lengths if clause[at : at + length] in self._names), 0)
            if length:
                ambiguous = length == 1 and clause[at] in AMBIGUOUS
                yield _Named(clause[:at], clause[at + length :], ambiguous)
            at += length or 1

    def _is_place(self, place: _Named, clause: Words) -> bool:
        if _is_told(clause) or ELSEWHERE_BY_NATURE.search(" ".join(clause)):
            return False
        if place.after and (place.after[0] in STREET_WORDS or place.after[0].isdigit()):
            return False
        place_words = CLEAR_PLACE_WORDS if place.ambiguous else PLACE_WORDS
        if place_words.intersection(place.before[-1:]):
            return not OTHER_RELATIONS.fullmatch(_relation(place.before)) and place.before[-2:-1] not in (
                ("als",),
                ("wie",),
            )
        bare = not place.ambiguous and not OTHER_RELATIONS.fullmatch(" ".join(place.before[-1:]))
        return bare and (not place.after or not any(REQUESTS.fullmatch(word) for word in clause))


def _is_told(clause: Sequence[str]) -> bool:
    """Whether a clause tells something of the citizen instead of asking or naming a topic."""
    if any(OWN_STATE.fullmatch(word) or PAST.fullmatch(word) for word in clause):
        return True
    if clause[0] in {"mein", "meine", "unser", "unsere"}:
        return True
    we = {"ich", "wir", "er", "sie", "es"}.intersection(clause)
    return bool(we) and not any(REQUESTS.fullmatch(word) for word in clause)


def _relation(before: Sequence[str]) -> str:
    """The word that binds a place to what stands before: "aus" in "aus der Stadt"."""
    return next((word for word in reversed(before) if word not in DISTRICT_WORDS), "")


def _clauses(text: str) -> list[Words]:
    return [_words(clause) for clause in _CLAUSE_ENDS.split(_SAINT.sub("st ", fold(text)))]


def _words(text: str) -> Words:
    return tuple(_WORD.findall(fold(text)))
