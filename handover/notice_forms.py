"""A notice as supervisors type it, with a code for each mistake beside its field."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from bot.models import Channel
from handover.notices import InvalidNotice, NoticeDraft

MAX_TEXT = 1000
MAX_COMMENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeForm:
    """What was typed. `errors` holds a code by the field's name."""

    kind: str = "notice"
    """`notice`, or `off` where the bot is switched off as well."""
    text: str = ""
    speech: str = ""
    begins_at: str = ""
    """Local time; empty: at once."""
    ends_at: str = ""
    sites: Sequence[str] = ()
    channels: Sequence[str] = ()
    comment: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def read_notice(
    form: Mapping[str, Sequence[str]], *, sites: Collection[str], now: dt.datetime, zone: ZoneInfo
) -> tuple[NoticeDraft | None, NoticeForm]:
    """The notice that is typed, or None and a form with the mistakes."""

    def text(name: str) -> str:
        return (form.get(name) or [""])[0].strip()

    typed = NoticeForm(
        kind="off" if text("kind") == "off" else "notice",
        text=text("text").replace("\r\n", "\n"),
        speech=text("speech"),
        begins_at=text("begins_at"),
        ends_at=text("ends_at"),
        sites=[site for site in form.get("sites", ()) if site in sites],
        channels=[channel for channel in form.get("channels", ()) if channel in list(Channel)],
        comment=text("comment"),
    )
    errors: dict[str, str] = {}
    for name, most in (("text", MAX_TEXT), ("speech", MAX_TEXT), ("comment", MAX_COMMENT)):
        if len(getattr(typed, name)) > most:
            errors[name] = "too-long"
    moments = {name: _moment(getattr(typed, name), name, zone, errors) for name in ("begins_at", "ends_at")}
    if errors:
        return None, replace(typed, errors=errors)
    draft = NoticeDraft(
        text=typed.text,
        speech=typed.speech or None,
        begins_at=_not_before(moments["begins_at"], now),
        ends_at=moments["ends_at"],
        sites=list(typed.sites),
        channels=[Channel(channel) for channel in typed.channels],
        silences_bot=typed.kind == "off",
        comment=typed.comment,
    )
    try:
        draft.check(now)
    except InvalidNotice as mistakes:
        return None, replace(typed, errors=dict(mistakes.problems))
    return draft, typed


def _moment(text: str, name: str, zone: ZoneInfo, errors: dict[str, str]) -> dt.datetime | None:
    """A local time as a moment; of a time that comes twice the first."""
    if not text:
        return None
    try:
        return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=zone).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        errors[name] = "unreadable-date"
        return None


def _not_before(moment: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """At once where the moment has come already."""
    return moment if moment is not None and moment > now else None
