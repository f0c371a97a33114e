"""Runs the demo for some minutes and draws what the dashboards show of it: docs/dashboards/*.png."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from grafana.definitions.__main__ import dashboards
from grafana.definitions.queries import Json
from grafana.preview.page import WIDTH, height, page
from grafana.preview.png import shrunk
from grafana.preview.worlds import on_kafka, two_weeks
from tests.integration.browser import open_browser

PICTURES = Path(__file__).parents[2] / "docs" / "dashboards"
DRAWN = "Drawn by our own script from real data, not by Grafana."
NOTE = f"{DRAWN} A demo on Kafka."
NOTE_OF_MODEL = (
    f"{DRAWN} Two weeks of the demo, told in minutes: one story, which says nothing of the model."
)
MODEL = "model.json"
NAMES = [file.removesuffix(".json") for file in dashboards()]


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--minutes", default=5.0, show_default=True, help="How long each demo runs.")
@click.option("--speed", default=8.0, show_default=True, help="How much faster than its script.")
@click.option("--pages", type=click.Path(path_type=Path), help="Keep the HTML in this directory.")
def main(names: tuple[str, ...], minutes: float, speed: float, pages: Path | None) -> None:
    """Draw these dashboards, or all."""
    wanted = {f"{name}.json" for name in names or NAMES}
    chosen = {file: dashboard for file, dashboard in dashboards().items() if file in wanted}
    drawn: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="factwatch-preview-") as name:
        directory = Path(name)
        if MODEL in chosen:
            with two_weeks(directory / "two-weeks", minutes * 60) as answers:
                drawn[MODEL] = page(chosen[MODEL], answers, NOTE_OF_MODEL)
        if chosen.keys() - {MODEL}:
            with on_kafka(directory, minutes * 60, speed) as answers:
                for file in chosen.keys() - {MODEL}:
                    drawn[file] = page(chosen[file], answers, NOTE)
        _photograph(chosen, drawn, pages or directory)


def _photograph(chosen: dict[str, Json], drawn: dict[str, str], directory: Path) -> None:
    PICTURES.mkdir(exist_ok=True)
    with open_browser() as browser:
        for file, dashboard in chosen.items():
            html = directory / Path(file).with_suffix(".html")
            html.write_text(drawn[file], "utf-8")
            size = {"width": WIDTH, "height": height(dashboard), "deviceScaleFactor": 1, "mobile": False}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            browser.get(html.resolve().as_uri())
            picture = PICTURES / Path(file).with_suffix(".png")
            picture.write_bytes(shrunk(browser.get_screenshot_as_png()))
            click.echo(f"{picture}: {picture.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
