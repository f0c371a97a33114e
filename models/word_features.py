"""Features of the changed words against what the page remembers: the strongest there are."""

from __future__ import annotations

import re
from itertools import pairwise
from math import log, log1p, nan

from streams.stages.diff import TextDelta
from streams.state.words import UNKNOWN, WordMemory

WORD_CONTENT_NAMES = (
    "new_share",
    "new_words",
    "surprise_mean",
    "surprise_max",
    "removed_surprise_mean",
    "gibberish",
    "vanished_share",
    "net_added",
    "net_removed",
    "keyboard_run",
    "consonant_run",
)
"""Known from the parent text alone."""
WORD_HISTORY_NAMES = (
    "never_seen_share",
    "thrown_max",
    "thrown_mean",
    "thrown_share",
    "thrown_against_life",
    "life_min",
    "life_mean",
    "life_max",
    "life_time_mean",
    "removed_age_min",
    "removed_age_mean",
    "removed_age_max",
    "removed_time_mean",
    "removed_time_min",
    "removed_thrown_share",
    "age_difference",
    "time_difference",
    "gone_since",
)
"""Known only of a page whose revisions were followed."""
_NOTHING = [nan] * (len(WORD_CONTENT_NAMES) + len(WORD_HISTORY_NAMES))
MAX_LOOKED_UP = 100
"""Different words looked up on either side."""
WARM = 15
"""Revisions followed until a word's absence from memory means something on a page met later."""
MAX_RUN_WORDS = 40
MAX_RUN_LETTERS = 24
_NEIGHBOURS = frozenset(
    pair[::step]
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for pair in map("".join, pairwise(row))
    for step in (1, -1)
)
_CONSONANTS = re.compile("[bcdfghjklmnpqrstvwxz]{4,}")
_TRIGRAMS = 12
_SAMPLE = 8_000


def word_features(delta: TextDelta, words: WordMemory | None, event_time: float) -> list[float]:
    """In the order of `WORD_CONTENT_NAMES` and `WORD_HISTORY_NAMES`. Without `words`, what the
    difference alone tells."""
    if words is None or not delta.words_complete:
        return _of_difference(delta) if delta.words_complete else list(_NOTHING)
    warm = words.from_creation or words.ordinal >= WARM
    now_s = max(event_time - words.start_time, 0.0)
    span = words.ordinal + 1
    index, count, thrown = words.index, words.count, words.thrown
    since_rev, since_s = words.since_rev, words.since_s
    life_revs, life_s = words.life_revs, words.life_s

    # What came in.
    scale = log(words.total + words.present + 1.0)
    gained = list(delta.gained)[:MAX_LOOKED_UP]
    unseen: list[str] = []
    fresh = never = thrown_words = thrown_sum = thrown_max = 0
    surprise = surprise_max = against = 0.0
    gone_since = nan
    lives: list[float] = []
    lives_time: list[float] = []
    for word in gained:
        at = index.get(word)
        if at is None:
            never += 1
            fresh += 1
            unseen.append(word)
            lives.append(0.0)
            lives_time.append(0.0)
            surprise += scale
            surprise_max = scale
            continue
        n = count[at]
        times = thrown[at]
        life, life_time = life_revs[at], float(life_s[at])
        if n:
            since = since_rev[at]
            if since != UNKNOWN:
                life += span - since
                life_time += max(now_s - since_s[at], 0.0)
                lives.append(log1p(life))
                lives_time.append(log1p(life_time))
            here = scale - log(n + 1.0)
        else:
            fresh += 1
            unseen.append(word)
            lives.append(log1p(life))
            lives_time.append(log1p(life_time))
            here = scale
            if since_rev[at] != UNKNOWN and not gone_since <= span - since_rev[at]:
                gone_since = float(span - since_rev[at])
        surprise += here
        if here > surprise_max:
            surprise_max = here
        if times:
            thrown_words += 1
            thrown_sum += times
            if times > thrown_max:
                thrown_max = times
            ratio = times / (1.0 + life * 0.1)
            if ratio > against:
                against = ratio

    # What went.
    lost = list(delta.lost.items())[:MAX_LOOKED_UP]
    vanished = removed_thrown = 0
    removed_surprise = 0.0
    ages: list[float] = []
    ages_time: list[float] = []
    for word, n in lost:
        at = index.get(word)
        if at is None:
            continue
        here_now = count[at]
        removed_surprise += scale - log(here_now + 1.0)
        if here_now <= n:
            vanished += 1
        if thrown[at]:
            removed_thrown += 1
        since = since_rev[at]
        if since != UNKNOWN and here_now:
            ages.append(log1p(life_revs[at] + span - since))
            ages_time.append(log1p(life_s[at] + max(now_s - since_s[at], 0.0)))

    came, went = len(gained), len(lost)
    row = [
        fresh / came if came else nan,
        log1p(fresh),
        surprise / came if came else nan,
        surprise_max if came else nan,
        removed_surprise / went if went else nan,
        _gibberish(unseen, delta) if unseen else nan,
        vanished / went if went else nan,
        log1p(len(delta.gained)),
        log1p(len(delta.lost)),
        *_runs(unseen),
    ]
    known_thrown = came and (warm or thrown_sum)
    row += (
        never / came if came and warm else nan,
        log1p(thrown_max) if known_thrown else nan,
        log1p(thrown_sum / came) if known_thrown else nan,
        thrown_words / came if known_thrown else nan,
        log1p(against) if known_thrown else nan,
    )
    if warm and lives:
        mean, mean_time = sum(lives) / len(lives), sum(lives_time) / len(lives)
        row += (min(lives), mean, max(lives), mean_time)
    else:
        mean = mean_time = nan
        row += (nan, nan, nan, nan)
    if warm and ages:
        age, age_time = sum(ages) / len(ages), sum(ages_time) / len(ages)
        row += (min(ages), age, max(ages), age_time, min(ages_time), removed_thrown / went)
        row += (age - mean, age_time - mean_time)
    else:
        row += (nan,) * 8
    row.append(log1p(gone_since))
    return row


def _of_difference(delta: TextDelta) -> list[float]:
    """Where the page is not known, every word that came counts as new to it."""
    gained = list(delta.gained)[:MAX_LOOKED_UP]
    known = {
        "gibberish": _gibberish(gained, delta) if gained else nan,
        "net_added": log1p(len(delta.gained)),
        "net_removed": log1p(len(delta.lost)),
        **dict(zip(("keyboard_run", "consonant_run"), _runs(gained), strict=True)),
    }
    return [known.get(name, nan) for name in WORD_CONTENT_NAMES + WORD_HISTORY_NAMES]


def _runs(unseen: list[str]) -> tuple[float, float]:
    """Letters side by side on the keyboard, and Latin consonants in a row, in words new to the page."""
    if not unseen:
        return nan, nan
    longest = 0
    for word in unseen[:MAX_RUN_WORDS]:
        run = 0
        for at in range(min(len(word), MAX_RUN_LETTERS) - 1):
            run = run + 1 if word[at : at + 2] in _NEIGHBOURS else 0
            if run > longest:
                longest = run
    found = _CONSONANTS.findall(" ".join(unseen[:MAX_RUN_WORDS]))
    return float(longest), float(max(map(len, found), default=0))


def _gibberish(unseen: list[str], delta: TextDelta) -> float:
    """Share of the new words' letter triples that stand nowhere in the page's first text: the page
    itself is the sample of its language, whichever that is."""
    triples: list[str] = []
    for word in unseen:
        if len(word) > 3 and not word.isdecimal():
            triples += [word[at : at + 3] for at in range(0, len(word) - 2, 2)]
            if len(triples) >= _TRIGRAMS:
                break
    if not triples:
        return nan
    size = 0
    sample: list[str] = []
    for line in delta.before_lines:
        sample.append(line)
        size += len(line)
        if size > _SAMPLE:
            break
    if size < 1_000:
        return nan
    text = "\n".join(sample)[:_SAMPLE].lower()
    triples = triples[:_TRIGRAMS]
    return sum([triple not in text for triple in triples]) / len(triples)
