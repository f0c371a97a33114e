"""`python -m grafana.definitions`: writes what differs."""

from __future__ import annotations

import json
from pathlib import Path

from grafana.definitions import model, overview, pipeline, posts
from grafana.definitions.queries import Json

DIRECTORY = Path(__file__).parents[1] / "dashboards"


def dashboards() -> dict[str, Json]:
    """By file name."""
    made = (overview.DASHBOARD, posts.DASHBOARD, model.DASHBOARD, pipeline.DASHBOARD)
    return {f"{dashboard['uid'].removeprefix('factwatch-')}.json": dashboard for dashboard in made}


def text(dashboard: Json) -> str:
    return json.dumps(dashboard, indent=1, ensure_ascii=False) + "\n"


def write(directory: Path) -> None:
    for name, dashboard in dashboards().items():
        (directory / name).write_text(text(dashboard), "utf-8")


if __name__ == "__main__":
    write(DIRECTORY)
