"""Builds the bot's messages from what the catalogue answers. Nothing in here knows a fact of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from bot.models import Action, Answer, DraftChoice, Expects, Office, Reply, Target
from core.i18n import Phrases
from knowledge.answers import OfficeAnswer
from knowledge.catalogue import Aspect, Circumstance, LifeSituation
from knowledge.models import Action as Step
from knowledge.models import AspectAnswer, Candidate, OfficeLine

MAX_ASPECT_CHOICES = 6
"""More buttons than that are not a choice but a wall."""
MAX_SPOKEN = 3
"""Nobody keeps more entries of a spoken list in mind."""


class Replies:
    """Writes replies in the words of one set of phrases."""

    def __init__(self, phrases: Phrases, *, names: dict[str, str]) -> None:
        """
        Args:
            phrases: the room's phrases.
            names: values that any phrase may name, for example `city` and `phone`.
        """
        self._phrases = phrases
        self._names = names

    def phrase(self, key: str, /, **values: object) -> str:
        return self._phrases.text(key, **{**self._names, **values})

    def spoken(self, key: str, /, **values: object) -> str:
        return self._phrases.speech(key, **{**self._names, **values})

    def widget_texts(self, language: str) -> dict[str, str]:
        """Everything that the widget writes on its buttons and labels, by key; the names are filled in."""
        texts = self._phrases.texts("widget.", language)
        for name, value in self._names.items():
            texts = {key: text.replace(f"{{{name}}}", value) for key, text in texts.items()}
        return texts

    def say(
        self,
        key: str,
        /,
        *,
        kind: str = "smalltalk",
        choices: Sequence[DraftChoice] = (),
        expects: Expects = Expects.OPEN,
        answer: Answer | None = None,
        values: Mapping[str, object] = MappingProxyType({}),
    ) -> Reply:
        """A reply that is one phrase, its placeholders filled with `values`."""
        return Reply(
            text=self.phrase(key, **values),
            speech=self.spoken(key, **values),
            choices=list(choices),
            expects=expects,
            answer=answer or Answer.model_validate({"kind": kind}),
        )

    def service(self, answer: AspectAnswer, *, score: float | None, offer: Iterable[Aspect] | None = None) -> Reply:
        """The card of a service with the asked aspect; the other aspects are its choices."""
        others = [aspect for aspect in (offer or answer.aspects) if aspect != answer.aspect]
        return Reply(
            text=answer.text,
            speech=answer.speech,
            choices=[self._aspect(answer.service_id, aspect) for aspect in others[:MAX_ASPECT_CHOICES]],
            answer=Answer(
                kind="service",
                service_id=answer.service_id,
                leika=answer.leika,
                title=answer.title,
                aspect=answer.aspect,
                aspects=list(answer.aspects),
                score=score,
                source_url=answer.source_url,
                as_of=answer.as_of,
                office=_office(answer.office),
                actions=_actions(answer.actions),
            ),
        )

    def office(self, answer: OfficeAnswer) -> Reply:
        """Hours, address and phone of an office."""
        return Reply(
            text=answer.text,
            speech=answer.speech,
            answer=Answer(
                kind="office",
                title=answer.office.name,
                source_url=answer.source_url,
                as_of=answer.as_of,
                office=_office(answer.office),
                actions=_actions(answer.actions),
            ),
        )

    def clarify(
        self, candidates: Sequence[Candidate], *, aspect: Aspect | None, circumstances: Sequence[Circumstance]
    ) -> Reply:
        """The question which of two to four things is meant."""
        choices = [
            DraftChoice(
                label=candidate.title,
                target=Target(
                    kind="life_situation" if candidate.kind == "life_situation" else "service",
                    id=candidate.id,
                    aspect=aspect,
                    circumstances=list(circumstances),
                ),
            )
            for candidate in candidates
        ]
        return self._choose(
            "clarify",
            [*choices, self.none_choice()],
            spoken=", ".join(choice.label for choice in choices),
            answer=Answer(
                kind="clarify",
                candidates=[candidate.id for candidate in candidates],
                reason="ambiguous",
                score=candidates[0].score,
            ),
        )

    def life_situation(self, situation: LifeSituation, titles: dict[str, str], *, score: float | None) -> Reply:
        """What is due in a life situation, each service a choice."""
        choices = [
            DraftChoice(label=title, target=Target(kind="service", id=service)) for service, title in titles.items()
        ]
        spoken = ", ".join(list(titles.values())[:MAX_SPOKEN])
        answer = Answer(
            kind="clarify", title=situation.title, candidates=list(titles), reason="life_situation", score=score
        )
        reply = self._choose("life_situation", choices, answer=answer, summary=situation.summary, spoken=spoken)
        return reply.model_copy(
            update={"speech": self.spoken("life_situation", summary=situation.speech, spoken=spoken)}
        )

    def human_choice(self) -> DraftChoice:
        return DraftChoice(label=self.phrase("choice.human"), target=Target(kind="human"))

    def none_choice(self) -> DraftChoice:
        return DraftChoice(label=self.phrase("choice.none"), target=Target(kind="none"))

    def yes_no(self, yes: Target, no: Target) -> list[DraftChoice]:
        """The choices of a yes-or-no question, yes first."""
        return [
            DraftChoice(label=self.phrase("choice.yes"), target=yes),
            DraftChoice(label=self.phrase("choice.no"), target=no),
        ]

    def _choose(self, key: str, choices: Sequence[DraftChoice], *, answer: Answer, **values: object) -> Reply:
        return self.say(key, choices=choices, expects=Expects.CHOICE, answer=answer, values=values)

    def _aspect(self, service_id: str, aspect: Aspect) -> DraftChoice:
        return DraftChoice(
            label=self.phrase(f"aspect.{aspect}"), target=Target(kind="aspect", id=service_id, aspect=aspect)
        )


def _office(line: OfficeLine | None) -> Office | None:
    if line is None:
        return None
    return Office(id=line.id, name=line.name, phone=line.phone, hours_today=line.hours_today)


def _actions(steps: Iterable[Step]) -> list[Action]:
    return [Action(kind=step.kind, label=step.label, url=step.url) for step in steps]
