"""Plain text and links out of the HTML of a post.

The tokenizer of the HTML standard (13.2.5) as far as posts need it: tags, attributes in quotes,
comments, character references. It looks at each character once, whatever it is given, which
`html.parser` does not, and builds no tree, so nothing can be nested too deeply.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from streams.stages.posts.fields import MAX_LINKS, MAX_TEXT_CHARS

#: Longer HTML is cut before it is read. Markup makes up to four fifths of a post, but of a short one full
#: of mentions; posts near the bound of a text are mostly text.
MAX_HTML_CHARS = 50_000
#: What stands behind is not read. A post of 500 characters full of mentions has some 150.
MAX_TAGS = 1_000
#: References are resolved in pieces of this size, so that what is beyond the bound of a text costs nothing.
_PIECE_CHARS = 4_096
#: The longest name of a character is shorter.
_REFERENCE_CHARS = 40
_OPENINGS = re.compile(r"<+")
_TAG_START = re.compile(r"</?[a-zA-Z]")
_TAG = re.compile(r"""<(/?)([a-zA-Z][^\s/>]*+)((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_ATTRIBUTE = re.compile(r"""([^\s"'>/=]++)\s*+(?:=\s*+("[^"]*+"|'[^']*+'|[^\s"'>]++))?+""")
_HUGE_REFERENCE = re.compile(r"&#(?:[0-9]{8,}|[xX][0-9a-fA-F]{8,});?")
_SPACES = re.compile(r"[ \t\n\r\f]+")
_LINES = re.compile(r" ?\n ?")
_PARAGRAPHS = frozenset(
    {"p", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "div"}
)
_LINE_ENDS = frozenset({"br", "li", "tr", "hr"})
_UNSHOWN = frozenset({"script", "style", "template", "textarea", "title", "iframe", "noscript"})
#: Elements by which Mastodon and its relatives mark that a link names somebody or a topic.
_NO_LINK_CLASSES = frozenset({"mention", "hashtag"})


def text_of_html(markup: str) -> tuple[str, list[str]]:
    """What a reader sees, paragraphs apart by a blank line, and the addresses of its links in order.
    Links to people and hashtags are text only. Nothing is checked or bounded but the work."""
    if len(markup) > MAX_HTML_CHARS:
        markup = markup[:MAX_HTML_CHARS]
    pieces: list[str] = []
    links: list[str] = []
    at, end, tags, room = 0, len(markup), 0, MAX_TEXT_CHARS
    while at < end and tags < MAX_TAGS and room > 0:
        opening = markup.find("<", at)
        for shown in _shown(markup, at, end if opening < 0 else opening):
            pieces.append(shown)
            room -= len(shown)
            if room <= 0:
                break
        if opening < 0:
            break
        tags += 1
        if markup.startswith("<!--", opening):
            at = _after(markup, "-->", opening + 4)
        elif markup.startswith(("<!", "<?"), opening):
            at = _after(markup, ">", opening + 1)
        elif _TAG_START.match(markup, opening):
            tag = _TAG.match(markup, opening)
            if tag is None:
                break  # the text ends within a tag: nothing of it is shown
            at = tag.end()
            name = tag[2].lower()
            if name in _PARAGRAPHS:
                pieces.append("\n\n")
            elif name in _LINE_ENDS:
                pieces.append("\n")
            elif name == "a" and not tag[1] and len(links) < MAX_LINKS:
                link = _link(tag[3])
                if link:
                    links.append(link)
            elif name in _UNSHOWN and not tag[1]:
                at = _after_element(markup, name, at)
        else:
            at = _run_end(markup, opening)
            pieces.append(markup[opening:at])
            room -= at - opening
    text = _LINES.sub("\n", "".join(pieces))
    return re.sub(r"\n{3,}", "\n\n", text).strip(), links


def _run_end(markup: str, at: int) -> int:
    """Behind signs `<` that open nothing; the last of a run may."""
    run = _OPENINGS.match(markup, at)
    return at + 1 if run is None else max(at + 1, run.end() - 1)


def _shown(markup: str, at: int, end: int) -> Iterator[str]:
    while at < end:
        cut = min(at + _PIECE_CHARS, end)
        if cut < end:
            reference = markup.rfind("&", cut - _REFERENCE_CHARS, cut)
            cut = cut if reference < 0 else reference
        yield _SPACES.sub(" ", _unescaped(markup[at:cut]))
        at = cut


def _unescaped(text: str) -> str:
    if "&" not in text:
        return text
    # `html.unescape` raises for numbers of more than 4,300 digits.
    return html.unescape(_HUGE_REFERENCE.sub("\ufffd", text))


def _link(attributes: str) -> str:
    href, marks = "", ""
    for name, value in _ATTRIBUTE.findall(attributes):
        lower = name.lower()
        if lower == "href" and not href:
            href = value
        elif lower in ("class", "rel") and value:
            marks += f" {_unquoted(value)}"
    words = frozenset(marks.lower().split())
    if words & _NO_LINK_CLASSES or "tag" in words:
        return ""
    return _unescaped(_unquoted(href)).strip()


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in ("'", '"') else value


def _after(markup: str, mark: str, start: int) -> int:
    found = markup.find(mark, start)
    return len(markup) if found < 0 else found + len(mark)


def _after_element(markup: str, name: str, start: int) -> int:
    """Behind the text of an element that is not shown; its end tag is read as any other."""
    found = re.compile(rf"</{name}[\s/>]", re.IGNORECASE).search(markup, start)
    return len(markup) if found is None else found.start()
