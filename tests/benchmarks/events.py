"""Recent changes as Wikimedia sends them, invented: skewed pages and performers, seeded."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

#: 1 January 2026, in the past of any machine that runs this.
START = 1_767_225_600
EVENTS_PER_S = 30.0

_COMMENTS = (
    "",
    "",
    "/* History */",
    "/* Early life */ copyedit",
    "typo",
    "Added reference",
    "fixed [[link]] and wording of the lead",
    "Undid revision {old} by [[Special:Contributions/{user}|{user}]]",
    "Reverted edits by [[Special:Contributions/{user}|{user}]] to last version by Editor 7",
    "updated population figures per census",
)


#: Of real recent changes (5,705 of Wikidata, 2018) 77 % are on different pages, by 150 performers: a
#: long tail of pages seen once, and hot ones among them.
HOT_SHARE = 0.4


def _zipf(rng: random.Random, most: int) -> int:
    """Zipf's law with exponent 1: the first has as much as the next two together."""
    return int(most ** rng.random()) - 1


def _page(rng: random.Random, hot_pages: int) -> int:
    return _zipf(rng, hot_pages) if rng.random() < HOT_SHARE else rng.randrange(hot_pages, 5_000_000)


def recent_changes(
    count: int,
    *,
    seed: int = 1,
    hot_pages: int = 20_000,
    performers: int = 40_000,
    events_per_s: float = EVENTS_PER_S,
    start: int = START,
) -> Iterator[bytes]:
    """`count` lines of JSON. One in six by an IP address, one in twelve by a bot."""
    rng = random.Random(seed)
    last_rev: dict[int, tuple[int, int]] = {}
    rev_id = 1_300_000_000
    for number in range(count):
        seconds = start + int(number / events_per_s)
        page = _page(rng, hot_pages)
        user = _zipf(rng, performers)
        rev_id += rng.randint(1, 9)
        old_rev, old_len = last_rev.get(page, (rev_id - 50_000_000, 500 + 37 * (page % 1_000)))
        new_len = max(0, old_len + rng.choice((-900, -40, -3, 0, 1, 2, 12, 80, 700)))
        last_rev[page] = (rev_id, new_len)
        anonymous = rng.random() < 1 / 6
        name = f"198.51.{user % 200}.{user % 250}" if anonymous else f"Editor {user}"
        comment = rng.choice(_COMMENTS).format(old=old_rev, user=f"Editor {user % 97}")
        title = f"Article {page} of the benchmark"
        body = {
            "$schema": "/mediawiki/recentchange/1.0.0",
            "meta": {
                "uri": f"https://en.wikipedia.org/wiki/{title.replace(' ', '_')}",
                "request_id": f"{rng.getrandbits(128):032x}",
                "id": f"{rng.getrandbits(128):032x}",
                "domain": "en.wikipedia.org",
                "stream": "mediawiki.recentchange",
                "dt": datetime.fromtimestamp(seconds + 1, UTC).strftime("%Y-%m-%dT%H:%M:%S.250Z"),
                "topic": "eqiad.mediawiki.recentchange",
                "partition": 0,
                "offset": 5_000_000_000 + number,
            },
            "id": 1_900_000_000 + number,
            "type": "edit",
            "namespace": 0,
            "title": title,
            "title_url": f"https://en.wikipedia.org/wiki/{title.replace(' ', '_')}",
            "comment": comment,
            "timestamp": seconds,
            "user": name,
            "bot": not anonymous and rng.random() < 1 / 10,
            "notify_url": f"https://en.wikipedia.org/w/index.php?diff={rev_id}&oldid={old_rev}",
            "minor": rng.random() < 0.2,
            "length": {"old": old_len, "new": new_len},
            "revision": {"old": old_rev, "new": rev_id},
            "server_url": "https://en.wikipedia.org",
            "server_name": "en.wikipedia.org",
            "server_script_path": "/w",
            "wiki": "enwiki",
            "parsedcomment": comment,
        }
        yield json.dumps(body, ensure_ascii=False).encode()


if __name__ == "__main__":
    # To a pipe: what the generator remembers is not to be counted as the program's memory.
    sys.stdout.buffer.writelines(line + b"\n" for line in recent_changes(int(sys.argv[1])))
