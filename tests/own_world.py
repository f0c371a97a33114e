"""Histories in which wikis revert more than the model thinks, some of it late and some after a move."""

from __future__ import annotations

import random
from typing import NamedTuple

import msgspec

from streams.records import TagsChange
from tests.core_world import DAY, HOUR, EditWorld, Record


class Story(NamedTuple):
    records: list[Record]
    risks: dict[int, float]


def story(seed: int, days: int = 9) -> Story:
    """Two wikis, of which one reverts much. Some pages move before it does, and some reverts are told of two or
    three days later, by a tag: half of these too late to count."""
    chance = random.Random(seed)
    came: list[tuple[float, Record]] = []
    risks: dict[int, float] = {}
    for wiki, share in (("enwiki", 0.5), ("dewiki", 0.1)):
        world = EditWorld(wiki=wiki)
        world._rev_id += 100_000 * len(risks)
        for number in range(days * 5):
            title = f"Page {number}"
            good = world.edit("Ann", "It is a tower.", title=title, risk=0.05)
            who = "Ben" if number % 2 else "192.0.2.7"
            bad = world.edit(
                who, f"It is {number} towers.", title=title, risk=chance.choice((0.3, 0.6, 0.9))
            )
            if chance.random() < 0.3:
                world.move(f"Moved {number}", title)
                title = f"Moved {number}"
            fate = chance.random()
            if fate < share:
                world.wait(chance.choice((0.0, 5 * HOUR)))
                assert good.content is not None
                world.edit("Zoe", good.content.revision.text, title=title, risk=0.05)
            elif fate < share + 0.3:
                said = bad.event_time + HOUR
                tag = TagsChange(
                    event_id=f"tag-{bad.rev_id}",
                    wiki=wiki,
                    rev_id=bad.rev_id,
                    title=title,
                    tags=("mw-reverted",),
                    event_time=said,
                    arrival_time=said,
                )
                came.append((bad.event_time + chance.choice((2.2, 2.6, 3.2, 3.6)) * DAY, tag))
            world.wait(4 * HOUR)
        for record in world.records:
            event_id = f"{wiki}-{record.event_id}"
            came.append((record.event_time, msgspec.structs.replace(record, event_id=event_id)))
        risks |= world.risks
    return Story([record for _, record in sorted(came, key=lambda one: one[0])], risks)


def one_page(days: int = 7) -> EditWorld:
    """Reverted every day."""
    world = EditWorld()
    for _ in range(days):
        good = world.edit("Ann", "It is a tower.", risk=0.05)
        world.edit("Ben", "It is none.", risk=0.6)
        world.revert("Zoe", good, risk=0.05)
        world.wait(DAY - 4 * world.step_s)
    return world
