"""A conversation as text to save or print."""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from bot.models import Message
from bot.replies import Replies
from knowledge.wording import readable_date


def transcript(messages: Sequence[Message], replies: Replies, *, timezone: str = "Europe/Berlin") -> str:
    """The messages with author and local time, the sources of answers below them."""
    head = replies.phrase("transcript.title")
    return "\n\n".join([head, *(_entry(message, replies, timezone) for message in messages)]) + "\n"


def _entry(message: Message, replies: Replies, timezone: str) -> str:
    at = format_datetime(message.at.astimezone(ZoneInfo(timezone)), "d. MMMM y, HH:mm", locale="de")
    lines = [f"{replies.phrase(f'author.{message.author}')} ({at})"]
    answer = message.answer
    if answer and answer.title:
        lines.append(answer.title)
    lines.append(message.text)
    lines += [f"- {choice.label}" for choice in message.choices]
    if answer and answer.source_url:
        lines.append(replies.phrase("transcript.source", url=answer.source_url))
    if answer and answer.as_of:
        lines.append(replies.phrase("transcript.as_of", date=readable_date(answer.as_of)))
    return "\n".join(lines)
