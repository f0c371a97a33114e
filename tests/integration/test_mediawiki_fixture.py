"""The wiki that other tests stand on does what they take for granted."""

from __future__ import annotations

import pytest

from tests.integration.mediawiki import WIKI_ID, Wiki, WikiError


def test_edits_without_an_account_come_from_the_address_given(wiki: Wiki) -> None:
    first = wiki.edit("Addresses", "Oslo has 700,000 people.", by="203.0.113.7")
    second = wiki.edit("Addresses", "Oslo has 7 people.", "lol", by="2001:db8::1")

    old, new = wiki.revisions("Addresses")
    assert (old.rev_id, old.user, old.text) == (first, "203.0.113.7", "Oslo has 700,000 people.")
    assert (new.rev_id, new.parent_id, new.comment) == (second, first, "lol")
    assert new.user == "2001:DB8:0:0:0:0:0:1"


def test_every_change_is_sent_as_json_over_udp(wiki: Wiki) -> None:
    with wiki.feed() as feed:
        first = wiki.edit("Feed", "one", by="203.0.113.8")
        second = wiki.edit("Feed", "two", "why", by="203.0.113.9")
        changes = feed.until(lambda change: change.get("revision", {}).get("new") == second)

    new, edit = (change for change in changes if change["title"] == "Feed")
    assert (new["type"], new["revision"]["new"]) == ("new", first)
    assert (edit["type"], edit["revision"]) == ("edit", {"old": first, "new": second})
    assert (edit["wiki"], edit["user"], edit["comment"]) == (WIKI_ID, "203.0.113.9", "why")
    assert edit["length"] == {"old": 3, "new": 3}
    assert edit["server_url"] == wiki.url


def test_rollback_and_undo_restore_the_text_and_tag_their_edits(wiki: Wiki) -> None:
    editor = wiki.create_user("Careful editor")
    wiki.edit("Reverts", "Good.", by=editor)
    wiki.edit("Reverts", "Bad.", by="203.0.113.10")
    wiki.edit("Reverts", "Worse.", by="203.0.113.10")
    wiki.rollback("Reverts", "203.0.113.10")
    assert wiki.text("Reverts") == "Good."

    bad = wiki.edit("Reverts", "Bad again.", by="203.0.113.11")
    wiki.undo("Reverts", bad, by=editor)
    assert wiki.text("Reverts") == "Good."

    wiki.run_jobs()
    revisions = wiki.revisions("Reverts")
    assert [revision.user for revision in revisions] == [
        "Careful editor",
        "203.0.113.10",
        "203.0.113.10",
        "Admin",
        "203.0.113.11",
        "Careful editor",
    ]
    assert "mw-rollback" in revisions[3].tags
    assert "mw-undo" in revisions[5].tags
    assert [number for number, found in enumerate(revisions) if "mw-reverted" in found.tags] == [1, 2, 4]


def test_a_page_can_be_blanked_protected_and_moved(wiki: Wiki) -> None:
    wiki.edit("Blanked", "Text.", by="203.0.113.12")
    wiki.edit("Blanked", "", by="203.0.113.12")
    assert wiki.text("Blanked") == ""

    with wiki.feed() as feed:
        wiki.protect("Blanked")
        wiki.move("Blanked", "Moved")
        changes = feed.until(lambda change: change.get("log_type") == "move")
    logged = [change["log_type"] for change in changes if change["type"] == "log"]
    assert logged == ["protect", "move"]

    with pytest.raises(WikiError, match="protectedpage"):
        wiki.edit("Moved", "Text.", by="203.0.113.12")
    wiki.protect("Moved", "all")
    wiki.edit("Moved", "Text.", by="203.0.113.12")


def test_a_hidden_text_is_not_shown_to_others(wiki: Wiki) -> None:
    hidden = wiki.edit("Hidden", "A secret.", by="203.0.113.13")
    wiki.edit("Hidden", "No secret.", by="203.0.113.13")
    wiki.hide_text(hidden)
    assert [revision.text for revision in wiki.revisions("Hidden")] == ["", "No secret."]
