from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import re
import sys
from pathlib import Path

import py7zr
import pytest

from streams.errors import BadInput
from streams.reasons import DeadReason
from streams.records import DeadLetter, Edit, PerformerKind, RevisionText
from streams.sources import xml_export
from streams.sources.base import SourceItem
from streams.sources.history import HistorySource
from streams.stages.normalize import Normalizer
from tests.unit.sources.exports import export, page, revision


def write(tmp_path: Path, text: str | bytes, name: str = "export.xml") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def items(path: Path, cursor: str | None = None) -> list[SourceItem]:
    return list(HistorySource(path).items(cursor))


def edits(tmp_path: Path, text: str | bytes, name: str = "export.xml") -> list[Edit]:
    found = [item.edit for item in items(write(tmp_path, text, name))]
    assert all(edit is not None for edit in found)
    return [edit for edit in found if edit is not None]


def before_damage(path: Path) -> tuple[list[SourceItem], str]:
    found: list[SourceItem] = []
    with pytest.raises(BadInput) as caught:
        found.extend(HistorySource(path).items(None))  # keeps what came before the error
    return found, str(caught.value)


THREE_PAGES = export(
    page("First", *(revision(100 + n, f"text {n} <b>&</b> Ω" * 50) for n in range(40)), page_id=1),
    page("Talk:Second", revision(500, "only"), namespace=1, page_id=2),
    page("Third", *(revision(900 - n, f"{n}" * 3_000) for n in range(60)), page_id=3),
)


def test_a_revision_comes_with_its_text_and_its_parents(tmp_path: Path) -> None:
    first, second = edits(
        tmp_path,
        export(
            page(
                "Ελλάδα & co",
                revision(10, "α = 1 < 2", parent=None, comment="new"),
                revision(12, "α = 3 > 2\n", parent=10, more="<minor/><model>wikitext</model>"),
                page_id=99,
            )
        ),
    )
    body = "α = 3 > 2\n".encode()
    assert second.content is not None
    assert first.content is not None
    assert second.content.parent == first.content.revision
    assert second.content.revision == RevisionText(
        rev_id=12,
        text="α = 3 > 2\n",
        sha1=hashlib.sha1(body).hexdigest(),
        page_id=99,
        parent_id=10,
    )
    assert (first.is_new, first.parent_id, first.content.parent, first.old_len) == (
        True,
        None,
        None,
        None,
    )
    assert (second.is_new, second.minor, second.parent_id) == (False, True, 10)
    assert (second.old_len, second.new_len) == (len("α = 1 < 2".encode()), len(body))
    assert (second.wiki, second.server_name, second.title) == (
        "enwiki",
        "en.wikipedia.org",
        "Ελλάδα & co",
    )
    assert second.event_time == second.arrival_time == 1577934245.0
    assert (second.performer, second.performer_kind) == ("Ann", PerformerKind.REGISTERED)


def test_the_parent_is_the_revision_before_in_the_file_whatever_ids_say(tmp_path: Path) -> None:
    found = edits(
        tmp_path, export(page("A", revision(900, "a"), revision(5, "b"), revision(70, "c", parent=1)))
    )
    assert [(edit.rev_id, edit.parent_id) for edit in found] == [(900, None), (5, 900), (70, 5)]
    assert [edit.content and edit.content.parent and edit.content.parent.text for edit in found] == [
        None,
        "a",
        "b",
    ]


def test_an_export_from_the_middle_of_a_page_has_a_parent_without_text(tmp_path: Path) -> None:
    (edit,) = edits(tmp_path, export(page("A", revision(9, "a", parent=8), page_id=3)))
    assert (edit.is_new, edit.parent_id, edit.old_len) == (False, 8, None)
    assert edit.content is not None
    assert edit.content.parent == RevisionText(8, None, page_id=3)


def test_the_parent_does_not_cross_pages(tmp_path: Path) -> None:
    found = edits(tmp_path, export(page("A", revision(1, "a")), page("B", revision(2, "b"))))
    assert [edit.is_new for edit in found] == [True, True]


@pytest.mark.parametrize(
    ("who", "performer", "kind"),
    [
        ("<ip>127.0.0.1</ip>", "127.0.0.1", PerformerKind.IP),
        ("<ip>2001:DB8::1</ip>", "2001:DB8::1", PerformerKind.IP),
        ("<ip>62.60.45.xxx</ip>", "62.60.45.xxx", PerformerKind.IP),
        ("<ip>Conversion script</ip>", "Conversion script", PerformerKind.REGISTERED),
        ("<username>~2026-44334-20</username><id>9</id>", "~2026-44334-20", PerformerKind.TEMPORARY),
        ("<username>~Tilde~</username><id>9</id>", "~Tilde~", PerformerKind.REGISTERED),
        ('<contributor deleted="deleted" />', "", PerformerKind.HIDDEN),
    ],
)
def test_what_a_performer_is_follows_from_the_name(
    tmp_path: Path, who: str, performer: str, kind: PerformerKind
) -> None:
    (edit,) = edits(tmp_path, export(page("A", revision(1, "a", who=who))))
    assert (edit.performer, edit.performer_kind) == (performer, kind)
    assert edit.content is not None
    assert edit.content.revision.user_hidden == (kind is PerformerKind.HIDDEN)


def test_hidden_text_and_comment_are_marked_and_have_no_digest(tmp_path: Path) -> None:
    hidden = revision(2, None, comment=None, text_attributes='bytes="33" deleted="deleted"').replace(
        "<text", '<comment deleted="deleted" /><text'
    )
    _, edit, after = edits(tmp_path, export(page("A", revision(1, "a"), hidden, revision(3, "c"))))
    assert edit.content is not None
    text = edit.content.revision
    assert (text.text, text.sha1, text.text_hidden, text.comment_hidden) == (None, None, True, True)
    assert (edit.new_len, after.old_len, edit.comment) == (33, 33, "")
    assert after.content is not None
    assert after.content.parent == text


def test_an_empty_text_is_a_text_and_one_that_the_dump_left_out_is_none(tmp_path: Path) -> None:
    blank, stub = edits(
        tmp_path,
        export(
            page(
                "A",
                revision(1, ""),
                revision(2, "", text_attributes='bytes="8211" id="5" location="tt:5"'),
            )
        ),
    )
    assert blank.content is not None
    assert stub.content is not None
    assert blank.content.revision.text == ""
    assert blank.content.revision.sha1 == hashlib.sha1(b"").hexdigest()
    assert (stub.content.revision.text, stub.content.revision.sha1, stub.new_len) == (None, None, 8211)


def test_a_text_above_the_bound_keeps_its_digest_and_length_only(tmp_path: Path) -> None:
    large = "ä" * 3_000_000
    _, edit, after = edits(
        tmp_path, export(page("A", revision(1, "a"), revision(2, large), revision(3, "x" * (4 << 20))))
    )
    assert edit.content is not None
    assert after.content is not None
    assert edit.content.revision.text is None
    assert edit.content.revision.sha1 == hashlib.sha1(large.encode()).hexdigest()
    assert (edit.new_len, after.old_len) == (6_000_000, 6_000_000)
    assert after.content.revision.text is not None


def test_a_comment_or_cdata_within_a_text_does_not_cut_it(tmp_path: Path) -> None:
    xml = export(page("A", revision(1, "beforeMIDafter")))
    (edit,) = edits(tmp_path, xml.replace("MID", "<!-- x --><![CDATA[ <raw> ]]><?pi?>"))
    assert edit.content is not None
    assert edit.content.revision.text == "before <raw> after"


@pytest.mark.parametrize(
    ("base", "name", "wiki"),
    [
        ("http://en.wikipedia.org/wiki/Main_Page", "x.xml", "enwiki"),
        ("https://zh-min-nan.wiktionary.org/wiki/X", "x.xml", "zh_min_nanwiktionary"),
        ("https://www.wikidata.org/wiki/X", "x.xml", "wikidatawiki"),
        ("https://commons.wikimedia.org/wiki/X", "x.xml", "commonswiki"),
        ("http://127.0.0.1:8088/index.php/Main_Page", "testwiki-2026.xml", "testwiki"),
        ("http://wiki.example.org/wiki/X", "Our_wiki-history.xml", "our_wiki"),
        ("http://[broken/", "äh.xml", "wiki"),
        ("", "1.xml", "wiki"),
    ],
)
def test_the_wiki_of_an_old_export_follows_from_its_base_or_file_name(
    tmp_path: Path, base: str, name: str, wiki: str
) -> None:
    info = f"<siteinfo><sitename>W</sitename><base>{base}</base></siteinfo>"
    (edit,) = edits(tmp_path, export(page("A", revision(1, "a")), version="0.4", siteinfo=info), name)
    assert edit.wiki == wiki


def test_without_ns_the_namespace_follows_from_the_title(tmp_path: Path) -> None:
    titles = ["A", "Talk:A", "Wikipedia:Rules", "Star Trek: First Contact", "talk:x"]
    pages = [page(title, revision(n + 1, "a"), namespace=None) for n, title in enumerate(titles)]
    assert [edit.namespace for edit in edits(tmp_path, export(*pages, version="0.4"))] == [0, 1, 4, 0, 0]


@pytest.mark.parametrize(
    "version", ["0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9", "0.10", "0.11", "0.12"]
)
def test_all_versions_of_the_format_are_read(tmp_path: Path, version: str) -> None:
    assert len(edits(tmp_path, export(page("A", revision(1, "a")), version=version))) == 1


def test_an_export_without_an_xml_namespace_is_read(tmp_path: Path) -> None:
    xml = export(page("A", revision(1, "a"), revision(2, "b")))
    bare = re.sub(r' xmlns="[^"]*"', "", xml)
    assert [edit.rev_id for edit in edits(tmp_path, bare)] == [1, 2]


def test_ids_are_stable_and_differ(tmp_path: Path) -> None:
    one, again = edits(tmp_path, THREE_PAGES), edits(tmp_path, THREE_PAGES, "other.xml")
    assert [edit.event_id for edit in one] == [edit.event_id for edit in again]
    assert len({edit.event_id for edit in one}) == len(one) == 101


@pytest.mark.parametrize("ending", ["xml", "xml.gz", "xml.bz2", "xml.xz", "xml.7z"])
def test_every_packing_gives_the_same_and_resumes_exactly(tmp_path: Path, ending: str) -> None:
    plain = write(tmp_path, THREE_PAGES, "plain.xml")
    path = tmp_path / f"export.{ending}"
    data = THREE_PAGES.encode()
    if ending.endswith("7z"):
        with py7zr.SevenZipFile(path, "w") as archive:
            archive.write(plain, "export.xml")
    else:
        packers = {
            "xml": bytes,
            "xml.gz": gzip.compress,
            "xml.bz2": bz2.compress,
            "xml.xz": lzma.compress,
        }
        path.write_bytes(packers[ending](data))
    whole = items(path)
    assert len(whole) == 101
    assert whole == items(plain)
    for at in (0, 1, 38, 39, 40, 41, 99, 100):
        assert items(path, whole[at].cursor) == whole[at + 1 :]


def test_a_cursor_of_another_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, THREE_PAGES)
    for cursor, says in [
        ("1:7:999", "not the file that was left after revision 7 (id 999) of page 1"),
        ("2:2:501", "not the file that was left"),
        ("9:1:1", "shorter than where it was left"),
        ("17:4", "is no place in a history"),
        ("[{}]", "is no place in a history"),
    ]:
        with pytest.raises(BadInput, match=re.escape(says)):
            items(path, cursor)


@pytest.mark.parametrize(
    "bad",
    [
        revision(2, "b", time="yesterday"),
        revision(2, "b", time="1970-01-01T00:00:00Z"),
        revision(2, "b", time="2020-01-02T03:04:05"),
    ],
)
def test_a_revision_without_a_readable_time_becomes_a_dead_letter_and_stays_the_parent(
    tmp_path: Path, bad: str
) -> None:
    found = items(write(tmp_path, export(page("A", revision(1, "a"), bad, revision(3, "c")))))
    assert [item.edit is None for item in found] == [False, True, False]
    assert found[1].raw is not None
    dead = Normalizer()(found[1].raw)
    assert isinstance(dead, DeadLetter)
    assert dead.reason is DeadReason.BAD_TIME
    after = found[2].edit
    assert after is not None
    assert after.content is not None
    assert after.content.parent is not None
    assert after.content.parent.text == "b"


def test_a_broken_title_becomes_a_dead_letter(tmp_path: Path) -> None:
    for title in ("", "x" * 700, "a\u2028b"):
        (item,) = items(write(tmp_path, export(page(title, revision(1, "a")))))
        assert item.raw is not None
        dead = Normalizer()(item.raw)
        assert isinstance(dead, DeadLetter)
        assert dead.reason is DeadReason.BAD_TITLE


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("ending", ["xml", "xml.gz", "xml.xz"])
def test_of_a_truncated_file_everything_before_the_end_comes_and_the_place_is_told(
    tmp_path: Path, keep: float, ending: str
) -> None:
    data = THREE_PAGES.encode()
    if ending == "xml":
        cut = data[: int(len(data) * keep)]
        whole = cut.count(b"</revision>")
    else:
        packed = gzip.compress(data) if ending.endswith("gz") else lzma.compress(data)
        cut, whole = packed[: int(len(packed) * keep)], 0
    path = write(tmp_path, cut, f"cut.{ending}")
    found, message = before_damage(path)
    assert found == items(write(tmp_path, data))[: len(found)]
    assert len(found) >= whole
    assert str(path) in message
    assert "damaged" in message
    assert re.search(
        r"after revision \d+ \(id \d+\) of page \d|before its first page|after page \d", message
    )
    assert "\n" not in message


def test_of_a_damaged_file_everything_before_the_damage_comes(tmp_path: Path) -> None:
    broken = THREE_PAGES.replace("<id>870</id>", "<id>870</oops>")
    found, message = before_damage(write(tmp_path, broken))
    assert [item.cursor for item in found][-1] == "3:30:871"
    assert "damaged after revision 30 (id 871) of page 3, 'Third'" in message
    invalid = THREE_PAGES.encode().replace(b"only", b"on\xffly")
    found, message = before_damage(write(tmp_path, invalid))
    assert len(found) == 40
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"  \n ", "is empty"),
        (b"<html><body>log in</body></html>", 'not a MediaWiki XML export: begins with "<html>'),
        (b'<?xml version="1.0"?><rss version="2.0"></rss>', "not a MediaWiki XML export"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 200_000, "not a MediaWiki XML export: is no text in UTF-8"),
        (b"PK\x03\x04\x14\0\0\0", "not a MediaWiki XML export: is no text in UTF-8"),
        ("<é>".encode() * 30, 'not a MediaWiki XML export: begins with "<é><é>'),
        (b'{"meta":{}}\n', "not a MediaWiki XML export"),
        ("<mediawiki/>".encode("utf-16"), "not a MediaWiki XML export"),
        (b"<mediawikix></mediawikix>", "not a MediaWiki XML export"),
        (b"<!-- x " * 30_000, "not a MediaWiki XML export"),
        (b"<!---->" * 30_000, "not a MediaWiki XML export"),
        (
            b'<!DOCTYPE mediawiki [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><mediawiki>&b;</mediawiki>',
            "has a document type declaration",
        ),
        (b"<mediawiki><logitem><id>1</id></logitem></mediawiki>", "is a dump of log entries"),
        (b"\x28\xb5\x2f\xfdxxxx", "zstd is not read"),
        (b"7z\xbc\xaf\x27\x1cbroken", "not a 7z archive that can be read"),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(tmp_path: Path, content: bytes, says: str) -> None:
    path = write(tmp_path, content)
    found, message = before_damage(path)
    assert found == []
    assert says in message
    assert message.startswith(str(path))
    assert "\n" not in message


def test_an_undefined_entity_is_damage(tmp_path: Path) -> None:
    xml = export(page("A", revision(1, "a"), revision(2, "bXb"))).replace("bXb", "b&evil;b")
    found, message = before_damage(write(tmp_path, xml))
    assert len(found) == 1
    assert "evil" in message


def test_an_export_of_no_pages_has_no_items(tmp_path: Path) -> None:
    assert items(write(tmp_path, export())) == []
    assert items(write(tmp_path, '<?xml version="1.0"?>\n<!-- x --><mediawiki></mediawiki>')) == []


def test_an_element_without_end_is_refused_before_memory_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_export, "MAX_ELEMENT_BYTES", 1 << 20)
    xml = export(page("A", revision(1, "a"), revision(2, "x" * 3_000_000)))
    found, message = before_damage(write(tmp_path, xml))
    assert len(found) == 1
    assert "one element is larger than 1 MiB" in message


@pytest.mark.parametrize("element", ["<a/>", "<mediawiki/>", "<x><revision/></x>", "<a><page/></a>"])
def test_small_elements_that_are_never_freed_are_refused_before_memory_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, element: str
) -> None:
    monkeypatch.setattr(xml_export, "MAX_ELEMENT_TAGS", 20_000)
    xml = export(page("A", revision(1, "a")), page("B", element * 400_000, revision(2, "b")))
    _, message = before_damage(write(tmp_path, xml))
    assert "one element has more than 20000 tags" in message
    assert "damaged after" in message, "the place is told"


def test_nested_roots_do_not_hold_off_the_bound_on_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_export, "MAX_ELEMENT_BYTES", 1 << 20)
    filling = f"<mediawiki/>{'x' * 50_000}" * 60
    xml = export(page("A", revision(1, "a")), page("B", filling, revision(2, "b")))
    _, message = before_damage(write(tmp_path, xml))
    assert "one element is larger than 1 MiB" in message


def test_the_bound_on_tags_is_one_of_an_element_and_not_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xml_export, "MAX_ELEMENT_TAGS", 20_000)
    pages = [page(f"P{n}", *(revision(n * 100 + m, "a") for m in range(1, 11))) for n in range(400)]
    xml = export(*pages)
    assert xml.count("<") > 3 * 20_000
    assert len(edits(tmp_path, xml)) == 4_000


def test_a_missing_py7zr_is_said_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "py7zr", None)
    monkeypatch.delitem(sys.modules, "streams.sources.seven_zip", raising=False)
    path = write(tmp_path, b"7z\xbc\xaf\x27\x1c", "a.xml.7z")
    _, message = before_damage(path)
    assert message.endswith("pip install 'factwatch[7z]'")


def test_a_7z_archive_of_several_files_is_refused_and_a_damaged_one_told(tmp_path: Path) -> None:
    plain = write(tmp_path, THREE_PAGES, "plain.xml")
    several, damaged = tmp_path / "two.7z", tmp_path / "damaged.7z"
    with py7zr.SevenZipFile(several, "w") as archive:
        archive.write(plain, "a.xml")
        archive.write(plain, "b.xml")
    assert "wants an archive of one file without a password, holds 2" in before_damage(several)[1]
    with py7zr.SevenZipFile(damaged, "w") as archive:
        archive.write(plain, "a.xml")
    packed = bytearray(damaged.read_bytes())
    packed[32 + 60] ^= 0xFF
    damaged.write_bytes(packed)
    assert "damaged" in before_damage(damaged)[1]


@pytest.mark.parametrize("packed", [False, True])
def test_close_ends_the_iteration_and_its_threads(tmp_path: Path, packed: bool) -> None:
    text = export(page("A", *(revision(n + 1, f"{n} " * 20_000) for n in range(200))))
    path = write(tmp_path, text, "large.xml")
    if packed:
        path = tmp_path / "large.7z"
        with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
            archive.write(tmp_path / "large.xml", "large.xml")
    source = HistorySource(path)
    found = source.items(None)
    next(found)
    position = source.status().position
    assert source.status().state == "connected"
    assert position is not None
    assert 0 < position < 0.5
    source.close()
    assert len(list(found)) < 20
    assert source.status().state == "closed"


def test_a_finished_file_is_ended_and_wholly_read(tmp_path: Path) -> None:
    source = HistorySource(write(tmp_path, THREE_PAGES))
    assert len(list(source.items(None))) == 101
    status = source.status()
    assert (status.state, status.position) == ("ended", 1.0)
    assert status.last_item_time is not None


@pytest.mark.parametrize(
    ("name", "count", "wiki"),
    [("aawiki.xml.7z", 1_307, "aawiki"), ("enwiki-holy-grail.xml.xz", 2_821, "enwiki")],
)
def test_real_histories_are_read_whole(shared_data: Path, name: str, count: int, wiki: str) -> None:
    found = items(shared_data / "histories" / name)
    assert len(found) == count
    assert {item.edit.wiki for item in found if item.edit} == {wiki}
    for item in found:
        assert item.edit is not None
        assert item.edit.content is not None
        text = item.edit.content.revision.text
        assert text is not None
        assert len(text.encode()) == item.edit.new_len
    middle = count // 2
    assert items(shared_data / "histories" / name, found[middle].cursor) == found[middle + 1 :]


def test_a_7z_archive_whose_checksum_is_wrong_is_told_after_its_content(tmp_path: Path) -> None:
    plain, path = write(tmp_path, THREE_PAGES, "plain.xml"), tmp_path / "wrong.7z"
    with py7zr.SevenZipFile(path, "w", filters=[{"id": py7zr.FILTER_COPY}]) as archive:
        archive.write(plain, "a.xml")
    path.write_bytes(path.read_bytes().replace(b">only<", b">onlY<"))
    found, message = before_damage(path)
    assert len(found) == 101
    assert f"damaged after {len(THREE_PAGES.encode()):,} unpacked bytes" in message
