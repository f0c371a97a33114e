from __future__ import annotations

from streams.matching.index import HotFactIndex
from streams.matching.ranking import rank
from tests.unit.matching.retrieval_facts import OTHERS, hot, index_of


def test_the_nearest_facts_come_first() -> None:
    near = hot(
        "", "Wombats are herding animals into their burrows to escape wildfires.", "", (), "wombats"
    )
    far = hot("", "Wombats are sold as pets in Australia.", "", (), "pets")
    index = index_of(near, far, *OTHERS)
    ranked = rank(
        index, "a wombat herded animals into its burrow: wombats and wildfires, animals escaping"
    )
    assert [one.hot_id for one in ranked] == ["wombats", "pets"]
    assert 1.0 >= ranked[0].similarity > ranked[1].similarity >= 0.0


def test_other_endings_decide_between_facts_that_share_the_same_words() -> None:
    index = index_of(
        hot("", "Overcrowding: Leeds hospital photographed", "", (), "photo"),
        hot("", "Overcrowding: Leeds hospital demolished", "", (), "demolition"),
    )
    assert rank(index, "overcrowding in Leeds hospital, demolishing")[0].hot_id == "demolition"


def test_nothing_near_is_nothing() -> None:
    assert rank(index_of(hot(), *OTHERS), "good morning everyone") == []
    assert rank(HotFactIndex(), "born in Hodgenville") == []
