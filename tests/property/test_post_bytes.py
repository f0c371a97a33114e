"""Posts of any bytes: nothing raises, each is one outcome, and what becomes a record keeps its bounds."""

from __future__ import annotations

import copy
import json
import random
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from streams.posts import Post, PostsGone
from streams.records import DeadLetter, Skip
from streams.sources.posts.jetstream_frames import Place, read_frame
from streams.stages.posts.authors import Authors
from streams.stages.posts.fields import is_id, is_link, plausible
from streams.stages.posts.html_text import text_of_html
from streams.stages.posts.mastodon import wrapped
from streams.stages.posts.normalize import NormalizedPost, PostNormalizer
from tests.jetstream_world import as_v2, deletion_of, made_post
from tests.mastodon_world import made_status
from tests.property.test_hostile_input import ODD

ARRIVAL = 1_790_000_000.0
NORMALIZE = PostNormalizer(Authors(b"k" * 32))
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

MADE = made_post(1)
ACCOUNT = {"did": "did:plc:x", "time_us": 1_783_175_888_000_000, "kind": "account",
           "account": {"active": False, "status": "deleted"}}  # fmt: skip
SUBMITTED = {
    "platform": "forum", "id": "1", "text": "See https://a.example/x", "author": "a", "created": 1_790_000_000,
    "links": ["https://a.example/"], "reply_to": "2", "quote_of": 3, "reach": 5, "url": "https://a.example",
}  # fmt: skip
STATUS = made_status(
    1, '<p>Hi <a href="https://a.example/">x</a></p>', quote={"quoted_status": {"id": "5"}}
)
BODIES: list[Any] = [MADE, as_v2(MADE, 5), deletion_of(MADE, 1_783_175_888_000_000), ACCOUNT,
                     as_v2(ACCOUNT, 6), SUBMITTED, {**SUBMITTED, "deleted": True}, STATUS]  # fmt: skip


def keeps_its_bounds(found: NormalizedPost, raw: bytes) -> None:
    match found:
        case Post():
            assert is_id(found.post_id)
            assert len(found.text) <= 20_000
            assert not CONTROL.search(found.text)
            assert len(found.links) <= 64
            assert all(map(is_link, found.links))
            assert found.url == "" or (found.url.lower().startswith("https://") and is_link(found.url))
            assert all(
                other is None or is_id(other)
                for other in (found.reply_to, found.repost_of, found.quote_of)
            )
            assert plausible(found.event_time)
            assert plausible(found.arrival_time)
            assert found.author == "" or re.fullmatch("[0-9a-f]{32}", found.author)
            assert found.reach is None or found.reach >= 0
            assert re.fullmatch("[a-z0-9][a-z0-9._-]{0,31}", found.platform)
        case PostsGone():
            assert (found.post_id is None) != (found.author is None)
            assert plausible(found.event_time)
        case DeadLetter():
            assert found.raw == raw
            assert "\n" not in found.message
        case Skip():
            pass


def judged(raw: bytes) -> None:
    keeps_its_bounds(NORMALIZE(raw), raw)
    keeps_its_bounds(NORMALIZE.submitted(raw, ARRIVAL), raw)
    event = wrapped("a.example", "update", raw, ARRIVAL)
    keeps_its_bounds(NORMALIZE(event), event)
    mark = read_frame(raw)
    if mark is not None and hasattr(mark, "time_us"):
        Place("h", None, 5).after(mark, "h", 1 << 60).text()


@given(st.binary(max_size=400))
@example(b"\x28\xb5\x2f\xfd")
@example(b'{"did":"\xed\xa0\x80"}')
def test_any_bytes(raw: bytes) -> None:
    judged(raw)
    judged(b'{"did":' + raw)
    judged(b'{"$type":"message","payload":' + raw)
    judged(b'{"format":"mastodon",' + raw)
    judged(b'{"platform":"x","id":"1","text":' + raw + b"}")


def places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [path, *(place for name, value in inner for place in places(value, (*path, name)))]


@given(st.sampled_from(range(len(BODIES))), st.randoms(use_true_random=False), st.integers(1, 4))
def test_real_forms_with_odd_values_anywhere(which: int, rng: random.Random, changes: int) -> None:
    body = json.loads(json.dumps(BODIES[which]))
    for _ in range(changes):
        if len(found := places(body)) < 2:
            break
        *parents, last = rng.choice(found[1:])
        place = body
        try:
            for name in parents:
                place = place[name]
            if rng.random() < 0.2:
                del place[last]
            else:
                place[last] = copy.deepcopy(rng.choice(ODD))
        except (KeyError, IndexError, TypeError, ValueError):
            continue  # an earlier change took that place away
    judged(json.dumps(body).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(range(len(BODIES))), st.randoms(use_true_random=False))
def test_real_forms_with_broken_bytes(which: int, rng: random.Random) -> None:
    raw = bytearray(json.dumps(BODIES[which]).encode())
    for _ in range(rng.randint(1, 4)):
        raw[rng.randrange(len(raw))] = rng.randrange(256)
    judged(bytes(raw[: rng.choice([len(raw), rng.randrange(len(raw))])]))


@given(st.lists(st.sampled_from(["<", ">", "p", "a ", "/", "'", '"', "href=", "&", "&lt;", "#", "!--", "--",
                                 "https://a.example/", " ", "\n", "class=mention", "script", "é", "\ud800"])))  # fmt: skip
def test_any_markup_gives_text_without_its_tags(pieces: list[str]) -> None:
    text, links = text_of_html("".join(pieces))
    assert len(links) <= 64
    assert "\n\n\n" not in text


@given(
    st.text(
        alphabet=st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="<&"),
        max_size=200,
    )
)
def test_text_without_markup_stays(text: str) -> None:
    assert text_of_html(f"<p>{text}</p>")[0].split() == text.split()


@given(st.floats(allow_nan=True), st.text(max_size=30))
def test_a_time_of_a_submission_is_in_range_or_refused(created: float, text: str) -> None:
    raw = json.dumps({"platform": "x", "id": "1", "text": text, "created": created}).encode()
    judged(raw)
