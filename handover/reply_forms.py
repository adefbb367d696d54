"""A canned reply as it is typed, with a code for each mistake beside its field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from bot.models import MAX_TEXT_LENGTH
from handover.canned_replies import CannedReply
from nlu.text import clean

MAX_TITLE = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyForm:
    """What was typed. `errors` holds a code by the field's name."""

    title: str = ""
    text: str = ""
    department: str = ""
    """Empty: for all of them."""
    version: int = 0
    """The version that the person has seen."""
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, reply: CannedReply) -> ReplyForm:
        return cls(title=reply.title, text=reply.text, department=reply.department or "", version=reply.version)


def read_reply(
    form: Mapping[str, str], *, departments: Collection[str], id: str | None = None
) -> tuple[CannedReply | None, ReplyForm]:
    """The reply that is typed, or None and a form with the mistakes.

    Args:
        form: the fields by name.
        departments: those that a reply may be for.
        id: of the reply that is changed.
    """
    typed = ReplyForm(
        title=" ".join(clean(form.get("title", "")).split()),
        text=clean(form.get("text", "")),
        department=form.get("department", ""),
        version=_version(form),
    )
    errors: dict[str, str] = {}
    for name, most in (("title", MAX_TITLE), ("text", MAX_TEXT_LENGTH)):
        length = len(getattr(typed, name))
        if not 0 < length <= most:
            errors[name] = "too-long" if length else "missing"
    if typed.department and typed.department not in departments:
        errors["department"] = "unknown-office"
    reply = CannedReply.model_construct(
        id=id, title=typed.title, text=typed.text, department=typed.department or None, version=typed.version
    )
    if "text" not in errors and reply.unknown_gaps():
        errors["text"] = "unknown-gap"
    return (None, replace(typed, errors=errors)) if errors else (reply, typed)


def _version(form: Mapping[str, str]) -> int:
    """The version that the form tells; none that there is where it does not."""
    value = form.get("version", "")
    return int(value) if value.isdecimal() and len(value) < 10 else -1
