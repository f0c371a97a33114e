"""Evidence -> alert or nothing: thresholds with hysteresis, skip rules, cool-down, and what settles an
episode. Alert ids are digests of what the episode is, so a replay gives the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Protocol

import msgspec

from streams.records import (
    Alert,
    AlertKind,
    AlertStatus,
    ChangeType,
    Edit,
    FactChange,
    LogEvent,
    Reason,
    Score,
    Severity,
)
from streams.stages.links import Links
from streams.stages.track import Dispute, LabelUpdate, Observation
from streams.state.episode import EpisodeState, OpenDispute, OpenSuspect
from streams.state.page import EntryFlag, PageView

#: Open suspects a page may have; the oldest is settled for a further one: more come only from a flood.
SUSPECTS_CAP = 16
#: Revisions named in one episode.
REVISIONS_CAP = 50
_HOUR_S = 3_600.0


class AlertPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When evidence becomes an alert."""

    threshold: float | None = None
    """revert_risk from which an edit is suspect, whatever is known of it; None: what its score says."""
    warning_share: float = 0.6
    """Share of the way from its threshold to 1 at which an alert is a warning, not just information."""
    vandalism_risk: float = 0.5
    """revert_risk from which an edit counts as vandalism, not as one side of a dispute, where its own
    threshold is not lower."""
    join_share: float = 0.5
    """Hysteresis: a further edit of the same performer joins an open episode from this share of the
    threshold on."""
    settle_s: float = 48 * _HOUR_S
    """A suspect edit that stood so long counts as kept."""
    mutual_reverts: int = 3
    """Reverts among editors who reverted one another, within a day, that make a page contested."""
    mutual_reverts_if_tagged: int = 2
    """The same, where the page carries a dispute template."""
    dispute_settle_s: float = 24 * _HOUR_S
    """Without a further revert for so long, a dispute has settled."""
    dispute_quiet_s: float = 6 * _HOUR_S
    """Cool-down after that."""


class Evidence(Protocol):
    """What is worked out only for edits that alert."""

    @property
    def with_content(self) -> bool: ...

    def reasons(self) -> tuple[Reason, ...]: ...

    def fact_changes(self) -> tuple[FactChange, ...]: ...


def digest(*parts: object) -> str:
    """Stable id of what the parts name: 128 bits as hex."""
    text = "\x1f".join(str(part) for part in parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


class Decider:
    """Decides by `policy`; keeps nothing itself: what is open on a page is in its `EpisodeState`."""

    def __init__(self, policy: AlertPolicy, links: Links) -> None:
        self.policy = policy
        self._links = links

    def decide(
        self,
        episode: EpisodeState,
        edit: Edit,
        observation: Observation,
        view: PageView,
        disputes: Sequence[str],
        score: Score,
        evidence: Evidence,
    ) -> list[Alert]:
        """What one edit changes: settles what it reverts, opens or updates what it makes suspect or
        contested. Changes `episode` in place."""
        alerts = self._settle(episode, edit, observation)
        if self._is_suspect(episode, edit, observation, view, score):
            if len(episode.suspects) >= SUSPECTS_CAP and _own_open(episode, edit.performer) is None:
                crowded = episode.suspects.pop(0)
                alerts.append(_expired(crowded.last, edit.event_time, "crowded out"))
            alerts.append(self._suspect(episode, edit, observation, view, score, evidence))
        if observation.dispute is not None:
            contested = self._contested(episode, edit, observation, disputes, evidence)
            if contested is not None:
                alerts.append(contested)
        return alerts

    def threshold_of(self, threshold: float) -> float:
        """The operator's threshold, or the one given with a score."""
        return threshold if self.policy.threshold is None else self.policy.threshold

    def _is_suspect(
        self,
        episode: EpisodeState,
        edit: Edit,
        observation: Observation,
        view: PageView,
        score: Score,
    ) -> bool:
        risk, threshold = score.revert_risk, self.threshold_of(score.threshold)
        if risk < threshold * self.policy.join_share:
            return False
        if observation.already_reverted or edit.bot or edit.is_new:
            return False
        revert = observation.revert
        if revert is not None and revert.self_revert:
            return False
        if view.restores_back and not view.restores_reverted:
            return False  # a text that stood before: a revert, or nothing changed
        if revert is not None and revert.evidence == "comment":
            return False  # an undo or a rollback by the wiki's own tools
        return risk >= threshold or _own_open(episode, edit.performer) is not None

    def _suspect(
        self,
        episode: EpisodeState,
        edit: Edit,
        observation: Observation,
        view: PageView,
        score: Score,
        evidence: Evidence,
    ) -> Alert:
        open_suspect = _own_open(episode, edit.performer)
        facts = evidence.fact_changes()
        good = self._last_good(episode, edit, observation, view)
        if open_suspect is not None:
            alert_id, start = open_suspect.alert_id, open_suspect.episode_start
            facts = _merge(open_suspect.last.fact_changes, facts)
            good = open_suspect.last.last_good_rev_id
            risk = max(score.revert_risk, open_suspect.last.revert_risk or 0.0)
        else:
            alert_id = digest(AlertKind.EDIT_SUSPECT, edit.wiki, edit.rev_id)
            start, risk = edit.event_time, score.revert_risk
        threshold = self.threshold_of(score.threshold)
        severe = risk >= threshold + self.policy.warning_share * (1.0 - threshold)
        count = len(open_suspect.rev_ids) + 1 if open_suspect is not None else 1
        alert = self._alert(
            edit,
            kind=AlertKind.EDIT_SUSPECT,
            status=AlertStatus.UPDATED if open_suspect is not None else AlertStatus.OPEN,
            severity=Severity.WARNING if severe else Severity.INFO,
            alert_id=alert_id,
            episode_start=start,
            what=_what_changed(facts) if count == 1 else f"{count} edits in a row",
            revert_risk=risk,
            with_content=evidence.with_content,
            model_version=score.model_version,
            reasons=evidence.reasons(),
            fact_changes=facts,
            good=good,
            evidence={"edits": count},
        )
        deadline = edit.event_time + self.policy.settle_s
        if open_suspect is not None:
            if len(open_suspect.rev_ids) < REVISIONS_CAP:
                open_suspect.rev_ids.append(edit.rev_id)
                open_suspect.standing.append(edit.rev_id)
            open_suspect.last, open_suspect.deadline = alert, deadline
        else:
            episode.suspects.append(
                OpenSuspect(
                    alert_id, edit.performer, start, [edit.rev_id], [edit.rev_id], alert, deadline
                )
            )
        return alert

    def _contested(
        self,
        episode: EpisodeState,
        edit: Edit,
        observation: Observation,
        disputes: Sequence[str],
        evidence: Evidence,
    ) -> Alert | None:
        dispute = observation.dispute
        if dispute is None:
            return None
        policy = self.policy
        needed = policy.mutual_reverts_if_tagged if disputes else policy.mutual_reverts
        open_dispute = episode.dispute
        if open_dispute is None and (
            dispute.mutual_reverts < needed
            or len(dispute.editors) < 2
            or edit.event_time < episode.dispute_quiet_until
            or not self._is_no_cleanup(dispute)
        ):
            return None
        if open_dispute is not None and not dispute.mutual_reverts:
            return None
        if open_dispute is not None:
            alert_id, start = open_dispute.alert_id, open_dispute.episode_start
            facts = _newest_first(evidence.fact_changes(), open_dispute.last.fact_changes)
        else:
            alert_id = digest(AlertKind.PAGE_CONTESTED, edit.wiki, edit.rev_id)
            start, facts = edit.event_time, evidence.fact_changes()
        alert = self._alert(
            edit,
            kind=AlertKind.PAGE_CONTESTED,
            status=AlertStatus.UPDATED if open_dispute is not None else AlertStatus.OPEN,
            severity=Severity.WARNING,
            alert_id=alert_id,
            episode_start=start,
            what=f"{dispute.mutual_reverts} mutual reverts of {len(dispute.editors)} editors in a day",
            fact_changes=facts,
            good=open_dispute.last.last_good_rev_id if open_dispute is not None else dispute.before,
            evidence={
                "mutual_reverts": dispute.mutual_reverts,
                "editors": list(dispute.editors[:10]),
                "controversy": dispute.controversy,
                "dispute_templates": list(disputes[:10]),
            },
        )
        deadline = edit.event_time + policy.dispute_settle_s
        episode.dispute = OpenDispute(alert_id, start, dispute.mutual_reverts, alert, deadline)
        return alert

    @staticmethod
    def _is_no_cleanup(dispute: Dispute) -> bool:
        """At least two parties: editors of whose edits that were undone most did not look like
        vandalism when they were made. A vandal who puts a text back again and again is none."""
        undone: dict[str, list[bool]] = {}
        for entry in dispute.involved:
            plain = not entry.flags & EntryFlag.SUSPECT
            undone.setdefault(entry.performer, []).append(plain)
        return sum(1 for edits in undone.values() if 2 * sum(edits) > len(edits)) >= 2

    def _settle(self, episode: EpisodeState, edit: Edit, observation: Observation) -> list[Alert]:
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
        alerts: list[Alert] = []
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
            alerts.append(self.resolve(suspect.last, edit, outcome, by))
            if by == edit.rev_id:  # else a late edit only showed that an earlier one was the revert
                settled.append(suspect)
        if settled:
            alerts.append(self._corrected(edit, observation, settled))
        return alerts

    def resolve(self, last: Alert, edit: Edit, outcome: str, reverted_by: int) -> Alert:
        extra: dict[str, float | int | str | list[str]] = {"reverted_by": reverted_by}
        event_time = edit.event_time
        if reverted_by == edit.rev_id:
            extra["settled_by"] = edit.performer
        else:
            event_time = max(event_time, last.event_time)
        extra["open_s"] = event_time - last.episode_start
        return _changed(
            last,
            status=AlertStatus.RESOLVED,
            event_time=event_time,
            rev_id=reverted_by,
            outcome=outcome,
            extra=extra,
        )

    def _corrected(self, edit: Edit, observation: Observation, settled: Sequence[OpenSuspect]) -> Alert:
        facts = tuple(
            msgspec.structs.replace(
                fact,
                before=fact.after,
                after=fact.before,
                change_type=_TURNED.get(fact.change_type, fact.change_type),
                before_values=fact.after_values,
                after_values=fact.before_values,
            )
            for suspect in settled
            for fact in suspect.last.fact_changes
        )
        return self._alert(
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

    def settle_by_tag(self, episode: EpisodeState, label: LabelUpdate, event_time: float) -> list[Alert]:
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
                    _changed(
                        suspect.last,
                        status=AlertStatus.RESOLVED,
                        event_time=event_time,
                        rev_id=rev_id,
                        outcome="reverted",
                        extra={"open_s": event_time - suspect.episode_start},
                    )
                )
        return alerts

    def decide_log(self, episode: EpisodeState, event: LogEvent) -> list[Alert]:
        """A protection while a dispute is open is told; a deletion ends whatever is open."""
        alerts = []
        if event.log_type == "protect" and episode.dispute is not None:
            last = episode.dispute.last
            alert = _changed(
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
            alerts.extend(self._close_all(episode, event.event_time, "page deleted"))
        return alerts

    def expire(self, episode: EpisodeState, time: float) -> list[Alert]:
        """Settle what nobody touched until its deadline. `time` is the watermark."""
        alerts = []
        for suspect in [s for s in episode.suspects if s.deadline <= time]:
            episode.suspects.remove(suspect)
            alerts.append(_expired(suspect.last, suspect.deadline, "kept"))
        dispute = episode.dispute
        if dispute is not None and dispute.deadline <= time:
            episode.dispute = None
            episode.dispute_quiet_until = dispute.deadline + self.policy.dispute_quiet_s
            alerts.append(_expired(dispute.last, dispute.deadline, "settled"))
        return alerts

    def _close_all(self, episode: EpisodeState, time: float, outcome: str) -> list[Alert]:
        alerts = [_expired(suspect.last, time, outcome) for suspect in episode.suspects]
        episode.suspects.clear()
        if episode.dispute is not None:
            alerts.append(_expired(episode.dispute.last, time, outcome))
            episode.dispute = None
        return alerts

    def _last_good(
        self, episode: EpisodeState, edit: Edit, observation: Observation, view: PageView
    ) -> int | None:
        """Never a revision that is suspect itself: then what was good before that one."""
        good = observation.last_good_rev
        for suspect in reversed(episode.suspects):
            if good in suspect.rev_ids:
                good = suspect.last.last_good_rev_id
        if good is None and view.recent == 0:
            good = edit.parent_id  # the page was not seen before: all that is known of it
        return good

    def _alert(
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


_TURNED = {
    ChangeType.INSERTION: ChangeType.DELETION,
    ChangeType.DELETION: ChangeType.INSERTION,
}
_HEADLINES = {
    AlertKind.EDIT_SUSPECT: "Suspect edit",
    AlertKind.PAGE_CONTESTED: "Contested page",
    AlertKind.FACT_CORRECTED: "Corrected",
}


def _own_open(episode: EpisodeState, performer: str) -> OpenSuspect | None:
    for suspect in reversed(episode.suspects):
        if suspect.performer == performer:
            return suspect
    return None


def _changed(
    last: Alert,
    *,
    status: AlertStatus,
    event_time: float,
    rev_id: int,
    outcome: str | None,
    extra: dict[str, float | int | str | list[str]],
    by: str = "",
) -> Alert:
    """`by`: the event that changed it, where several may in one second."""
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


def _expired(last: Alert, time: float, outcome: str) -> Alert:
    return _changed(
        last,
        status=AlertStatus.RESOLVED,
        event_time=time,
        rev_id=last.rev_id,
        outcome=outcome,
        extra={"open_s": time - last.episode_start},
    )


def _merge(
    known: tuple[FactChange, ...], new: tuple[FactChange, ...], limit: int = 8
) -> tuple[FactChange, ...]:
    """Changes of one episode, the newest state of each fact; `before` stays that of its first."""
    by_key = {fact.fact_key: fact for fact in known}
    for fact in new:
        first = by_key.get(fact.fact_key)
        if first is not None:
            fact = msgspec.structs.replace(fact, before=first.before, before_values=first.before_values)
        by_key[fact.fact_key] = fact
    return tuple(by_key.values())[-limit:]


def _newest_first(
    new: tuple[FactChange, ...], known: tuple[FactChange, ...], limit: int = 8
) -> tuple[FactChange, ...]:
    """The disputed sentences: as the latest revert changed them, then those of earlier ones."""
    keys = {fact.fact_key for fact in new}
    return (new + tuple(fact for fact in known if fact.fact_key not in keys))[:limit]


def _what_changed(facts: Sequence[FactChange]) -> str:
    """The most telling change, in a few words."""
    if not facts:
        return "text not known"
    first = facts[0]
    more = f" (and {len(facts) - 1} more)" if len(facts) > 1 else ""
    if first.change_type is ChangeType.DELETION:
        return f"removed “{_cut(first.before)}”{more}"
    if first.change_type is ChangeType.INSERTION:
        return f"added “{_cut(first.after)}”{more}"
    if first.before_values or first.after_values:
        old = ", ".join(first.before_values[:3]) or "nothing"
        new = ", ".join(first.after_values[:3]) or "nothing"
        return f"{first.change_type} changed from {_cut(old)} to {_cut(new)}{more}"
    return f"{first.change_type} changed in “{_cut(first.after)}”{more}"


def _cut(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _duration(seconds: float) -> str:
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name}"
    return f"{seconds:.0f} s"
