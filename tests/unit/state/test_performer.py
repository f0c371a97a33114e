from __future__ import annotations

import pytest

from streams.state.performer import EDITS_CAP, PAGES_CAP, PerformerState, network_of, view_of


def test_nothing_is_known_of_a_stranger() -> None:
    view = view_of(PerformerState(), None, 100.0)
    assert (view.edits, view.pages, view.network_edits) == (0, 0, 0)
    assert view.reverted_share is view.age_s is view.since_last_s is view.network_reverted_share is None


def test_what_a_performer_did_lately() -> None:
    state, network = PerformerState(), PerformerState()
    for page, time in ((1, 10.0), (2, 20.0), (1, 30.0), (3, 40.0)):
        state.fold_edit(page, time)
        network.fold_edit(page, time)
    state.fold_reverted()
    network.fold_edit(9, 45.0)
    view = view_of(state, network, 50.0)
    assert (view.edits, view.pages, view.reverted_share) == (4, 3, 0.25)
    assert (view.age_s, view.since_last_s) == (40.0, 10.0)
    assert (view.network_edits, view.network_reverted_share) == (5, 0.0)


def test_counts_are_bounded_and_halved() -> None:
    state = PerformerState()
    for number in range(1_000):
        state.fold_edit(number, float(number))
        state.fold_reverted()
        assert state.reverted <= state.edits <= EDITS_CAP
    assert state.edits > EDITS_CAP // 2 - 1
    assert len(state.pages) == PAGES_CAP
    assert view_of(state, None, 1_000.0).reverted_share == 1.0


def test_no_more_can_be_reverted_than_were_made() -> None:
    state = PerformerState()
    state.fold_reverted()
    assert state.reverted == 0


def test_times_before_the_first_are_no_negative_ages() -> None:
    state = PerformerState()
    state.fold_edit(1, 100.0)
    view = view_of(state, None, 90.0)
    assert (view.age_s, view.since_last_s) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0"),
        ("24.60.184.xxx", "24.60"),
        ("24.60.xxx", "24.60"),
        ("2001:db8::1", "2001:0db8"),
        ("2001:DB8:1:2:3:4:5:6", "2001:0db8"),
        ("fe80::1%eth0", "fe80:0000"),
        ("Alice", None),
        ("Mr. Smith", None),
        ("Alice: the second", None),
        ("", None),
    ],
)
def test_the_network_of_an_address(address: str, network: str | None) -> None:
    assert network_of(address) == network
