from __future__ import annotations

import bz2
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from streams.errors import BadInput, BadSetting
from streams.sources.open import open_source

if TYPE_CHECKING:
    from streams.settings import Settings

SETTINGS = cast(
    "Settings",
    SimpleNamespace(eventstreams_url="http://127.0.0.1:1/s", user_agent="test/1", stall_after_s=5.0),
)


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("a.ndjson", "ndjson"),
        ("a.jsonl", "ndjson"),
        ("a.json", "ndjson"),
        ("a.jsonl.gz", "ndjson"),
        ("a.NDJSON.BZ2", "ndjson"),
        ("a.ndjson.xz", "ndjson"),
        ("a.xml", "history"),
        ("a.xml.gz", "history"),
        ("a.xml.bz2", "history"),
        ("a.xml.xz", "history"),
        ("enwiki-20260101-pages-meta-history1.xml-p1p844.bz2", "history"),
    ],
)
def test_a_file_is_opened_by_its_ending(tmp_path: Path, spec: str, name: str) -> None:
    path = tmp_path / spec
    path.write_bytes(b"")
    assert open_source(str(path), SETTINGS).name == name


def test_the_live_sources_and_standard_input_are_opened_by_name() -> None:
    feed = open_source("rcfeed://127.0.0.1:0", SETTINGS)
    feed.close()
    assert feed.name == "rcfeed"
    assert open_source("eventstreams", SETTINGS).name == "eventstreams"
    assert open_source("-", SETTINGS).name == "ndjson"


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("missing.xml", "no such file; wants eventstreams, rcfeed://HOST:PORT, or a file"),
        ("eventstream", "no such file; wants eventstreams"),
        ("", "no such file"),
        (".", "is a directory"),
        ("notes.txt", "its ending does not tell what it is; wants .ndjson"),
        ("packed.gz", "its ending does not tell what it is"),
        ("broken.7z", "not a 7z archive that can be read"),
        ("new.xml.zst", "its ending does not tell"),
        ("renamed.xml", "zstd is not read: unpack it first"),
        ("https://stream.wikimedia.org/v2", "goes into FACTWATCH_EVENTSTREAMS_URL"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spec: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("notes.txt", "packed.gz", "new.xml.zst"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "broken.7z").write_bytes(b"7z\xbc\xaf\x27\x1c")
    (tmp_path / "renamed.xml").write_bytes(b"\x28\xb5\x2f\xfd")
    with pytest.raises((BadInput, BadSetting)) as caught:
        open_source(spec, SETTINGS)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


PACKINGS = [("gz", "gzip"), ("bz2", "bzip2"), ("xz", "xz"), ("7z", "7z")]


@pytest.mark.parametrize(("ending", "packing"), PACKINGS)
@pytest.mark.parametrize(
    "content",
    [
        b"\x9a\xf3\x1b[2J\x00" * 40,
        b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
        b"version https://git-lfs.example/spec/v1\n",
    ],
    ids=["bytes", "a page of a server", "text"],
)
def test_what_is_not_packed_as_its_name_says_is_told_so(
    tmp_path: Path, ending: str, packing: str, content: bytes
) -> None:
    for name, wanted in (
        ("x.xml", "a MediaWiki XML export"),
        ("x.ndjson", "recent changes in JSON lines"),
    ):
        if (name, ending) == ("x.ndjson", "7z"):
            continue  # never read as that
        path = tmp_path / f"{name}.{ending}"
        path.write_bytes(content)
        with pytest.raises(BadInput) as caught:
            open_source(str(path), SETTINGS)
        assert str(caught.value) == (
            f"{path}: no {packing} file, as its name says, nor {wanted} that is not packed"
        )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("saved.xml.gz", b'\xef\xbb\xbf<mediawiki xmlns="x">'),
        ("saved.xml.bz2", b"<?xml version='1.0'?>"),
        ("saved.xml.7z", bz2.compress(b"<mediawiki/>")),
        ("saved.ndjson.gz", b'{"meta": {}}'),
        ("saved.ndjson.xz", b'event: message\ndata: {"meta": {}}'),
    ],
)
def test_what_is_packed_otherwise_or_not_at_all_is_read_all_the_same(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    assert open_source(str(tmp_path / name), SETTINGS).name in ("history", "ndjson")


@pytest.mark.parametrize(
    "content", [b"\x1f\x8b\x08\xff\x1b[2J" * 9, b"BZh9\x1b[2J" * 9, b"\xfd7zXZ\x00\x1b[2J" * 9]
)
def test_what_only_begins_as_a_packed_file_shows_nothing_of_itself(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x.xml.gz").write_bytes(content)
    source = open_source(str(tmp_path / "x.xml.gz"), SETTINGS)
    with pytest.raises(
        BadInput, match=r"x\.xml\.gz: damaged at its beginning: nothing of it can be unpacked"
    ):
        list(source.items(None))


def test_an_address_to_listen_on_is_a_setting() -> None:
    with pytest.raises(BadSetting, match=r"rcfeed://wiki\.example: wants rcfeed://HOST:PORT") as caught:
        open_source("rcfeed://wiki.example", SETTINGS)
    assert caught.value.exit_code == 2
