"""Texts as HTML, for pages that show staff what citizens see: the bot's Markdown subset, and marked places."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import groupby

from markupsafe import Markup

_INLINE = re.compile(r"\*\*(.+?)\*\*|\[([^\]]+)\]\(([^)\s]+)\)")
_ENTRY = re.compile(r"\s*(?:[-*]|(\d+)\.)\s+(.*)")
_ADDRESS = re.compile(r"(?:https?://|tel:|mailto:)", re.IGNORECASE)
_BLOCKS = re.compile(r"\n[ \t]*\n+")
_GAPS = re.compile(r"\{[^{}\n]*\}")


def markup(text: str) -> Markup:
    """Paragraphs, `**bold**`, `- ` and `1. ` lists and `[label](address)`, as `bot/widget/markdown.js` shows them."""
    blocks = (block for block in _BLOCKS.split(text.replace("\r\n", "\n").strip()) if block.strip())
    return Markup("").join(part for block in blocks for part in _block(block.split("\n")))


def marked_gaps(text: str) -> Markup:
    """A canned reply with its gaps marked."""
    return _marked(text, _GAPS)


def marked_words(text: str, words: Collection[str]) -> Markup:
    """A text with the words of a search marked, as they were typed."""
    if not words:
        return Markup("{}").format(text)
    return _marked(text, re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE))


def _marked(text: str, places: re.Pattern[str]) -> Markup:
    html, begin = Markup(""), 0
    for found in places.finditer(text):
        html += text[begin : found.start()]
        html += Markup("<mark>{}</mark>").format(found[0])
        begin = found.end()
    return html + text[begin:]


def _block(lines: list[str]) -> Iterator[Markup]:
    for tag, group in groupby(filter(str.strip, lines), key=_tag):
        if tag == "p":
            yield Markup("<p>{}</p>").format(Markup("<br>").join(_inline(line) for line in group))
        else:
            entries = Markup("").join(Markup("<li>{}</li>").format(_inline(_ENTRY.sub(r"\2", line))) for line in group)
            yield Markup(f"<{tag}>{{}}</{tag}>").format(entries)


def _tag(line: str) -> str:
    entry = _ENTRY.fullmatch(line)
    return "p" if entry is None else "ol" if entry[1] else "ul"


def _inline(line: str) -> Markup:
    html, begin = Markup(""), 0
    for found in _INLINE.finditer(line):
        html += line[begin : found.start()]
        html += Markup("<strong>{}</strong>").format(_inline(found[1])) if found[1] else _link(found[2], found[3])
        begin = found.end()
    return html + line[begin:]


def _link(label: str, address: str) -> Markup:
    if not _ADDRESS.match(address):
        return Markup("{}").format(label)
    return Markup('<a href="{}" rel="noopener noreferrer">{}</a>').format(address, label)
