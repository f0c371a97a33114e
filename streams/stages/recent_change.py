"""The JSON of a recent change as it comes, decoded and no more.

Format: mediawiki/recentchange 1.0.x and mediawiki/revision/tags-change 1.0.x of Wikimedia's event
schemas. Older bodies (`meta.schema_uri`, no `$schema`) have the same fields.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

_Id = Annotated[int, msgspec.Meta(ge=0, le=(1 << 62))]
_Bytes = Annotated[int, msgspec.Meta(ge=0, le=(1 << 40))]
_Seconds = Annotated[int, msgspec.Meta(ge=-(1 << 62), le=(1 << 62))]


class Meta(msgspec.Struct, gc=False):
    dt: datetime | None = None
    id: str | None = None
    domain: str | None = None
    stream: str | None = None


class _Lengths(msgspec.Struct, gc=False):
    old: _Bytes | None = None
    new: _Bytes | None = None


class _Revisions(msgspec.Struct, gc=False):
    old: _Id | None = None
    new: _Id | None = None


class RecentChange(msgspec.Struct, gc=False):
    """The fields read, of both schemas. Everything but `meta` may be absent or null."""

    meta: Meta
    type: str | None = None
    wiki: str | None = None
    title: str | None = None
    namespace: int | None = None
    user: str | None = None
    comment: str | None = None
    timestamp: _Seconds | None = None
    bot: bool | None = None
    minor: bool | None = None
    length: _Lengths | None = None
    revision: _Revisions | None = None
    server_name: str | None = None
    server_script_path: str | None = None
    log_type: str | None = None
    log_action: str | None = None
    log_id: int | None = None
    log_params: msgspec.Raw = msgspec.Raw(b"")
    # mediawiki/revision/tags-change
    database: str | None = None
    rev_id: _Id | None = None
    page_title: str | None = None
    tags: list[str] | None = None


class _MoveParams(msgspec.Struct, gc=False):
    target: str | None = None


decode = msgspec.json.Decoder(RecentChange).decode
"""Raises `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`."""
_decode_move = msgspec.json.Decoder(_MoveParams).decode


def move_target(params: bytes) -> str | None:
    """The new title in the parameters of a move, as it was written."""
    if not params.startswith(b"{"):
        return None  # MediaWiki sends [] for no parameters
    try:
        return _decode_move(params).target
    except msgspec.DecodeError:
        return None
