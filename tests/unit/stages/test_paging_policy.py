"""The thresholds, one by one, and what is said of them."""

from __future__ import annotations

import pytest

from streams.incidents import IncidentKind
from streams.records import Severity
from streams.stages.paging_policy import PagingPolicy
from tests.incident_world import T0, amplified, contested

POLICY = PagingPolicy()
PAGE, TICKET, NOTHING = Severity.CRITICAL, Severity.WARNING, None


@pytest.mark.parametrize(
    ("severity", "corrected", "judged"),
    [
        (Severity.CRITICAL, False, PAGE),
        (Severity.WARNING, False, TICKET),
        (Severity.CRITICAL, True, TICKET),
        (Severity.WARNING, True, NOTHING),
    ],
)
def test_a_spreading_fact(severity: Severity, corrected: bool, judged: Severity | None) -> None:
    said = POLICY.of_amplified(amplified(1, T0, severity=severity), corrected=corrected)
    assert said.severity is judged


@pytest.mark.parametrize(("pages_per_day", "limit"), [(0, 0), (1, 1), (2, 2), (3, 2), (5, 3), (10, 6)])
def test_some_of_the_pages_are_kept_for_spreading_facts(pages_per_day: int, limit: int) -> None:
    policy = PagingPolicy(pages_per_day=pages_per_day)
    assert policy.page_limit(IncidentKind.PERFORMER_BURST) == limit
    assert policy.page_limit(IncidentKind.PAGE_CONTESTED) == limit
    assert policy.page_limit(IncidentKind.FACT_AMPLIFIED) == pages_per_day


def test_a_page_says_how_far_the_fact_has_got_and_what_the_wiki_says_now() -> None:
    standing = POLICY.of_amplified(amplified(1, T0), corrected=False)
    assert standing.why == (
        "120 posts by 80 authors in 60 minutes, reach 1,200,000: critical, and not corrected."
    )
    corrected = POLICY.of_amplified(amplified(1, T0, posts_after=40), corrected=True)
    assert "40 posts after the revert" in corrected.why
    assert "has been corrected" in corrected.why


@pytest.mark.parametrize(
    ("pages", "severe", "judged"),
    [
        (4, 4, NOTHING),
        (5, 5, TICKET),
        (5, 3, TICKET),
        (5, 2, NOTHING),
        (14, 14, TICKET),
        (15, 8, PAGE),
        (15, 7, NOTHING),
        (200, 99, NOTHING),
        (200, 100, PAGE),
    ],
)
def test_a_burst(pages: int, severe: int, judged: Severity | None) -> None:
    assert POLICY.of_burst(pages=pages, severe=severe).severity is judged


@pytest.mark.parametrize(
    ("editors", "reverts", "posts", "reach", "judged"),
    [
        (2, 99, 0, 0, NOTHING),
        (3, 99, 2, 999_999, NOTHING),
        (4, 4, 0, 0, TICKET),
        (2, 3, 3, 0, TICKET),
        (2, 3, 29, 0, TICKET),
        (2, 3, 30, 0, PAGE),
        (2, 3, 1, 1_000_000, PAGE),
        (8, 15, 0, 0, TICKET),
        (8, 16, 0, 0, PAGE),
    ],
)
def test_a_dispute(editors: int, reverts: int, posts: int, reach: int, judged: Severity | None) -> None:
    alert = contested(1, T0, editors=editors, reverts=reverts)
    assert POLICY.of_contested(alert, posts=posts, reach=reach).severity is judged


def test_a_critical_dispute_pages_whoever_takes_part() -> None:
    alert = contested(1, T0, severity=Severity.CRITICAL)
    assert POLICY.of_contested(alert, posts=0, reach=0).severity is PAGE


@pytest.mark.parametrize(
    ("action", "judged"), [("protect", TICKET), ("modify", TICKET), ("unprotect", PAGE)]
)
def test_what_administrators_did_about_a_dispute_counts(action: str, judged: Severity) -> None:
    alert = contested(1, T0, editors=8, reverts=16)
    alert.evidence["protection"] = action
    assert POLICY.of_contested(alert, posts=0, reach=0).severity is judged


def test_an_alert_names_ten_editors_at_most_so_ten_are_ten_or_more() -> None:
    alert = contested(1, T0, editors=10, reverts=40)
    assert "ten or more editors" in POLICY.of_contested(alert, posts=0, reach=0).why


def test_evidence_that_is_missing_or_of_another_kind_counts_as_none() -> None:
    alert = contested(1, T0)
    alert.evidence.update({"editors": "many", "mutual_reverts": "x"})
    assert POLICY.of_contested(alert, posts=0, reach=0).severity is NOTHING
