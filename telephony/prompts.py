"""What is asked of a caller, and what may come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from telephony.recogniser import Alternative
from telephony.wishes import Wish


class Expects(Enum):
    """The kind of answer that a question waits for, as in the chat API."""

    OPEN = "open"
    YES_NO = "yes_no"
    CHOICE = "choice"
    NUMBER = "number"


@dataclass(frozen=True)
class Option:
    """Something that a key stands for: a choice that the service offers, or a question to be asked in its place."""

    label: str
    choice: str | None = None
    text: str | None = None


class Offer(Enum):
    """What a plain yes means."""

    HUMAN = "human"
    CALLBACK = "callback"
    ANOTHER_QUESTION = "another question"
    HEARD = "heard"
    """That it was understood rightly."""


@dataclass(frozen=True)
class Prompt:
    """A question with everything that is said before it."""

    pages: tuple[str, ...]
    """Said one after the other, as long as the caller wants to hear more."""
    question: str
    """Said at the end, also when the pages are skipped; may be empty where the last page asks."""
    short: str
    """The question again, for those who have not answered."""
    help: str
    """What can be said, and which keys there are."""
    more: str = ""
    """The question between two pages."""
    expects: Expects = Expects.OPEN
    options: tuple[Option, ...] = ()
    """By key, from 1."""
    slowly: str = ""
    """The slower version of a list."""
    offer: Offer | None = None
    closed: bool = False
    """Only yes and no count."""
    private: bool = False
    """It holds what belongs to this caller alone, and is not kept by the voice."""

    @property
    def is_list(self) -> bool:
        """The pages are entries of a list, and their keys count at once."""
        return bool(self.slowly)


@dataclass(frozen=True)
class Words:
    """Something was said, likeliest first, that is for the service."""

    alternatives: tuple[Alternative, ...]
    emergency: bool = False
    """It cannot wait until the present question is answered."""

    @property
    def text(self) -> str:
        return self.alternatives[0].text


@dataclass(frozen=True)
class Picked:
    """A key was pressed that stands for something."""

    option: Option


@dataclass(frozen=True)
class Wanted:
    """A wish that the phone itself fulfils."""

    wish: Wish


@dataclass(frozen=True)
class Keyed:
    """Digits, keyed in or said."""

    digits: str


@dataclass(frozen=True)
class GaveUp:
    """Nothing came that could be used, whatever was tried; the caller may have been silent or misunderstood."""

    silent: bool = field(default=False)


Reply = Words | Picked | Wanted | Keyed | GaveUp
