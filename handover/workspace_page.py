"""The agents' live page, `/mitarbeit/arbeitsplatz`: a frame that its scripts fill."""

# No `from __future__ import annotations`: FastAPI reads the routes' types at once.

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response

from bot.models import MAX_TEXT_LENGTH
from core.accounts import Role
from core.gate import StaffGate
from core.i18n import Phrases
from core.staff_pages import PREFIX, NavEntry, SignedIn, StaffFiles, StaffPages
from handover.models import Reason, Tag

WORKSPACE = f"{PREFIX}/arbeitsplatz"
SCRIPTS = Path(__file__).parent / "pages" / "desk"
TEXTS = "desk."


def workspace_entries(phrases: Phrases) -> list[NavEntry]:
    """Its place in the navigation: the first, so that agents land here."""
    return [NavEntry(label=phrases.text("desk.title"), href=WORKSPACE, roles=frozenset({Role.AGENT}))]


def mount_workspace_page(
    app: FastAPI, *, gate: StaffGate, pages: StaffPages, phrases: Phrases, phone: str, sites: Mapping[str, str]
) -> None:
    """Serve the page and its scripts; `phone` is the city's number for everybody, `sites` are names by key."""
    app.mount(f"{PREFIX}/desk", StaffFiles(directory=SCRIPTS), name="desk-static")
    router = APIRouter(include_in_schema=False)
    Agent = Annotated[SignedIn, Depends(gate.page(Role.AGENT))]

    @router.get(WORKSPACE)
    async def workspace(request: Request, agent: Agent) -> Response:
        given = {
            "texts": phrases.texts(TEXTS),
            "account": agent.account.id,
            "city": pages.city,
            "phone": phone,
            "sites": dict(sites),
            "max_length": MAX_TEXT_LENGTH,
        }
        return pages.render(
            request, agent, "handover/workspace.html", given=given, reasons=list(Reason), tags=list(Tag)
        )

    app.include_router(router)
