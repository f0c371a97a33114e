"""What becomes an incident, how it grows, and what ends it."""

from __future__ import annotations

import msgspec
import pytest

from streams.incidents import ALERT_IDS_CAP, Incident, IncidentStatus, key_of
from streams.records import AlertKind, AlertStatus, Grade, PerformerKind, PostRef, Severity
from streams.stages.paging_policy import PagingPolicy
from streams.state import alert_states, open_incidents
from streams.state.incident_book import IncidentBook
from tests.incident_world import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    T0,
    VANDAL,
    amplified,
    contested,
    correction,
    fold_all,
    kept,
    over,
    repeats,
    reverted,
    story,
    suspect,
    updated,
    worse,
)

EDIT = suspect(1, T0, title="Mount Everest")


@pytest.fixture
def book() -> IncidentBook:
    return IncidentBook(PagingPolicy())


# -- facts that spread ---------------------------------------------------------------------------


def test_a_fact_that_spreads_critically_is_a_page_until_its_edit_is_reverted(book: IncidentBook) -> None:
    spread = amplified(2, T0 + HOUR_S)
    at = T0 + 2 * HOUR_S
    states = fold_all(book, [EDIT, spread, reverted(EDIT, at), correction(EDIT, at)])
    assert story(states) == [
        "fact.amplified critical firing",
        "fact.amplified critical resolved corrected",
    ]
    page = states[-1]
    assert page.alert_ids == (spread.alert_id,)
    assert (page.started, page.ended, page.changed) == (T0 + HOUR_S, at, at)
    assert page.key == key_of("Mount Everest")
    assert page.page_url == spread.page_url
    assert page.diff_url == EDIT.diff_url
    assert page.last_good_url == spread.last_good_url
    assert "120 posts by 80 authors in 60 minutes, reach 1,200,000" in page.description
    assert not book.open


def test_the_correction_alone_is_enough(book: IncidentBook) -> None:
    """A pager that began to read after the edit's own alert was over knows only this."""
    states = fold_all(book, [amplified(2, T0 + 5.0), correction(EDIT, T0 + HOUR_S)])
    assert story(states)[-1] == "fact.amplified critical resolved corrected"


def test_a_less_wide_spread_is_a_ticket_and_becomes_a_page_as_it_grows(book: IncidentBook) -> None:
    spread = amplified(2, T0, severity=Severity.WARNING)
    states = fold_all(book, [spread, worse(spread, T0 + MINUTE_S)])
    assert story(states) == [
        "fact.amplified warning firing",
        "fact.amplified warning resolved became a page",
        "fact.amplified critical firing",
    ]
    ticket, _, page = states
    assert ticket.incident_id != page.incident_id
    assert page.started == T0 + MINUTE_S
    assert [state.incident_id for state in book.open] == [page.incident_id]


def test_a_spread_that_comes_to_rest_is_over(book: IncidentBook) -> None:
    spread = amplified(2, T0)
    states = fold_all(book, [spread, over(spread, T0 + HOUR_S, "quiet")])
    assert story(states)[-1] == "fact.amplified critical resolved quiet"


def test_what_spreads_on_after_the_correction_is_a_ticket(book: IncidentBook) -> None:
    spread = amplified(2, T0)
    at = T0 + HOUR_S
    states = fold_all(
        book,
        [
            spread,
            correction(EDIT, at),
            updated(spread, at + MINUTE_S, posts_after=90),
            msgspec.structs.replace(correction(EDIT, at), ce_id="told again", event_time=at + 90),
            over(spread, at + HOUR_S, "quiet"),
        ],
    )
    assert story(states) == [
        "fact.amplified critical firing",
        "fact.amplified critical resolved corrected",
        "fact.amplified warning firing",
        "fact.amplified warning resolved quiet",
    ]


def test_posts_counted_late_know_of_a_correction_that_was_told_before_them(book: IncidentBook) -> None:
    fold_all(book, [EDIT, reverted(EDIT, T0 + 30.0)])
    assert story(fold_all(book, [amplified(2, T0 + 20.0)])) == ["fact.amplified warning firing"]


def test_a_page_ends_with_the_correction_though_a_corrected_fact_of_it_spreads_on(
    book: IncidentBook,
) -> None:
    late = amplified(2, T0, of="corrected before", posts_after=50)
    states = fold_all(book, [late, amplified(3, T0 + 60.0), correction(EDIT, T0 + HOUR_S)])
    assert story(states) == [
        "fact.amplified warning firing",
        "fact.amplified warning resolved became a page",
        "fact.amplified critical firing",
        "fact.amplified critical resolved corrected",
    ]


def test_a_corrected_fact_does_not_join_the_page_of_another(book: IncidentBook) -> None:
    late = amplified(2, T0 + 60.0, of="corrected before", posts_after=50)
    states = fold_all(book, [amplified(3, T0), late, correction(EDIT, T0 + HOUR_S)])
    assert story(states) == [
        "fact.amplified critical firing",
        "fact.amplified critical resolved corrected",
    ]


def test_a_small_spread_after_the_correction_is_nothing(book: IncidentBook) -> None:
    spread = amplified(2, T0, severity=Severity.WARNING, posts_after=3)
    assert not book.fold(spread)


def test_facts_of_one_page_are_one_incident_which_ends_with_the_last(book: IncidentBook) -> None:
    other = suspect(5, T0, title="Mount Everest")
    one, two = amplified(2, T0), amplified(3, T0 + 60.0, of=other.alert_id)
    states = fold_all(book, [one, two, correction(EDIT, T0 + 120.0)])
    assert story(states) == ["fact.amplified critical firing"]
    assert states[-1].alert_ids == (one.alert_id, two.alert_id)
    assert "1 of its 2 alerts are open" in states[-1].description
    assert story(fold_all(book, [correction(other, T0 + 180.0)])) == [
        "fact.amplified critical resolved corrected"
    ]


def test_a_page_that_moved_keeps_its_incident(book: IncidentBook) -> None:
    spread = amplified(2, T0)
    moved = msgspec.structs.replace(updated(spread, T0 + 60.0), title="Sagarmatha")
    states = fold_all(book, [spread, moved])
    assert len({state.incident_id for state in states}) == 1


# -- bursts of one performer ---------------------------------------------------------------------


def test_five_pages_left_standing_are_a_ticket_and_fifteen_a_page(book: IncidentBook) -> None:
    states = fold_all(book, [suspect(n, T0 + n * MINUTE_S) for n in range(15)])
    assert story(states) == [
        "performer.burst warning firing",
        "performer.burst warning resolved became a page",
        "performer.burst critical firing",
    ]
    assert states[0].started == T0 + 4 * MINUTE_S
    page = states[-1]
    assert page.started == T0 + 14 * MINUTE_S
    assert page.alerts_total == 15
    assert page.key == key_of(VANDAL)


def test_a_performers_name_is_in_no_text_of_a_burst(book: IncidentBook) -> None:
    for state in fold_all(book, [suspect(n, T0 + n) for n in range(15)]):
        assert VANDAL not in msgspec.json.encode(state).decode()


def test_what_patrollers_undo_in_time_makes_no_burst(book: IncidentBook) -> None:
    alerts = []
    for number in range(40):
        edit = suspect(number, T0 + number * MINUTE_S)
        alerts += [edit, reverted(edit, edit.event_time + 30.0)]
    assert not fold_all(book, alerts)


def test_a_slow_performer_makes_no_burst(book: IncidentBook) -> None:
    assert not fold_all(book, [suspect(n, T0 + n * 20 * MINUTE_S) for n in range(20)])


def test_many_edits_on_one_page_are_one_page(book: IncidentBook) -> None:
    edit = suspect(1, T0)
    again = [updated(edit, T0 + n, edits=n) for n in range(2, 30)]
    assert not fold_all(book, [edit, *again])


def test_edits_at_low_risk_make_no_burst(book: IncidentBook) -> None:
    """Somebody who edits fast, and is misjudged alike."""
    alerts = [
        suspect(n, T0 + n, severity=Severity.WARNING if n % 3 == 0 else Severity.INFO) for n in range(60)
    ]
    assert not fold_all(book, alerts)


def test_hidden_performers_are_not_one_performer(book: IncidentBook) -> None:
    alerts = [suspect(n, T0 + n, performer="", performer_kind=PerformerKind.HIDDEN) for n in range(30)]
    assert not fold_all(book, alerts)


def test_performers_of_the_same_name_on_two_wikis_are_two(book: IncidentBook) -> None:
    alerts = [suspect(n, T0 + n, wiki=("enwiki", "dewiki")[n % 2]) for n in range(8)]
    assert not fold_all(book, alerts)


def test_a_burst_is_over_when_it_is_quiet_and_all_of_it_settled(book: IncidentBook) -> None:
    edits = [suspect(n, T0 + n) for n in range(6)]
    fold_all(book, edits)
    at = T0 + 10 * MINUTE_S
    states = fold_all(book, [reverted(edit, at) for edit in edits])
    assert states[-1].status is IncidentStatus.FIRING
    assert "All of its 6 alerts are settled" in states[-1].description
    quiet = T0 + 5 + HOUR_S
    assert not book.pass_time(quiet - 1.0)
    (end,) = book.pass_time(quiet + 500.0)
    assert (end.status, end.outcome, end.ended) == (IncidentStatus.RESOLVED, "6 reverted", quiet)


def test_a_burst_goes_on_with_another_edit_before_it_is_quiet(book: IncidentBook) -> None:
    edits = [suspect(n, T0 + n) for n in range(6)]
    fold_all(book, [*edits, *(reverted(edit, T0 + 60.0) for edit in edits)])
    more = suspect(9, T0 + 30 * MINUTE_S)
    assert book.fold(more)[-1].alerts_total == 7
    assert not book.pass_time(T0 + 5 * HOUR_S)
    (end,) = book.fold(kept(more, T0 + 48 * HOUR_S))
    assert (end.status, end.outcome) == (IncidentStatus.RESOLVED, "6 reverted, 1 kept")


# -- disputes ------------------------------------------------------------------------------------


def test_an_edit_war_of_two_is_no_incident(book: IncidentBook) -> None:
    war = contested(1, T0)
    assert not fold_all(book, [war, updated(war, T0 + 60.0, mutual_reverts=30)])


def test_a_dispute_of_many_is_a_ticket_until_it_settles(book: IncidentBook) -> None:
    war = contested(1, T0, editors=4)
    states = fold_all(book, [war, over(war, T0 + DAY_S, "settled")])
    assert story(states) == [
        "page.contested warning firing",
        "page.contested warning resolved settled",
    ]


def test_an_incident_goes_on_saying_why_it_opened(book: IncidentBook) -> None:
    war = contested(1, T0, editors=4)
    names: list[str] = ["Editor 0", "Editor 1"]
    (first, last) = fold_all(book, [war, updated(war, T0 + 60.0, editors=names)])
    assert last.changed == T0 + 60.0
    assert last.description == first.description == "3 mutual reverts of 4 editors in a day."


@pytest.mark.parametrize(
    ("editors", "reverts", "pages"), [(8, 16, True), (8, 15, False), (7, 40, False), (10, 60, True)]
)
def test_a_dispute_pages_if_many_revert_one_another_many_times(
    book: IncidentBook, editors: int, reverts: int, pages: bool
) -> None:
    (state,) = book.fold(contested(1, T0, editors=editors, reverts=reverts))
    assert (state.severity is Severity.CRITICAL) == pages


def test_posts_that_repeat_a_side_make_a_dispute_of_two_an_incident(book: IncidentBook) -> None:
    war = contested(1, T0)
    posts = [repeats(n, T0 + n, war, total_posts=n) for n in (1, 2, 3, 30)]
    states = fold_all(book, [war, *posts])
    assert story(states) == [
        "page.contested warning firing",
        "page.contested warning resolved became a page",
        "page.contested critical firing",
    ]
    assert "repeated in 30 posts" in states[-1].description


def test_one_post_of_very_wide_reach_is_enough(book: IncidentBook) -> None:
    war = contested(1, T0)
    post = PostRef(
        platform="mastodon",
        post_id="9",
        author="x",
        url="https://social.example/9",
        event_time=T0,
        grade=Grade.REPEATS_CONTESTED,
        probability=0.9,
        statement="What somebody wrote",
        reach=1_000_000,
    )
    told = msgspec.structs.replace(repeats(1, T0 + 1, war), posts=(post,))
    states = fold_all(book, [war, told])
    assert story(states) == ["page.contested critical firing"]
    sent = msgspec.json.encode(states[-1]).decode()
    assert "What somebody wrote" not in sent
    assert "social.example" not in sent


def test_a_page_that_administrators_protected_wakes_nobody(book: IncidentBook) -> None:
    war = contested(1, T0, editors=9, reverts=30)
    war.evidence["protection"] = "protect"
    (state,) = book.fold(war)
    assert state.severity is Severity.WARNING
    assert "has been protected" in state.description


def test_a_contest_and_an_amplification_of_one_page_are_two_incidents(book: IncidentBook) -> None:
    war = contested(1, T0, editors=5, title="Mount Everest")
    states = fold_all(book, [war, amplified(2, T0 + 1, of=war.alert_id)])
    assert len({state.key for state in states}) == 1
    assert len({(state.kind, state.severity) for state in states}) == 2


# -- the budget ----------------------------------------------------------------------------------


def pages(states: list[Incident]) -> list[float]:
    return [s.started for s in states if s.severity is Severity.CRITICAL]


def test_the_sixth_page_of_a_day_is_a_ticket_that_says_so(book: IncidentBook) -> None:
    alerts = [amplified(n, T0 + n * HOUR_S, title=f"Article {n}") for n in range(6)]
    states = fold_all(book, alerts)
    assert len(pages(states)) == 5
    last = states[-1]
    assert (last.severity, last.held_back) == (Severity.WARNING, True)
    assert "Held back" in last.description
    (end,) = book.fold(over(alerts[-1], T0 + 6 * HOUR_S, "quiet"))
    assert end.held_back


def test_the_day_is_any_24_hours_not_that_of_the_calendar(book: IncidentBook) -> None:
    """Five before midnight UTC and five after it are ten in an hour."""
    midnight = T0 + DAY_S
    alerts = [amplified(n, midnight - 300 + n * 60.0, title=f"Article {n}") for n in range(10)]
    assert len(pages(fold_all(book, alerts))) == 5
    later = amplified(99, midnight - 300 + DAY_S, title="Later")
    assert story(book.fold(later)) == ["fact.amplified critical firing"]


def test_what_was_held_back_pages_if_it_goes_on_when_there_is_room_again(book: IncidentBook) -> None:
    alerts = [amplified(n, T0 + n, title=f"Article {n}") for n in range(6)]
    fold_all(book, alerts)
    assert not book.pass_time(T0 + DAY_S + 1)  # nobody is woken because a day is over
    states = book.fold(updated(alerts[5], T0 + DAY_S + 2))
    assert story(states) == [
        "fact.amplified warning resolved became a page",
        "fact.amplified critical firing",
    ]
    assert not states[-1].held_back


def test_two_of_five_pages_are_kept_for_facts_that_spread(book: IncidentBook) -> None:
    wars = [contested(n, T0 + n, editors=9, reverts=20) for n in range(4)]
    assert len(pages(fold_all(book, wars))) == 3
    facts = [amplified(n, T0 + 60.0 + n, title=f"Article {n}") for n in range(3)]
    states = fold_all(book, facts)
    assert len(pages(states)) == 2
    assert [state.held_back for state in states] == [False, False, True]


def test_a_budget_of_none_sends_no_page() -> None:
    book = IncidentBook(PagingPolicy(pages_per_day=0))
    assert story(book.fold(amplified(1, T0))) == ["fact.amplified warning firing"]


# -- told twice, late, or never ------------------------------------------------------------------


def test_a_state_told_twice_changes_nothing(book: IncidentBook) -> None:
    alerts = [suspect(n, T0 + n) for n in range(15)]
    fold_all(book, alerts)
    before = list(book.open)
    assert not fold_all(book, alerts)
    assert list(book.open) == before


def test_an_older_state_that_comes_late_changes_nothing(book: IncidentBook) -> None:
    spread = amplified(2, T0)
    newer, end = updated(spread, T0 + 60.0), over(spread, T0 + 120.0, "quiet")
    fold_all(book, [newer])
    assert not book.fold(spread)
    fold_all(book, [end])
    assert not book.fold(updated(spread, T0 + 90.0))
    assert not book.open


def test_alerts_whose_end_was_lost_are_given_up_after_a_week(book: IncidentBook) -> None:
    fold_all(book, [amplified(2, T0), EDIT])
    assert book.open_alerts[AlertKind.FACT_AMPLIFIED] == 1
    assert not book.pass_time(T0 + 7 * DAY_S - 1)
    (end,) = book.pass_time(T0 + 9 * DAY_S)
    assert (end.outcome, end.ended) == ("nothing heard", T0 + 7 * DAY_S)
    assert not any(book.open_alerts.values())


def test_open_alerts_are_counted_by_kind(book: IncidentBook) -> None:
    other = suspect(2, T0)
    fold_all(book, [EDIT, other, contested(3, T0), reverted(other, T0 + 5), correction(other, T0 + 5)])
    assert {kind: n for kind, n in book.open_alerts.items() if n} == {
        AlertKind.EDIT_SUSPECT: 1,
        AlertKind.PAGE_CONTESTED: 1,
    }


def test_one_that_opens_in_the_second_in_which_it_ended_has_an_id_of_its_own(book: IncidentBook) -> None:
    one = amplified(2, T0)
    other = amplified(3, T0)
    states = fold_all(book, [one, over(one, T0, "quiet"), other])
    assert story(states) == [
        "fact.amplified critical firing",
        "fact.amplified critical resolved quiet",
        "fact.amplified critical firing",
    ]
    assert states[0].incident_id != states[-1].incident_id


# -- bounds --------------------------------------------------------------------------------------


def test_an_incident_names_its_newest_alerts_and_counts_all(book: IncidentBook) -> None:
    edits = [suspect(n, T0 + n) for n in range(ALERT_IDS_CAP + 20)]
    last = fold_all(book, edits)[-1]
    assert last.alerts_total == ALERT_IDS_CAP + 20
    assert last.alert_ids == tuple(edit.alert_id for edit in edits[-ALERT_IDS_CAP:])


def test_a_summary_is_one_bounded_line_whatever_a_title_holds(book: IncidentBook) -> None:
    title = "Tower\nRESOLVED: nothing to see\u2028\x85" + "x" * 2_000
    (state,) = book.fold(amplified(1, T0, title=title))
    assert state.summary.startswith(
        "Repeated 120 times by 80 authors in an hour: Tower RESOLVED: nothing"
    )
    assert len(state.summary.splitlines()) == 1
    assert len(state.summary) == 500


def test_too_many_incidents_end_the_oldest_ticket_never_a_page(
    book: IncidentBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_incidents, "OPEN_CAP", 3)
    page = amplified(1, T0)
    tickets = [contested(n, T0 + n, editors=5) for n in range(2, 6)]
    states = fold_all(book, [page, *tickets])
    crowded = [state for state in states if state.outcome == "crowded out"]
    assert [state.alert_ids for state in crowded] == [(t.alert_id,) for t in tickets[:2]]
    assert len(book.open) == 3


def test_too_many_open_alerts_give_up_the_one_of_longest_silence(
    book: IncidentBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alert_states, "OPEN_CAP", 10)
    fold_all(book, [suspect(n, T0, performer=f"P{n}") for n in range(50)])
    book.pass_time(T0)
    assert book.open_alerts[AlertKind.EDIT_SUSPECT] == 10


def test_an_alert_is_open_again_only_under_another_id(book: IncidentBook) -> None:
    fold_all(book, [EDIT, reverted(EDIT, T0 + 5)])
    again = msgspec.structs.replace(EDIT, ce_id="again", status=AlertStatus.UPDATED)
    fold_all(book, [again])
    assert book.open_alerts[AlertKind.EDIT_SUSPECT] == 0
