"""What one unit of work of a post partition tells the page partitions."""

from __future__ import annotations

from collections.abc import Container, Sequence

import msgspec

from streams.kafka.records import OutRecord
from streams.posts import Match, Post, PostsGone
from streams.runners.partitions.wire import PostsSaid, Said, encode
from streams.topics import MATCHES

#: Text that goes along, for telling near-duplicates: a post may have a million characters.
TEXT_CHARS = 100_000
#: Characters of text in one record, about: a record has 2 MiB, a character up to 4 bytes.
RECORD_CHARS = 150_000
#: What a post without text counts for.
_REST_CHARS = 500


class ToPages:
    def __init__(self, partition: int, partitions: int, newest: float) -> None:
        """`newest`: event time up to which posts have been told with this."""
        self._partition = partition
        self._partitions = partitions
        self._newest = newest
        self._said: dict[int, list[Said]] = {}

    def tell(self, place: int, newest: float, post: Post, matches: Sequence[Match]) -> None:
        """One partition of pages, whose facts the matches are of. `newest` is that of `Said`."""
        post = msgspec.structs.replace(post, text=post.text[:TEXT_CHARS], links=())
        self._said.setdefault(place, []).append(Said(newest, post, None, list(matches)))

    def tell_all(
        self,
        newest: float,
        *,
        post: Post | None = None,
        gone: PostsGone | None = None,
        apart_from: Container[int] = (),
    ) -> None:
        """Of a post, that it is there as it is; whoever knows more of it can tell what follows."""
        if post is not None:
            post = msgspec.structs.replace(post, text="", links=())
        said = Said(newest, post, gone)
        for place in range(self._partitions):
            if place not in apart_from:
                self._said.setdefault(place, []).append(said)

    def records(self, *, everyone: bool) -> list[OutRecord]:
        """`everyone` is told how far posts are, those too of whom nothing else is to be said."""
        places = range(self._partitions) if everyone else sorted(self._said)
        records = []
        for place in places:
            pieces = _in_pieces(self._said.get(place, []))
            for said in pieces:
                # Only the last tells how far this is: what comes after it may be read later.
                newest = self._newest if said is pieces[-1] else 0.0
                value = encode(PostsSaid(self._partition, newest, said))
                records.append(OutRecord(MATCHES.name, place, b"", value, []))
        return records


def _in_pieces(said: Sequence[Said]) -> list[list[Said]]:
    """One at least."""
    pieces: list[list[Said]] = [[]]
    size = 0
    for one in said:
        chars = _REST_CHARS * (1 + len(one.matches)) + (len(one.post.text) if one.post else 0)
        if pieces[-1] and size + chars > RECORD_CHARS:
            pieces.append([])
            size = 0
        pieces[-1].append(one)
        size += chars
    return pieces
