"""Hot facts in several languages that answers are checked against, in an index or in a state file."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from models.pair_model import load_pair_model
from streams.matching.check import Checker
from streams.matching.index import HotFactIndex
from streams.matching.matcher import Matcher
from streams.posts import HotFact, HotKind
from streams.records import ChangeType, FactChange
from streams.state.hot_page import HotAlert, HotPage
from streams.store.batch import Batch
from streams.store.keys import state_id
from streams.store.sqlite import SqliteStore

#: Event time of the edits.
T0 = 1_764_000_000.0


def fact(
    number: int,
    title: str,
    before: str,
    after: str,
    *,
    wiki: str = "enwiki",
    kind: HotKind = HotKind.VANDALISED,
    corrected_time: float | None = None,
) -> HotFact:
    host = f"{wiki.removesuffix('wiki')}.wikipedia.org"
    return HotFact(
        hot_id=f"{number:016x}",
        alert_id=f"{number:032x}",
        kind=kind,
        wiki=wiki,
        server_name=host,
        title=title,
        names=(title,),
        fact=FactChange(
            fact_key=f"{number:08x}",
            change_type=ChangeType.DATE,
            section="",
            before=before,
            after=after,
        ),
        rev_id=1_300_000_000 + number,
        since=T0,
        page_url=f"https://{host}/wiki/{title.replace(' ', '_')}",
        last_good_rev_id=1_200_000_000 + number,
        last_good_url=f"https://{host}/w/index.php?oldid={1_200_000_000 + number}",
        corrected_time=corrected_time,
    )


LINCOLN = fact(
    1,
    "Abraham Lincoln",
    "Abraham Lincoln was born on February 12, 1809, in a log cabin in Kentucky.",
    "Abraham Lincoln was born on February 12, 1808, in a log cabin in Kentucky.",
)
EVEREST = fact(
    2,
    "Mount Everest",
    "The elevation of Mount Everest is 8,849 metres above sea level.",
    "The elevation of Mount Everest is 9,849 metres above sea level.",
    corrected_time=T0 + 600,
)
FALKENMARK = fact(
    3,
    "Falkenmark",
    "Falkenmark has belonged to the county of Norrland since 1952.",
    "Falkenmark has belonged to the county of Uppland since 1952.",
    kind=HotKind.CONTESTED,
)
BERLIN = fact(
    4,
    "Brandenburger Tor",
    "Das Brandenburger Tor wurde von 1788 bis 1791 errichtet.",
    "Das Brandenburger Tor wurde von 1688 bis 1691 errichtet.",
    wiki="dewiki",
)
TOKYO = fact(
    5,
    "東京タワー",
    "東京タワーの高さは333メートルである。",
    "東京タワーの高さは533メートルである。",
    wiki="jawiki",
)
BANGKOK = fact(
    6,
    "กรุงเทพมหานคร",
    "กรุงเทพมหานครมีประชากรประมาณ 8 ล้านคน",
    "กรุงเทพมหานครมีประชากรประมาณ 80 ล้านคน",
    wiki="thwiki",
)
CAIRO = fact(
    7,
    "نجيب محفوظ",
    "ولد نجيب محفوظ في القاهرة عام 1911.",
    "ولد نجيب محفوظ في القاهرة عام 1921.",
    wiki="arwiki",
)
FACTS = (LINCOLN, EVEREST, FALKENMARK, BERLIN, TOKYO, BANGKOK, CAIRO)


def checker(
    facts: Sequence[HotFact] = FACTS, lock: AbstractContextManager[object] | None = None
) -> Checker:
    index = HotFactIndex()
    for one in facts:
        index.put(one)
    return Checker(index, Matcher(index, load_pair_model()), lock=lock)


def write_state(path: Path, facts: Sequence[HotFact] = FACTS) -> None:
    """A state file as a run leaves it."""
    store = SqliteStore(path)
    batch = Batch("test")
    for one in facts:
        page = HotPage(f"{one.wiki}:{one.title}")
        page.alerts = [HotAlert(one.alert_id, (0, 1, T0, one.rev_id), T0 + 86_400, [one])]
        batch.of_posts.hot_pages[state_id(page.key)] = page
    store.commit(batch, T0)
    store.close()
