"""From what stands after `--source` to a source of posts."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from streams.errors import BadInput, BadSetting
from streams.posts import Post
from streams.records import DeadLetter
from streams.sources.base import Source
from streams.sources.posts.open import open_post_source
from streams.stages.posts.authors import Authors
from streams.stages.posts.normalize import MAX_POST_BYTES, PostNormalizer
from tests.jetstream_world import made_posts, trained_dictionary


def opened(spec: str, **files: Path) -> Source:
    return open_post_source(spec, "factwatch-tests/1", stall_after_s=5, **files)


def test_a_name_each() -> None:
    assert opened("jetstream://jetstream.us-west.bsky.network").name == "jetstream"
    assert opened("wss://jetstream1.us-east.bsky.network/subscribe").name == "jetstream"
    assert opened("mastodon://mastodon.social").name == "mastodon"
    assert opened("-").name == "posts"


@pytest.mark.parametrize(
    ("spec", "wrong"),
    [
        ("", BadInput),
        ("nothing-here.jsonl", BadInput),
        ("eventstreams", BadInput),
        ("https://mastodon.social", BadSetting),
        ("rcfeed://127.0.0.1:1", BadSetting),
    ],
)
def test_what_is_none_is_told_in_one_line(spec: str, wrong: type[Exception]) -> None:
    with pytest.raises(wrong, match="wants jetstream://HOST, mastodon://HOST, or a file"):
        opened(spec)


def test_a_file_that_is_none_of_posts_is_told(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text("x")
    for path in (tmp_path, tmp_path / "posts.csv"):
        with pytest.raises(BadInput, match="is no file of posts"):
            opened(str(path))


def test_files_of_a_token_and_of_a_dictionary(tmp_path: Path) -> None:
    token, dictionary = tmp_path / "token", tmp_path / "dictionary"
    token.write_text("a-token\n")
    dictionary.write_bytes(trained_dictionary(made_posts(200)))
    opened("mastodon://mastodon.social", mastodon_token_file=token)
    opened("wss://a.example/subscribe", jetstream_dictionary_file=dictionary)
    with pytest.raises(BadSetting, match="can't be read"):
        opened("mastodon://mastodon.social", mastodon_token_file=tmp_path / "none")
    with pytest.raises(BadInput, match="can't be read"):
        opened("wss://a.example/subscribe", jetstream_dictionary_file=tmp_path / "none")


def test_a_file_of_posts_is_read_and_resumed_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "posts.ndjson.gz"
    told = {"platform": "forum", "text": "words", "created": 1_700_000_000}
    lines = [json.dumps({**told, "id": str(number)}) for number in range(5)]
    lines[2] = "{" * 10
    lines.append(json.dumps({**told, "id": "9", "text": "x" * MAX_POST_BYTES}))
    path.write_bytes(gzip.compress("\n".join(lines).encode()))
    normalize = PostNormalizer(Authors(None))
    items = [item for item in opened(str(path)).items(None) if item.raw is not None]
    found = [normalize(item.raw or b"", item.cursor) for item in items]
    assert [type(record) for record in found[:5]] == [Post, Post, DeadLetter, Post, Post]
    assert items[5].too_large
    rest = [item for item in opened(str(path)).items(items[3].cursor) if item.raw is not None]
    assert [item.raw for item in rest] == [item.raw for item in items[4:]]


def test_a_file_of_recorded_frames_is_posts_too(shared_data: Path) -> None:
    normalize = PostNormalizer(Authors(None))
    source = opened(str(shared_data / "posts" / "jetstream-v1-2026.jsonl.gz"))
    found = [normalize(item.raw or b"") for item in source.items(None)]
    assert sum(isinstance(record, Post) for record in found) == 32
