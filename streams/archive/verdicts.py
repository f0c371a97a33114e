"""What people say of edits that alerted, in the archive: from the topic into their table, and what they make of
an edit's label."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from streams.archive import tables
from streams.archive.delivered import Delivered
from streams.records import EditsVerdict, LabelKind, Verdict

_said = tables.verdicts.alias("said")
_newest = (
    sa.select(
        sa.case(
            (_said.c.verdict == str(Verdict.DAMAGING), str(LabelKind.REVERTED)),
            (_said.c.verdict == str(Verdict.GOOD), str(LabelKind.KEPT)),
        )
    )
    .where(_said.c.wiki == tables.labels.c.wiki, _said.c.rev_id == tables.labels.c.rev_id)
    .order_by(_said.c.written_ms.desc(), _said.c.position.desc())
    .limit(1)
    .scalar_subquery()
    .correlate(tables.labels)
)
#: The label that an edit of `labels` has now: as `streams.store.labelled.LABEL_NOW` has it.
LABEL_NOW = sa.func.coalesce(_newest, tables.labels.c.label)


def write(db: sa.Connection, insert: Any, record: Delivered, verdict: EditsVerdict) -> bool:
    """Whether anything of it is new. `insert` is the one of the database's dialect. A `verdict_id` is
    believed once on each edit: another word under it changes nothing."""
    rows = {
        edit.rev_id: {
            "verdict_id": verdict.verdict_id,
            "wiki": verdict.wiki,
            "rev_id": edit.rev_id,
            "alert_id": verdict.alert_id,
            "title": verdict.title,
            "event_time": edit.event_time,
            "verdict": str(verdict.verdict),
            "given_by": verdict.given_by,
            "given_time": verdict.given_time,
            "note": verdict.note,
            "written_ms": record.written_ms,
            "position": record.position,
        }
        for edit in verdict.edits
    }
    of_it = tables.verdicts.c.verdict_id == verdict.verdict_id, tables.verdicts.c.wiki == verdict.wiki
    known = set(db.scalars(sa.select(tables.verdicts.c.rev_id).where(*of_it)))
    new = [row for rev_id, row in rows.items() if rev_id not in known]
    if new:
        db.execute(insert(tables.verdicts).on_conflict_do_nothing(), new)
    return bool(new)
