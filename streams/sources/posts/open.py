"""From what a person writes after `--source` to the source of posts."""

from __future__ import annotations

import re
from pathlib import Path

from streams.errors import BadInput, BadSetting
from streams.sources.base import Source
from streams.sources.compressed import open_bytes
from streams.sources.ndjson import NdjsonSource
from streams.stages.posts.normalize import MAX_POST_BYTES

_NDJSON = re.compile(r"\.(ndjson|jsonl|json)(\.(gz|bz2|xz))?$", re.IGNORECASE)
_JETSTREAM = ("jetstream:", "wss:", "ws:")
_MASTODON = ("mastodon:", "mastodon+http:")
FILE = "posts"
"""Name of a file's source: recent changes of a file have another place to go on from."""
WANTS = (
    "wants jetstream://HOST, mastodon://HOST, or a file of posts (.ndjson, .jsonl, - for standard input)"
)


def open_post_source(
    spec: str,
    user_agent: str,
    *,
    stall_after_s: float,
    mastodon_token_file: Path | None = None,
    jetstream_dictionary_file: Path | None = None,
) -> Source:
    """Raises `BadInput` or `BadSetting` with a line that says what is wrong. Nothing is asked of the
    network yet. The clients of Jetstream and Mastodon are loaded only where they are asked for."""
    if spec.startswith(_JETSTREAM):
        from streams.sources.posts.jetstream import JetstreamSource

        dictionary = _read(jetstream_dictionary_file) if jetstream_dictionary_file else None
        return JetstreamSource(spec, user_agent, stall_after_s=stall_after_s, dictionary=dictionary)
    if spec.startswith(_MASTODON):
        from streams.sources.posts.mastodon import MastodonSource
        from streams.sources.posts.mastodon_api import read_token

        token = read_token(mastodon_token_file) if mastodon_token_file else None
        return MastodonSource(spec, user_agent, token, stall_after_s=stall_after_s)
    if spec == "-":
        return NdjsonSource(spec, MAX_POST_BYTES, FILE)
    path = Path(spec)
    if "://" in spec:
        raise BadSetting(f"{spec}: no platform that is known; {WANTS}")
    if not spec or not path.exists():
        raise BadInput(f"{spec or 'source'}: no such file; {WANTS}")
    if path.is_dir() or not _NDJSON.search(path.name):
        raise BadInput(f"{spec}: is no file of posts; {WANTS}, each also with .gz, .bz2 or .xz")
    if path.is_file():
        open_bytes(path).close()  # says now what can't be read
    return NdjsonSource(path, MAX_POST_BYTES, FILE)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as err:
        raise BadInput(f"{path} can't be read: {err.strerror or err}") from None
