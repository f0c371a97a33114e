"""Fact changes of Wikibase entities: from both JSON texts where they are there, else from the summary.

The texts are compared as raw JSON first, so that only what differs is decoded. Values are shown as a
reader of the item sees them, without asking for labels: items and properties keep their ids.
Formats: Wikibase JSON (doc.wikimedia.org/Wikibase, "JSON"), autosummaries (Wikibase `Summary`).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from streams.records import ChangeType, Content, Edit, FactChange
from streams.stages.fact_key import cut, fact_key
from streams.stages.wikidata_summary import Summary, parse_summary
from streams.stages.wikidata_values import Snak, shown_snak

MAX_ENTITY_CHARS = 4_000_000
"""Larger than any entity that Wikidata accepts."""
MAX_COMPARED = 400
"""Differing labels, properties and sitelinks decoded; an import of more is told by its first part."""

_RAW_MAP = msgspec.json.Decoder(dict[str, msgspec.Raw])
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeError)
_ENTITY_MODELS = frozenset(
    ("wikibase-item", "wikibase-property", "wikibase-lexeme", "wikibase-mediainfo")
)


def is_entity(edit: Edit) -> bool:
    """Whether an edit is of a Wikibase entity: by its content model, else by wiki and autosummary."""
    if edit.content is not None:
        return edit.content.revision.content_model in _ENTITY_MODELS
    return edit.wiki == "wikidatawiki" and parse_summary(edit.comment) is not None


def entity_changes(edit: Edit, limit: int = 8) -> tuple[FactChange, ...]:
    """What an edit of an entity changed, replaced values first. Of unreadable JSON what its summary
    says."""
    if edit.content is not None:
        try:
            return _compared(edit, edit.content, limit)
        except _UNREADABLE:
            pass
    return _summarized(edit)[:limit]


def _change(
    edit: Edit, section: str, before: str, after: str, values: tuple[tuple[str, ...], ...] = ()
) -> FactChange:
    before_values, after_values = values or (((before,) if before else ()), ((after,) if after else ()))
    return FactChange(
        fact_key=fact_key(edit.wiki, edit.title, section, ""),
        change_type=ChangeType.PROPERTY,
        section=section,
        before=cut(before),
        after=cut(after),
        before_values=tuple(cut(value) for value in before_values[:8]),
        after_values=tuple(cut(value) for value in after_values[:8]),
    )


#: Autosummary action -> section prefix, for terms and links. The first argument is language or site.
_TERMS = {
    "wbsetlabel": "label",
    "wbsetdescription": "description",
    "wbsetaliases": "alias",
    "wbsetsitelink": "sitelink",
}


def _summarized(edit: Edit) -> tuple[FactChange, ...]:
    """From the summary alone: it names the new value, or of a removal the old one, never both."""
    summary = parse_summary(edit.comment)
    if summary is None:
        return ()
    action, _, detail = summary.action.partition("-")
    removed = detail.startswith("remove")
    if action in _TERMS:
        name = next((argument for argument in summary.arguments if argument), "")
        if not name or not summary.text:
            return ()
        section = f"{_TERMS[action]}/{name[:40]}"
        pair = (summary.text, "") if removed else ("", summary.text)
        return (_change(edit, section, *pair),)
    if action == "clientsitelink":
        return _moved_page(edit, summary)
    if "reference" in summary.action:
        return ()
    return tuple(
        _change(edit, section, value if removed else "", "" if removed else value)
        for section, value in summary.statements
        if value
    )


def _moved_page(edit: Edit, summary: Summary) -> tuple[FactChange, ...]:
    """`clientsitelink-update:0|dewiki|dewiki:Old|dewiki:New`: a linked page was moved or deleted."""
    arguments = [argument for argument in summary.arguments if argument]
    if len(arguments) == 3:
        before, after = (argument.partition(":")[2] for argument in arguments[1:])
        return (_change(edit, f"sitelink/{arguments[0][:40]}", before, after),)
    if len(arguments) == 1 and summary.text:
        return (_change(edit, f"sitelink/{arguments[0][:40]}", summary.text, ""),)
    return ()


def _compared(edit: Edit, content: Content, limit: int) -> tuple[FactChange, ...]:
    after = _entity(content.revision.text)
    before = _entity(content.parent.text) if content.parent is not None else {}
    found: list[FactChange] = []
    statements = _differing(
        before.get("claims") or before.get("statements"), after.get("claims") or after.get("statements")
    )
    for prop, old, new in statements:
        found += _claims(edit, prop[:40], old, new)
    terms: tuple[tuple[str, str, Callable[[msgspec.Raw | None], tuple[str, ...]]], ...] = (
        ("labels", "label", _value),
        ("descriptions", "description", _value),
        ("aliases", "alias", _aliases),
        ("sitelinks", "sitelink", _title),
        ("lemmas", "lemma", _value),
    )
    for field, section, read in terms:
        for name, old, new in _differing(before.get(field), after.get(field)):
            olds, news = read(old), read(new)
            gone = tuple(value for value in olds if value not in news)
            come = tuple(value for value in news if value not in olds)
            if gone or come:
                found.append(
                    _change(
                        edit, f"{section}/{name[:40]}", ", ".join(gone), ", ".join(come), (gone, come)
                    )
                )
    found.sort(key=lambda change: not (change.before and change.after))
    return tuple(found[:limit])


def _entity(text: str | None) -> dict[str, msgspec.Raw]:
    if text is None or len(text) > MAX_ENTITY_CHARS:
        raise msgspec.DecodeError("no text to compare")
    return _RAW_MAP.decode(text)


def _map(raw: msgspec.Raw | None) -> dict[str, msgspec.Raw]:
    """PHP writes an empty map as `[]`."""
    if raw is None or bytes(raw) == b"[]":
        return {}
    return _RAW_MAP.decode(raw)


def _differing(
    before: msgspec.Raw | None, after: msgspec.Raw | None
) -> list[tuple[str, msgspec.Raw | None, msgspec.Raw | None]]:
    if _bytes(before) == _bytes(after):
        return []
    old, new = _map(before), _map(after)
    names = dict.fromkeys((*old, *new))
    found = [
        (name, old.get(name), new.get(name))
        for name in names
        if _bytes(old.get(name)) != _bytes(new.get(name))
    ]
    return found[:MAX_COMPARED]


def _bytes(raw: msgspec.Raw | None) -> bytes:
    return b"" if raw is None else bytes(raw)


class _Term(msgspec.Struct):
    value: str = ""


class _Link(msgspec.Struct):
    title: str = ""


class _Statement(msgspec.Struct):
    mainsnak: Snak
    id: str = ""
    rank: str = "normal"
    qualifiers: msgspec.Raw = msgspec.Raw(b"{}")


_TERM = msgspec.json.Decoder(_Term)
_TERM_LIST = msgspec.json.Decoder(list[_Term])
_LINK = msgspec.json.Decoder(_Link)
_STATEMENTS = msgspec.json.Decoder(list[_Statement])
_SNAKS = msgspec.json.Decoder(list[Snak])


def _value(raw: msgspec.Raw | None) -> tuple[str, ...]:
    value = _TERM.decode(raw).value if raw is not None else ""
    return (value,) if value else ()


def _aliases(raw: msgspec.Raw | None) -> tuple[str, ...]:
    return tuple(term.value for term in _TERM_LIST.decode(raw)) if raw is not None else ()


def _title(raw: msgspec.Raw | None) -> tuple[str, ...]:
    title = _LINK.decode(raw).title if raw is not None else ""
    return (title,) if title else ()


def _claims(edit: Edit, prop: str, old: msgspec.Raw | None, new: msgspec.Raw | None) -> list[FactChange]:
    """By statement id. One statement removed and one added of a property are one value replaced."""
    before = {
        statement.id: statement for statement in (_STATEMENTS.decode(old) if old is not None else ())
    }
    after = {
        statement.id: statement for statement in (_STATEMENTS.decode(new) if new is not None else ())
    }
    found = []
    gone = [one for key, one in before.items() if key not in after]
    come = [one for key, one in after.items() if key not in before]
    for key, one in before.items():
        other = after.get(key)
        if other is not None:
            shown, now = shown_snak(one.mainsnak), shown_snak(other.mainsnak)
            if shown == now:
                shown, now = _with_details(one, other)
            if shown != now:
                found.append(_change(edit, prop, shown, now))
    if len(gone) == len(come) == 1:
        shown, now = shown_snak(gone[0].mainsnak), shown_snak(come[0].mainsnak)
        if shown != now:
            found.append(_change(edit, prop, shown, now))
        return found
    kept = {shown_snak(one.mainsnak) for one in gone} & {shown_snak(one.mainsnak) for one in come}
    for statements, removed in ((gone, True), (come, False)):
        for one in statements[:50]:
            shown = shown_snak(one.mainsnak)
            if shown not in kept:
                found.append(_change(edit, prop, shown if removed else "", "" if removed else shown))
    return found


def _with_details(one: _Statement, other: _Statement) -> tuple[str, str]:
    """Rank and qualifiers behind a value that itself stayed."""
    shown = shown_snak(one.mainsnak)
    if one.rank != other.rank:
        return f"{shown} ({one.rank} rank)", f"{shown} ({other.rank} rank)"
    old_parts, new_parts = [], []
    for prop, old, new in _differing(one.qualifiers, other.qualifiers):
        olds = [shown_snak(snak) for snak in (_SNAKS.decode(old) if old is not None else ())]
        news = [shown_snak(snak) for snak in (_SNAKS.decode(new) if new is not None else ())]
        old_parts += [f"{prop}: {value}" for value in olds if value not in news]
        new_parts += [f"{prop}: {value}" for value in news if value not in olds]
    return f"{shown} ({'; '.join(old_parts)})", f"{shown} ({'; '.join(new_parts)})"
