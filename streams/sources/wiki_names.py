"""The database name of a wiki (`enwiki`) where an export does not tell it."""

from __future__ import annotations

import re
from pathlib import Path

_SPECIAL = {
    "www.wikidata.org": "wikidatawiki",
    "commons.wikimedia.org": "commonswiki",
    "meta.wikimedia.org": "metawiki",
    "species.wikimedia.org": "specieswiki",
    "www.mediawiki.org": "mediawikiwiki",
}
_PROJECT = re.compile(
    r"([a-z][a-z0-9-]*)\.(wikipedia|wiktionary|wikibooks|wikinews|wikiquote|wikisource|wikiversity|"
    r"wikivoyage)\.org"
)
_FILE = re.compile(r"[a-z][a-z0-9_]*")


def wiki_of_host(host: str) -> str | None:
    """`en.wikipedia.org` -> `enwiki`; None where the host does not tell."""
    if host in _SPECIAL:
        return _SPECIAL[host]
    match = _PROJECT.fullmatch(host)
    if match is None:
        return None
    return match[1].replace("-", "_") + ("wiki" if match[2] == "wikipedia" else match[2])


def wiki_of_file(path: str) -> str:
    """`enwiki-20260101-pages-meta-history.xml.bz2` -> `enwiki`; `wiki` where the name does not tell."""
    match = _FILE.match(Path(path).name.lower())
    return match[0][:64] if match else "wiki"
