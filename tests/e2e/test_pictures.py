"""Pictures of the page to look at, in `tests/output/`; one of them is the README's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.chat_widget import ChatWidget
from tests.running import ROOT

PICTURE = ROOT / "docs" / "images" / "chat.png"


@pytest.mark.parametrize(("width", "height"), [(320, 640), (768, 1024), (1280, 860)])
def test_pictures(widget: ChatWidget, output: Path, width: int, height: int) -> None:
    page = widget.page
    page.set_viewport_size({"width": width, "height": height})
    page.screenshot(path=output / f"{width}-page.png", full_page=True)
    widget.open()
    page.screenshot(path=output / f"{width}-open.png")
    card = widget.say("Perso abgelaufen, was brauch ich?")
    expect(card.get_by_role("heading")).to_be_visible()
    page.screenshot(path=output / f"{width}-card.png")
    widget.menu("Neue Unterhaltung")
    expect(widget.entries).to_have_count(1)
    widget.say("Wir kriegen im Mai ein Baby, was muss ich machen?")
    page.screenshot(path=output / f"{width}-clarification.png")

    pictures = list(output.glob(f"{width}-*.png"))
    assert len(pictures) == 4
    if width == 1280 and os.environ.get("STADTBOT_UPDATE_PICTURES") == "1":
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(output / f"{width}-card.png", PICTURE)
