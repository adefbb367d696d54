"""The demonstration pages: what a city's website with the chat on it looks like."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.applications import Starlette

FOLDER = Path(__file__).parent / "demo"
PAGES = {
    "/": "index",
    "/datenschutz": "datenschutz",
    "/impressum": "impressum",
    "/barrierefreiheit": "barrierefreiheit",
}


def mount_demo(app: Starlette, *, city: str, phone: str, callback_days: str) -> None:
    """Serve the pages (`bot/demo/*.html`, Jinja) and below `/demo/` their styles, scripts and pictures.

    The templates get `city`, `phone`, `site`, `callback_days` and `page` (the page's name).
    """
    templates = Jinja2Templates(FOLDER)
    router = APIRouter(default_response_class=HTMLResponse, include_in_schema=False)

    def add(path: str, name: str) -> None:
        @router.get(path, name=name)
        def page(request: Request) -> HTMLResponse:
            context = {"city": city, "phone": phone, "site": "jena", "callback_days": callback_days, "page": name}
            return templates.TemplateResponse(request, f"{name}.html", context)

    for path, name in PAGES.items():
        add(path, name)
    app.mount("/demo", StaticFiles(directory=FOLDER), name="demo")
    app.router.routes.extend(router.routes)
