"""How an alert is put together, and how a later state of it is: what it names, where it links, its ids."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from streams.records import Alert, AlertKind, AlertStatus, Edit, FactChange, Reason, Severity
from streams.stages.links import Links

_HEADLINES = {
    AlertKind.EDIT_SUSPECT: "Suspect edit",
    AlertKind.PAGE_CONTESTED: "Contested page",
    AlertKind.FACT_CORRECTED: "Corrected",
}


def digest(*parts: object) -> str:
    """Stable id of what the parts name: 128 bits as hex."""
    text = "\x1f".join(str(part) for part in parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Alerts:
    """Makes alerts, with addresses by `links`."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def of_edit(
        self,
        edit: Edit,
        *,
        kind: AlertKind,
        status: AlertStatus,
        severity: Severity,
        alert_id: str,
        episode_start: float,
        what: str,
        good: int | None,
        evidence: dict[str, float | int | str | list[str]],
        revert_risk: float | None = None,
        with_content: bool = False,
        model_version: str = "",
        reasons: tuple[Reason, ...] = (),
        fact_changes: tuple[FactChange, ...] = (),
        related: tuple[str, ...] = (),
    ) -> Alert:
        """One state change. `what` goes on in the summary; `good` is the revision to go back to."""
        links = self._links
        base = links.base(edit.wiki, edit.server_name)
        return Alert(
            alert_id=alert_id,
            ce_id=digest(alert_id, status, edit.rev_id),
            kind=kind,
            status=status,
            severity=severity,
            wiki=edit.wiki,
            server_name=edit.server_name,
            title=edit.title,
            namespace=edit.namespace,
            page_id=edit.page_id,
            rev_id=edit.rev_id,
            parent_id=edit.parent_id,
            performer=edit.performer,
            performer_kind=edit.performer_kind,
            event_time=edit.event_time,
            episode_start=episode_start,
            summary=f"{_HEADLINES[kind]}: {edit.title} ({edit.wiki}): {what}",
            comment=edit.comment[:500],
            revert_risk=revert_risk,
            with_content=with_content,
            model_version=model_version,
            reasons=reasons,
            fact_changes=fact_changes,
            page_url=links.page(base, edit.script_path, edit.title),
            diff_url=links.diff(base, edit.script_path, edit.rev_id, edit.parent_id),
            last_good_rev_id=good,
            last_good_url=links.revision(base, edit.script_path, good),
            related=related,
            evidence=evidence,
        )


def changed(
    last: Alert,
    *,
    status: AlertStatus,
    event_time: float,
    rev_id: int,
    outcome: str | None,
    extra: dict[str, float | int | str | list[str]],
    by: str = "",
) -> Alert:
    """A later state of `last`. `by`: the event that changed it, where several may in one second."""
    evidence = dict(last.evidence)
    evidence.update(extra)
    if outcome is not None:
        evidence["outcome"] = outcome
    return msgspec.structs.replace(
        last,
        status=status,
        ce_id=digest(last.alert_id, status, rev_id, outcome or by or event_time),
        event_time=event_time,
        evidence=evidence,
    )


def expired(last: Alert, time: float, outcome: str) -> Alert:
    """`last`, resolved by nothing but time or its page."""
    return changed(
        last,
        status=AlertStatus.RESOLVED,
        event_time=time,
        rev_id=last.rev_id,
        outcome=outcome,
        extra={"open_s": time - last.episode_start},
    )
