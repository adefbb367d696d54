"""What the phone says of its own accord, from the room's gettext catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Formatter

from babel.messages.pofile import read_po

FOLDER = Path(__file__).parent / "locale"


class Phrases:
    """Phrases by symbolic ids. Names such as the city's may stand in any of them."""

    def __init__(self, language: str = "de", *, names: Mapping[str, str]) -> None:
        with (FOLDER / f"{language}.po").open("rb") as file:
            catalogue = read_po(file, locale=language, abort_invalid=True)
        self._texts = {str(message.id): str(message.string) for message in catalogue if message.id and message.string}
        self._names = dict(names)

    def text(self, key: str, /, **values: object) -> str:
        """A phrase with its placeholders filled.

        Raises:
            KeyError: there is none of this id.
        """
        return self._texts[key].format(**{**self._names, **values})

    def fixed(self) -> list[str]:
        """All phrases that are always the same, to be spoken in advance."""
        return [text.format(**self._names) for text in self._texts.values() if _gaps(text) <= self._names.keys()]


def _gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}
