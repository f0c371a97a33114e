"""From what a person writes after `--source` to the source."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import TYPE_CHECKING

from streams.errors import BadInput, BadSetting
from streams.sources.base import Source
from streams.sources.compressed import BZIP2, GZIP, SEVEN_ZIP, XZ, open_bytes
from streams.sources.history import HistorySource
from streams.sources.ndjson import NdjsonSource
from streams.sources.rcfeed import RcFeedSource

if TYPE_CHECKING:
    from streams.settings import Settings

#: Wikimedia's dumps in parts are named `….xml-p1p844.bz2`.
_HISTORY = re.compile(r"\.xml(-p[0-9]+p[0-9]+)?(\.(gz|bz2|xz|7z))?$|\.7z$", re.IGNORECASE)
_NDJSON = re.compile(r"\.(ndjson|jsonl|json)(\.(gz|bz2|xz))?$", re.IGNORECASE)
_PACKED = re.compile(r"\.(gz|bz2|xz|7z)$", re.IGNORECASE)
_PACKED_AS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "7z": "7z"}
#: How a plain file begins: browsers unpack what they save and leave its name.
_PLAIN_HISTORY = re.compile(rb"(\xef\xbb\xbf)?\s*<(\?xml|mediawiki|!--)")
_PLAIN_NDJSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\{|:|(data|event|id|retry):)")
_WANTS = "wants eventstreams, rcfeed://HOST:PORT, or a file"


def open_source(spec: str, settings: Settings, *, rng: random.Random | None = None) -> Source:
    """`eventstreams`, `rcfeed://HOST:PORT`, a file of recent changes (`.ndjson .jsonl`, `-` for
    standard input) or a MediaWiki XML export (`.xml`), packed or not. Raises `BadInput`, or `BadSetting`
    for an address to listen on, with a line that says what is wrong with `spec`. Nothing is asked of the network yet."""
    if spec == "eventstreams":
        from streams.sources.eventstreams import EventStreamsSource  # loads requests, by sseclient

        return EventStreamsSource(
            settings.eventstreams_url,
            settings.user_agent,
            stall_after_s=settings.stall_after_s,
            rng=rng,
        )
    if spec.startswith("rcfeed:"):
        return RcFeedSource(spec)
    if spec.startswith(("http://", "https://")):
        raise BadSetting(
            f"{spec}: {_WANTS}; another stream's address goes into FACTWATCH_EVENTSTREAMS_URL"
        )
    return open_file(spec, _WANTS)


def is_live(spec: str) -> bool:
    return spec == "eventstreams" or "://" in spec


def open_file(spec: str, wants: str = "") -> HistorySource | NdjsonSource:
    """As `open_source`, of files alone. `wants`: what could have been meant by a name that is none."""
    if spec == "-":
        return NdjsonSource(spec)
    path = Path(spec)
    history, ndjson = _HISTORY.search(path.name), _NDJSON.search(path.name)
    if not spec or not path.exists():
        raise BadInput(f"{spec or 'source'}: no such file{'; ' if wants else ''}{wants}")
    if path.is_dir():
        raise BadInput(f"{spec}: is a directory, wants a file in it")
    if not history and not ndjson:
        raise BadInput(
            f"{spec}: its ending does not tell what it is; wants .ndjson or .jsonl (recent changes) or "
            ".xml (a MediaWiki export), each also with .gz, .bz2 or .xz, the export with .7z too"
        )
    if path.is_file():
        open_bytes(path).close()  # says now what can't be read
        _check_packing(path, is_history=bool(history))
    return HistorySource(path) if history else NdjsonSource(path)


def _check_packing(path: Path, *, is_history: bool) -> None:
    """Raises `BadInput` for a file that is not packed as its name says, or at all, and not plain either."""
    named = _PACKED.search(path.name)
    if named is None:
        return
    with path.open("rb") as opened:
        head = opened.read(200)
    if not head or head.startswith((GZIP, BZIP2, XZ, SEVEN_ZIP)):
        return
    if (_PLAIN_HISTORY if is_history else _PLAIN_NDJSON).match(head):
        return
    wanted = "a MediaWiki XML export" if is_history else "recent changes in JSON lines"
    raise BadInput(
        f"{path}: no {_PACKED_AS[named[1].lower()]} file, as its name says, nor {wanted} that is not packed"
    )
