"""What ends an episode: a revert of the suspect edits, the wiki's own tag, a deletion, time."""

from __future__ import annotations

from collections.abc import Sequence

from streams.records import Alert, AlertKind, AlertStatus, Edit, LogEvent, Severity
from streams.stages.alerts import Alerts, changed, digest, expired
from streams.stages.episode_facts import mirrored
from streams.stages.track import LabelUpdate, Observation
from streams.state.episode import EpisodeState, OpenSuspect


def settle_undone(
    alerts: Alerts, episode: EpisodeState, edit: Edit, observation: Observation
) -> list[Alert]:
    """Suspects that this edit undid are resolved, and one correction names them."""
    if not episode.suspects:
        return []
    undone = {label.entry.rev_id for label in observation.labels if not label.retracted}
    withdrawn: set[int] = set()
    if observation.revert is not None:
        withdrawn = {
            entry.rev_id for entry in observation.revert.undone if entry.performer == edit.performer
        } - undone
    reverted_by = {label.entry.rev_id: label.reverted_by for label in observation.labels}
    resolved: list[Alert] = []
    settled: list[OpenSuspect] = []
    for suspect in list(episode.suspects):
        gone = [rev for rev in suspect.standing if rev in undone or rev in withdrawn]
        if not gone:
            continue
        suspect.standing = [rev for rev in suspect.standing if rev not in gone]
        if suspect.standing:
            continue
        episode.suspects.remove(suspect)
        outcome = "reverted" if any(rev in undone for rev in gone) else "withdrawn"
        by = reverted_by.get(gone[-1], 0) or edit.rev_id
        resolved.append(_resolved(suspect.last, edit, outcome, by))
        if by == edit.rev_id:  # else a late edit only showed that an earlier one was the revert
            settled.append(suspect)
    if settled:
        resolved.append(_corrected(alerts, edit, observation, settled))
    return resolved


def settle_by_tag(episode: EpisodeState, label: LabelUpdate, event_time: float) -> list[Alert]:
    """The wiki tagged a suspect edit `mw-reverted`: by whom is not told."""
    rev_id = label.entry.rev_id
    alerts = []
    for suspect in list(episode.suspects):
        if rev_id not in suspect.standing:
            continue
        suspect.standing.remove(rev_id)
        if not suspect.standing:
            episode.suspects.remove(suspect)
            alerts.append(
                changed(
                    suspect.last,
                    status=AlertStatus.RESOLVED,
                    event_time=event_time,
                    rev_id=rev_id,
                    outcome="reverted",
                    extra={"open_s": event_time - suspect.episode_start},
                )
            )
    return alerts


def settle_by_log(episode: EpisodeState, event: LogEvent) -> list[Alert]:
    """A protection while a dispute is open is told; a deletion ends whatever is open."""
    alerts = []
    if event.log_type == "protect" and episode.dispute is not None:
        last = episode.dispute.last
        alert = changed(
            last,
            status=AlertStatus.UPDATED,
            event_time=event.event_time,
            rev_id=last.rev_id,
            outcome=None,
            extra={
                "protection": event.log_action,
                "restrictions": list(event.restrictions),
                "protected_by": event.performer,
            },
            by=event.event_id,
        )
        episode.dispute.last = alert
        alerts.append(alert)
    if event.log_type == "delete" and event.log_action in ("delete", "delete_redir"):
        alerts.extend(_close_all(episode, event.event_time, "page deleted"))
    return alerts


def settle_by_time(episode: EpisodeState, time: float, dispute_quiet_s: float) -> list[Alert]:
    """Settle what nobody touched until its deadline. `time` is the watermark, `dispute_quiet_s` the
    cool-down after a dispute."""
    alerts = []
    for suspect in [s for s in episode.suspects if s.deadline <= time]:
        episode.suspects.remove(suspect)
        alerts.append(expired(suspect.last, suspect.deadline, "kept"))
    dispute = episode.dispute
    if dispute is not None and dispute.deadline <= time:
        episode.dispute = None
        episode.dispute_quiet_until = dispute.deadline + dispute_quiet_s
        alerts.append(expired(dispute.last, dispute.deadline, "settled"))
    return alerts


def _resolved(last: Alert, edit: Edit, outcome: str, reverted_by: int) -> Alert:
    extra: dict[str, float | int | str | list[str]] = {"reverted_by": reverted_by}
    event_time = edit.event_time
    if reverted_by == edit.rev_id:
        extra["settled_by"] = edit.performer
    else:
        event_time = max(event_time, last.event_time)
    extra["open_s"] = event_time - last.episode_start
    return changed(
        last,
        status=AlertStatus.RESOLVED,
        event_time=event_time,
        rev_id=reverted_by,
        outcome=outcome,
        extra=extra,
    )


def _corrected(
    alerts: Alerts, edit: Edit, observation: Observation, settled: Sequence[OpenSuspect]
) -> Alert:
    facts = tuple(mirrored(fact) for suspect in settled for fact in suspect.last.fact_changes)
    return alerts.of_edit(
        edit,
        kind=AlertKind.FACT_CORRECTED,
        status=AlertStatus.RESOLVED,
        severity=Severity.INFO,
        alert_id=digest(AlertKind.FACT_CORRECTED, edit.wiki, edit.rev_id),
        episode_start=settled[0].episode_start,
        what=f"restored after {_duration(edit.event_time - settled[0].episode_start)}",
        fact_changes=facts,
        good=edit.rev_id,
        related=tuple(suspect.alert_id for suspect in settled),
        evidence={"restores": observation.revert.to_rev} if observation.revert else {},
    )


def _close_all(episode: EpisodeState, time: float, outcome: str) -> list[Alert]:
    alerts = [expired(suspect.last, time, outcome) for suspect in episode.suspects]
    episode.suspects.clear()
    if episode.dispute is not None:
        alerts.append(expired(episode.dispute.last, time, outcome))
        episode.dispute = None
    return alerts


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
