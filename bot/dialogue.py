"""What the bot says in each act of the dialogue.

Rasa decides the act, the aspect and the flow, and names an action; the actions here find the service in the
catalogue and build the reply. What has to be remembered until the next turn goes back to Rasa as slots.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bot.contact import Contact, Reachability
from bot.models import Answer, Expects, Reply, Target
from bot.other_cities import OtherCities
from bot.replies import Replies
from knowledge.catalogue import Aspect, Circumstance, City
from knowledge.models import Candidate, Outcome, SearchResult
from knowledge.service import Knowledge
from nlu.text import fold

MANNERS_WORDS = 3
"""A greeting or a complaint of more words than that may hold a question."""
MEANT_SCORE = 0.9
"""From here on a service that is found counts more than an act of talk."""


class UnknownAction(LookupError):
    """Rasa asked for an action that there is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One call of an action: what the citizen said, as Rasa understood it, and what was remembered."""

    action: str
    conversation_id: str
    intent: str
    text: str
    aspect: Aspect | None = None
    circumstances: tuple[Circumstance, ...] = ()
    chosen: Target | None = None
    service: str | None = None
    office: str | None = None
    last_aspect: Aspect | None = None
    last_circumstances: tuple[Circumstance, ...] = ()
    question: str | None = None
    help_step: str | None = None
    misses: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an action brings: a reply, and slots to remember."""

    reply: Reply
    slots: Mapping[str, Any] = field(default_factory=dict)


class Dialogue:
    """The actions by the names under which Rasa knows them."""

    def __init__(
        self,
        *,
        knowledge: Knowledge,
        replies: Replies,
        reachability: Reachability,
        city: City,
        last_reply: Callable[[str], Reply | None],
    ) -> None:
        self._knowledge = knowledge
        self._replies = replies
        self._reachability = reachability
        self._city = city
        self._last_reply = last_reply
        self._other_cities = OtherCities(city.name, city.other_cities)
        self._actions: dict[str, Callable[[Ask], Step]] = {
            "action_answer": self.answer,
            "action_correct_service": self.correct_service,
            "action_answer_aspect": self.answer_aspect,
            "action_add_circumstance": self.add_circumstance,
            "action_answer_office": self.answer_office,
            "action_choose": self.choose,
            "action_choose_none": self.choose_none,
            "action_affirm": self.affirm,
            "action_deny": self.deny,
            "action_more": self.more,
            "action_simplify": self.simplify,
            "action_repeat": self.repeat,
            "action_start_over": self.start_over,
            "action_rephrase": self.rephrase,
            "action_alternatives": self.alternatives,
            "action_offer_human": self.offer_human,
            "action_human": self.human,
            "action_source": self.source,
            "action_refuse_case": self.refuse_case,
            "action_refuse_legal": self.refuse_legal,
            "action_other_city": self.other_city,
            "action_off_topic": self.off_topic,
            "action_say": self.say,
        }

    def act(self, ask: Ask) -> Step:
        """Carry out the named action, unless a question is about another city or hides in talk.

        Raises:
            UnknownAction: there is none of this name.
        """
        try:
            action = self._actions[ask.action]
        except KeyError:
            raise UnknownAction(ask.action) from None
        if ask.action in QUESTIONS and self._other_cities.asked(ask.text):
            return self._refuse_other_city()
        if ask.action in TALK and ask.chosen is None:
            return self._meant(ask) or action(ask)
        return action(ask)

    # Questions about services

    def answer(self, ask: Ask) -> Step:
        """A question with a topic of its own; "Und ein Reisepass?" keeps the aspect that was asked before."""
        if _continues(ask):
            ask = replace(ask, aspect=ask.last_aspect, circumstances=ask.circumstances or ask.last_circumstances)
        found = self._knowledge.find(ask.text, current=ask.service)
        if found.outcome is Outcome.NOTHING and ask.office is not None and _is_brief(ask):
            return self._office(ask, ask.office)
        return self._found(ask, found)

    def correct_service(self, ask: Ask) -> Step:
        """Another service was meant; the rest of the question stays."""
        found = self._knowledge.find(ask.text)
        if found.outcome is Outcome.NOTHING and ask.service is not None and ask.aspect is not None:
            return self._service(ask, ask.service)
        return self._found(replace(ask, aspect=ask.aspect or ask.last_aspect), found)

    def answer_aspect(self, ask: Ask) -> Step:
        """A follow-up: the topic is the current service, unless the text names another one."""
        if ask.service is not None and self._names_office_of(ask.service, ask.text):
            return self._service(ask, ask.service)
        found = self._knowledge.find(ask.text, current=ask.service)
        if found.outcome is Outcome.SURE or _is_event(found):
            return self._found(ask, found)
        if ask.office is not None and (ask.aspect in OFFICE_ASPECTS or ask.service is None):
            return self._office(ask, ask.office)
        if ask.service is None:
            return self._found(ask, found) if found.candidates else Step(reply=self._replies.say("ask_topic"))
        return self._service(ask, ask.service)

    def add_circumstance(self, ask: Ask) -> Step:
        """A follow-up that adds a circumstance."""
        if ask.service is None:
            return self.answer(ask)
        return self._service(ask, ask.service)

    def answer_office(self, ask: Ask) -> Step:
        """Hours, address or phone of an office; without a name the office of the current service."""
        if ask.service is not None and ask.aspect is not None and ask.aspect not in OFFICE_ASPECTS:
            return self.answer_aspect(ask)
        office = self._knowledge.find_office(ask.text)
        if office is None:
            found = self._knowledge.find(ask.text, current=ask.service)
            if found.outcome is Outcome.SURE and found.candidates[0].kind == "service":
                return self._found(replace(ask, aspect=ask.aspect or Aspect.HOURS), found)
        return self._office(ask, office.id if office else ask.office or self._city.main_office)

    # Choices and yes or no

    def choose(self, ask: Ask) -> Step:
        """One of the offered choices."""
        return self._follow(ask, ask.chosen) if ask.chosen else self.choose_none(ask)

    def choose_none(self, ask: Ask) -> Step:
        """None of the offered choices."""
        return Step(reply=self._replies.say("none_of_these", choices=[self._replies.human_choice()]))

    def affirm(self, ask: Ask) -> Step:
        return self._yes_no(ask, 0, "affirmed")

    def deny(self, ask: Ask) -> Step:
        return self._yes_no(ask, 1, "denied")

    # More, again, simpler

    def more(self, ask: Ask) -> Step:
        """The full text of the current service."""
        if ask.service is None:
            return Step(reply=self._replies.say("ask_topic"))
        answer = self._knowledge.answer_in_full(ask.service)
        return Step(reply=self._replies.service(answer, score=None), slots={"aspect": answer.aspect})

    def simplify(self, ask: Ask) -> Step:
        """The current answer in fewer words."""
        if ask.service is None:
            return Step(reply=self._replies.say("help"))
        return Step(reply=self._brief(ask, ask.service))

    def repeat(self, ask: Ask) -> Step:
        return Step(reply=self._last_reply(ask.conversation_id) or self._replies.say("help"))

    def start_over(self, ask: Ask) -> Step:
        return Step(reply=self._replies.say("start_over"), slots=FORGET)

    # The answer did not help: rephrase, alternatives, human

    def rephrase(self, ask: Ask) -> Step:
        """The same answer in other words; without an answer what else there is."""
        if ask.service is None:
            return replace(self.alternatives(ask), slots=REPHRASED)
        card = self._brief(ask, ask.service)
        choices = self._replies.yes_no(Target(kind="affirm"), Target(kind="deny"))
        reply = card.model_copy(
            update={
                "text": self._replies.phrase("rephrase", text=card.text),
                "speech": self._replies.phrase("rephrase", text=card.speech),
                "choices": choices,
                "expects": Expects.YES_NO,
            }
        )
        return Step(reply=reply, slots=REPHRASED)

    def alternatives(self, ask: Ask) -> Step:
        """Other services that the question may have meant."""
        others = [candidate for candidate in self._alternatives(ask) if candidate.id != ask.service]
        if not others:
            return self.offer_human(ask)
        reply = self._replies.clarify(others, aspect=ask.last_aspect, circumstances=ask.last_circumstances)
        choices = [*reply.choices[:-1], self._replies.human_choice()]
        return Step(reply=reply.model_copy(update={"choices": choices}), slots=ALTERNATIVES)

    def offer_human(self, ask: Ask) -> Step:
        """Neither answer nor alternative helped: a human may."""
        contact = self._reachability.contact(ask.service)
        reply = self._contact("offer_human", contact)
        choices = [self._replies.human_choice()] if contact.open else []
        return Step(reply=reply.model_copy(update={"choices": choices}), slots=ALTERNATIVES)

    def human(self, ask: Ask) -> Step:
        """The citizen asks for a human and gets one, if one can be reached."""
        contact = self._reachability.contact(ask.service)
        reply = self._contact("human", contact).model_copy(update={"wants_human": contact.open})
        return Step(reply=reply, slots={"help_step": None})

    # What the bot does not do

    def refuse_case(self, ask: Ask) -> Step:
        """The state of a personal case: names the office that knows it."""
        return self._refuse("refuse_case", ask)

    def refuse_legal(self, ask: Ask) -> Step:
        """A legal judgement: names the office that decides."""
        return self._refuse("refuse_legal", ask)

    def other_city(self, ask: Ask) -> Step:
        """What Rasa takes for a question about another city; one that also concerns this city is answered."""
        if self._other_cities.asked(ask.text):
            return self._refuse_other_city()
        if not self._other_cities.named(ask.text):
            return self.answer(ask)
        found = self._knowledge.find(ask.text)
        if found.outcome is Outcome.SURE and self._other_cities.only_told(ask.text):
            return self._found(ask, found)
        return self._refuse_other_city()

    def off_topic(self, ask: Ask) -> Step:
        """Nothing for a city, unless the catalogue knows better."""
        found = self._knowledge.find(ask.text)
        if found.candidates and found.candidates[0].score >= LIKELY:
            return self._refuse_other_city() if self._other_cities.asked(ask.text) else self._found(ask, found)
        return Step(reply=self._replies.say("off_topic", kind="abstain", choices=[self._replies.human_choice()]))

    # Talk

    def say(self, ask: Ask) -> Step:
        """An act that is answered by one phrase of the act's name."""
        return Step(reply=self._replies.say(ask.intent))

    def source(self, ask: Ask) -> Step:
        """Where the current answer comes from."""
        if ask.service is None:
            return Step(reply=self._replies.say("source_general"))
        answer = self._knowledge.answer(ask.service, ask.last_aspect or Aspect.OVERVIEW)
        card = self._replies.service(answer, score=None)
        text = self._replies.phrase("source", title=answer.title, url=answer.source_url)
        return Step(
            reply=card.model_copy(update={"text": text, "speech": self._replies.spoken("source", title=answer.title)})
        )

    # Parts of the above

    def _meant(self, ask: Ask) -> Step | None:
        """The answer to a question that was taken for talk; nothing if it is mere talk."""
        found = self._knowledge.find(ask.text)
        if found.outcome is not Outcome.NOTHING and self._other_cities.asked(ask.text):
            return self._refuse_other_city()
        long = len(ask.text.split()) > MANNERS_WORDS
        if ask.action == "action_say" and long and _is_event(found):
            return self._found(ask, found)
        if found.outcome is not Outcome.SURE or found.candidates[0].score < MEANT_SCORE:
            return None
        return self._found(ask, found) if long or ask.intent not in PARTING_WORDS else None

    def _refuse_other_city(self) -> Step:
        return Step(reply=self._replies.say("other_city", kind="refuse"))

    def _brief(self, ask: Ask, service_id: str) -> Reply:
        """The last answer about a service in fewer words."""
        answer = self._knowledge.answer_in_brief(service_id, ask.last_aspect or Aspect.OVERVIEW)
        return self._replies.service(answer, score=None)

    def _found(self, ask: Ask, found: SearchResult) -> Step:
        if found.outcome is Outcome.NOTHING:
            return self._abstain(ask)
        best = self._event_of(found) or found.candidates[0]
        if best.kind == "life_situation":
            return self._life_situation(ask, best.id, best.score)
        if best.kind == "office":
            return self._office(ask, best.id)
        if found.outcome is Outcome.SURE:
            return self._service(ask, best.id, score=best.score)
        reply = self._replies.clarify(found.candidates, aspect=ask.aspect, circumstances=ask.circumstances)
        return Step(
            reply=reply,
            slots={**FORGET, "question": ask.text, "aspect": ask.aspect, "circumstances": list(ask.circumstances)},
        )

    def _service(self, ask: Ask, service_id: str, *, score: float | None = None) -> Step:
        if ask.aspect is None:
            service_id = self._elsewhere(ask.circumstances, service_id)
        same = service_id == ask.service
        circumstances = tuple(dict.fromkeys((*(ask.last_circumstances if same else ()), *ask.circumstances)))
        aspect = ask.aspect or (ask.last_aspect if same and ask.circumstances else None) or Aspect.OVERVIEW
        try:
            answer = self._knowledge.answer(service_id, aspect, circumstances=circumstances)
        except LookupError:
            return self._abstain(ask)
        return Step(
            reply=self._replies.service(answer, score=score),
            slots={
                "service": service_id,
                "office": None,
                "aspect": answer.aspect,
                "circumstances": list(circumstances),
                "question": ask.text if not same else ask.question,
                "help_step": None,
                "misses": 0,
            },
        )

    def _event_of(self, found: SearchResult) -> Candidate | None:
        """An event among several candidates of which the likeliest service is a part."""
        best = found.candidates[0]
        for candidate in found.candidates[1:]:
            situation = self._knowledge.life_situation(candidate.id) if candidate.kind == "life_situation" else None
            if situation is not None and best.id in situation.services:
                return candidate
        return None

    def _elsewhere(self, circumstances: Sequence[Circumstance], service_id: str) -> str:
        """The service for what has happened to a thing, where there is one: a lost card is not a new one."""
        service = self._knowledge.service(service_id)
        for circumstance in LEADING_ELSEWHERE.intersection(circumstances):
            words = self._replies.phrase(f"circumstance.{circumstance}")
            found = self._knowledge.find(f"{service.title} {words}") if service else None
            if found and found.outcome is Outcome.SURE and found.candidates[0].kind == "service":
                return found.candidates[0].id
        return service_id

    def _names_office_of(self, service_id: str, text: str) -> bool:
        service, office = self._knowledge.service(service_id), self._knowledge.find_office(text)
        return service is not None and office is not None and office.id in service.offices

    def _office(self, ask: Ask, office_id: str) -> Step:
        try:
            reply = self._replies.office(self._knowledge.answer_office(office_id, aspect=ask.aspect))
        except LookupError:
            return self._abstain(ask)
        return Step(reply=reply, slots={"office": office_id, "help_step": None, "misses": 0, "question": ask.text})

    def _life_situation(self, ask: Ask, situation_id: str, score: float | None) -> Step:
        situation = self._knowledge.life_situation(situation_id)
        if situation is None:
            return self._abstain(ask)
        services = [self._knowledge.service(service_id) for service_id in situation.services]
        titles = {service.id: service.title for service in services if service is not None}
        reply = self._replies.life_situation(situation, titles, score=score)
        return Step(reply=reply, slots={**FORGET, "question": ask.text})

    def _abstain(self, ask: Ask) -> Step:
        key = "abstain" if ask.misses == 0 else "abstain_again"
        reply = self._replies.say(key, kind="abstain", choices=[self._replies.human_choice()])
        return Step(reply=reply, slots={"misses": ask.misses + 1, "question": ask.text})

    def _follow(self, ask: Ask, target: Target) -> Step:
        known = replace(ask, aspect=target.aspect, circumstances=tuple(target.circumstances), text=ask.question or "")
        match target.kind:
            case "service" | "aspect" if target.id:
                return self._service(known, target.id)
            case "life_situation" if target.id:
                return self._life_situation(known, target.id, None)
            case "human":
                return self.human(ask)
            case "affirm":
                return Step(reply=self._replies.say("glad"), slots={"help_step": None})
            case "deny":
                return self.alternatives(ask) if ask.help_step == "rephrased" else self.offer_human(ask)
            case _:
                return self.choose_none(ask)

    def _yes_no(self, ask: Ask, index: int, otherwise: str) -> Step:
        last = self._last_reply(ask.conversation_id)
        if last is not None and last.expects is Expects.YES_NO and len(last.choices) == 2:
            return self._follow(ask, last.choices[index].target)
        return Step(reply=self._replies.say(otherwise))

    def _alternatives(self, ask: Ask) -> Sequence[Candidate]:
        return self._knowledge.alternatives(ask.question) if ask.question else ()

    def _contact(self, key: str, contact: Contact) -> Reply:
        reply = self._replies.say(key, kind="handover", values={"contact": contact.text})
        return reply.model_copy(update={"speech": self._replies.spoken(key, contact=contact.speech)})

    def _refuse(self, key: str, ask: Ask) -> Step:
        """A kind no that names the office to ask; an event in a life is no case and gets its answer."""
        found = self._knowledge.find(ask.text, current=ask.service)
        if _is_event(found):
            return self._found(ask, found)
        services = [candidate.id for candidate in found.candidates if candidate.kind == "service"]
        offices = [self._knowledge.office_of(service).id for service in services]
        # Several services of one office may be meant: then the office is sure although the service is not.
        service = services[offices.index(Counter(offices).most_common(1)[0][0])] if services else ask.service
        office = self._knowledge.office_of(service)
        where = self._knowledge.answer_office(office.id, aspect=Aspect.WHO)
        card = self._replies.office(where).answer or Answer(kind="refuse")
        refusal = card.model_copy(update={"kind": "refuse"})
        reply = self._replies.say(key, answer=refusal, values={"office": where.text})
        spoken = self._replies.spoken(key, office=where.speech)
        return Step(
            reply=reply.model_copy(update={"speech": spoken}), slots={**FORGET, "service": service, "office": office.id}
        )


LIKELY = 0.5
"""Probability from which on a service is thought of for what Rasa takes to be off topic."""

FORGET: Mapping[str, Any] = {
    "service": None,
    "office": None,
    "aspect": None,
    "circumstances": [],
    "question": None,
    "help_step": None,
    "misses": 0,
}
"""Slots of a conversation that has no topic."""
REPHRASED: Mapping[str, Any] = {"help_step": "rephrased"}
ALTERNATIVES: Mapping[str, Any] = {"help_step": "alternatives"}
"""How far a citizen has come whom the answers do not help; Rasa's rules go by it."""


LEADING_ELSEWHERE = frozenset({Circumstance.LOST, Circumstance.STOLEN})
"""Circumstances for which there may be a service of its own."""
OFFICE_ASPECTS = frozenset({Aspect.WHERE, Aspect.HOURS, Aspect.WHO})
"""Aspects that an office can answer by itself."""
QUESTIONS = frozenset(
    {
        *("action_answer", "action_correct_service", "action_answer_aspect", "action_add_circumstance"),
        "action_answer_office",
    }
)
"""Actions that tell of services and offices."""
TALK = frozenset({"action_say", "action_start_over", "action_choose"})
"""Actions that leave a question unanswered if Rasa was wrong; a refusal is meant and stays."""
PARTING_WORDS = frozenset({"goodbye", "insult"})
"""Intents whose few words mean no service: "beenden" is none, nor is "du Hund"."""


def _continues(ask: Ask) -> bool:
    return ask.service is not None and ask.aspect is None and fold(ask.text).startswith("und ")


def _is_brief(ask: Ask) -> bool:
    """Whether a text is hardly more than its aspect, such as "Und samstags?" or "Und wo ist die?"."""
    words = [word for word in fold(ask.text).split() if word != "und"]
    return ask.aspect in OFFICE_ASPECTS and len(words) <= MANNERS_WORDS


def _is_event(found: SearchResult) -> bool:
    return bool(found.candidates) and found.candidates[0].kind == "life_situation"
