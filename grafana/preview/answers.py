"""What the queries of a panel give, as data to draw."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

from tests.integration.dashboard_world import Archive, course, plain_sql, promql
from tests.integration.prometheus import Prometheus

Json = dict[str, Any]
Point = tuple[float, float]

#: Figures across the width of a panel.
POINTS = 120
BARS = 48


class Series(NamedTuple):
    name: str
    points: list[Point]
    """(Unix seconds, value), without what is no number."""


class Answers:
    """Of the time from `start` to `end`, Unix seconds; of the archive the `archived_s` before `end`, where
    events have other times than those at which they were worked on."""

    def __init__(
        self,
        prometheus: Prometheus,
        archive: Archive,
        start: float,
        end: float,
        archived_s: float | None = None,
    ) -> None:
        self._prometheus = prometheus
        self._archive = archive
        self._archived_s = archived_s or end - start
        self.start = start
        self.end = end

    def series(self, panel: Json) -> list[Series]:
        found: list[Series] = []
        for target in panel["targets"]:
            found += self._course(target) if "expr" in target else self._counted(target)
        return found

    def rows(self, panel: Json) -> list[Json]:
        (target,) = panel["targets"]
        return self._archive.rows(self._sql(target))

    def _course(self, target: Json) -> list[Series]:
        shown_s = self.end - self.start
        step_s = shown_s / POINTS
        expr = promql(target["expr"], shown_s=shown_s, step_s=step_s)
        start = self.end if target.get("instant") else self.start
        answer = course(self._prometheus, expr, start=start, end=self.end, step_s=step_s)
        found = []
        for one in answer:
            points = [(float(when), float(value)) for when, value in one["values"]]
            finite = [point for point in points if not math.isnan(point[1])]
            if finite:
                found.append(Series(_legend(target["legendFormat"], one["metric"]), finite))
        return found

    def _counted(self, target: Json) -> list[Series]:
        found: dict[str, list[Point]] = {}
        for row in self._archive.rows(self._sql(target)):
            time, metric, value = row.values()
            found.setdefault(metric, []).append((float(time), float(value)))
        return [Series(name, points) for name, points in found.items()]

    def _sql(self, target: Json) -> str:
        start, step_s = self.end - self._archived_s, self._archived_s / BARS
        return plain_sql(target["rawSql"], start=start, end=self.end, step_s=step_s)


def _legend(form: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), form)
