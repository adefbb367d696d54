"""What agents do with conversations. Every act says whose it is, and fails if the conversation is somebody else's."""

from __future__ import annotations

from collections.abc import Collection

from starlette.concurrency import run_in_threadpool

from bot.models import Author, Channel, Message, State
from bot.store import ConversationGone, ConversationStore
from core.accounts import Account
from core.clock import Clock
from core.events import Event
from handover.agents import AgentStore
from handover.desk import Desk
from handover.errors import EmptyText, UnknownColleague, UnknownDepartment, UnknownHandover
from handover.models import Agent, End, Handover, Reason, Status, Tag
from handover.reachability import StaffReachability
from handover.settings import HandoverSettings
from handover.store import HandoverStore
from handover.telling import Telling
from knowledge.store import OutcomeStore, QuestionOutcome
from nlu.text import clean

QUESTIONS_REPORTED = 3
"""The last questions to the bot, of which one is likely to be the one without an answer."""


class Workspace:
    """The agents' side of the desk."""

    def __init__(
        self,
        *,
        desk: Desk,
        store: HandoverStore,
        conversations: ConversationStore,
        agents: AgentStore,
        reachability: StaffReachability,
        telling: Telling,
        outcomes: OutcomeStore,
        clock: Clock,
        settings: HandoverSettings,
    ) -> None:
        self._desk = desk
        self._store = store
        self._conversations = conversations
        self._agents = agents
        self._reachability = reachability
        self._telling = telling
        self._outcomes = outcomes
        self._clock = clock
        self._settings = settings

    # The queue

    async def claim(self, by: Account, handover_id: str) -> Handover:
        """Take a waiting conversation.

        Raises:
            HandoverError: it is gone, somebody else has it, or the agent may not take it.
        """
        waiting = await run_in_threadpool(self._store.get, handover_id)
        words = self._desk.words("agent.joined", name=by.name, department=self._reachability.name(waiting.department))
        handover = await run_in_threadpool(self._store.claim, handover_id, by, words=words)
        who = await run_in_threadpool(self._telling.who, handover)
        self._telling.owner(handover.conversation_id, State.AGENT, who=who)
        await self._telling.places()
        return handover

    async def decline(self, by: Account, handover_id: str) -> None:
        """Let an offer pass to the next."""
        rest_until = self._clock.now() + self._settings.offer
        if await run_in_threadpool(self._store.pass_on, handover_id, by.id, rest_until=rest_until):
            self._telling.staff("board")
            self._desk.hurry()

    async def set_status(self, by: Account, status: Status, *, note: str | None) -> None:
        """Come, take a break, or go; whoever is with an agent who goes gets back to the queue."""
        await run_in_threadpool(self._agents.set_status, by.id, status, note=note)
        if status is Status.OFFLINE:
            words = self._desk.words("agent.gone")
            for handover in await run_in_threadpool(self._store.with_agents, by.id):
                if await run_in_threadpool(self._store.release, handover.id, by.id, words=words):
                    self._telling.owner(handover.conversation_id, State.QUEUED)
        self._telling.staff("board")
        await self._telling.places()
        self._desk.hurry()

    # In a conversation

    async def say(self, by: Account, conversation_id: str, *, text: str, client_id: str) -> Message:
        """Say something, once however often it is sent.

        Raises:
            EmptyText: nothing was said.
            ConversationGone: the citizen has erased the conversation.
            NotYours: the agent does not have the conversation.
            TurnConflict: the client's id stands for another text.
        """
        said = clean(text)
        if not said:
            raise EmptyText
        seq = await run_in_threadpool(self._store.say, conversation_id, by.id, text=said, client_id=client_id)
        self._telling.citizen(conversation_id, Event("typing", {"author": Author.AGENT, "typing": False}))
        self._telling.message(conversation_id)
        found = await run_in_threadpool(self._conversations.messages, conversation_id, after=seq - 1, upto=seq)
        if not found:
            raise ConversationGone(conversation_id)
        return found[0]

    async def active(self, by: Account, conversation_id: str, *, typing: bool | None, read: int | None) -> None:
        """The agent types, or has read up to a message."""
        handover = await run_in_threadpool(self._store.of, conversation_id)
        if handover is None or handover.agent_id != by.id:
            return
        if typing is not None:
            self._telling.citizen(conversation_id, Event("typing", {"author": Author.AGENT, "typing": typing}))
        if read is not None:
            await run_in_threadpool(self._store.read, conversation_id, seq=read, account_id=by.id)

    async def transfer(
        self, by: Account, conversation_id: str, *, department: str | None, colleague: str | None
    ) -> Handover:
        """Hand a conversation on to a department, or offer it to a colleague first.

        Raises:
            UnknownDepartment: nobody can be reached there.
            UnknownColleague: the colleague cannot take it.
            NotYours: the agent does not have the conversation.
        """
        handover = await run_in_threadpool(self._of, conversation_id)
        target = await run_in_threadpool(self._target, by, handover, department, colleague)
        words = self._desk.words("agent.transferred", department=self._reachability.name(target))
        until = self._clock.now() + self._settings.offer
        moved = await run_in_threadpool(
            self._store.transfer,
            conversation_id,
            by,
            department=target,
            colleague=colleague,
            until=until,
            words=words,
        )
        self._telling.owner(conversation_id, State.QUEUED)
        if colleague is not None:
            self._telling.staff("offered", agent=colleague, conversation=conversation_id)
        await self._telling.places()
        self._desk.hurry()
        return moved

    async def finish(
        self, by: Account, conversation_id: str, *, to_bot: bool, reason: Reason, tags: Collection[Tag]
    ) -> None:
        """Close a conversation, or give it back to the bot.

        Raises:
            NotYours: the agent does not have the conversation.
        """
        state, end, key = (
            (State.BOT, End.RETURNED, "agent.returned") if to_bot else (State.CLOSED, End.CLOSED, "agent.closed")
        )
        await run_in_threadpool(
            self._store.finish,
            conversation_id,
            by=by,
            to=state,
            end=end,
            reason=reason,
            tags=tags,
            words=self._desk.words(key),
        )
        if tags:
            await run_in_threadpool(self._report, conversation_id, tags)
        self._telling.owner(conversation_id, state)
        self._desk.hurry()

    async def add_note(self, by: Account, conversation_id: str, text: str) -> None:
        """Write something down for colleagues.

        Raises:
            EmptyText: nothing was written.
            ConversationGone: there is no such conversation.
        """
        written = clean(text)
        if not written:
            raise EmptyText
        await run_in_threadpool(self._store.add_note, conversation_id, author=by.name, text=written)
        self._telling.staff("note", conversation=conversation_id)

    # Parts of the above

    def _report(self, conversation_id: str, tags: Collection[Tag]) -> None:
        """Tell the editors which question had no good answer. Only what was said to the bot goes there, masked."""
        conversation = self._conversations.get(conversation_id)
        questions = self._conversations.questions(conversation_id)
        service_id = self._conversations.topic(conversation_id)
        for tag in tags if questions else ():
            self._outcomes.add(
                QuestionOutcome(
                    site=conversation.site,
                    channel=conversation.channel,
                    text="\n".join(questions[-QUESTIONS_REPORTED:]),
                    outcome=tag,
                    service_id=service_id,
                    conversation_id=conversation_id,
                )
            )

    def _of(self, conversation_id: str) -> Handover:
        handover = self._store.of(conversation_id)
        if handover is None:
            raise UnknownHandover(conversation_id)
        return handover

    def _target(self, by: Account, handover: Handover, department: str | None, colleague: str | None) -> str:
        """The department that a conversation goes to, after checking that it will find somebody there."""
        if colleague is None:
            if department is None or not self._reachability.of(department, channel=handover.channel).reachable:
                raise UnknownDepartment(department)
            return department
        agent = next((one for one in self._agents.present() if one.account_id == colleague), None)
        if agent is None or agent.account_id == by.id or not self._has_room(agent, handover.channel):
            raise UnknownColleague(colleague)
        wanted = department or handover.department
        return wanted if wanted in agent.departments else min(agent.departments)

    def _has_room(self, agent: Agent, channel: Channel) -> bool:
        """Whether an agent can take one more conversation of a channel."""
        can_talk = channel is not Channel.PHONE or agent.extension is not None
        return can_talk and bool(agent.departments) and len(self._store.with_agents(agent.account_id)) < agent.capacity
