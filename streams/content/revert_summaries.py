"""Does an edit summary say that it is a revert, and of what? Pure.

Each wiki words it in its own messages, which are matched first; English forms and those of common
tools (Huggle, Twinkle, Undo by hand, Wikibase) are built in and marked as such.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from streams.content.message_patterns import RevertForm, RevertKind, form_of_message

MAX_COMMENT = 500
"""As many characters of a summary as MediaWiki keeps."""


class RevertSummary(msgspec.Struct, frozen=True, gc=False):
    """What a summary claims; the texts may say otherwise."""

    kind: RevertKind
    rev_id: int | None = None
    """The revision taken back."""
    performer: str | None = None
    """Whose edit was taken back."""
    restored_performer: str | None = None
    """Whose revision is current again."""
    restored_rev_id: int | None = None
    built_in: bool = False
    """Matched a built-in form, not the wiki's own message."""


_UNDO, _ROLLBACK = RevertKind.UNDO, RevertKind.ROLLBACK

_USER = r"[^\n()\[\]{}|<]{1,120}?"
_TALK = r"(?: ?\((?:user )?(?:talk|contribs?|u/c)[^()\n]{0,40}\))?"
_END = r"(?=$|[.:;,](?:\s|$)|\s?[(|#]| to | using | identified| with | as )"
_PERFORMER = rf"(?P<performer>{_USER}){_TALK}{_END}"
_RESTORED = rf"(?P<restored_performer>{_USER}){_TALK}{_END}"
_REV = r"(?P<rev_id>[0-9]{1,19})"
_RESTORED_REV = r"(?P<restored_rev_id>[0-9]{1,19})"
_SOME_EDITS = (
    r"(?:(?:good faith|[0-9]{1,4}|multiple|test|unexplained|possible) ){0,2}(?:pending )?"
    r"(?:edits?|changes?|vandalism)"
)
_TO_LAST = (
    r"(?:[^\n]{0,80}? to (?:the )?(?:(?:last|previous|earlier) )?(?:(?:clean|good) )?"
    rf"(?:revision|version) (?:{_RESTORED_REV} )?by {_RESTORED})?"
)
_EARLIER = rf"(?:the )?(?:revision|version) {_RESTORED_REV}(?: by {_RESTORED})?"
_BARE = r"(?=$|[\s:.,;/-])"

#: On the summary with its links read as their labels and the "←" of WP:AES gone; first match counts.
BUILT_IN = tuple(
    RevertForm(kind, start, re.compile(pattern, re.IGNORECASE))
    for kind, start, pattern in (
        (
            _UNDO,
            "und",
            rf"und(?:id|o) (?:imported )?(?:revision|edit) {_REV}(?: (?:by|from) {_PERFORMER})?",
        ),
        (_UNDO, "undid", r"undid\b"),
        (_ROLLBACK, "revert", rf"revert(?:ed|ing) {_SOME_EDITS} (?:by|from) {_PERFORMER}{_TO_LAST}"),
        (
            _ROLLBACK,
            "revert",
            rf"revert(?:ed|ing)? (?:back )?to {_EARLIER}",
        ),
        (
            _ROLLBACK,
            "restored",
            rf"restored {_EARLIER}",
        ),
        (_ROLLBACK, "rollback", r"rollback(?: (?:of )?(?:vandalism|edits?)\b|$|:)"),
        (_UNDO, "revert", rf"revert(?:ed|ing)?{_BARE}"),
        (_UNDO, "rv", rf"rv[vt]?{_BARE}"),
    )
)

#: Wikibase writes these itself, machine-readable; the parameters are counted from the first bar.
_WIKIBASE = re.compile(
    r"/\* (?P<act>undo|restore):[0-9]{0,4}\|[^|\n]{0,40}"
    r"\|(?P<rev>[0-9]{1,19})\|(?P<user>[^|*\n]{1,255}?) ?\*/"
)
_SECTION = re.compile(r"/\*[^\n]{0,300}?\*/ ?")
_LINK = re.compile(r"\[\[(?:[^\[\]|\n]{0,300}\|)?([^\[\]|\n]{0,300})\]\]")
_LINK_HEAD = re.compile(r"^(?:Special:Contrib(?:ution)?s/|User:|Special:Diff/)", re.IGNORECASE)


class RevertSummaries:
    """Matches summaries against one wiki's messages first, the built-in forms second."""

    def __init__(self, messages: Mapping[str, str] | None = None) -> None:
        """`messages`: message name -> the wiki's text of it; unknown names are passed over."""
        found = (form_of_message(name, text) for name, text in (messages or {}).items())
        self._own = sorted(
            (form for form in found if form is not None), key=lambda form: -len(form.pattern.pattern)
        )  # the longer, more telling message first: revertpage-anon begins as revertpage does

    @property
    def own_forms(self) -> int:
        """How many of the wiki's messages became patterns."""
        return len(self._own)

    def match(self, comment: str) -> RevertSummary | None:
        """What the summary says it takes back; None where it says nothing of a revert."""
        comment = comment[:MAX_COMMENT].strip()
        if not comment:
            return None
        if comment.startswith("/*"):
            wikibase = _WIKIBASE.match(comment)
            if wikibase is not None:
                rev_id, user = int(wikibase["rev"]), wikibase["user"]
                if wikibase["act"] == "undo":
                    return RevertSummary(_UNDO, rev_id=rev_id, performer=user, built_in=True)
                return RevertSummary(
                    _ROLLBACK, restored_rev_id=rev_id, restored_performer=user, built_in=True
                )
            section = _SECTION.match(comment)
            comment = comment[section.end() :] if section is not None else comment
        found = _first(self._own, comment, False) if self._own else None
        if found is not None or not _hints(comment.casefold()):
            return found
        return _first(BUILT_IN, _plain(comment), True)


def _hints(folded: str) -> bool:
    """Without one of these no built-in form can match: most summaries end here."""
    # Quicker than a loop, and than a pattern that ignores case.
    return (
        "und" in folded or "rev" in folded or "rv" in folded or "resto" in folded or "rollback" in folded
    )


def _first(forms: Iterable[RevertForm], comment: str, built_in: bool) -> RevertSummary | None:
    start = comment[:80].casefold()
    for form in forms:
        if not start.startswith(form.start):
            continue
        found = form.pattern.match(comment)
        if found is None:
            continue
        groups = found.groupdict()
        return RevertSummary(
            form.kind,
            rev_id=_number(groups.get("rev_id")),
            performer=_name(groups.get("performer")),
            restored_performer=_name(groups.get("restored_performer")),
            restored_rev_id=_number(groups.get("restored_rev_id")),
            built_in=built_in,
        )
    return None


def _plain(comment: str) -> str:
    """Links read as their labels, so that one form fits "[[WP:UNDO|Undid]]" and "Undid"."""
    if "[[" in comment:
        comment = _LINK.sub(lambda link: _LINK_HEAD.sub("", link[1]), comment)
    return comment.lstrip("← \u00a0")


def _number(value: str | None) -> int | None:
    number = int(value) if value else None
    return number if number is not None and number < 2**63 else None


def _name(value: str | None) -> str | None:
    return value.strip(" .").replace("_", " ") or None if value else None
