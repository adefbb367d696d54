"""Answers put together from a record and nothing else: one aspect of a service, or an office.

The written form is short, because a card beside it shows the office and the buttons; the spoken form stands alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import cast

from core.i18n import DEFAULT_LANGUAGE
from knowledge.catalogue import Aspect, Circumstance, Fee, Item, Office, Service, Source, SpokenModule
from knowledge.counters import SPOKEN_ITEMS, Counter, Draft
from knowledge.hours import OfficeHours
from knowledge.models import Action, AspectAnswer, OfficeLine
from knowledge.wording import legible, phrase, readable_amount, sentence, speakable

ASPECT_ORDER = (
    Aspect.DOCUMENTS,
    Aspect.FEES,
    Aspect.PROCEDURE,
    Aspect.DEADLINE,
    Aspect.DURATION,
    Aspect.WHERE,
    Aspect.HOURS,
    Aspect.ONLINE,
    Aspect.ELIGIBILITY,
    Aspect.LEGAL,
    Aspect.WHO,
    Aspect.OVERVIEW,
)
"""The order in which aspects are offered."""

_MODULES: Mapping[Aspect, SpokenModule] = {
    Aspect.OVERVIEW: "summary",
    Aspect.DOCUMENTS: "documents",
    Aspect.FEES: "fees",
    Aspect.DEADLINE: "deadlines",
    Aspect.DURATION: "duration",
    Aspect.ELIGIBILITY: "requirements",
    Aspect.LEGAL: "legal_basis",
    Aspect.PROCEDURE: "procedure",
}
"""The module of a record that answers an aspect; offices and addresses answer the others."""
_OFFICE_ASPECTS = frozenset({Aspect.WHERE, Aspect.HOURS, Aspect.WHO})
_TELLS_AN_AMOUNT = re.compile(r"\d|[Hh]öhe|kosten|gebührenfrei|halbe")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeAnswer:
    """Answer to a question about an office."""

    office: OfficeLine
    text: str
    """Markdown subset, as in `AspectAnswer`."""
    speech: str
    actions: tuple[Action, ...]
    source_url: str | None
    as_of: str | None


def compose(
    service: Service,
    aspect: Aspect,
    *,
    circumstances: Sequence[Circumstance] = (),
    offices: Mapping[str, Office],
    hours: OfficeHours,
    central_office: Office,
    language: str = DEFAULT_LANGUAGE,
) -> AspectAnswer:
    """The answer to one aspect of a service.

    Args:
        service: the record.
        aspect: what is asked.
        circumstances: what the citizen said of their case; its entries come first, those of other cases stay out.
        offices: all offices by id; ids that are missing here are skipped.
        hours: says when offices are open.
        central_office: whom to ask where the office has no telephone number, or none is responsible.
        language: language of the phrases around the record's text.
    """
    desk = _Desk(service, offices, hours, central_office, language)
    return desk.answer(aspect, desk.draft(aspect, tuple(circumstances)))


def compose_full(
    service: Service,
    *,
    offices: Mapping[str, Office],
    hours: OfficeHours,
    central_office: Office,
    language: str = DEFAULT_LANGUAGE,
) -> AspectAnswer:
    """The service's full text and notes; its summary where there is no more."""
    desk = _Desk(service, offices, hours, central_office, language)
    return desk.answer(Aspect.OVERVIEW, desk.full())


def compose_brief(
    service: Service,
    aspect: Aspect = Aspect.OVERVIEW,
    *,
    offices: Mapping[str, Office],
    hours: OfficeHours,
    central_office: Office,
    language: str = DEFAULT_LANGUAGE,
) -> AspectAnswer:
    """The aspect in fewer words, followed by one next step: for "einfacher" and "das hilft mir nicht"."""
    desk = _Desk(service, offices, hours, central_office, language)
    return desk.answer(aspect, desk.brief(aspect))


def compose_office(
    office: Office,
    *,
    hours: OfficeHours,
    central_office: Office,
    aspect: Aspect | None = None,
    language: str = DEFAULT_LANGUAGE,
) -> OfficeAnswer:
    """Where an office is, when it is open or how it is reached; without an aspect today's hours and the address."""
    counter = Counter(office, hours, central_office, language)
    draft = _about_office(counter, aspect)
    source = _newest(office.sources)
    return OfficeAnswer(
        office=counter.line(),
        text=draft.text,
        speech=draft.speech,
        actions=(*counter.map(), *counter.call()),
        source_url=source.url if source else office.url,
        as_of=source.as_of if source else None,
    )


def _about_office(counter: Counter, aspect: Aspect | None) -> Draft:
    if aspect is Aspect.WHO:
        return counter.reach()
    if aspect in (Aspect.HOURS, Aspect.WHERE):
        draft = counter.hours() if aspect is Aspect.HOURS else counter.where()
        return draft if draft.known else draft.then(counter.reach())
    return counter.card()


class _Desk:
    """One service with the offices that answer for it."""

    def __init__(
        self, service: Service, offices: Mapping[str, Office], hours: OfficeHours, central: Office, language: str
    ) -> None:
        self._service = service
        self._language = language
        ids = service.offices or ([service.owner] if service.owner else [])
        found = [offices[office] for office in ids if office in offices] or [central]
        self._counters = [Counter(office, hours, central, language) for office in found]

    def answer(self, aspect: Aspect, draft: Draft) -> AspectAnswer:
        office = self._counters[0]
        if not draft.known:
            draft = draft.and_then(office.ask())
        source = self._source(aspect)
        return AspectAnswer(
            service_id=self._service.id,
            leika=self._service.leika,
            title=self._service.title,
            aspect=aspect,
            text=draft.text,
            speech=draft.speech,
            known=draft.known,
            aspects=self._aspects(),
            source_url=source.url,
            as_of=source.as_of,
            office=office.line(),
            actions=tuple(self._actions(aspect, known=draft.known)),
        )

    def draft(self, aspect: Aspect, circumstances: tuple[Circumstance, ...]) -> Draft:
        match aspect:
            case Aspect.OVERVIEW:
                return self._overview(circumstances)
            case Aspect.DURATION | Aspect.ELIGIBILITY:
                return self._module(_MODULES[aspect])
            case Aspect.ONLINE:
                return self._online()
            case Aspect.LEGAL:
                return self._general(aspect, [Item(text=text) for text in self._service.legal_basis])
            case Aspect.WHERE:
                return self._offices(Counter.where)
            case Aspect.HOURS:
                return self._offices(Counter.hours)
            case Aspect.WHO:
                first, *others = self._counters
                return reduce(Draft.then, [first.reach("who"), *(counter.reach() for counter in others)])
            case _:
                return self._items(aspect, circumstances)

    def full(self) -> Draft:
        parts = [self._module(name) for name in ("full", "notes") if getattr(self._service, name)]
        return reduce(Draft.then, parts or [self._module("summary"), self._both("full.nothing_more")])

    def brief(self, aspect: Aspect) -> Draft:
        spoken = self._spoken(_MODULES[aspect]) if aspect in _MODULES else None
        draft = Draft(legible(spoken), spoken) if spoken else self.draft(aspect, ())
        return draft.then(self._next_step()) if draft.known else draft

    def _next_step(self) -> Draft:
        if self._service.online_url:
            return self._both("brief.online")
        if self._service.appointment_url:
            return self._both("brief.appointment")
        contact = self._counters[0].contact()
        return Draft(
            self._say("brief.office", contact=contact.text),
            self._say("brief.office", spoken=True, contact=contact.speech),
        )

    def _overview(self, circumstances: tuple[Circumstance, ...]) -> Draft:
        draft = self._module("summary")
        service = self._service
        entries: list[Item] = [*service.procedure, *service.documents, *service.fees, *service.deadlines]
        if own := [item for item in entries if set(item.when) & set(circumstances)]:
            return draft.then(self._listed(_lead(own, circumstances), own))
        return draft

    def _module(self, module: SpokenModule) -> Draft:
        text = cast(str | None, getattr(self._service, module))
        return Draft(text, self._spoken(module) or speakable(text)) if text else self._unknown("unknown")

    def _items(self, aspect: Aspect, circumstances: tuple[Circumstance, ...]) -> Draft:
        """Entries for the citizen's case first, then those for everybody; other cases where there are none of it."""
        items: Sequence[Item] = getattr(self._service, _MODULES[aspect])
        named = set(circumstances)
        general = [item for item in items if not item.when]
        own = [item for item in items if named & set(item.when)]
        other = [item for item in items if item.when and not named & set(item.when)]
        if own:
            return self._own_first(aspect, own, general, circumstances)
        # Who says "abgelaufen" needs no list for lost cards; but may be of any age that a price names.
        prices = aspect is Aspect.FEES
        shown = list(items) if prices else [*general, *([] if named and general else other)]
        draft = self._general(aspect, shown)
        if not shown or self._speaks_of(named, shown):
            return draft
        silence = self._both("general.nothing_own")
        text = self._listed("general.nothing_own", shown).text if len(shown) > 1 else f"{silence.text} {draft.text}"
        return Draft(text, f"{silence.speech} {draft.speech}")

    def _general(self, aspect: Aspect, items: Sequence[Item]) -> Draft:
        """The entries by themselves, in the record's own spoken form if it has one."""
        if not items:
            return self._unknown("unknown")
        draft = self._list(aspect, items)
        return Draft(draft.text, self._spoken(_MODULES[aspect]) or draft.speech)

    def _own_first(
        self, aspect: Aspect, own: Sequence[Item], general: Sequence[Item], circumstances: tuple[Circumstance, ...]
    ) -> Draft:
        draft = self._listed(_lead(own, circumstances), own)
        if not general:
            return draft
        both = draft.then(self._listed("general.lead", general, ordered=aspect is Aspect.PROCEDURE))
        if len(own) + len(general) <= SPOKEN_ITEMS:
            return both
        more = self._say("more", spoken=True)
        return Draft(both.text, draft.speech if draft.speech.endswith(more) else f"{draft.speech} {more}")

    def _list(self, aspect: Aspect, items: Sequence[Item]) -> Draft:
        """A single entry as a sentence, more as a list under a heading."""
        if len(items) > 1:
            return self._listed(f"{aspect}.lead", items, ordered=aspect is Aspect.PROCEDURE)
        text = self._entry(items[0])
        if text.endswith("."):
            return Draft(text, speakable(text))
        free = isinstance(items[0], Fee) and text == readable_amount(0, self._language)
        draft = self._both("fees.free") if free else self._both(f"{aspect}.one", item=text)
        return Draft(sentence(draft.text), sentence(draft.speech))

    def _listed(self, lead: str, items: Sequence[Item], *, ordered: bool = False) -> Draft:
        entries = [self._entry(item) for item in items]
        lines = (f"{number}. {entry}" if ordered else f"- {entry}" for number, entry in enumerate(entries, 1))
        spoken = [self._say(lead, spoken=True), *(sentence(speakable(entry)) for entry in entries[:SPOKEN_ITEMS])]
        if len(entries) > SPOKEN_ITEMS:
            spoken.append(self._say("more", spoken=True))
        return Draft(f"{self._say(lead)}\n\n" + "\n".join(lines), " ".join(spoken))

    def _entry(self, item: Item) -> str:
        if not isinstance(item, Fee):
            return item.text
        if item.amount_eur is None:
            silent = not _TELLS_AN_AMOUNT.search(item.text)
            return self._say("fees.unknown_amount", text=item.text) if silent else item.text
        amount = readable_amount(item.amount_eur, self._language)
        told = item.amount_eur == 0 or amount in item.text
        return item.text if told else self._say("fees.amount", amount=amount, text=item.text)

    def _speaks_of(self, circumstances: Iterable[Circumstance], items: Sequence[Item]) -> bool:
        """Whether the record itself is about these circumstances, so that its general text is their answer."""
        service = self._service
        texts = [service.title, service.summary, *service.synonyms, *service.examples, *(item.text for item in items)]
        words = " ".join(texts).casefold()
        return all(re.search(rf"\b(?:{self._say(f'cues.{one}')})", words) for one in circumstances)

    def _online(self) -> Draft:
        url = self._service.online_url
        return self._both("online.yes", label=self._online_label(), url=url) if url else self._unknown("online.no")

    def _offices(self, tell: Callable[[Counter], Draft]) -> Draft:
        drafts = [tell(counter) for counter in self._counters]
        return reduce(Draft.then, [draft for draft in drafts if draft.known] or drafts[:1])

    def _aspects(self) -> tuple[Aspect, ...]:
        service = self._service
        known = {aspect for aspect, module in _MODULES.items() if getattr(service, module)} | {Aspect.WHO}
        known |= {Aspect.ONLINE} if service.online_url else set()
        known |= {Aspect.WHERE} if any(counter.address for counter in self._counters) else set()
        known |= {Aspect.HOURS} if any(counter.has_hours for counter in self._counters) else set()
        return tuple(aspect for aspect in ASPECT_ORDER if aspect in known)

    def _actions(self, aspect: Aspect, *, known: bool) -> Iterator[Action]:
        service, office = self._service, self._counters[0]
        if service.online_url:
            yield Action(kind="online", label=self._online_label(), url=service.online_url)
        if service.appointment_url:
            yield Action(kind="appointment", label=self._say("action.appointment"), url=service.appointment_url)
        for number, url in enumerate(service.forms, 1):
            key = "action.form" if len(service.forms) == 1 else "action.form_numbered"
            yield Action(kind="form", label=self._say(key, number=number), url=url)
        if aspect in _OFFICE_ASPECTS:
            yield from office.map()
        if not known or aspect in _OFFICE_ASPECTS:
            yield from office.call()

    def _online_label(self) -> str:
        title = f"{self._service.title} {self._service.official_title}".casefold()
        return self._say("action.apply" if self._say("apply_cue") in title else "action.online")

    def _source(self, aspect: Aspect) -> Source:
        """The newest source of the record, or of the office where the answer is about it."""
        about_office = aspect in _OFFICE_ASPECTS
        source = _newest(self._counters[0].office.sources) if about_office else None
        return source or _newest(self._service.sources) or self._service.sources[0]

    def _spoken(self, module: SpokenModule) -> str | None:
        return self._service.speech.get(module)

    def _unknown(self, key: str) -> Draft:
        draft = self._both(key)
        return Draft(draft.text, draft.speech, known=False)

    def _both(self, key: str, **values: str) -> Draft:
        spoken = {name: speakable(value) for name, value in values.items()}
        return Draft(self._say(key, spoken=False, **values), self._say(key, spoken=True, **spoken))

    def _say(self, key: str, *, spoken: bool = False, **values: object) -> str:
        return phrase(key, spoken=spoken, language=self._language, **values)


def _lead(items: Sequence[Item], circumstances: tuple[Circumstance, ...]) -> str:
    met = [one for one in circumstances if any(one in item.when for item in items)]
    return f"lead.{met[0]}" if len(met) == 1 else "lead.several"


def _newest(sources: Sequence[Source]) -> Source | None:
    return max(sources, key=lambda source: source.as_of or "", default=None)
