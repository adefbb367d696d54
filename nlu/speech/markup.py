"""From the Markdown subset, lists and tables to lines that are sentences."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from nlu.recogniser import words_in
from nlu.speech.numbers import ordinal

_ENTITY = re.compile(r"&#?\w{1,10};")
_TAG = re.compile(r"<(/?[a-zA-Z][\w]{0,12})(?: [^<>]{0,300})?/?>")
_BREAKING = frozenset({"br", "p", "li", "div", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol"})
_LINK = re.compile(r"!?\[([^\[\]\n]{0,500})\]\([^()\s]{0,1000}(?:\([^()\s]{0,200}\)[^()\s]{0,300})?\)")
_STRONG = re.compile(r"\*\*+|__+|~~+|`+")
_EMPHASIS = re.compile(r"(?<![a-zäöüß])\*(?=\S)|(?<=\S)\*(?![a-zäöüß])|(?<!\w)_(?=\w)|(?<=\w)_(?!\w)")
_ITEM = re.compile(r"(?:[-*+•◦▪·●‣✓✔→]|–(?= )|—(?= )|\([a-z]\)|[a-z]\)) +|[•◦▪●‣✓✔]")
_NUMBERED = re.compile(r"(\d{1,2})[.)] +(?=\S)")
_HEAD = re.compile(r"#{1,6} +|(?:>(?! ?\d) ?)+")
_RULE = re.compile(r"[-=_*–—|:+ ]{3,}")
_CLOSED = (".", "?", "!", ":", "…")
_JOINING = words_in(
    "und oder und/oder sowie der die das den dem des ein eine einen einem einer für mit von zu im in am an auf bei"
)
_WRAPPED = 60
"""Characters from which on a line that ends without a mark may have been broken by its width alone."""


def lines(text: str) -> str:
    """The text with one line for each sentence that its layout makes, each but a single one closed by a mark."""
    if "&" in text:
        text = _ENTITY.sub(lambda found: html.unescape(found[0]), text)
    if "<" in text:
        text = _TAG.sub(lambda found: "\n" if found[1].lower().strip("/") in _BREAKING else " ", text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    raw = [line for line in map(str.strip, text.split("\n")) if line and not _RULE.fullmatch(line)]
    numbers = [int(found[1]) if (found := _NUMBERED.match(line)) else 0 for line in raw]
    is_counted = 1 in numbers and 2 in numbers
    read = [_read(line, number if is_counted else 0) for line, number in zip(raw, numbers, strict=True)]
    if len(read) == 1:
        line, is_item = read[0]
        return _closed(_capital(line)) if is_item else line
    return "\n".join(_closed(line) for line in _joined(read))


def _read(line: str, number: int) -> tuple[str, bool]:
    head = _HEAD.match(line)
    if head:
        line = line[head.end() :].rstrip("# ")
    is_item = False
    if number:
        line = f"{ordinal(number, 'ens').capitalize()}: {_NUMBERED.sub('', line, count=1)}"
        is_item = True
    elif item := _ITEM.match(line):
        line = (
            line[item.end() :].lstrip("[x] ") if line[item.end() :].startswith(("[ ]", "[x]")) else line[item.end() :]
        )
        is_item = True
    if "|" in line:
        line = ", ".join(filter(None, map(str.strip, line.split("|"))))
    if "*" in line or "_" in line or "`" in line or "~~" in line:
        line = _EMPHASIS.sub("", _STRONG.sub("", line))
    return line.strip(), is_item or bool(head)


def _joined(read: Iterable[tuple[str, bool]]) -> list[str]:
    """The lines, with those joined to the one before that only go on in it."""
    joined: list[str] = []
    for line, is_item in read:
        if not line:
            continue
        if joined and not joined[-1].endswith(_CLOSED) and _goes_on(joined[-1], line, is_item=is_item):
            joined[-1] = f"{joined[-1]} {line}"
        else:
            joined.append(_capital(line))
    return joined


def _goes_on(line: str, following: str, *, is_item: bool) -> bool:
    last = line[-12:].split()[-1]
    if is_item:
        return last in ("und", "oder", "und/oder", "sowie")
    return last in _JOINING or line.endswith(",") or (following[0].islower() and len(line) >= _WRAPPED)


def _capital(line: str) -> str:
    return line[:1].upper() + line[1:] if line[:1] != "ß" else line


def _closed(line: str) -> str:
    if line.endswith(_CLOSED):
        return line
    line = line.rstrip(",; ")
    return line if line.endswith(_CLOSED) else f"{line}."
