"""Alerts as the pipeline makes them, for looking at the page and for tests of what shows them."""

from __future__ import annotations

import msgspec

from streams.records import (
    Alert,
    AlertKind,
    AlertStatus,
    ChangeType,
    FactChange,
    PerformerKind,
    Reason,
    Severity,
)

HOSTILE_TITLE = (
    "<img src=x onerror=\"document.title='pwned'\">\u202egnp.exe\n<script>window.pwned = 1</script>"
)


def sample_alert(number: int = 1, **changes: object) -> Alert:
    """One suspect edit; `number` makes it another one. `changes` replace fields."""
    alert = Alert(
        alert_id=f"{number:032x}",
        ce_id=f"{number:028x}0001",
        kind=AlertKind.EDIT_SUSPECT,
        status=AlertStatus.OPEN,
        severity=Severity.WARNING,
        wiki="enwiki",
        server_name="en.wikipedia.org",
        title="Mount Everest",
        namespace=0,
        page_id=42179,
        rev_id=1_300_000_000 + number,
        parent_id=1_299_999_000 + number,
        performer="192.0.2.17",
        performer_kind=PerformerKind.IP,
        event_time=1_764_000_000.0 + number,
        episode_start=1_764_000_000.0 + number,
        summary="",
        revert_risk=0.972,
        with_content=True,
        model_version="2026.11",
        page_url="https://en.wikipedia.org/wiki/Mount_Everest",
        diff_url=f"https://en.wikipedia.org/w/index.php?diff={1_300_000_000 + number}",
        last_good_rev_id=1_299_999_000 + number,
        last_good_url=f"https://en.wikipedia.org/w/index.php?oldid={1_299_999_000 + number}",
        evidence={"edits": 1},
    )
    titled = f"Suspect edit: {changes.get('title', alert.title)} ({changes.get('wiki', alert.wiki)})"
    return msgspec.structs.replace(alert, **{"summary": f"{titled}: wording"} | changes)


def resolved(alert: Alert, by: str = "Vigilant Editor", after_s: float = 252.0) -> Alert:
    """What `alert` becomes when it is reverted."""
    outcome: dict[str, float | int | str | list[str]] = {
        "outcome": "reverted",
        "settled_by": by,
        "open_s": after_s,
        "reverted_by": alert.rev_id + 5000,
    }
    return msgspec.structs.replace(
        alert,
        status=AlertStatus.RESOLVED,
        ce_id=alert.ce_id[:-4] + "0009",
        event_time=alert.episode_start + after_s,
        evidence=alert.evidence | outcome,
    )


def correction_of(alert: Alert, by: str = "Vigilant Editor", after_s: float = 252.0) -> Alert:
    return msgspec.structs.replace(
        alert,
        alert_id="c" + alert.alert_id[1:],
        ce_id="c" + alert.ce_id[1:],
        kind=AlertKind.FACT_CORRECTED,
        status=AlertStatus.RESOLVED,
        severity=Severity.INFO,
        performer=by,
        performer_kind=PerformerKind.REGISTERED,
        event_time=alert.episode_start + after_s,
        revert_risk=None,
        reasons=(),
        related=(alert.alert_id,),
        summary=f"Corrected: {alert.title} ({alert.wiki}): restored after 4 min",
        evidence={},
    )


def _why(*texts: str) -> tuple[Reason, ...]:
    return tuple(
        Reason(
            f"feature_{index}",
            1.0,
            -0.4 if text.startswith("-") else 1.5 - 0.3 * index,
            text.lstrip("-"),
        )
        for index, text in enumerate(texts)
    )


def _fact(change: ChangeType, before: str, after: str, section: str = "", key: str = "f1") -> FactChange:
    return FactChange(fact_key=key, change_type=change, section=section, before=before, after=after)


def a_day(now: float) -> list[Alert]:
    """State changes of a plausible half hour up to `now`, oldest first: every kind, three scripts, a
    hostile title, settled ones."""
    everest = sample_alert(
        1,
        episode_start=now - 1500,
        event_time=now - 1500,
        reasons=_why("removes words that stood for years"),
        fact_changes=(
            _fact(
                ChangeType.NUMBER,
                "Its elevation of 8,848.86 m was most recently established in 2020.",
                "Its elevation of 9,998 m was most recently established in 2020.",
            ),
        ),
    )
    kept = sample_alert(
        2,
        title="Battle of Hastings",
        episode_start=now - 172_900,
        event_time=now - 100,
        status=AlertStatus.RESOLVED,
        performer="~2026-31874-20",
        performer_kind=PerformerKind.TEMPORARY,
        evidence={"outcome": "kept", "open_s": 172_800.0},
    )
    arabic = sample_alert(
        3,
        wiki="arwiki",
        server_name="ar.wikipedia.org",
        title="جبل إيفرست",
        severity=Severity.INFO,
        performer="~2026-40112-7",
        performer_kind=PerformerKind.TEMPORARY,
        revert_risk=0.81,
        episode_start=now - 610,
        event_time=now - 610,
        comment="تصحيح",
        reasons=_why("the performer's first edit", "changes a number and nothing else"),
        fact_changes=(
            _fact(
                ChangeType.NUMBER,
                "يبلغ ارتفاعه 8848 مترا فوق سطح البحر.",
                "يبلغ ارتفاعه 884 مترا فوق سطح البحر.",
                "الجغرافيا",
            ),
        ),
        page_url="https://ar.wikipedia.org/wiki/X",
    )
    war = sample_alert(
        4,
        kind=AlertKind.PAGE_CONTESTED,
        title="Treaty of Tordesillas",
        performer="Meridian Scholar",
        performer_kind=PerformerKind.REGISTERED,
        revert_risk=None,
        comment="rv, see talk page",
        episode_start=now - 420,
        event_time=now - 420,
        summary="Contested page: Treaty of Tordesillas (enwiki): 5 mutual reverts of 3 editors in a day",
        evidence={
            "mutual_reverts": 5,
            "editors": ["Meridian Scholar", "OldWorld1494", "Capraia"],
            "controversy": 84.0,
            "dispute_templates": ["Disputed section"],
        },
        fact_changes=(
            _fact(
                ChangeType.WORDING,
                "The line of demarcation was about halfway between Cape Verde and the islands visited "
                "by Columbus, and it was accepted by both crowns.",
                "The line of demarcation lay west of the Cape Verde islands, and it was never accepted "
                "by any other crown.",
                "Signing and enforcement",
            ),
        ),
    )
    blanked = sample_alert(
        5,
        title="Photosynthesis",
        severity=Severity.CRITICAL,
        revert_risk=0.996,
        performer="203.0.113.99",
        episode_start=now - 75,
        event_time=now - 75,
        comment="/* History */",
        evidence={"edits": 3},
        reasons=_why(
            "removes words that stood for 9 years on average",
            "brings back a word that reverts threw out before",
            "the performer's last 2 edits were reverted",
            "-the edit has a summary",
        ),
        fact_changes=(
            _fact(
                ChangeType.NEGATION,
                "Most plants, algae and cyanobacteria perform photosynthesis.",
                "Most plants, algae and cyanobacteria do not perform photosynthesis lol.",
            ),
            _fact(
                ChangeType.DELETION,
                "Although photosynthesis is performed differently by different species, the process "
                "always begins when energy from light is absorbed by reaction centers.",
                "",
                "Overview",
                "f2",
            ),
            _fact(
                ChangeType.INSERTION,
                "",
                "MY BIOLOGY TEACHER IS A PLANT!!!!",
                "History",
                "f3",
            ),
            _fact(ChangeType.DATE, "Discovered in 1779.", "Discovered in 1997.", "History", "f4"),
        ),
    )
    hostile = sample_alert(
        6,
        title=HOSTILE_TITLE,
        performer="Robert'); DROP TABLE alerts;--",
        performer_kind=PerformerKind.REGISTERED,
        severity=Severity.INFO,
        revert_risk=0.64,
        with_content=False,
        page_url="javascript:alert(1)",
        diff_url="https://en.wikipedia.org/w/index.php?diff=6",
        last_good_rev_id=None,
        last_good_url="",
        episode_start=now - 31,
        event_time=now - 31,
        reasons=_why("the title was created a minute ago"),
    )
    wikidata = sample_alert(
        7,
        wiki="wikidatawiki",
        server_name="www.wikidata.org",
        title="Q937",
        severity=Severity.INFO,
        revert_risk=0.58,
        performer="198.51.100.4",
        episode_start=now - 12,
        event_time=now - 12,
        comment="/* wbsetclaim-update:2||1 */ [[Property:P569]]: 14 March 1979",
        reasons=_why("changes a date of birth", "not logged in"),
        fact_changes=(_fact(ChangeType.PROPERTY, "14 March 1879", "14 March 1979", "P569"),),
        page_url="https://www.wikidata.org/wiki/Q937",
    )
    mended = (resolved(everest), correction_of(everest))
    return [everest, arabic, war, *mended, kept, blanked, hostile, wikidata]
