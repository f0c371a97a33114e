from __future__ import annotations

from streams.content.text_cache import ENTRY_COST, TextCache
from streams.records import RevisionText


def revision(rev_id: int, size: int = 1_000) -> RevisionText:
    return RevisionText(rev_id=rev_id, text="x" * size)


def test_the_least_recently_used_goes_first() -> None:
    cache = TextCache(3 * (1_100 + ENTRY_COST))
    for rev_id in (1, 2, 3):
        cache.put("enwiki", revision(rev_id))
    assert cache.get("enwiki", 1) is not None
    cache.put("enwiki", revision(4))
    assert [cache.get("enwiki", rev_id) is not None for rev_id in (1, 2, 3, 4)] == [
        True,
        False,
        True,
        True,
    ]


def test_the_byte_bound_holds_whatever_is_put_in() -> None:
    cache = TextCache(100_000)
    for rev_id in range(500):
        cache.put("enwiki", revision(rev_id, size=(rev_id * 7919) % 30_000))
        assert cache.bytes_held <= 100_000
    cache.put("enwiki", revision(9_999, size=200_000))
    assert cache.get("enwiki", 9_999) is None


def test_tags_count_towards_the_bound() -> None:
    cache = TextCache(100_000)
    for rev_id in range(100):
        tags = tuple(f"{rev_id}-{n}".ljust(64, "\U0001f600") for n in range(64))
        cache.put("enwiki", RevisionText(rev_id, None, tags=tags))
    assert 1 <= len(cache) <= 100_000 // (64 * 64 * 4)
    assert cache.bytes_held <= 100_000


def test_putting_a_revision_again_takes_no_more_room() -> None:
    cache = TextCache(100_000)
    cache.put("enwiki", revision(1))
    held = cache.bytes_held
    cache.put("enwiki", revision(1))
    assert (cache.bytes_held, len(cache)) == (held, 1)


def test_wikis_do_not_share_revision_ids() -> None:
    cache = TextCache(100_000)
    cache.put("enwiki", revision(1))
    assert cache.get("dewiki", 1) is None
