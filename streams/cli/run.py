"""`factwatch run`, the main job, and `factwatch demo`, the same on a scripted scenario."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import msgspec

from streams.cli.named_files import WriteFile
from streams.cli.output import say
from streams.settings import load_settings, variable_of


@click.command(short_help="Watch Wikimedia now: alerts, page, API and metrics.")
@click.option(
    "--source",
    "spec",
    default="eventstreams",
    show_default=True,
    help="eventstreams, rcfeed://HOST:PORT or a FILE of recent changes or of a history.",
)
@click.option(
    "--posts",
    "post_specs",
    multiple=True,
    metavar="SOURCE",
    help="Also read posts: jetstream://HOST, mastodon://HOST or a FILE; may be given several times.",
)
@click.option("--alerts", type=WriteFile(), help="Append every alert as a JSON line.")
@click.option("--json", "as_json", is_flag=True, help="Print alerts as JSON lines.")
def run(spec: str, post_specs: tuple[str, ...], alerts: Path | None, as_json: bool) -> None:
    """Watch a source, print alerts as they come and serve the page, the API and /metrics.

    Goes on where it stopped: cursor, state and alerts are in one file below FACTWATCH_DATA_DIR.
    Ctrl-C ends it after the batch under way.
    """
    settings = load_settings(os.environ)
    from streams.cli.serve import serve

    explicit = variable_of("wikis") in os.environ
    serve(
        settings,
        spec,
        alerts,
        post_specs=post_specs,
        as_json=as_json,
        all_wikis=spec != "eventstreams" and not explicit,
    )


@click.command(short_help="See everything at work on a scripted scenario, without a network.")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 1000),
    default=1.0,
    show_default=True,
    help="Run the script so many times faster.",
)
@click.option("--json", "as_json", is_flag=True, help="Print alerts as JSON lines.")
def demo(speed: float, as_json: bool) -> None:
    """The same program on invented articles and posts: vandalism, who repeats it, its reverts, an edit
    war, a protection, served by stand-ins for Wikimedia, Bluesky and Mastodon on this machine. It takes five
    minutes and begins again. Links lead to the articles' wiki, which is invented too."""
    settings = load_settings(os.environ)
    from streams.cli.serve import serve
    from streams.demo.scenario import PAUSE_S, STORY_S
    from streams.demo.server import DemoServer, demo_settings

    # A directory of its own each time: a demo that runs already keeps its.
    with TemporaryDirectory(prefix="factwatch-demo-") as directory, DemoServer(speed=speed) as server:
        settings = msgspec.structs.replace(settings, data_dir=Path(directory))
        say("Demo: invented articles, editors and posts, served by stand-ins on this machine.")
        again_s = (STORY_S + PAUSE_S) / speed
        say(
            f"  Its story begins again every {again_s:,.0f} s. Links lead nowhere: the wiki is invented too."
        )
        serve(
            demo_settings(settings, server.url),
            "eventstreams",
            None,
            post_specs=server.post_specs,
            as_json=as_json,
            is_kept=False,
        )
