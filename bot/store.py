"""Conversations in the database. Every method is one short transaction, but for those that get one handed in."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, delete, func, select
from sqlalchemy.orm import Session

from bot.models import (
    Answer,
    Author,
    Channel,
    Choice,
    ConversationRow,
    DraftChoice,
    Expects,
    FeedbackRow,
    Message,
    MessageRow,
    Reply,
    State,
    Target,
    TurnRow,
)
from core.clock import Clock
from core.database import Base, Database
from core.encryption import Keyring

TURN_LEASE = dt.timedelta(seconds=15)
"""How long a turn may be under way before another request may take it up."""


class ConversationGone(LookupError):
    """There is no such conversation, or it has been erased."""


class ConversationClosed(RuntimeError):
    """The conversation is closed; nothing can be said in it any more."""


class TurnConflict(ValueError):
    """The client used one id for two different utterances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation without its messages."""

    id: str
    site: str
    channel: Channel
    language: str
    state: State
    version: int
    last_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedTurn:
    """A citizen's message in the store, and what is left to do about it.

    `mine` is true where the caller has to find the reply; where it is false another request is at it, or has
    finished (`done`).
    """

    conversation: Conversation
    seq: int
    mine: bool
    done: bool


class ConversationStore:
    """Keeps conversations, their messages, turns and ratings.

    What is said while the bot owns a conversation is stored as it comes, masked; everything else is sealed.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        keyring: Keyring,
        *,
        lifetime: dt.timedelta,
        also_erased: Sequence[type[Base]] = (),
    ) -> None:
        """
        Args:
            database: where to keep them.
            clock: the time.
            keyring: seals what the bot does not own.
            lifetime: how long after its last message a conversation is kept.
            also_erased: tables of other rooms with a `conversation_id`, whose rows are erased with the conversation.
        """
        self._database = database
        self._clock = clock
        self._keyring = keyring
        self._lifetime = lifetime
        self._erased: tuple[type[Base], ...] = (MessageRow, TurnRow, FeedbackRow, *also_erased)

    def create(
        self, *, site: str, channel: Channel, language: str, caller: str | None = None
    ) -> tuple[Conversation, str]:
        """A new conversation that the bot owns, and its bearer token (stored as a hash only)."""
        now = self._clock.now()
        token = secrets.token_urlsafe(32)
        row = ConversationRow(
            id=uuid.uuid4().hex,
            token_hash=_hash(token),
            site=site,
            channel=channel,
            language=language,
            state=State.BOT,
            caller=self._keyring.seal(caller) if caller else None,
            version=0,
            last_seq=0,
            created_at=now,
            active_at=now,
            expires_at=now + self._lifetime,
        )
        with self._database.session() as session:
            session.add(row)
        return _conversation(row), token

    def get(self, conversation_id: str) -> Conversation:
        """
        Raises:
            ConversationGone: there is none of this id.
        """
        with self._database.reading() as session:
            return _conversation(_find(session, conversation_id))

    def authenticate(self, conversation_id: str, token: str) -> Conversation | None:
        """The conversation, or None where the token is not the conversation's.

        Raises:
            ConversationGone: there is none of this id.
        """
        with self._database.reading() as session:
            row = _find(session, conversation_id)
            return _conversation(row) if hmac.compare_digest(row.token_hash, _hash(token)) else None

    def messages(self, conversation_id: str, *, after: int = 0, upto: int | None = None) -> list[Message]:
        """Messages with a sequence number above `after`, in order."""
        query = select(MessageRow).where(MessageRow.conversation_id == conversation_id, MessageRow.seq > after)
        if upto is not None:
            query = query.where(MessageRow.seq <= upto)
        with self._database.reading() as session:
            return [self._message(row) for row in session.scalars(query.order_by(MessageRow.seq))]

    def last_reply(self, conversation_id: str) -> Reply | None:
        """The newest message of the bot, as it was before it was stored."""
        query = (
            select(MessageRow)
            .where(MessageRow.conversation_id == conversation_id, MessageRow.author == Author.BOT)
            .order_by(MessageRow.seq.desc())
            .limit(1)
        )
        with self._database.reading() as session:
            row = session.scalar(query)
            return _reply(row) if row is not None else None

    def target(self, conversation_id: str, value: str) -> tuple[str, Target] | None:
        """Label and target of a choice that was offered in this conversation."""
        query = select(MessageRow.choices).where(
            MessageRow.conversation_id == conversation_id, MessageRow.author == Author.BOT
        )
        with self._database.reading() as session:
            for choices in session.scalars(query):
                for choice in choices:
                    if hmac.compare_digest(choice["value"].encode(), value.encode()):
                        return choice["label"], Target.model_validate(choice["target"])
        return None

    def caller(self, conversation_id: str) -> str | None:
        """The number from which a caller calls, where it is known."""
        with self._database.reading() as session:
            sealed = _find(session, conversation_id).caller
            return self._keyring.open(sealed) if sealed else None

    def open_turn(
        self, conversation_id: str, *, text: str, masked: str, client_id: str | None, body_hash: str, lang: str
    ) -> OpenedTurn:
        """Store a citizen's message once, whatever how often it is sent: masked if the bot owns the conversation.

        Raises:
            ConversationGone: there is no such conversation.
            ConversationClosed: nothing can be said any more.
            TurnConflict: the client's id stands for another utterance.
        """
        now = self._clock.now()
        with self._database.session() as session:
            row = _find(session, conversation_id, lock=True)
            known = _turn(session, conversation_id, client_id)
            if known is not None:
                return _resumed(row, known, body_hash, now)
            if row.state == State.CLOSED:
                raise ConversationClosed(conversation_id)
            said = masked if row.state == State.BOT else text
            seq = self._append(session, row, author=Author.CITIZEN, lang=lang, text=said)
            session.add(
                TurnRow(
                    conversation_id=conversation_id,
                    seq=seq,
                    client_id=client_id,
                    body_hash=body_hash,
                    version=row.version,
                    lease_until=now + TURN_LEASE,
                    done=False,
                )
            )
            return OpenedTurn(conversation=_conversation(row), seq=seq, mine=True, done=False)

    def turn(self, conversation_id: str, seq: int) -> tuple[bool, int | None]:
        """Whether a turn is done, and the number of its reply if it has one."""
        with self._database.reading() as session:
            row = session.get(TurnRow, (conversation_id, seq))
            if row is None:
                raise ConversationGone(conversation_id)
            return row.done, row.reply_seq

    def close_turn(self, opened: OpenedTurn, reply: Reply | None, *, said: int | None = None) -> Message | None:
        """Store the reply to a turn, unless the conversation has another owner than when the turn began.

        Args:
            opened: the turn.
            reply: what the bot says; nothing where it has no say.
            said: number of a message that is in the store already and stands for the reply.

        Returns:
            The reply as a message, or None where there is none to be said.

        Raises:
            ConversationGone: the conversation was erased meanwhile.
        """
        with self._database.session() as session:
            row = _find(session, opened.conversation.id, lock=True)
            turn = session.get(TurnRow, (row.id, opened.seq))
            if turn is None:
                raise ConversationGone(row.id)
            if turn.done:
                return self._message_of(session, row.id, turn.reply_seq)
            turn.done = True
            turn.reply_seq = said
            if reply is not None and row.version == turn.version:
                turn.reply_seq = self._say(session, row, reply)
            return self._message_of(session, row.id, turn.reply_seq)

    def say(self, conversation_id: str, reply: Reply) -> Message:
        """Store a message that the bot says of its own accord."""
        with self._database.session() as session:
            row = _find(session, conversation_id, lock=True)
            seq = self._say(session, row, reply)
            message = self._message_of(session, conversation_id, seq)
            assert message is not None
            return message

    def tell(self, conversation_id: str, *, text: str, speech: str, answer: Answer | None = None) -> int:
        """Store a message of the system; returns its number."""
        with self._database.session() as session:
            return self.append_in(
                session, conversation_id, author=Author.SYSTEM, text=text, speech=speech, answer=answer
            )

    def transfer(self, conversation_id: str, *, expected: Sequence[State], to: State) -> Conversation | None:
        """Compare-and-set of the owner.

        Returns:
            The conversation with its new owner, or None where its owner was not among the expected ones.
        """
        with self._database.session() as session:
            try:
                return self.transfer_in(session, conversation_id, expected=expected, to=to)
            except ConversationGone:
                return None

    # For the rooms above, in a transaction of theirs

    def transfer_in(
        self, session: Session, conversation_id: str, *, expected: Sequence[State], to: State
    ) -> Conversation | None:
        """Like `transfer`. The conversation's row stays locked until the transaction ends.

        Raises:
            ConversationGone: there is no such conversation.
        """
        row = _find(session, conversation_id, lock=True)
        if row.state not in expected:
            return None
        row.state = to
        row.version += 1
        session.flush()
        return _conversation(row)

    def last_seq_in(self, session: Session, conversation_id: str) -> int:
        """Number of the newest message. The conversation's row stays locked until the transaction ends.

        Raises:
            ConversationGone: there is no such conversation.
        """
        return _find(session, conversation_id, lock=True).last_seq

    def append_in(
        self,
        session: Session,
        conversation_id: str,
        *,
        author: Author,
        text: str,
        speech: str | None = None,
        answer: Answer | None = None,
    ) -> int:
        """Store a message of an agent or of the system; returns its number.

        Raises:
            ConversationGone: there is no such conversation.
        """
        row = _find(session, conversation_id, lock=True)
        return self._append(
            session,
            row,
            author=author,
            lang=_spoken_language(row),
            text=text,
            speech=speech,
            answer=answer.model_dump(mode="json") if answer else None,
        )

    def said_in(self, session: Session, conversation_id: str, *, client_id: str, speaker: str, text: str) -> int | None:
        """Number of a message of staff that was stored under this id, None where there is none.

        Raises:
            ConversationGone: there is no such conversation.
            TurnConflict: the id stands for another message.
        """
        _find(session, conversation_id, lock=True)
        known = _turn(session, conversation_id, client_id)
        if known is None:
            return None
        said = self._message_of(session, conversation_id, known.seq)
        if said is None or said.text != text or known.body_hash != speaker:
            raise TurnConflict(client_id)
        return known.seq

    def say_in(self, session: Session, conversation_id: str, *, client_id: str, speaker: str, text: str) -> int:
        """Store a message of an agent, which `said_in` will find; returns its number.

        Raises:
            ConversationGone: there is no such conversation.
        """
        row = _find(session, conversation_id, lock=True)
        seq = self._append(session, row, author=Author.AGENT, lang=_spoken_language(row), text=text)
        session.add(
            TurnRow(
                conversation_id=conversation_id,
                seq=seq,
                client_id=client_id,
                body_hash=speaker,
                version=row.version,
                lease_until=self._clock.now(),
                done=True,
            )
        )
        return seq

    def topic(self, conversation_id: str) -> str | None:
        """The service that was talked about last."""
        query = (
            select(MessageRow.answer)
            .where(MessageRow.conversation_id == conversation_id, MessageRow.author == Author.BOT)
            .order_by(MessageRow.seq.desc())
        )
        with self._database.reading() as session:
            return next(
                (answer["service_id"] for answer in session.scalars(query) if answer and answer["service_id"]), None
            )

    def questions(self, conversation_id: str) -> list[str]:
        """What the citizen asked the bot, masked as it is stored, in order; nothing of what was said to staff."""
        query = (
            select(MessageRow.text)
            .where(MessageRow.conversation_id == conversation_id, MessageRow.author == Author.CITIZEN)
            .where(MessageRow.sealed.is_(None))
            .order_by(MessageRow.seq)
        )
        with self._database.reading() as session:
            return list(session.scalars(query))

    def last_said(self, conversation_ids: Collection[str]) -> dict[str, tuple[int, str]]:
        """Of each conversation the number of its newest message, and what its citizen said last."""
        if not conversation_ids:
            return {}
        newest = (
            select(MessageRow.conversation_id, func.max(MessageRow.seq).label("seq"))
            .where(MessageRow.conversation_id.in_(conversation_ids), MessageRow.author == Author.CITIZEN)
            .group_by(MessageRow.conversation_id)
            .subquery()
        )
        query = (
            select(ConversationRow.id, ConversationRow.last_seq, MessageRow)
            .outerjoin(newest, newest.c.conversation_id == ConversationRow.id)
            .outerjoin(
                MessageRow,
                and_(MessageRow.conversation_id == ConversationRow.id, MessageRow.seq == newest.c.seq),
            )
            .where(ConversationRow.id.in_(conversation_ids))
        )
        with self._database.reading() as session:
            return {
                id: (last_seq, self._message(row).text if row is not None else "")
                for id, last_seq, row in session.execute(query)
            }

    # Languages, ratings, erasing

    def set_language(self, conversation_id: str, language: str) -> None:
        """Language of the messages to come."""
        with self._database.session() as session:
            _find(session, conversation_id, lock=True).language = language

    def rate(self, conversation_id: str, *, seq: int, rating: str, comment: str | None) -> None:
        """Store a rating; a later one of the same message replaces it.

        Raises:
            LookupError: the bot said nothing under this number.
        """
        with self._database.session() as session:
            _find(session, conversation_id, lock=True)
            message = session.get(MessageRow, (conversation_id, seq))
            if seq and (message is None or message.author not in (Author.BOT, Author.AGENT)):
                raise LookupError(seq)
            session.merge(
                FeedbackRow(
                    conversation_id=conversation_id, seq=seq, rating=rating, comment=comment, at=self._clock.now()
                )
            )

    def erase(self, conversation_id: str) -> None:
        """Erase everything that was said. A mark stays until `forget`, so that other stores can be erased too."""
        with self._database.session() as session:
            row = _find(session, conversation_id, lock=True)
            for table in self._erased:
                column = table.__table__.c.conversation_id
                session.execute(delete(table).where(column == conversation_id))
            row.state = State.CLOSED
            row.caller = None
            row.version += 1
            row.token_hash = ""
            row.erased_at = self._clock.now()

    def forget(self, *, before: dt.datetime) -> list[str]:
        """Take away the marks of conversations erased before a moment; returns their ids."""
        with self._database.session() as session:
            return list(
                session.scalars(
                    delete(ConversationRow).where(ConversationRow.erased_at < before).returning(ConversationRow.id)
                )
            )

    def erased(self) -> list[str]:
        """Conversations of which only the mark is left."""
        with self._database.reading() as session:
            return list(session.scalars(select(ConversationRow.id).where(ConversationRow.erased_at.is_not(None))))

    def expired(self) -> list[str]:
        """Conversations that have outlived their time."""
        query = select(ConversationRow.id).where(
            ConversationRow.expires_at <= self._clock.now(), ConversationRow.erased_at.is_(None)
        )
        with self._database.reading() as session:
            return list(session.scalars(query))

    def idle(self, span: dt.timedelta) -> list[str]:
        """Web and kiosk conversations of the bot in which nothing was said for a while."""
        query = select(ConversationRow.id).where(
            ConversationRow.state == State.BOT,
            ConversationRow.channel != Channel.PHONE,
            ConversationRow.active_at <= self._clock.now() - span,
        )
        with self._database.reading() as session:
            return list(session.scalars(query))

    def _say(self, session: Session, row: ConversationRow, reply: Reply) -> int:
        return self._append(
            session,
            row,
            author=Author.BOT,
            lang=_spoken_language(row),
            text=reply.text,
            speech=reply.speech,
            choices=[{**_offered(choice), "target": choice.target.model_dump(mode="json")} for choice in reply.choices],
            expects=reply.expects,
            answer=reply.answer.model_dump(mode="json") if reply.answer else None,
        )

    def _append(self, session: Session, row: ConversationRow, *, text: str, **values: object) -> int:
        now = self._clock.now()
        row.last_seq += 1
        row.active_at = now
        row.expires_at = now + self._lifetime
        message = MessageRow(conversation_id=row.id, seq=row.last_seq, at=now, text=text, **values)
        if row.state != State.BOT:
            message.text, message.sealed = "", self._keyring.seal(text)
        session.add(message)
        session.flush()
        return row.last_seq

    def _message_of(self, session: Session, conversation_id: str, seq: int | None) -> Message | None:
        row = session.get(MessageRow, (conversation_id, seq)) if seq is not None else None
        return self._message(row) if row is not None else None

    def _message(self, row: MessageRow) -> Message:
        return Message(
            seq=row.seq,
            author=Author(row.author),
            lang=row.lang,
            text=self._keyring.open(row.sealed) if row.sealed else row.text,
            speech=row.speech,
            choices=[Choice(label=choice["label"], value=choice["value"]) for choice in row.choices],
            expects=Expects(row.expects) if row.expects else None,
            answer=Answer.model_validate(row.answer) if row.answer else None,
            at=row.at,
        )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _spoken_language(row: ConversationRow) -> str:
    """The language that is answered in: German until there are others."""
    return row.language if row.language.startswith("de") else "de"


def _offered(choice: DraftChoice) -> dict[str, str]:
    return {"label": choice.label, "value": secrets.token_urlsafe(9)}


def _find(session: Session, conversation_id: str, *, lock: bool = False) -> ConversationRow:
    query = select(ConversationRow).where(ConversationRow.id == conversation_id, ConversationRow.erased_at.is_(None))
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise ConversationGone(conversation_id)
    return row


def _turn(session: Session, conversation_id: str, client_id: str | None) -> TurnRow | None:
    if client_id is None:
        return None
    return session.scalar(
        select(TurnRow).where(TurnRow.conversation_id == conversation_id, TurnRow.client_id == client_id)
    )


def _resumed(row: ConversationRow, turn: TurnRow, body_hash: str, now: dt.datetime) -> OpenedTurn:
    if turn.body_hash != body_hash:
        raise TurnConflict(turn.client_id)
    mine = not turn.done and turn.lease_until <= now
    if mine:
        turn.lease_until = now + TURN_LEASE
    return OpenedTurn(conversation=_conversation(row), seq=turn.seq, mine=mine, done=turn.done)


def _conversation(row: ConversationRow) -> Conversation:
    return Conversation(
        id=row.id,
        site=row.site,
        channel=Channel(row.channel),
        language=row.language,
        state=State(row.state),
        version=row.version,
        last_seq=row.last_seq,
    )


def _reply(row: MessageRow) -> Reply:
    return Reply(
        text=row.text,
        speech=row.speech or row.text,
        choices=[DraftChoice(label=choice["label"], target=choice["target"]) for choice in row.choices],
        expects=Expects(row.expects) if row.expects else Expects.OPEN,
        answer=Answer.model_validate(row.answer) if row.answer else None,
    )
