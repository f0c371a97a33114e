"""`factwatch replay FILE`: a history or a recording through the whole pipeline, and what came of it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from streams.cli.named_files import WriteFile
from streams.cli.output import safe, say, set_up_logging
from streams.errors import BadSetting
from streams.settings import load_settings
from streams.sources.open import is_live, open_file


@click.command(short_help="Send a history or a recording through the pipeline.")
@click.argument("name", metavar="FILE")
@click.option("--alerts", type=WriteFile(), help="Write every alert as a JSON line.")
@click.option("--json", "as_json", is_flag=True, help="Summary as one JSON object on stdout.")
@click.option("--fresh", is_flag=True, help="Begin anew instead of going on where one was interrupted.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the state here (default: below FACTWATCH_DATA_DIR, by file).",
)
@click.option(
    "--pages", "with_pages", is_flag=True, help="Also say what a pager would have sent, and why."
)
@click.option(
    "--pages-per-day",
    type=click.IntRange(0, 999_999),
    help="Budget for --pages (default: FACTWATCH_PAGES_PER_DAY).",
)
def replay(
    name: str,
    alerts: Path | None,
    as_json: bool,
    fresh: bool,
    state: Path | None,
    with_pages: bool,
    pages_per_day: int | None,
) -> None:
    """Send FILE through the whole pipeline: NDJSON of recent changes (`-` for stdin), or a MediaWiki
    XML export (.xml .gz .bz2 .xz .7z), which brings its own texts.

    An interrupted replay goes on where its last commit was; one that had ended begins anew.
    Ends with a summary: what was skipped and why, alerts by kind, and how they compare with what the
    wiki's community then reverted.
    """
    if pages_per_day is not None and not with_pages:
        raise click.UsageError("--pages-per-day wants --pages")
    if is_live(name):
        raise BadSetting(f"{name}: replay wants a file; `factwatch run --source` watches what is live")
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    source = open_file(name)
    if not as_json:
        say(f"Replaying {safe(name)} …")
    from streams.cli.replaying import replay_file

    budget = settings.pages_per_day if pages_per_day is None else pages_per_day
    replay_file(
        settings,
        source,
        name,
        alerts=alerts,
        as_json=as_json,
        fresh=fresh,
        state=state,
        pages_per_day=budget if with_pages else None,
    )
