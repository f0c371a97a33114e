"""What `factwatch run` and `demo` say beside the alerts: what is watched and where to look, and when a
source is lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from streams.cli.output import safe, say
from streams.cli.places import store_path
from streams.settings import Settings
from streams.sources.base import Source

#: At how a source is.
LOOK_EVERY_S = 0.5


def greet(
    settings: Settings,
    spec: str,
    post_specs: Sequence[str],
    url: str,
    model_version: str,
    wikis: tuple[str, ...],
    paged: Sequence[str],
) -> None:
    watched = "every wiki" if "*" in wikis else ", ".join(wikis)
    say(f"Factwatch watches {watched} from {spec}; model {model_version}.")
    for post_spec in post_specs:
        say(f"  posts  {safe(post_spec)}")
    say(f"  page   {url}/")
    say(f"  alerts {url}/v1/alerts   metrics {url}/metrics")
    for place in paged:
        say(f"  pages  {place}, at most {settings.pages_per_day} in 24 hours")
    say(f"  state  {store_path(settings)}")
    say("Alerts follow as they come, with the time of the edit; Ctrl-C stops.")


def tell_outages(source: Source, spec: str, stopping: threading.Event, main: bool = True) -> None:
    """Say when the source is lost and when it is back, once each; the log has every try. `main`: without
    it there is nothing to see."""
    lost = said_connected = False
    while not stopping.wait(LOOK_EVERY_S):
        status = source.status()
        if status.state == "retrying" and not lost:
            lost = True
            say(f"{spec} can't be reached: {safe(status.detail)}")
            hint = " Without a network, see it at work: make demo" if main else ""
            say(f"  Trying again until it answers.{hint}")
        elif status.state == "connected" and (lost or not said_connected):
            say(f"{spec}: {'connected again' if lost else 'connected'}")
            lost, said_connected = False, True
