"""How else a page is called: what redirects to it, and for a Wikidata item its labels and aliases.

Formats: Action API `prop=redirects` (rdprop=title, at most 500 a call for all pages together) and
Wikibase's `wbgetentities`, both formatversion 2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from streams.content.api_transport import ApiTransport
from streams.content.outcomes import FetchFailure
from streams.content.revisions import ApiAnswer

#: Titles a call, as the API takes them.
TITLES_A_CALL = 50
#: A name longer than this is no way to speak of something.
MAX_NAME = 200
#: Names of one page; a Wikidata item has one for each of three hundred languages.
MAX_NAMES = 64

_ITEM = re.compile(r"Q[1-9][0-9]{0,14}")


class _Title(msgspec.Struct, frozen=True):
    title: str


class _Renamed(msgspec.Struct, frozen=True):
    from_: str = msgspec.field(name="from")
    to: str


class _Page(msgspec.Struct, frozen=True):
    title: str = ""
    redirects: tuple[_Title, ...] = ()


class _Query(msgspec.Struct, frozen=True):
    pages: tuple[_Page, ...] = ()
    normalized: tuple[_Renamed, ...] = ()


class _RedirectsAnswer(ApiAnswer, frozen=True):
    query: _Query | None = None


class _Term(msgspec.Struct, frozen=True):
    value: str


class _Entity(msgspec.Struct, frozen=True):
    labels: dict[str, _Term] = {}
    aliases: dict[str, tuple[_Term, ...]] = {}


class _EntitiesAnswer(ApiAnswer, frozen=True):
    entities: dict[str, _Entity] = msgspec.field(default_factory=dict)


Names = dict[str, tuple[str, ...]]
"""By title; a page that nothing redirects to has none."""


def fetch_page_names(
    transport: ApiTransport, wiki: str, titles: Sequence[str], deadline: float
) -> Names | FetchFailure:
    """Of at most `TITLES_A_CALL` pages of one listed wiki. `deadline` is on the transport's clock."""
    # "|" parts titles; a title that has one is none of MediaWiki's.
    items = [title for title in titles if _ITEM.fullmatch(title)]
    others = [title for title in titles if title not in items and "|" not in title]
    names: Names = dict.fromkeys(titles, ())
    if others:
        answer = transport.ask(
            wiki,
            {
                "action": "query",
                "prop": "redirects",
                "titles": "|".join(others),
                "rdprop": "title",
                "rdlimit": "max",
            },
            _RedirectsAnswer,
            deadline,
        )
        if isinstance(answer, FetchFailure):
            return answer
        if answer.query is not None:
            asked = {renamed.to: renamed.from_ for renamed in answer.query.normalized}
            for page in answer.query.pages:
                title = asked.get(page.title, page.title)
                if title in names:
                    names[title] = _kept(redirect.title for redirect in page.redirects)
    if items:
        entities = transport.ask(
            wiki,
            {"action": "wbgetentities", "ids": "|".join(items), "props": "labels|aliases"},
            _EntitiesAnswer,
            deadline,
        )
        if isinstance(entities, FetchFailure):
            return entities
        for title, entity in entities.entities.items():
            if title in names:
                labels = [term.value for term in entity.labels.values()]
                aliases = [term.value for terms in entity.aliases.values() for term in terms]
                names[title] = _kept([*labels, *aliases])
    return names


def _kept(names: Iterable[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(name for name in names if 0 < len(name.strip()) <= MAX_NAME)
    return tuple(kept)[:MAX_NAMES]
