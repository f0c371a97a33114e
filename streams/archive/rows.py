"""What is written of a delivered record, as a row of its table."""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec

from streams.archive.delivered import Delivered, NothingOpen, body_of, headers_of
from streams.records import Alert, Label, PageStatus

Row: TypeAlias = dict[str, Any]
"""Values by column."""


def alert_row(alert: Alert, seq: int) -> Row:
    return {
        "seq": seq,
        "ce_id": alert.ce_id,
        "alert_id": alert.alert_id,
        "kind": str(alert.kind),
        "status": str(alert.status),
        "severity": str(alert.severity),
        "wiki": alert.wiki,
        "title": alert.title,
        "rev_id": alert.rev_id,
        "event_time": alert.event_time,
        "body": body_of(msgspec.structs.replace(alert, posts=())),
    }


def now_row(record: Delivered, alert: Alert, seq: int) -> Row:
    whole = alert_row(alert, seq)
    names = ("alert_id", "seq", "kind", "status", "wiki", "title", "event_time")
    return {name: whole[name] for name in names} | {"written_ms": record.written_ms}


def label_row(record: Delivered, label: Label) -> Row:
    return {
        "wiki": label.wiki,
        "rev_id": label.rev_id,
        "title": label.title,
        "label": None if label.label is None else str(label.label),
        "event_time": label.event_time,
        "labelled_time": label.labelled_time,
        "reverted_by": label.reverted_by,
        "evidence": label.evidence,
        "revert_risk": label.revert_risk,
        "alerted": label.alerted,
        "anonymous": label.anonymous,
        "with_content": label.with_content,
        "written_ms": record.written_ms,
        "position": record.position,
    }


def status_row(record: Delivered, found: PageStatus | NothingOpen, generation: int) -> Row:
    status = found if isinstance(found, PageStatus) else None
    return {
        "page": f"{found.wiki}:{found.title}",
        "wiki": found.wiki,
        "title": found.title,
        "status": str(status.status) if status else None,
        "event_time": status.event_time if status else None,
        "body": body_of(status) if status else None,
        "generation": generation,
        "position": record.position,
    }


def reject_row(record: Delivered, generation: int, reason: str) -> Row:
    return {
        **record.where._asdict(),
        "generation": generation,
        "position": record.position,
        "written_ms": record.written_ms,
        "reason": reason,
        "key": record.key,
        "value": record.value,
        "headers": headers_of(record),
    }
