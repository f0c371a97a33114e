"""Edit summaries that say "this is a revert", in each language's words and in the tools'."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from streams.content.message_patterns import MESSAGES, RevertKind, form_of_message
from streams.content.revert_summaries import RevertSummaries, RevertSummary

REV_ID, UNDONE_BY, RESTORED = 987_654_321, "Ana Bö-2", "192.0.2.7"


def fill(name: str, template: str) -> str:
    """What MediaWiki saves: parameters put in, GENDER's first branch taken."""
    values = (
        {"1": RESTORED, "2": UNDONE_BY, "3": "11", "4": "12:00", "5": str(REV_ID), "6": "12:01"}
        if name.startswith("revertpage")
        else {"1": str(REV_ID), "2": UNDONE_BY, "3": UNDONE_BY}
    )
    text = re.sub(r"\$([1-9])", lambda mark: values.get(mark[1], mark[0]), template)
    text = re.sub(
        r"\{\{GENDER:[^|{}]*\|((?:\[\[[^\]]*\]\]|[^|{}])*)(?:\|[^{}]*)?\}\}",
        lambda mark: mark[1],
        text,
        flags=re.IGNORECASE,
    )
    text = re.sub(r"\{\{[^{}]*\}\}", "Word", text)
    return re.sub(r"\s+", " ", text).strip()


@pytest.fixture
def languages(shared_data: Path) -> dict[str, dict[str, str]]:
    """MediaWiki's default messages by language."""
    found: dict[str, dict[str, str]] = json.loads(
        (shared_data / "words/revert-summaries.json").read_text()
    )
    return found


def test_each_languages_own_messages_are_recognized_and_read(
    languages: dict[str, dict[str, str]],
) -> None:
    unread = []
    filled = 0
    for language, messages in languages.items():
        for name, template in messages.items():
            if name not in MESSAGES:
                continue
            filled += 1
            said = RevertSummaries({name: template}).match(fill(name, template) + " ")
            want_user = name not in ("undo-summary-username-hidden", "revertpage-nouser")
            user_parameter = "$3" if name == "undo-summary-import" else "$2"
            undo = name.startswith("undo")
            good = (
                said is not None
                and not said.built_in
                and (said.kind is RevertKind.UNDO) is undo
                and (not (undo and "$1" in template) or said.rev_id == REV_ID)
                and (not (want_user and user_parameter in template) or said.performer == UNDONE_BY)
                and (
                    undo
                    or "$1" not in re.sub(r"\{\{GENDER:.*?\}\}", "", template)
                    or said.restored_performer == RESTORED
                )
            )
            if not good:
                unread.append((language, name, template, said))
    assert filled > 800
    assert unread == []


def test_all_of_a_languages_messages_together_do_not_mask_each_other(
    languages: dict[str, dict[str, str]],
) -> None:
    for language, messages in languages.items():
        matcher = RevertSummaries(messages)
        for name in ("undo-summary", "revertpage"):
            if name not in messages or "$2" not in messages[name]:
                continue
            said = matcher.match(fill(name, messages[name]))
            assert said is not None, (language, name)
            assert said.performer == UNDONE_BY, (language, name)


def test_no_languages_messages_take_other_automatic_summaries_for_reverts(
    languages: dict[str, dict[str, str]],
) -> None:
    for language, messages in languages.items():
        matcher = RevertSummaries(messages)
        for name in ("autosumm-blank", "autosumm-new", "autosumm-newblank", "autoredircomment"):
            if name in messages:
                summary = messages[name].replace("$1", "Some text of the page")
                assert matcher.match(summary) is None, (language, name, summary)


@pytest.mark.parametrize("template", ["", "-", "$1", "$1 $2", "{{x|$1}}", "[[$2]]", "a $1", "x" * 2_000])
def test_a_message_that_says_nothing_of_its_own_is_left_out(template: str) -> None:
    assert form_of_message("undo-summary", template) is None


def test_branches_with_links_and_what_the_person_added_are_read() -> None:
    matcher = RevertSummaries(
        {
            "revertpage": "{{GENDER:$2|Er|Sie}} [[Special:Contributions/$2|$2]] wurde zurückgesetzt auf "
            "{{PLURAL:1|eine|mehrere}} Fassung von {{GENDER:$1|[[User:$1|$1]]|[[Benutzerin:$1|$1]]}}"
        }
    )
    said = matcher.match(
        "/* Leben */ Sie [[Special:Contributions/Ana|Ana]] wurde zurückgesetzt auf mehrere Fassung von "
        "[[Benutzerin:Eva|Eva]]: siehe Disk."
    )
    assert said is not None
    assert (said.kind, said.performer, said.built_in) == (RevertKind.ROLLBACK, "Ana", False)


def test_a_name_that_stands_twice_is_the_same_both_times() -> None:
    matcher = RevertSummaries({"undo-summary": "Zurück: $1 von [[Special:Contributions/$2|$2]]"})
    assert matcher.match("Zurück: 7 von [[Special:Contributions/Ana|Ana]]") is not None
    assert matcher.match("Zurück: 7 von [[Special:Contributions/Ana|Bo]]") is None


UNDO, ROLLBACK = RevertKind.UNDO, RevertKind.ROLLBACK


def built_in(kind: RevertKind, **fields: object) -> RevertSummary:
    return RevertSummary(kind, built_in=True, **fields)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ("rv", built_in(UNDO)),
        ("rvv", built_in(UNDO)),
        ("RV: unsourced", built_in(UNDO)),
        ("revert vandalism", built_in(UNDO)),
        (
            "Undid revision 123 by [[Special:Contributions/192.0.2.1|192.0.2.1]] "
            "([[User talk:192.0.2.1|talk]])",
            built_in(UNDO, rev_id=123, performer="192.0.2.1"),
        ),
        (
            "[[WP:UNDO|Undid]] revision [[Special:Diff/123|123]] by "
            "[[Special:Contributions/~2026-1-2|~2026-1-2]]",
            built_in(UNDO, rev_id=123, performer="~2026-1-2"),
        ),
        ("/* Life */ Undid revision 123 by Ana (talk)", built_in(UNDO, rev_id=123, performer="Ana")),
        (
            "Reverted 2 edits by [[Special:Contributions/Ana|Ana]] ([[User talk:Ana|talk]]) "
            "to last revision by Bo",
            built_in(ROLLBACK, performer="Ana", restored_performer="Bo"),
        ),
        (
            "Reverted edits by [[Special:Contribs/Ana|Ana]] ([[User talk:Ana|talk]]) (HG) (3.4.12)",
            built_in(ROLLBACK, performer="Ana"),
        ),
        (
            "Reverted 1 edit by [[Special:Contributions/Ana|Ana]] ([[User talk:Ana|talk]]) "
            "to last revision by Bo ([[WP:TW|TW]])",
            built_in(ROLLBACK, performer="Ana", restored_performer="Bo"),
        ),
        (
            "[[WP:AES|←]]Reverted edits by [[Special:Contributions/2001:db8::1|2001:db8::1]] "
            "([[User talk:2001:db8::1|talk]]) to last version by Bo",
            built_in(ROLLBACK, performer="2001:db8::1", restored_performer="Bo"),
        ),
        (
            "Restored revision 55 by [[Special:Contributions/Bo|Bo]] ([[User talk:Bo|talk]]): cleaner",
            built_in(ROLLBACK, restored_rev_id=55, restored_performer="Bo"),
        ),
        (
            "Reverted to revision 55 by Bo: unexplained",
            built_in(ROLLBACK, restored_rev_id=55, restored_performer="Bo"),
        ),
        (
            "Reverted good faith edits by Ana (talk): not needed",
            built_in(ROLLBACK, performer="Ana"),
        ),
        ("/* undo:0||987|Ana B */ because", built_in(UNDO, rev_id=987, performer="Ana B")),
        (
            "/* restore:0||987|Ana B */",
            built_in(ROLLBACK, restored_rev_id=987, restored_performer="Ana B"),
        ),
    ],
)
def test_tools_and_peoples_forms_are_built_in_and_marked(summary: str, said: RevertSummary) -> None:
    assert RevertSummaries().match(summary) == said


@pytest.mark.parametrize(
    "summary",
    [
        "",
        "   ",
        "/* Early life */ add a source",
        "rvalue references",
        "reverberation",
        "undoing the knot: typo",
        "restored the missing picture",
        "Created page with 'rv'",
        "/* wbsetclaim-update:2||1 */ [[Property:P569]]: 14 March 1931",
        "add: he reverted to type",
    ],
)
def test_other_summaries_are_no_reverts(summary: str) -> None:
    assert RevertSummaries().match(summary) is None


def test_a_huge_revision_number_is_no_number() -> None:
    said = RevertSummaries().match("Undid revision 9999999999999999999 by Ana")
    assert said is not None
    assert said.rev_id is None


def test_hostile_summaries_take_no_time() -> None:
    matcher = RevertSummaries(
        {
            "undo-summary": "Undo revision $1 by [[Special:Contributions/$2|$2]] (talk)",
            "undo-summary-anon": "$2 {{GENDER:$2|undid|undid}} $1 {{ns:user}} of $2 and $3",
            "revertpage": "Reverted edits by $2 to $3 of $4 to last revision by [[User:$1|$1]]",
        }
    )
    hostile = [
        "Reverted edits by " + "a" * 100_000,
        "Reverted edits by [[Special:Contributions/" * 3_000,
        "Undo revision 1 by [[Special:Contributions/" + "a " * 50_000,
        "Reverted edits by " + "a to " * 20_000,
        "[[" * 50_000,
        "[[a|" * 30_000 + "]]" * 30_000,
        "/*" * 50_000,
        "/* undo:0|" + "|" * 50_000,
        "Reverted edits by a (talk) " + "to last revision by (" * 5_000,
        "\u202e\x00" * 10_000,
    ]
    started = time.process_time()
    for summary in hostile:
        matcher.match(summary)
    assert time.process_time() - started < 2.0  # a slip to quadratic would take minutes


def test_a_message_of_many_open_parameters_makes_no_pattern() -> None:
    """Each stretch of anything takes the worst summary 80 times as long; five took a minute."""
    assert form_of_message("undo-summary", "Undo revision $1 $9$9$9 by $2") is not None
    assert form_of_message("undo-summary", "Undo revision $1 $9$9$9$9 by $2") is None
