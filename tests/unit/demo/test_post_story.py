"""What is posted in the demo, as data: it can be told again and again, and every frame is a post."""

from __future__ import annotations

import json
from itertools import takewhile

import pytest

from streams.demo.people import PEOPLE, Network
from streams.demo.post_story import (
    POST_STORY,
    AnyPostStep,
    Deletes,
    Reposts,
    Rewords,
    Says,
    chatter,
    post_steps,
)
from streams.demo.posters import Happened, Posters
from streams.demo.scenario import PAUSE_S, STORY, STORY_S, Replace, Rollback
from streams.posts import Post, PostsGone
from streams.stages.amplification_policy import AmplificationPolicy
from streams.stages.posts.authors import Authors
from streams.stages.posts.mastodon import wrapped
from streams.stages.posts.normalize import NormalizedPost, PostNormalizer

NOW = 1_790_000_000.0
TELLING_S = STORY_S + PAUSE_S


def told(tellings: int) -> list[tuple[AnyPostStep, Happened]]:
    posters = Posters()
    steps = takewhile(lambda told: told[1].at_s < tellings * TELLING_S, post_steps())
    return [(step, posters.apply(telling, step, NOW + step.at_s)) for telling, step in steps]


def as_record(happened: Happened, at: float) -> NormalizedPost:
    body = happened.body
    data = (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
    if happened.network is Network.MASTODON:
        data = wrapped("127.0.0.1:1", happened.kind, data, at)
    return PostNormalizer(Authors(None))(data)


def of_the_year(step: AnyPostStep) -> bool:
    return isinstance(step, Says) and "Valdane" in step.text and "1971" in step.text


def test_every_frame_is_a_post_or_a_deletion() -> None:
    records = [(step, as_record(happened, NOW + step.at_s)) for step, happened in told(2)]
    assert {type(record) for _, record in records} == {Post, PostsGone}
    for step, record in records:
        assert isinstance(record, PostsGone) is isinstance(step, Deletes)
        assert record.event_time == pytest.approx(NOW + step.at_s, abs=300)
        if isinstance(step, Says):
            assert isinstance(record, Post)
            assert record.text == step.text.strip()
            assert record.language == step.language
            assert record.url.startswith("https://")
            assert record.links == ((step.link,) if step.link else ())


def test_a_repost_a_rewording_and_a_deletion_name_the_post_they_are_about() -> None:
    records = [(step, as_record(happened, NOW)) for step, happened in told(1)]
    by_text = {step.key: record for step, record in records if isinstance(step, Says) and step.key}
    for step, record in records:
        if isinstance(step, Says):
            continue
        original = by_text[step.of]
        assert isinstance(original, Post)
        if isinstance(step, Reposts):
            assert isinstance(record, Post)
            assert (record.repost_of, record.text) == (original.post_id, "")
        else:
            assert not isinstance(record, Post) or record.edited_time is not None
            assert record.post_id == original.post_id  # type: ignore[union-attr]  # whatever it is
        if isinstance(step, Rewords):
            assert isinstance(record, Post)
            assert record.author == original.author
            assert record.text != original.text


def test_each_telling_makes_posts_of_its_own() -> None:
    records = [as_record(happened, NOW) for step, happened in told(3) if isinstance(step, Says)]
    names = [record.key for record in records if isinstance(record, Post)]
    assert len(set(names)) == len(names) > 3 * len(POST_STORY) / 2


def test_enough_people_repeat_the_year_before_its_revert_and_some_after() -> None:
    """So that it is amplified while it stands, at normal speed: posts count ten seconds late."""
    edit, revert = (
        next(step.at_s for step in STORY if isinstance(step, kind) and step.title == "Mira Valdane")
        for kind in (Replace, Rollback)
    )
    policy = AmplificationPolicy()
    states = [step for step in POST_STORY if of_the_year(step) or isinstance(step, Reposts)]
    assert all(step.at_s > edit for step in states)
    early = [step for step in states if step.at_s < revert - 15]
    assert len(early) >= policy.posts + 3  # some of them ask or deny
    assert len({step.by.name for step in early if isinstance(step, Says | Reposts)}) > policy.authors
    assert len([step for step in states if step.at_s > revert]) >= 4


def test_a_deleted_and_a_reworded_post_stood_long_enough_to_be_told_of_ten_times_faster() -> None:
    made = {step.key: step.at_s for step in POST_STORY if isinstance(step, Says)}
    for step in POST_STORY:
        if isinstance(step, Rewords | Deletes):
            assert step.at_s - made[step.of] > 10 * 10 + 20


def test_networks_languages_and_people_are_mixed() -> None:
    says = [step for step in POST_STORY if isinstance(step, Says)]
    assert {step.by.network for step in says} == set(Network)
    assert len({step.language for step in says}) >= 5
    assert {step.by.name for step in says} == {person.name for person in PEOPLE}
    assert any("<script>" in step.text and "\u202e" in step.text for step in says)


def test_small_talk_goes_on_and_says_nothing_of_the_story() -> None:
    talk = list(takewhile(lambda step: step.at_s < 1_000, chatter()))
    assert len(talk) > 500
    assert {step.by.network for step in talk} == set(Network)
    assert not any("Valdane" in step.text or "482" in step.text for step in talk)
