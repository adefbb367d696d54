"""Serves Rasa's custom actions: the loopback listener that Rasa calls in the middle of a turn.

The protocol is Rasa's own (`POST` with the tracker, answered by events and responses). A reply is one `custom`
payload that holds the whole message.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from bot.dialogue import OFFICE_ASPECTS, Ask, Dialogue, UnknownAction
from bot.models import Target
from knowledge.catalogue import Aspect, Circumstance

Role = TypeVar("Role", Aspect, Circumstance)


class ActionCall(BaseModel):
    """What Rasa posts, as far as it is used."""

    model_config = ConfigDict(extra="ignore")

    next_action: str
    sender_id: str
    tracker: dict[str, Any]


def actions_app(dialogue: Dialogue, *, secret: str) -> FastAPI:
    """The application that Rasa's `action_endpoint` points to.

    Args:
        dialogue: carries the actions out.
        secret: what Rasa must send in the header `Authorization`.
    """
    app = FastAPI(openapi_url=None)

    @app.post("/actions")
    def act(call: ActionCall, authorization: str = Header(default="")) -> Response:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {secret}".encode()):
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        try:
            step = dialogue.act(_ask(call))
        except UnknownAction:
            rejected = {"error": "unknown action", "action_name": call.next_action}
            return JSONResponse(rejected, status_code=HTTPStatus.BAD_REQUEST)
        events = [
            {"event": "slot", "timestamp": None, "name": name, "value": value} for name, value in step.slots.items()
        ]
        return JSONResponse({"events": events, "responses": [{"custom": step.reply.model_dump(mode="json")}]})

    return app


def _ask(call: ActionCall) -> Ask:
    message: Mapping[str, Any] = call.tracker.get("latest_message") or {}
    slots: Mapping[str, Any] = call.tracker.get("slots") or {}
    metadata: Mapping[str, Any] = message.get("metadata") or {}
    entities: list[Mapping[str, Any]] = message.get("entities") or []
    chosen = metadata.get("chosen")
    intent = (message.get("intent") or {}).get("name") or ""
    aspects = list(_roles(entities, "aspect", Aspect))
    return Ask(
        action=call.next_action,
        conversation_id=call.sender_id,
        intent=intent,
        text=message.get("text") or "",
        aspect=min(aspects, key=lambda aspect: _weight(aspect, intent), default=None),
        circumstances=tuple(_roles(entities, "circumstance", Circumstance)),
        chosen=Target.model_validate(chosen) if chosen else None,
        service=slots.get("service"),
        office=slots.get("office"),
        last_aspect=Aspect(slots["aspect"]) if slots.get("aspect") else None,
        last_circumstances=tuple(Circumstance(value) for value in slots.get("circumstances") or ()),
        question=slots.get("question"),
        help_step=slots.get("help_step"),
        misses=int(slots.get("misses") or 0),
    )


def _weight(aspect: Aspect, intent: str) -> int:
    """Of several aspects the first counts; but an overview is the least, and an office is asked for hours and place."""
    return 2 * (aspect is Aspect.OVERVIEW) + (intent == "ask_office" and aspect not in OFFICE_ASPECTS)


def _roles(entities: Iterable[Mapping[str, Any]], name: str, kind: type[Role]) -> Iterable[Role]:
    known = {member.value for member in kind}
    roles = (entity.get("role") for entity in entities if entity.get("entity") == name)
    return dict.fromkeys(kind(role) for role in roles if role in known)
