"""The table of contents: the stages in travel order, each with its input, key and outputs, as data.

`streams.runners` drive them: embedded in one process, or by topic. Edits go up to decide; posts are
normalized as they are, then matched with the facts that the edits' alerts made hot, and counted.
"""

from __future__ import annotations

import msgspec

from streams.reasons import Stage


class StageEntry(msgspec.Struct, frozen=True):
    stage: Stage
    takes: str
    key: str
    gives: tuple[str, ...]
    module: str


STAGES = (
    StageEntry(Stage.SOURCE, "the outside", "", ("SourceItem",), "streams.sources"),
    StageEntry(
        Stage.NORMALIZE,
        "SourceItem",
        "",
        ("Edit", "LogEvent", "TagsChange", "Post", "PostsGone", "Skip", "DeadLetter"),
        "streams.stages.normalize, streams.stages.posts.normalize",
    ),
    StageEntry(
        Stage.DEDUPLICATE,
        "Edit | LogEvent | TagsChange",
        "event_id",
        ("the same", "Skip"),
        "streams.stages.deduplicate",
    ),
    StageEntry(Stage.CONTENT, "Edit", "wiki, rev_id", ("Edit with Content",), "streams.content"),
    StageEntry(
        Stage.PERFORMER,
        "Edit",
        "wiki, performer",
        ("PerformerView",),
        "streams.state.performer",
    ),
    StageEntry(
        Stage.TRACK,
        "Edit",
        "wiki, title",
        ("PageView", "Observation", "Label"),
        "streams.stages.track",
    ),
    StageEntry(
        Stage.SCORE,
        "Edit, views",
        "",
        ("Score",),
        "models.features, models.classifier, streams.runners.cold_pages",
    ),
    StageEntry(
        Stage.DECIDE,
        "Edit, Observation, Score",
        "wiki, title",
        ("Alert", "FactChange"),
        "streams.stages.decide, streams.stages.facts",
    ),
    StageEntry(
        Stage.MATCH,
        "Post, hot facts",
        "",
        ("Match",),
        "streams.stages.hot_facts, streams.matching.index, streams.matching.matcher",
    ),
    StageEntry(
        Stage.AMPLIFY,
        "Post, Match",
        "hot_id",
        ("Alert",),
        "streams.stages.amplify",
    ),
    StageEntry(
        Stage.COMMIT,
        "a micro-batch of all that",
        "",
        ("state, cursor, alerts, labels, dead letters",),
        "streams.store.sqlite",
    ),
)
