"""Queries of panels. Each selector holds to the dashboard's job and instance."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

PROMETHEUS: Json = {"type": "prometheus", "uid": "${prometheus_datasource}"}
POSTGRES: Json = {"type": "grafana-postgresql-datasource", "uid": "${postgres_datasource}"}


def series(metric: str, match: str = "") -> str:
    """`match`: further matchers, as in PromQL."""
    return f'{metric}{{job=~"$job", instance=~"$instance"{", " if match else ""}{match}}}'


def _over(function: str, expression: str, by: str) -> str:
    return f"{function} by ({by}) ({expression})" if by else f"{function}({expression})"


def total(metric: str, match: str = "", by: str = "") -> str:
    return _over("sum", series(metric, match), by)


def worst(metric: str, match: str = "", by: str = "") -> str:
    return _over("max", series(metric, match), by)


def rate(counter: str, match: str = "", by: str = "") -> str:
    """Per second."""
    return _over("sum", f"rate({series(counter, match)}[$__rate_interval])", by)


def happening(counter: str, match: str = "", by: str = "") -> str:
    """As `rate`, without what does not happen: of many outcomes few do."""
    return f"{rate(counter, match, by)} > 0"


def in_range(counter: str, match: str = "", by: str = "", *, over: str = "$__range") -> str:
    """How many in the time that the dashboard shows."""
    return _over("sum", f"increase({series(counter, match)}[{over}])", by)


def quantile(of: float, histogram: str, match: str = "", by: str = "") -> str:
    buckets = rate(f"{histogram}_bucket", match, by=f"le, {by}" if by else "le")
    return f"histogram_quantile({of}, {buckets})"


def quantile_in_range(of: float, histogram: str, *, over: str = "$__range") -> str:
    """Of what is rare: a rate would have gaps."""
    return f"histogram_quantile({of}, {in_range(f'{histogram}_bucket', by='le', over=over)})"


def age(timestamp: str, match: str = "", by: str = "") -> str:
    """Seconds since the newest time that a gauge holds."""
    return f"time() - {worst(timestamp, match, by)}"


def prometheus(expr: str, legend: str = "") -> Json:
    """A course over time; a panel that shows one value takes the last."""
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": expr,
        "legendFormat": legend,
        "range": True,
    }


def prometheus_now(expr: str, legend: str = "") -> Json:
    return prometheus(expr, legend) | {"range": False, "instant": True}


def sql(text: str, *, table: bool = True) -> Json:
    """`table=False`: a course over time, with columns `time` and `metric`."""
    lines = [line.strip() for line in text.strip().splitlines()]
    return {
        "datasource": POSTGRES,
        "editorMode": "code",
        "format": "table" if table else "time_series",
        "rawQuery": True,
        "rawSql": "\n".join(lines),
    }


#: What follows reads `alerts.body`, JSON text, without parsing it: a parser stops at an escaped NUL, which
#: a title may hold, and one such row would empty the panel. Inside a string a quote is escaped, so that no
#: text of a stranger looks like a field.


def field(name: str) -> str:
    """A number of the body of `a`; NULL where it has none."""
    return f"substring(a.body FROM '\"{name}\":([-+0-9.eE]+)')::float8"


def https_field(name: str, of: str = "a") -> str:
    """An address in the body, if it is one of https, of characters that an address is made of: it can be
    linked as it is. NULL otherwise."""
    allowed = "[-A-Za-z0-9._~:/?#@!&()*+,;=%]"
    return f'substring({of}.body FROM \'"{name}":"(https://{allowed}+)"\')'
