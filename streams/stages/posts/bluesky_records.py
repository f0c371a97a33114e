"""Records of Bluesky's lexicons `app.bsky.feed.post` and `.repost`, as far as they are read.

What an open union may hold stays raw until it is looked for: an unknown form takes nothing from a post.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from streams.stages.posts.fields import MAX_ID_CHARS, is_id, kept_links

POST = "app.bsky.feed.post"
REPOST = "app.bsky.feed.repost"
DID = re.compile(r"did:[a-z]+:[a-zA-Z0-9._:%-]{1,240}")
RECORD_KEY = re.compile(r"[a-zA-Z0-9._:~-]{1,512}")
POST_ADDRESS = re.compile(rf"at://({DID.pattern})/{re.escape(POST)}/({RECORD_KEY.pattern})")
#: Facets beyond are not read: a post has some twenty.
_MAX_FACETS = 256
_LINK = "app.bsky.richtext.facet#link"
_NOTHING = msgspec.Raw(b"")


class _Ref(msgspec.Struct, gc=False):
    uri: str = ""


class _Reply(msgspec.Struct, gc=False):
    parent: _Ref | None = None


class PostContent(msgspec.Struct, gc=False):
    text: str
    created: str | None = msgspec.field(name="createdAt", default=None)
    langs: list[str] | None = None
    facets: msgspec.Raw = _NOTHING
    embed: msgspec.Raw = _NOTHING
    reply: msgspec.Raw = _NOTHING


class RepostContent(msgspec.Struct, gc=False):
    subject: _Ref
    created: str | None = msgspec.field(name="createdAt", default=None)


class _Feature(msgspec.Struct, gc=False):
    type: str = msgspec.field(name="$type", default="")
    uri: msgspec.Raw = _NOTHING


class _Facet(msgspec.Struct, gc=False):
    features: list[_Feature] = []


class _Embed(msgspec.Struct, gc=False):
    """`embed.external`, `embed.record`, and `embed.recordWithMedia`, which holds the two."""

    external: _Ref | None = None
    record: msgspec.Raw = _NOTHING
    media: msgspec.Raw = _NOTHING


class _Quoted(msgspec.Struct, gc=False):
    uri: str = ""
    record: _Ref | None = None


# Each raises `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`.
decode_post = msgspec.json.Decoder(PostContent).decode
decode_repost = msgspec.json.Decoder(RepostContent).decode
_decode_facets = msgspec.json.Decoder(list[_Facet]).decode
_decode_embed = msgspec.json.Decoder(_Embed).decode
_decode_quoted = msgspec.json.Decoder(_Quoted).decode
_decode_text = msgspec.json.Decoder(str).decode
_decode_reply = msgspec.json.Decoder(_Reply).decode


def links_and_quote(record: PostContent) -> tuple[tuple[str, ...], str | None]:
    """Of facets and embeds. One of another form than those known has none: unions are open."""
    if not record.facets and not record.embed:
        return (), None
    links: list[str] = []
    if record.facets:
        links.extend(_facet_links(record.facets))
    quoted = _add_embed(record.embed, links) if record.embed else None
    return kept_links(links), quoted


def _facet_links(facets: msgspec.Raw) -> Iterator[str]:
    try:
        found = _decode_facets(facets)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    for facet in found[:_MAX_FACETS]:
        for feature in facet.features[:_MAX_FACETS]:
            if feature.type == _LINK:
                try:
                    yield _decode_text(feature.uri)
                except (msgspec.DecodeError, UnicodeDecodeError):
                    continue


def _add_embed(raw: msgspec.Raw, links: list[str]) -> str | None:
    """Adds the link of a card to `links`; the post_id of what is quoted."""
    try:
        embed = _decode_embed(raw)
        media = _decode_embed(embed.media) if embed.media else None
        quoted = _decode_quoted(embed.record) if embed.record else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    cards = (part.external for part in (embed, media) if part is not None)
    links.extend(card.uri for card in cards if card is not None)
    if quoted is None:
        return None
    uri = quoted.record.uri if quoted.record is not None else quoted.uri
    return uri if len(uri) <= MAX_ID_CHARS and POST_ADDRESS.fullmatch(uri) else None


def parent_of(reply: msgspec.Raw) -> str | None:
    try:
        parent = _decode_reply(reply).parent
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return parent.uri if parent is not None and is_id(parent.uri) else None
