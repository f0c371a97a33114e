"""Finding the verified claim that a tweet repeats, among all of them, as if each were a hot fact.

    python -m tests.benchmarks.bench_claims [--split train|dev|all]

Real data (CheckThat 2022, task 2a), which is not part of the project: without it nothing is measured.
Beside it, in the same run, plain TF-IDF scans of all claims. A claim's text is its title and what it says.
Speeds are in processor time, one thread.
"""

from __future__ import annotations

import models.threads  # noqa: F401  # isort: skip  # before NumPy

import argparse
import gzip
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from streams.matching.folding import fold
from streams.matching.index import HotFactIndex
from streams.matching.post_words import post_words
from streams.matching.ranking import DEPTH, rank
from streams.posts import HotFact, HotKind
from streams.records import ChangeType, FactChange
from tests.conftest import data_directory

ASKED = {"train": 0.82, "dev": 0.86}
"""MAP@5 of the cascade."""

Row = dict[str, Any]


def rows(path: Path) -> list[Row]:
    with gzip.open(path) as lines:
        return [msgspec.json.decode(line) for line in lines]


def claim_fact(claim: Row) -> HotFact:
    """A claim as a fact that came up: no page, nothing before."""
    return HotFact(
        hot_id=claim["vclaim_id"],
        alert_id="",
        kind=HotKind.VANDALISED,
        wiki="enwiki",
        server_name="",
        title="",
        names=(),
        fact=FactChange(
            fact_key=claim["vclaim_id"],
            change_type=ChangeType.INSERTION,
            section="",
            before="",
            after=claim_text(claim),
        ),
        rev_id=0,
        since=0.0,
    )


def claim_text(claim: Row) -> str:
    return f"{claim['title']} {claim['vclaim']}"


def mean_average_precision(
    found: Sequence[Sequence[str]], right: Sequence[str], depth: int = 5
) -> float:
    """Each tweet has one right claim."""
    ranks = [
        list(ids[:depth]).index(one) + 1 if one in ids[:depth] else 0
        for ids, one in zip(found, right, strict=True)
    ]
    return sum(1 / at for at in ranks if at) / len(ranks)


def scan(vectorizer: TfidfVectorizer, claims: Sequence[Row], tweets: Sequence[str]) -> list[list[str]]:
    """All claims held against all tweets, by cosine."""
    texts = vectorizer.fit_transform([claim_text(claim) for claim in claims])
    scores = (vectorizer.transform(tweets) @ texts.T).toarray()
    return [[claims[at]["vclaim_id"] for at in line] for line in np.argsort(-scores, axis=1)[:, :5]]


def timed(find: Callable[[], list[list[str]]], count: int) -> tuple[list[list[str]], float]:
    """What it found, and tweets a second."""
    start = time.process_time()
    found = find()
    return found, count / (time.process_time() - start)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("train", "dev", "all"), default="all")
    asked = parser.parse_args().split
    posts = data_directory() / "posts"
    if not posts.is_dir():
        print(f"no real data in {posts}: nothing measured")
        return 0
    claims = rows(posts / "verified-claims.jsonl.gz")
    pairs = rows(posts / "tweet-claim-pairs.jsonl.gz")
    index = HotFactIndex()
    start = time.process_time()
    for claim in claims:
        index.put(claim_fact(claim))
    each = (time.process_time() - start) / len(claims)
    print(f"{len(claims):,} claims taken in, {each * 1e3:.3f} ms each")
    good = True
    for split in ("train", "dev") if asked == "all" else (asked,):
        chosen = [pair for pair in pairs if pair["split"] == split]
        tweets = [pair["tweet"] for pair in chosen]
        right = [pair["vclaim_id"] for pair in chosen]
        near = [
            {one.hot_id for one in index.similar(post_words(fold(tweet)), DEPTH)} for tweet in tweets
        ]
        recall = sum(one in ids for one, ids in zip(right, near, strict=True)) / len(right)
        print(
            f"\n{split}: {len(tweets)} tweets; the right claim among the index's {DEPTH}: {recall:.3f}"
        )
        ways: dict[str, Callable[[], list[list[str]]]] = {
            "cascade": lambda tweets=tweets: [
                [one.hot_id for one in rank(index, tweet)] for tweet in tweets
            ],
            "scan, words": lambda tweets=tweets: scan(
                TfidfVectorizer(sublinear_tf=True), claims, tweets
            ),
            "scan, characters": lambda tweets=tweets: scan(
                TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True),
                claims,
                tweets,
            ),
        }
        for name, find in ways.items():
            found, rate = timed(find, len(tweets))
            score = mean_average_precision(found, right)
            bound = f"  (asked: {ASKED[split]})" if name == "cascade" else ""
            good &= name != "cascade" or score >= ASKED[split]
            print(f"  {name:17} MAP@5 {score:.3f}  {rate:8,.0f} tweets/s{bound}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
