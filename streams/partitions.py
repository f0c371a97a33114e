"""Which of P partitions a record belongs to. Every producer of ours places by these, so that what
belongs together meets in one worker."""

from __future__ import annotations

from hashlib import blake2b

from streams.posts import Post, PostsGone, post_key
from streams.records import Edit, LogEvent, PerformerKind, TagsChange
from streams.state.performer import keys_of
from streams.store.keys import state_id


def page_key(wiki: str, title: str) -> str:
    return f"{wiki}:{title}"


def performer_key(wiki: str, performer: str) -> str:
    return f"{wiki}:{performer}"


def key_bytes(key: str) -> bytes:
    """A key as it is on the wire; a lone surrogate, which JSON can hold, does not stop it."""
    return key.encode("utf-8", "surrogatepass")


def partition_of_page(wiki: str, title: str, partitions: int) -> int:
    return state_id(page_key(wiki, title)) % partitions


def partition_of_performer(wiki: str, performer: str, partitions: int, *, is_address: bool) -> int:
    """An address goes where its network goes: their states are read together."""
    own, network = keys_of(wiki, performer, is_address=is_address)
    return state_id(network or own) % partitions


def partition_of_bytes(raw: bytes, partitions: int) -> int:
    """For what has no key: the same bytes meet."""
    return int.from_bytes(blake2b(raw, digest_size=8).digest(), "big") % partitions


def place_in_changes(record: Edit | LogEvent | TagsChange, partitions: int) -> tuple[str, int]:
    """Key and partition in `changes`. A tags change names no performer: by page, so that they spread."""
    if isinstance(record, TagsChange):
        return page_key(record.wiki, record.title), partition_of_page(
            record.wiki, record.title, partitions
        )
    partition = partition_of_performer(
        record.wiki,
        record.performer,
        partitions,
        is_address=record.performer_kind is PerformerKind.IP,
    )
    return performer_key(record.wiki, record.performer), partition


def places_in_edits(record: Edit | LogEvent | TagsChange, partitions: int) -> list[tuple[str, int]]:
    """Keys and partitions in `edits`, the page's own first. A move is told to both titles; where they
    fall into one partition one record does."""
    pages = [record.title]
    if isinstance(record, LogEvent) and record.target_title is not None:
        pages.append(record.target_title)
    places: dict[int, str] = {}
    for title in pages:
        partition = partition_of_page(record.wiki, title, partitions)
        places.setdefault(partition, page_key(record.wiki, title))
    return [(key, partition) for partition, key in places.items()]


def places_in_posts(record: Post | PostsGone, partitions: int) -> list[tuple[str, int]]:
    """Keys and partitions in `posts`: a post, its edits and its deletion meet in one, in their order. The
    deletion of an account goes to all: its posts are in all of them."""
    post_id = record.post_id
    if post_id is None:
        assert isinstance(record, PostsGone)
        key = post_key(record.platform, f"\x1f{record.author}")
        return [(key, partition) for partition in range(partitions)]
    key = post_key(record.platform, post_id)
    return [(key, state_id(key) % partitions)]
