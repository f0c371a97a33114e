"""What the writing process reads of posts and of the facts they are held against."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.state.amplification import AmplificationState
from streams.state.hot_page import HotPage
from streams.state.watermark import Watermark
from streams.store.batch import StoredPost
from streams.store.post_rows import stored_post
from streams.store.sqlite_errors import decoded, told
from streams.store.sqlite_states import SqliteStates

_encode_json = msgspec.json.Encoder().encode


class SqlitePosts(SqliteStates):
    """Implements `PostStore`, beside the states of pages and performers."""

    def hot_pages(self) -> list[HotPage]:
        """Of all pages."""
        return [
            decoded(_HOT_PAGE.decode, state, self.path)
            for (state,) in self._read("SELECT state FROM hot_pages ORDER BY id")
        ]

    def load_spreads(self, hot_ids: Sequence[str]) -> dict[str, AmplificationState]:
        with told(self.path):
            rows = self._db.execute(
                "SELECT hot_id, state FROM spreads WHERE hot_id IN (SELECT value FROM json_each(?))",
                (_encode_json(list(hot_ids)),),
            ).fetchall()
        return {hot_id: decoded(_SPREAD.decode, state, self.path) for hot_id, state in rows}

    def spread_deadlines(self) -> list[tuple[float | None, str]]:
        """`(deadline, hot_id)` of all that are kept."""
        with told(self.path):
            return self._db.execute("SELECT deadline, hot_id FROM spreads").fetchall()

    def load_posts(self, ids: Sequence[int]) -> dict[int, StoredPost]:
        with told(self.path):
            rows = self._db.execute(
                "SELECT id, body FROM posts WHERE id IN (SELECT value FROM json_each(?))",
                (_encode_json(list(ids)),),
            ).fetchall()
        return {post_id: decoded(stored_post, body, self.path) for post_id, body in rows}

    def posts_of_author(self, author: int) -> dict[int, StoredPost]:
        """By `author_id`."""
        with told(self.path):
            rows = self._db.execute("SELECT id, body FROM posts WHERE author = ?", (author,)).fetchall()
        return {post_id: decoded(stored_post, body, self.path) for post_id, body in rows}

    def handed_in(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Posts of the inbox behind row `after`, in the order they came."""
        with told(self.path):
            return self._db.execute(
                "SELECT id, raw FROM post_inbox WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
            ).fetchall()

    def posts_watermark(self) -> Watermark:
        value = self._meta("posts_watermark")
        return Watermark() if value is None else decoded(_WATERMARK.decode, value, self.path)


_HOT_PAGE = msgspec.msgpack.Decoder(HotPage)
_SPREAD = msgspec.msgpack.Decoder(AmplificationState)
_WATERMARK = msgspec.msgpack.Decoder(Watermark)
