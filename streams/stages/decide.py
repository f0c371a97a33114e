"""Evidence -> alert or nothing: thresholds with hysteresis, skip rules, cool-down. What ends an episode
is in `settle`. Alert ids are digests of what the episode is, so a replay gives the same ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from streams.records import (
    Alert,
    AlertKind,
    AlertStatus,
    Edit,
    FactChange,
    LogEvent,
    Reason,
    Score,
    Severity,
)
from streams.stages.alerts import Alerts, digest, expired
from streams.stages.controversy import is_quarrel
from streams.stages.episode_facts import merged, newest_first, what_changed
from streams.stages.links import Links
from streams.stages.settle import settle_by_log, settle_by_tag, settle_by_time, settle_undone
from streams.stages.track import LabelUpdate, Observation
from streams.state.episode import EpisodeState, OpenDispute, OpenSuspect
from streams.state.page import PageView

#: Open suspects a page may have; the oldest is settled for a further one: more come only from a flood.
SUSPECTS_CAP = 16
#: Revisions named in one episode.
REVISIONS_CAP = 50
_HOUR_S = 3_600.0


class AlertPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """When evidence becomes an alert."""

    threshold: float | None = None
    """revert_risk from which an edit is suspect, whatever is known of it; None: what its score says."""
    by_wiki: Mapping[str, float] = {}
    """The same for one wiki, asked for with this model: before `threshold`."""
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


class Decider:
    """Decides by `policy`; keeps nothing itself: what is open on a page is in its `EpisodeState`."""

    def __init__(self, policy: AlertPolicy, links: Links) -> None:
        self.policy = policy
        self._alerts = Alerts(links)

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
        alerts = settle_undone(self._alerts, episode, edit, observation)
        if self._is_suspect(episode, edit, observation, view, score):
            if len(episode.suspects) >= SUSPECTS_CAP and _own_open(episode, edit.performer) is None:
                crowded = episode.suspects.pop(0)
                alerts.append(expired(crowded.last, edit.event_time, "crowded out"))
            alerts.append(self._suspect(episode, edit, observation, view, score, evidence))
        if observation.dispute is not None:
            contested = self._contested(episode, edit, observation, disputes, evidence)
            if contested is not None:
                alerts.append(contested)
        return alerts

    def threshold_of(self, threshold: float, wiki: str) -> float:
        """The operator's threshold, or the one given with a score."""
        policy = self.policy
        usual = threshold if policy.threshold is None else policy.threshold
        return policy.by_wiki.get(wiki, usual) if policy.by_wiki else usual

    def _is_suspect(
        self,
        episode: EpisodeState,
        edit: Edit,
        observation: Observation,
        view: PageView,
        score: Score,
    ) -> bool:
        risk, threshold = score.decides, self.threshold_of(score.threshold, edit.wiki)
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
            facts = merged(open_suspect.last.fact_changes, facts)
            good = open_suspect.last.last_good_rev_id
            risk = max(score.revert_risk, open_suspect.last.revert_risk or 0.0)
            decides = max(score.decides, open_suspect.decides or open_suspect.last.revert_risk or 0.0)
        else:
            alert_id = digest(AlertKind.EDIT_SUSPECT, edit.wiki, edit.rev_id)
            start, risk, decides = edit.event_time, score.revert_risk, score.decides
        threshold = self.threshold_of(score.threshold, edit.wiki)
        severe = decides >= threshold + self.policy.warning_share * (1.0 - threshold)
        evidence_of: dict[str, float | int | str | list[str]] = {}
        if score.model_risk is not None:
            evidence_of["model_risk"] = round(decides, 6)
        count = len(open_suspect.rev_ids) + 1 if open_suspect is not None else 1
        alert = self._alerts.of_edit(
            edit,
            kind=AlertKind.EDIT_SUSPECT,
            status=AlertStatus.UPDATED if open_suspect is not None else AlertStatus.OPEN,
            severity=Severity.WARNING if severe else Severity.INFO,
            alert_id=alert_id,
            episode_start=start,
            what=what_changed(facts) if count == 1 else f"{count} edits in a row",
            revert_risk=risk,
            with_content=evidence.with_content,
            model_version=score.model_version,
            reasons=evidence.reasons(),
            fact_changes=facts,
            good=good,
            evidence={"edits": count, **evidence_of},
        )
        deadline = edit.event_time + self.policy.settle_s
        if open_suspect is not None:
            if len(open_suspect.rev_ids) < REVISIONS_CAP:
                open_suspect.rev_ids.append(edit.rev_id)
                open_suspect.standing.append(edit.rev_id)
            open_suspect.last, open_suspect.deadline = alert, deadline
            open_suspect.decides = decides
        else:
            episode.suspects.append(
                OpenSuspect(
                    alert_id,
                    edit.performer,
                    start,
                    [edit.rev_id],
                    [edit.rev_id],
                    alert,
                    deadline,
                    decides,
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
            or edit.event_time < episode.dispute_quiet_until
            or not is_quarrel(dispute, needed)
        ):
            return None
        if open_dispute is not None and not dispute.mutual_reverts:
            return None
        if open_dispute is not None:
            alert_id, start = open_dispute.alert_id, open_dispute.episode_start
            facts = newest_first(evidence.fact_changes(), open_dispute.last.fact_changes)
        else:
            alert_id = digest(AlertKind.PAGE_CONTESTED, edit.wiki, edit.rev_id)
            start, facts = edit.event_time, evidence.fact_changes()
        alert = self._alerts.of_edit(
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

    def decide_log(self, episode: EpisodeState, event: LogEvent) -> list[Alert]:
        """A protection or a deletion of the page."""
        return settle_by_log(episode, event)

    def settle_by_tag(self, episode: EpisodeState, label: LabelUpdate, event_time: float) -> list[Alert]:
        """The wiki's own tag that an edit was reverted."""
        return settle_by_tag(episode, label, event_time)

    def expire(self, episode: EpisodeState, time: float) -> list[Alert]:
        """What nobody touched until its deadline. `time` is the watermark."""
        return settle_by_time(episode, time, self.policy.dispute_quiet_s)

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


def _own_open(episode: EpisodeState, performer: str) -> OpenSuspect | None:
    for suspect in reversed(episode.suspects):
        if suspect.performer == performer:
            return suspect
    return None
