"""An incident as Alertmanager knows an alert: labels say what it is, annotations what is known of it.

Alertmanager takes two alerts for the same if their labels are. So labels hold nothing that changes and
nothing that anybody on a wiki could write: a title is there by its digest. Pure: no clock, no network.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

import msgspec

from streams.incidents import Incident, IncidentKind, IncidentStatus, key_of
from streams.stages.normalize import quote_untrusted

ALERT_NAMES = {
    IncidentKind.FACT_AMPLIFIED: "FactAmplified",
    IncidentKind.PERFORMER_BURST: "PerformerBurst",
    IncidentKind.PAGE_CONTESTED: "PageContested",
}
RUNBOOKS = "https://github.com/factwatch/factwatch/blob/main/docs/runbooks"
SUMMARY_CHARS = 300
DESCRIPTION_LINES, DESCRIPTION_LINE_CHARS = 20, 500
URL_CHARS = 2_000

_WIKI = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEY = re.compile(r"[0-9a-f]{16}")
_IDS = re.compile(r"[0-9A-Za-z_-]{1,64}")
#: Newer Alertmanagers (0.33 was seen to) parse the details for PagerDuty as YAML once they are rendered, and
#: what is in there as a template once more: a page with a `{{cite}}` in it would never arrive.
_TEMPLATE = re.compile(r"\{(?=\{)")
#: What RFC 3986 lets stand in an address, so that nobody closes a link early or begins another.
_URL = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")

Identity = tuple[tuple[str, str], ...]


class PostableAlert(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Of `POST /api/v2/alerts`. Times are RFC 3339."""

    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: str
    ends_at: str
    generator_url: str = msgspec.field(name="generatorURL", default="")


def labels_of(incident: Incident) -> dict[str, str]:
    """Valid whatever the incident says: Alertmanager refuses an alert for one bad character."""
    key = incident.key if _KEY.fullmatch(incident.key) else key_of(incident.key)
    of_key = "performer_key" if incident.kind is IncidentKind.PERFORMER_BURST else "page_key"
    return {
        "alertname": ALERT_NAMES[incident.kind],
        "service": "factwatch",
        "kind": incident.kind.value,
        "wiki": incident.wiki if _WIKI.fullmatch(incident.wiki) else "other",
        of_key: key,
        "severity": incident.severity.value,
    }


def identity_of(incident: Incident) -> Identity:
    """By which Alertmanager tells alerts apart."""
    return tuple(sorted(labels_of(incident).items()))


def fingerprint(labels: dict[str, str]) -> str:
    """As Alertmanager gives it: FNV-1a, 64 bits, over names and values in order, each ended by 0xFF."""
    digest = 0xCBF29CE484222325
    for name, value in sorted(labels.items()):
        for byte in name.encode() + b"\xff" + value.encode() + b"\xff":
            digest = ((digest ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{digest:016x}"


def annotations_of(incident: Incident, public_url: str) -> dict[str, str]:
    """Bounded, without control and direction characters. What is empty is left out. It is still text that
    strangers wrote: whoever shows it escapes it."""
    ids = [alert_id for alert_id in incident.alert_ids if _IDS.fullmatch(alert_id)]
    annotations = {
        "summary": _shown(incident.summary, SUMMARY_CHARS),
        "description": "\n".join(
            _shown(line, DESCRIPTION_LINE_CHARS)
            for line in incident.description.split("\n")[:DESCRIPTION_LINES]
        ),
        "alert_ids": ",".join(ids),
        "alerts_total": str(incident.alerts_total),
        "incident_id": incident.incident_id,
        "page_url": link(incident.page_url),
        "diff_url": link(incident.diff_url),
        "last_good_url": link(incident.last_good_url),
        "triage_url": triage_url(public_url, ids),
        "outcome": _shown(incident.outcome, SUMMARY_CHARS),
        "runbook_url": f"{RUNBOOKS}/{ALERT_NAMES[incident.kind]}.md",
    }
    return {name: value for name, value in annotations.items() if value}


def _shown(text: str, limit: int) -> str:
    """`text` on one line, bounded, nothing in it for a template."""
    return _TEMPLATE.sub("{ ", quote_untrusted(text, limit))


def triage_url(public_url: str, alert_ids: list[str]) -> str:
    """The page of Factwatch, told which alert is meant."""
    if not public_url:
        return ""
    return f"{public_url.rstrip('/')}/" + (f"#alert={quote(alert_ids[-1])}" if alert_ids else "")


def link(url: str) -> str:
    """`url` if it is one that may be shown as a link, else nothing."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    good = parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= URL_CHARS
    return url if good and _URL.fullmatch(url) else ""


def postable(incident: Incident, public_url: str, now: float, valid_s: float) -> PostableAlert:
    """While it fires it ends `valid_s` from `now`, unless it is told again before. Ended it did in the
    past, and after it began: a wiki's clock may be ahead of ours."""
    starts = min(incident.started, now)
    if incident.status is IncidentStatus.RESOLVED:
        ended = incident.changed if incident.ended is None else incident.ended
        ends = max(min(ended, now), starts)
    else:
        ends = now + valid_s
    annotations = annotations_of(incident, public_url)
    return PostableAlert(
        labels_of(incident),
        annotations,
        rfc3339_ms(starts),
        rfc3339_ms(ends),
        annotations.get("triage_url", ""),
    )


def rfc3339_ms(time: float) -> str:
    """Unix seconds. A time that no calendar has, from a wiki whose clock is broken, becomes 1970."""
    try:
        moment = datetime.fromtimestamp(time, UTC)
    except (ValueError, OverflowError, OSError):
        moment = datetime.fromtimestamp(0, UTC)
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"
