"""For whoever answers for the model: is it still right, and does it still see what it was made for?"""

from __future__ import annotations

from grafana.definitions.dashboard import Row, dashboard
from grafana.definitions.panels import LABELS, Column, Steps, bar_gauge, stat, table, timeseries
from grafana.definitions.queries import (
    Json,
    prometheus,
    prometheus_now,
    quantile,
    rate,
    series,
    sql,
    worst,
)

#: Of a population stability index: below the first nothing to speak of, above the second another
#: population. The usual ones of scorecards.
DRIFT: Steps = ((None, "green"), (0.1, "orange"), (0.25, "red"))
WINDOW = 'window="7d"'


def _of_window(metric: str) -> Json:
    return prometheus(worst(metric, by="window"), "{{window}}")


#: On any wiki what a model is used on lies far from what it learnt from, from the first day.
FIRST = 'reference="first"'


def _by_version(gauge: str, match: str = "") -> str:
    version = "* on (job, instance) group_left (version)"
    return f"max by (version) ({series(gauge, match)} {version} {series('factwatch_model_info')})"


_NOW = Row(
    "Now",
    5,
    [
        stat(
            "Precision, 7 days",
            "Of the edits alerted, how many were reverted? Of the last 7 days that have had their 48 hours.",
            prometheus(worst("factwatch_live_precision", WINDOW)),
            unit="percentunit",
            decimals=1,
        ),
        stat(
            "Recall, 7 days",
            "Of the edits reverted, how many had been alerted? Of the same days.",
            prometheus(worst("factwatch_live_recall", WINDOW)),
            unit="percentunit",
            decimals=1,
        ),
        stat(
            "Calibration error",
            "How far is the risk that is said from the share that is reverted, on average?",
            prometheus(worst("factwatch_live_calibration_error", WINDOW)),
            unit="percentunit",
            decimals=1,
            steps=((None, "green"), (0.05, "orange"), (0.1, "red")),
        ),
        stat(
            "Edits judged",
            "On how many edits do these figures rest?",
            prometheus(worst("factwatch_live_judged_edits", WINDOW)),
            unit="short",
        ),
        stat(
            "Score drift",
            "Do scores lie as they did when this model came into use here? Population stability index: from "
            "0.1 on look, from 0.25 on they do not.",
            prometheus(worst("factwatch_score_drift", FIRST)),
            unit="none",
            decimals=2,
            steps=DRIFT,
        ),
        stat(
            "Versions in use",
            "Which model scores? More than one: a new one is being put in place.",
            prometheus_now(f"count by (version) ({series('factwatch_model_info')})", "{{version}}"),
            unit="string",
            course=False,
            name=True,
        ),
    ],
)

_RIGHT = Row(
    "Is it right?",
    8,
    [
        timeseries(
            "Precision",
            "Of the edits alerted, how many were reverted? Each edit counts when its 48 hours are over.",
            _of_window("factwatch_live_precision"),
            unit="percentunit",
            width=8,
            most=1,
        ),
        timeseries(
            "Recall",
            "Of the edits reverted, how many had been alerted?",
            _of_window("factwatch_live_recall"),
            unit="percentunit",
            width=8,
            most=1,
        ),
        timeseries(
            "Calibration error",
            "Does a risk of 30 % mean that 30 of 100 are reverted? Mean distance over ten bins.",
            _of_window("factwatch_live_calibration_error"),
            unit="percentunit",
            width=8,
        ),
    ],
)

_SHADOW = Row(
    "A challenger in shadow",
    8,
    [
        timeseries(
            "Precision of the challenger",
            "Of the edits that the challenger would alert on, how many were reverted? It alerts on none.",
            _of_window("factwatch_challenger_precision"),
            unit="percentunit",
            width=6,
            most=1,
        ),
        timeseries(
            "Recall of the challenger",
            "Of the edits reverted, how many would it have alerted on?",
            _of_window("factwatch_challenger_recall"),
            unit="percentunit",
            width=6,
            most=1,
        ),
        timeseries(
            "Difference to the model in use",
            "Would it be better? Challenger less model in use, on the same edits, each by its own thresholds.",
            prometheus(worst("factwatch_challenger_precision_difference", WINDOW), "precision, 7d"),
            prometheus(worst("factwatch_challenger_recall_difference", WINDOW), "recall, 7d"),
            unit="percentunit",
            width=8,
        ),
        stat(
            "Edits it was judged on",
            "On how many edits do its figures rest?",
            prometheus(worst("factwatch_challenger_judged_edits", WINDOW)),
            unit="short",
        ),
    ],
)

_CALIBRATION = """
SELECT
  to_char(floor(least(revert_risk, 0.999) * 10) * 10, 'FM90') || ' to '
    || to_char(floor(least(revert_risk, 0.999) * 10) * 10 + 10, 'FM990') || ' %' AS "Risk said",
  count(*) AS "Edits",
  avg(revert_risk) AS "Mean risk",
  avg((label = 'reverted')::int) AS "Reverted"
FROM labels
WHERE label IS NOT NULL AND revert_risk IS NOT NULL AND $__unixEpochFilter(labelled_time)
GROUP BY floor(least(revert_risk, 0.999) * 10)
ORDER BY floor(least(revert_risk, 0.999) * 10)
"""

_VERSIONS = """
SELECT
  version AS "Model",
  count(*) AS "Edits alerted",
  avg(revert_risk) AS "Mean risk",
  avg((label = 'reverted')::int) AS "Reverted",
  to_timestamp(min(event_time)) AS "First"
FROM (
  SELECT DISTINCT l.wiki, l.rev_id, l.label, l.revert_risk, l.event_time,
    substring(a.body FROM '"model_version":"([-0-9A-Za-z._]+)"') AS version
  FROM labels l JOIN alerts a ON a.wiki = l.wiki AND a.title = l.title AND a.rev_id = l.rev_id
  WHERE l.alerted AND l.label IS NOT NULL AND a.kind = 'edit.suspect'
    AND $__unixEpochFilter(l.labelled_time)
) judged
GROUP BY version
ORDER BY "First" DESC
"""

_SHARES = (
    Column("Mean risk", unit="percentunit", decimals=1),
    Column("Reverted", unit="percentunit", decimals=1),
    Column("Edits", unit="short"),
    Column("Edits alerted", unit="short"),
    Column("First", unit="dateTimeFromNow"),
)

_BY = Row(
    "By risk and by version",
    11,
    [
        table(
            "Said and reverted, by risk",
            "Where does the risk that is said differ from what the community did? Edits labelled in the time "
            "shown. From the archive.",
            sql(_CALIBRATION),
            *_SHARES,
            width=8,
        ),
        table(
            "Alerts by version of the model",
            "Is the newer model better? Edits alerted and labelled in the time shown. From the archive.",
            sql(_VERSIONS),
            *_SHARES,
            width=8,
        ),
        timeseries(
            "What became of edits",
            "Do labels come, and is the share that is reverted as usual? Figures about the model are only as "
            "good as these.",
            prometheus(rate("factwatch_labels_total", by="label"), "{{label}}"),
            unit="ops",
            width=8,
            colors=LABELS,
        ),
    ],
)

_DRIFT = Row(
    "Does it see what it was made for?",
    9,
    [
        timeseries(
            "Score drift by version",
            "Do scores lie as they did when a model came into use here? Population stability index against the "
            "first 10,000 edits it scored.",
            prometheus(_by_version("factwatch_score_drift", FIRST), "{{version}}"),
            unit="none",
            width=8,
            limits=DRIFT[1:],
        ),
        bar_gauge(
            "Feature drift",
            "Which of the ten features that count most have changed since the model came into use here?",
            prometheus_now(
                f"sort_desc({worst('factwatch_feature_drift', FIRST, by='feature')})", "{{feature}}"
            ),
            unit="none",
            width=8,
            steps=DRIFT,
            decimals=2,
        ),
        timeseries(
            "Time to score a batch",
            "Is the model still fast enough?",
            prometheus(quantile(0.5, "factwatch_stage_seconds", 'stage="score"'), "half"),
            prometheus(quantile(0.99, "factwatch_stage_seconds", 'stage="score"'), "99 of 100"),
            unit="s",
            width=8,
        ),
    ],
)

DASHBOARD = dashboard(
    "factwatch-model",
    "Factwatch: model",
    "For whoever answers for the model: live precision and recall, calibration, drift, by version.",
    [_NOW, _RIGHT, _SHADOW, _BY, _DRIFT],
    shows="30d",
)
