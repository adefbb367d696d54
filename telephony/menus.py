"""Turns what the service says into what can be heard: in pages, lists by number, with a question at the end."""

from __future__ import annotations

from collections.abc import Sequence

from nlu.speech import sentences, speakable
from nlu.speech.numbers import cardinal, ordinal
from nlu.text import fold
from telephony.chat import Message
from telephony.phrases import Phrases
from telephony.prompts import Expects, Offer, Option, Prompt
from telephony.wishes import Wish, wish_of

KEYS = 9
"""Keys that a choice can have."""
HINTS = 2
"""Answers after which it is told what else can be asked; then it is known."""

ANSWERS = frozenset({"service", "office"})
"""Kinds of messages that ask only in their last sentence; others may give an example after their question."""


class Menus:
    """Makes the prompts of one call."""

    def __init__(
        self, phrases: Phrases, *, topics: Sequence[Option] = (), at_once: int = 3, keys_only: bool = False
    ) -> None:
        """
        Args:
            phrases: what the phone says of its own accord.
            topics: questions that keys stand for where the service offers no choices.
            at_once: sentences of an answer, and entries of a list, after which the caller is asked.
            keys_only: nothing that is said is understood, so keys are told with every question.
        """
        self._phrases = phrases
        self._topics = tuple(topics)[:KEYS]
        self._at_once = at_once
        self._keys_only = keys_only
        self._hints = 0
        self._hinted_keys = False

    def greeting(self, message: Message, *, before: str) -> Prompt:
        """The first question: what the phone has to say, then what the service's greeting adds to the disclosure."""
        if message.kind == "handover":
            return self._lead(before, self.of(message))
        parts = sentences(speakable(message.speech))
        word = self._phrases.text("disclosure.word")
        disclosing = [index for index, part in enumerate(parts) if word in part]
        rest = parts[disclosing[-1] + 1 :] if disclosing else parts
        return self.open(lead=" ".join([before, *rest[:-1]]), question=rest[-1] if rest else None)

    def of(self, message: Message) -> Prompt:
        """A message of the service as a prompt."""
        parts = sentences(speakable(message.speech))
        options = tuple(Option(choice.label, choice=choice.value) for choice in message.choices[:KEYS])
        if message.kind == "emergency":
            return self._emergency(" ".join(parts))
        expects = Expects(message.expects)
        if expects is Expects.CHOICE and len(options) > self._at_once:
            return self._list(parts, options)
        return self._answer(message, parts, options, expects)

    def open(self, key: str = "question.open", *, lead: str = "", question: str | None = None) -> Prompt:
        """An open question of the phone's own."""
        asked = question if question is not None else self._phrases.text(key)
        short = self._phrases.text("question.open")
        if self._keys_only:
            asked = short = self._by_keys(self._topics)
        return Prompt(
            pages=(lead,) if lead else (),
            question=asked,
            short=short,
            help=self._help(Expects.OPEN, self._topics),
            options=self._topics,
        )

    def yes_no(
        self, text: str, *, short: str, offer: Offer | None = None, closed: bool = False, private: bool = False
    ) -> Prompt:
        """A question of the phone's own with yes or no for an answer."""
        return Prompt(
            pages=(),
            question=f"{text} {self._phrases.text('yes_no.keys')}" if self._keys_only else text,
            short=short,
            help=self._help(Expects.YES_NO, ()),
            expects=Expects.YES_NO,
            offer=offer,
            closed=closed,
            private=private,
        )

    def callback_offer(self, lead: str) -> Prompt:
        """Nobody can be reached: may somebody call back?"""
        short = self._phrases.text("question.callback")
        return self._lead(lead, self.yes_no(self._about_callback(lead), short=short, offer=Offer.CALLBACK))

    def _answer(self, message: Message, parts: list[str], options: tuple[Option, ...], expects: Expects) -> Prompt:
        question, offer = self._question(message, parts, options)
        if parts and parts[-1] == question:
            parts = parts[:-1]
        if offer is Offer.ANOTHER_QUESTION and options and not self._keys_only:
            parts = [*parts, *self._aspects(options)]
        if expects is Expects.CHOICE and not self._hinted_keys and not self._keys_only:
            self._hinted_keys = True
            question = f"{question} {self._phrases.text('hint.choice')}"
        shown = options or (self._topics if expects is Expects.OPEN else ())
        if self._keys_only:
            offer, question = None, self._by_keys(shown)
        return Prompt(
            pages=self._pages(parts),
            question=question,
            short=self._short(expects, offer) or question,
            help=self._help(expects, shown),
            more=self._more,
            expects=expects,
            options=shown,
            offer=offer,
        )

    def _question(self, message: Message, parts: Sequence[str], options: Sequence[Option]) -> tuple[str, Offer | None]:
        """With what a message ends, and what yes then means."""
        last = 1 if message.kind in ANSWERS else 2
        own = parts[-1] if any(part.endswith("?") for part in parts[-last:]) else None
        if Expects(message.expects) is not Expects.OPEN:
            return own or self._phrases.text("question.choice"), None
        human = self._phrases.text("question.human")
        if (len(options) == 1 and wish_of(options[0].label) is Wish.HUMAN) or (own and "menschen" in fold(own)):
            return own or human, Offer.HUMAN
        if message.kind == "handover":
            return self._about_callback(parts[-1] if parts else ""), Offer.CALLBACK
        more = self._phrases.text("question.more")
        return own or more, Offer.ANOTHER_QUESTION if own in (None, more) else None

    def _short(self, expects: Expects, offer: Offer | None) -> str | None:
        """A question that can be understood without what was said before it, if the kind of question is known."""
        if expects is Expects.CHOICE:
            return self._phrases.text("question.choice")
        keys = {Offer.HUMAN: "question.human", Offer.CALLBACK: "question.callback"}
        return self._phrases.text(keys[offer]) if offer in keys else None

    def _about_callback(self, before: str) -> str:
        """The question for a callback, in short where the words before it have offered one."""
        offered = fold(before).rstrip(" .").endswith("zurueck")
        return self._phrases.text("question.callback.offered" if offered else "question.callback")

    def _aspects(self, options: Sequence[Option]) -> list[str]:
        """What else can be asked, the first times."""
        self._hints += 1
        if self._hints > HINTS:
            return []
        if len(options) == 1:
            return [self._phrases.text("hint.aspect", first=options[0].label)]
        return [self._phrases.text("hint.aspects", first=options[0].label, second=options[1].label)]

    def _list(self, parts: list[str], options: tuple[Option, ...]) -> Prompt:
        """Choices that are more than one keeps in mind: some at a time, each with its number."""
        named = [part for part in parts if options[0].label in part]
        lead = [part for part in parts if part not in named and not part.endswith("?")][: self._at_once]
        begin = self._phrases.text("list.begin", count=cardinal(len(options)))
        entries = [self._entry(number, option) for number, option in enumerate(options, start=1)]
        chunks = [entries[at : at + self._at_once] for at in range(0, len(entries), self._at_once)]
        chunks[0] = [*lead, begin, *chunks[0]]
        return Prompt(
            pages=tuple(" ".join(chunk) for chunk in chunks),
            question=self._phrases.text("question.list"),
            short=self._phrases.text("question.choice"),
            help=self._help(Expects.CHOICE, options),
            more=self._phrases.text("more.list"),
            expects=Expects.CHOICE,
            options=options,
            slowly=" ".join(self._slow_entry(number, option) for number, option in enumerate(options, start=1)),
        )

    @property
    def _more(self) -> str:
        more = self._phrases.text("more.answer")
        return f"{more} {self._phrases.text('yes_no.keys')}" if self._keys_only else more

    def _by_keys(self, options: Sequence[Option]) -> str:
        """What each key stands for, as a question."""
        if not options:
            return self._phrases.text("question.none.keys")
        entries = [self._entry(number, option) for number, option in enumerate(options, start=1)]
        return " ".join([self._phrases.text("question.topics.keys"), *entries])

    def _entry(self, number: int, option: Option) -> str:
        return self._phrases.text("list.entry", number=cardinal(number).capitalize(), label=option.label)

    def _slow_entry(self, number: int, option: Option) -> str:
        key = "list.first" if number == 1 else "list.next"
        nth = self._phrases.text(key, ordinal=ordinal(number).capitalize())
        return self._phrases.text("list.slow", ordinal=nth, label=option.label, number=cardinal(number))

    def _emergency(self, text: str) -> Prompt:
        """Said twice, in one go, whatever else there is."""
        again = self._phrases.text("emergency.again", text=text)
        return Prompt(
            pages=(f"{text} {again}",),
            question=self._phrases.text("emergency.after"),
            short=text,
            help=self._help(Expects.OPEN, ()),
        )

    def _pages(self, parts: Sequence[str]) -> tuple[str, ...]:
        """So much at a time; for a single sentence more nobody is asked."""
        pages = [list(parts[at : at + self._at_once]) for at in range(0, len(parts), self._at_once)]
        if len(pages) > 1 and len(pages[-1]) == 1:
            pages[-2:] = [pages[-2] + pages[-1]]
        return tuple(" ".join(page) for page in pages)

    def _help(self, expects: Expects, options: Sequence[Option]) -> str:
        """What can be said, and which keys there are."""
        keys = self._phrases.text("help.keys")
        if expects is Expects.YES_NO:
            return f"{self._phrases.text('help.yes_no')} {keys}"
        entries = [self._entry(number, option) for number, option in enumerate(options[: self._at_once], start=1)]
        if expects is Expects.CHOICE:
            rest = [self._phrases.text("help.all")] if len(options) > self._at_once else []
            return " ".join([self._phrases.text("help.choice"), *entries, *rest, keys])
        topics = [self._phrases.text("help.topics"), *entries] if entries else []
        return " ".join([self._phrases.text("help.open"), *topics, keys])

    def _lead(self, lead: str, prompt: Prompt) -> Prompt:
        first, *others = prompt.pages or ("",)
        pages = (f"{lead} {first}".strip(), *others)
        return Prompt(**{**vars(prompt), "pages": tuple(page for page in pages if page)})
