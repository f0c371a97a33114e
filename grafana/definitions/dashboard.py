"""What all dashboards share: variables, links to one another, the layout in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from grafana.definitions.queries import PROMETHEUS, Json

#: Of Grafana 12.4, the version in docker-compose.yml; the last one of this form of dashboards.
SCHEMA_VERSION = 42
#: Where people reach the triage page: the address that docker-compose.yml publishes.
FACTWATCH_URL = "http://127.0.0.1:8080"
RUNBOOKS = "https://github.com/factwatch/factwatch/blob/main/docs/runbooks/README.md"
#: What every program of ours has.
OURS = '{__name__=~"factwatch_.+"}'
OURS_OF_JOB = '{__name__=~"factwatch_.+", job=~"$job"}'


class Row(NamedTuple):
    title: str
    height: int
    panels: Sequence[Json]


def dashboard(
    uid: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    *,
    shows: str,
    with_archive: bool = True,
) -> Json:
    """`shows`: the time shown at first, as in `24h`."""
    variables = [_data_source("prometheus", "prometheus", "Prometheus")]
    if with_archive:
        # An alias of `grafana-postgresql-datasource`, whose hyphens no variable's name may have.
        variables.append(_data_source("postgres", "archive", "Archive"))
    variables += [
        _label_values("job", OURS),
        _label_values("instance", OURS_OF_JOB),
        _constant("factwatch_url", FACTWATCH_URL),
    ]
    return {
        "uid": uid,
        "title": title,
        "description": description,
        "tags": ["factwatch"],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": SCHEMA_VERSION,
        "timezone": "browser",
        "time": {"from": f"now-{shows}", "to": "now"},
        "refresh": "1m",
        "annotations": {"list": []},
        "links": [
            _link("dashboards", "Factwatch", tags=["factwatch"], includeVars=True, keepTime=True),
            _link("link", "Triage page", url=FACTWATCH_URL, targetBlank=True),
            _link("link", "Runbooks", url=RUNBOOKS, targetBlank=True),
        ],
        "templating": {"list": variables},
        "panels": _placed(rows),
    }


def _link(kind: str, title: str, **more: object) -> Json:
    return {
        "type": kind,
        "title": title,
        "tags": [],
        "asDropdown": False,
        "includeVars": False,
        "keepTime": False,
        "targetBlank": False,
        "icon": "external link",
        "tooltip": "",
        "url": "",
    } | more


def _placed(rows: Sequence[Row]) -> list[Json]:
    panels: list[Json] = []
    y = 0
    for row in rows:
        place: Json = {"x": 0, "y": y, "w": 24, "h": 1}
        heading = {"type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": place}
        panels.append(heading)
        y += 1
        x = 0
        for panel in row.panels:
            width = panel["gridPos"]["w"]
            if x + width > 24:
                x, y = 0, y + row.height
            panels.append(panel | {"gridPos": {"x": x, "y": y, "w": width, "h": row.height}})
            x += width
        y += row.height
    return [{"id": number} | panel for number, panel in enumerate(panels, start=1)]


def _data_source(plugin: str, uid: str, name: str) -> Json:
    return {
        "type": "datasource",
        "name": f"{plugin}_datasource",
        "label": f"{plugin.title()} data source",
        "query": plugin,
        "current": {"selected": True, "text": name, "value": uid},
        "options": [],
        "refresh": 1,
        "regex": "",
        "hide": 0,
        "multi": False,
        "includeAll": False,
    }


def _label_values(label: str, selector: str) -> Json:
    query = f"label_values({selector}, {label})"
    return {
        "type": "query",
        "name": label,
        "label": label.title(),
        "datasource": PROMETHEUS,
        "query": {"query": query, "refId": f"{label}-values"},
        "current": {"selected": True, "text": "All", "value": "$__all"},
        "options": [],
        "allValue": ".+",
        "includeAll": True,
        "multi": True,
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "hide": 0,
    }


def _constant(name: str, value: str) -> Json:
    """Not to be set by whoever makes up a link to the dashboard."""
    chosen = {"selected": True, "text": value, "value": value}
    return {
        "type": "constant",
        "name": name,
        "query": value,
        "current": chosen,
        "options": [chosen],
        "hide": 2,
        "skipUrlSync": True,
    }
