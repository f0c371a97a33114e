"""What the guard around the stages makes of a record that one of them can't take."""

from __future__ import annotations

import msgspec

from streams.reasons import DeadReason, Stage
from streams.records import DeadLetter
from streams.sources.base import SourceItem
from streams.stages.normalize import quote_untrusted

_encode_edit = msgspec.json.Encoder().encode


def failed(item: SourceItem, err: Exception, stage: Stage = Stage.TRACK) -> DeadLetter:
    raw = item.raw
    if raw is None:
        bare = msgspec.structs.replace(item.edit, content=None) if item.edit is not None else None
        raw = _encode_edit(bare)
    message = quote_untrusted(f"{type(err).__name__}: {err}")
    return DeadLetter(raw, DeadReason.STAGE_FAILED, stage, message, item.cursor[:200])
