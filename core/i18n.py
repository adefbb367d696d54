"""Texts that people see or hear, kept in gettext catalogues and never in code.

Message ids are symbolic (`greeting`), German is the first language. An entry with the context `speech` is the
spoken form of the entry of the same id; without one the written form is spoken.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.pofile import read_po

DEFAULT_LANGUAGE = "de"


class UnknownPhrase(LookupError):
    """No catalogue has the phrase."""


class Phrases:
    """The phrases of one room: `folder/<language>.po`."""

    def __init__(self, folder: Path) -> None:
        self._languages = {path.stem: _Language(path) for path in sorted(folder.glob("*.po"))}

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._languages)

    def text(self, key: str, language: str = DEFAULT_LANGUAGE, /, **values: object) -> str:
        """The written form of a phrase, its placeholders filled.

        Raises:
            UnknownPhrase: neither the language nor German has the key.
        """
        return self._find(None, key, language).format(**values)

    def speech(self, key: str, language: str = DEFAULT_LANGUAGE, /, **values: object) -> str:
        """The spoken form of a phrase, or its written form where it has none.

        Raises:
            UnknownPhrase: neither the language nor German has the key.
        """
        try:
            return self._find("speech", key, language).format(**values)
        except UnknownPhrase:
            return self.text(key, language, **values)

    def texts(self, prefix: str, language: str = DEFAULT_LANGUAGE) -> dict[str, str]:
        """All written forms whose keys begin with a prefix, by the rest of the key; placeholders stay as they are."""
        found: dict[str, str] = {}
        for name in (DEFAULT_LANGUAGE, language):
            entries = self._languages[name].entries if name in self._languages else {}
            found |= {key.removeprefix(prefix): text for key, text in entries.items() if key.startswith(prefix)}
        return found

    def _find(self, context: str | None, key: str, language: str) -> str:
        for name in (language, DEFAULT_LANGUAGE):
            if name in self._languages and (found := self._languages[name].find(context, key)):
                return found
        raise UnknownPhrase(key)


class _Language:
    """One language's entries: written ones by key, spoken ones beside them."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.stem, abort_invalid=True)
        self.entries: dict[str, str] = {}
        self._in_context: dict[tuple[str, str], str] = {}
        for message in catalogue:
            key, text = str(message.id), str(message.string)
            if not key or not text:
                continue
            if message.context:
                self._in_context[message.context, key] = text
            else:
                self.entries[key] = text

    def find(self, context: str | None, key: str) -> str | None:
        return self._in_context.get((context, key)) if context else self.entries.get(key)
