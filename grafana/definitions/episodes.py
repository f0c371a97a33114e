"""Rows of the archive that a person opens: an episode, with the ways to look at it."""

from __future__ import annotations

from grafana.definitions.panels import KINDS, SEVERITIES, Column
from grafana.definitions.queries import Json, field, https_field, sql

#: An alert on a fact that spreads has no diff: that of the edit is meant, whose alert it names first.
_DIFF = f"""COALESCE(
  {https_field("diff_url")},
  (
    SELECT {https_field("diff_url", "edit")} FROM alerts edit
    WHERE edit.alert_id = substring(a.body FROM '"related":[[]"([0-9a-f]+)"') ORDER BY edit.seq LIMIT 1
  ),
  '#')"""
_LINKED = f"""n.alert_id,
  {_DIFF} AS diff,
  COALESCE({https_field("last_good_url")}, '#') AS last_good
FROM alerts_now n JOIN alerts a ON a.seq = n.seq"""

#: The addresses are columns of their own, which are not shown. `raw`: else what is escaped already would
#: be escaped again.
_LINKS = (
    ("Open on the triage page", "${factwatch_url:raw}/#alert=${__data.fields.alert_id}"),
    ("Diff on the wiki", "${__data.fields.diff:raw}"),
    ("Last good revision", "${__data.fields.last_good:raw}"),
)

COLUMNS = (
    Column("Since", unit="dateTimeFromNow", width=130),
    Column("Kind", width=140, colors=KINDS),
    Column("Severity", width=100, colors=SEVERITIES),
    Column("Wiki", width=110),
    Column("Page", links=_LINKS),
    Column("Revert risk", unit="percentunit", decimals=0, width=110),
    Column("After the revert", unit="percentunit", decimals=0, width=140),
    Column("Posts", unit="short", width=80),
    Column("Authors", unit="short", width=90),
    Column("May reach", unit="short", width=110),
    Column("alert_id", hidden=True),
    Column("diff", hidden=True),
    Column("last_good", hidden=True),
)


def open_episodes() -> Json:
    """Critical ones first, then the newest."""
    return sql(f"""
        SELECT
          to_timestamp({field("episode_start")}) AS "Since",
          n.kind AS "Kind",
          a.severity AS "Severity",
          n.wiki AS "Wiki",
          n.title AS "Page",
          {field("revert_risk")} AS "Revert risk",
          {field("total_posts")} AS "Posts",
          {_LINKED}
        WHERE n.status <> 'resolved' AND n.kind IN ('edit.suspect', 'page.contested', 'fact.amplified')
        ORDER BY a.severity = 'critical' DESC, n.seq DESC
        LIMIT 200
    """)


def spreading(where: str) -> Json:
    """Facts with the spread that their newest state tells of, the widest first."""
    return sql(f"""
        SELECT
          to_timestamp({field("episode_start")}) AS "Since",
          n.wiki AS "Wiki",
          n.title AS "Page",
          {field("total_posts")} AS "Posts",
          {field("total_authors")} AS "Authors",
          {field("total_reach")} AS "May reach",
          {field("share_after")} AS "After the revert",
          {_LINKED}
        WHERE {where}
        ORDER BY 4 DESC NULLS LAST
        LIMIT 100
    """)


def told(by: str) -> Json:
    """Alerts by the time of their newest state, each once."""
    return sql(
        f"""
        SELECT $__unixEpochGroupAlias(event_time, $__interval), {by} AS metric, count(*) AS alerts
        FROM alerts_now
        WHERE $__unixEpochFilter(event_time)
        GROUP BY 1, 2
        ORDER BY 1
        """,
        table=False,
    )
