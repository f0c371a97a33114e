"""Wikitext -> plain lines, of changed lines alone: one linear pass, whatever the markup.

Markup is read as a reader sees it, not as the parser of MediaWiki does: templates are never expanded.
A template parameter and a table row become a labelled line ("birth_date: 1809-02-12"), so that a
changed infobox value is a statement like a changed sentence. Broken markup loses its brackets and
keeps its words. Nothing is interpreted: what comes out is still untrusted text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from enum import Enum

import msgspec

from streams.stages.templates import (
    DROPPED_FIELDS,
    FIELD_MARK,
    VALUE_MARK,
    parameter_of,
    shown_template,
)
from streams.stages.word_tables import CATEGORIES, FILES

#: Deeper braces are text. Bounds the copying of inner text outward: at most this often.
MAX_DEPTH = 24
MAX_CELLS = 200
"""Cells read of one table row."""

_TOKEN = re.compile(
    r"\[\[(?P<target>[^\[\]{}|<'_\n]++)(?:\|(?P<label>[^\[\]{}|<'_\n]*+))?\]\]"  # most links: no marks within
    r"|\{\{|\}\}|\[\[|\]\]|\||\n|'{2,5}|<!--|<[A-Za-z/][^<>]{0,400}>"
    r"|\[(?:[a-z]{3,6}:)?//[^\s\]<>\[]{1,2000}|\]|__[A-Z]{3,24}__"
)
_MEDIA = re.compile(r"\.(?:jpe?g|png|gif|svg|tiff?|webp|ogg|oga|ogv|webm|mp3|wav|pdf|djvu)\s*$", re.I)
#: No character has such a number; Python refuses to read one of 4,300 digits.
_HUGE_REFERENCE = re.compile(r"&#(?:[xX][0-9A-Fa-f]{8,}|[0-9]{8,});?")
#: Of a part without the space around it.
_MEDIA_OPTION = re.compile(
    r"(?:thumb|thumbnail|mini|miniatur|vignette|miniatura|frame|frameless|framed|border|left|right"
    r"|center|centre|none|links|rechts|gauche|droite|upright(?:=.*)?|hochkant(?:=.*)?|[x\d]+\s*px"
    r"|(?:alt|link|page|class|lang)=.*|мини|право|слева|справа)",
    re.I | re.S,
)
_INTERWIKI = re.compile(r"(?:[a-z]{2,3}|simple)(?:-[a-z]{2,12}){0,2}$")
_ATTRIBUTES = re.compile(r"\s*+(?>[\w-]{1,30}\s*+=\s*+(?>\"[^\"]*\"|'[^']*'|[\w#%.-]+)\s*+)++$")
_HEADING = re.compile(r"(={1,6})([^\n]+?)\1\s*$")


class Marks:
    """How many marks of markup may still be read: shared by the changed runs of one text."""

    __slots__ = ("left",)

    def __init__(self, left: int = 8_000) -> None:
        self.left = left


class LineKind(Enum):
    PROSE = "prose"
    FIELD = "field"
    HEADING = "heading"


class PlainLine(msgspec.Struct, frozen=True, gc=False):
    """One line as a reader sees it. `label` is the parameter's name or the row's first cell."""

    kind: LineKind
    text: str
    label: str = ""
    value: str = ""
    """Of a labelled line: the text without its label."""


class _Frame:
    """An open template, an open link or the text itself; `parts` are split at its own pipes."""

    __slots__ = ("external", "is_link", "parts")

    def __init__(self, is_link: bool) -> None:
        self.is_link = is_link
        self.parts: list[list[str]] = [[]]
        self.external = 0


def plain_lines(lines: Iterable[str], marks: Marks | None = None) -> list[PlainLine]:
    """The lines of a changed run, without markup and without those that show nothing."""
    found: list[PlainLine] = []
    for raw in unmarked("\n".join(lines), marks or Marks()).split("\n"):
        line = " ".join(html.unescape(_HUGE_REFERENCE.sub("\ufffd", raw)).split())
        if not line:
            continue
        first = line[0]
        if first == "=" and (heading := _HEADING.match(line)):
            title = heading[2].strip(" =")
            if title:
                found.append(PlainLine(LineKind.HEADING, title))
        elif first == FIELD_MARK and VALUE_MARK in line:
            label, _, value = line[1:].partition(VALUE_MARK)
            found.append(_field(label.strip(), value.strip()))
        elif first in "|!":
            found.extend(_row(line))
        elif line.startswith("{|") or line == "----":
            continue
        else:
            if first in "*#:;":
                line = line.lstrip("*#:; ")
            if any(char.isalnum() for char in line):
                found.append(PlainLine(LineKind.PROSE, line))
    return found


def plain_text(text: str) -> str:
    """`text` without markup, on one line."""
    return " ".join(line.text for line in plain_lines(text.split("\n")))


def _field(label: str, value: str) -> PlainLine:
    return PlainLine(
        LineKind.FIELD, f"{label.rstrip(': ')}: {value}", label.rstrip(": ").casefold(), value
    )


def _row(line: str) -> list[PlainLine]:
    """A line that starts with a pipe outside every template seen: a table row, or parameters of a
    template that was opened above the changed run."""
    if line.startswith(("|-", "|}")):
        return []
    found: list[PlainLine] = []
    cells: list[str] = []
    pieces = (
        line.lstrip("|!+").replace("!!", "|").split("|")
        if line[0] == "!"
        else line.lstrip("|+").split("|")
    )
    for piece in pieces[:MAX_CELLS]:
        if not piece.strip():
            continue
        parameter = parameter_of(piece)
        if parameter and parameter[0].casefold() in DROPPED_FIELDS:
            continue
        if '"' in piece and _ATTRIBUTES.match(piece):
            continue
        if parameter:
            if parameter[1]:
                found.append(_field(*parameter))
            continue
        cells.append(piece.strip())
    if len(cells) > 1 and len(cells[0]) <= 60:
        found.append(_field(cells[0], ", ".join(cells[1:])))
    elif cells:
        text = ", ".join(cells)
        if any(char.isalnum() for char in text):
            found.append(PlainLine(LineKind.PROSE, text))
    return found


def unmarked(text: str, marks: Marks) -> str:
    """`text` without its inline markup; rows, headings and list marks are left for `plain_lines`.
    Linear in the text: each kind of closing mark is looked for past the end only once. Where the marks
    run out the text ends."""
    root = _Frame(False)
    stack = [root]
    too_deep = 0
    templates = 0
    absent: dict[str, int] = {}
    position = 0
    search = _TOKEN.search
    while (token := search(text, position)) is not None:
        start, position = token.span()
        marks.left -= 1
        if marks.left < 0:
            text = text[:start]
            position = token.pos
            break
        mark = token[0]
        frame = stack[-1]
        parts = frame.parts[-1]
        if start > token.pos:
            parts.append(text[token.pos : start])
        if (target := token["target"]) is not None:
            label = token["label"]
            more = 1 if label is None else 2
            if marks.left >= more and not too_deep and len(stack) < MAX_DEPTH:
                marks.left -= more
                shown = _link([target] if label is None else [target, label])
                if shown:
                    parts.append(shown)
                continue
            mark, position = "[[", start + 2
        first = mark[0]
        if mark == "|":
            if frame is root:
                parts.append("|")
            elif not too_deep:
                frame.parts.append([])
        elif mark == "\n":
            while stack[-1].is_link:
                _close(stack)
            for open_frame in stack[-1:]:
                open_frame.external = 0
            stack[-1].parts[-1].append("\n")
        elif mark in ("{{", "[["):
            if len(stack) >= MAX_DEPTH:
                too_deep += 1
            else:
                stack.append(_Frame(mark == "[["))
                templates += mark == "{{"
        elif mark in ("}}", "]]"):
            if too_deep:
                too_deep -= 1
            elif mark == "]]":
                if frame.is_link:
                    _close(stack)
            elif templates:
                while stack[-1].is_link:
                    _close(stack)
                _close(stack)
                templates -= 1
        elif first == "<":
            position = _tag(text, mark, position, parts, absent)
        elif first == "[":
            frame.external += 1
        elif mark == "]":
            if frame.external:
                frame.external -= 1
            else:
                parts.append("]")
    stack[-1].parts[-1].append(text[position:])
    while len(stack) > 1:
        _close(stack, closed=False)
    return "".join(root.parts[0])


def _tag(text: str, mark: str, position: int, parts: list[str], absent: dict[str, int]) -> int:
    """Where reading goes on behind a tag or comment. What it hides is passed over; a hiding tag that
    is not closed here hides the rest of its line (its end stands in lines that did not change)."""
    if mark == "<!--":
        closing = "-->"
    else:
        name = re.match(r"</?([A-Za-z]+)", mark)
        tag = name[1].lower() if name else ""
        if mark[1] == "/" or mark.endswith("/>"):
            return position
        if tag == "br":
            parts.append(" ")
            return position
        if tag not in ("ref", "nowiki", "gallery", "references"):
            return position
        closing = f"</{tag}"
    end = -1 if closing in absent else text.find(closing, position)
    if end < 0:
        absent[closing] = position
        line_end = text.find("\n", position)
        return len(text) if line_end < 0 else line_end
    if closing == "</nowiki":
        parts.append(text[position:end])
    end += len(closing)
    if closing != "-->":
        after = text.find(">", end, end + 20)
        end = end if after < 0 else after + 1
    return end


def _close(stack: list[_Frame], closed: bool = True) -> None:
    frame = stack.pop()
    parts = ["".join(part) for part in frame.parts]
    shown = _link(parts) if frame.is_link else shown_template(parts, closed)
    if shown:
        stack[-1].parts[-1].append(shown)


def _link(parts: list[str]) -> str:
    target = parts[0].strip()
    prefix, colon, rest = target.partition(":")
    prefix = prefix.strip().casefold()
    if colon and prefix:
        if prefix in CATEGORIES:
            return ""
        if prefix in FILES or _MEDIA.search(rest):
            captions = [part for part in parts[1:] if not _MEDIA_OPTION.fullmatch(part.strip())]
            caption = captions[-1].strip() if captions else ""
            return f"\n{caption}\n" if " " in caption else ""
        if len(parts) == 1 and rest and _INTERWIKI.match(target.partition(":")[0]):
            return ""
    if len(parts) > 1 and parts[-1].strip():
        return parts[-1]
    return target.lstrip(":")
