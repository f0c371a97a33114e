from __future__ import annotations

from streams.stages.protection import Restriction, restrictions


def test_details() -> None:
    params = (
        b'{"description":"x","cascade":false,"details":[{"type":"edit","level":"autoconfirmed",'
        b'"expiry":"20260501120000","cascade":false},{"type":"move","level":"sysop","expiry":"infinity"}]}'
    )
    assert restrictions(params) == (
        Restriction("edit", "autoconfirmed", 1777636800.0),
        Restriction("move", "sysop", None),
    )


def test_a_description_alone() -> None:
    until = "(expires 12:00, 1 May 2026 (UTC))"
    params = f'{{"description":"\u200e[edit=sysop] {until}\u200e[move=sysop] (indefinite)"}}'
    assert [(one.action, one.level) for one in restrictions(params.encode())] == [
        ("edit", "sysop"),
        ("move", "sysop"),
    ]


def test_nothing_to_read() -> None:
    for params in (b"", b"[]", b"{}", b'{"details":3}', b"\xff", b"[" * 100_000):
        assert restrictions(params) == ()
