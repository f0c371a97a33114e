"""`factwatch thresholds`: from which revert risk on to alert, asked as a question."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from models.history_asked import FULL_HISTORY, revisions_known
from streams.cli.named_files import ReadDirectory, ReadFile
from streams.cli.output import print_json, safe, say, set_up_logging
from streams.errors import BadSetting
from streams.settings import load_settings
from streams.sources.open import open_file

if TYPE_CHECKING:
    from models.threshold_question import Answer, Span


@click.command(short_help="Answer: at most so many false alarms a day, from which risk on?")
@click.argument("files", nargs=-1, type=ReadFile())
@click.option("--false-alarms", type=float, metavar="N", help="At most N false alarms a day.")
@click.option("--fpr", type=float, metavar="PERCENT", help="Or: at most so many % of good edits.")
@click.option(
    "--history",
    metavar="none|recent:N|full",
    default=FULL_HISTORY,
    show_default=True,
    help="How much is known of a page before each edit; live, of most: none.",
)
@click.option(
    "--model",
    type=ReadDirectory(),
    help="Directory of a trained model (default: the one in use).",
)
@click.option("--keep", is_flag=True, help="Alert by the answer from the next start on.")
@click.option("--json", "as_json", is_flag=True, help="A list of JSON objects, one for each wiki.")
def thresholds(
    files: tuple[Path, ...],
    false_alarms: float | None,
    fpr: float | None,
    history: str,
    model: Path | None,
    keep: bool,
    as_json: bool,
) -> None:
    """Find the lowest threshold that keeps to what is asked, with the catches and false alarms to expect:
    from what `factwatch run` saw live, or, with FILES (MediaWiki XML exports, or recent changes in JSON
    lines), by replaying them. What the model learnt from flatters it: ask on other files.

    Kept answers are in thresholds.json below FACTWATCH_DATA_DIR, by wiki and model. They come before
    FACTWATCH_ALERT_THRESHOLD, and end with the model they were measured with.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    if (false_alarms is None) == (fpr is None):
        raise BadSetting("ask for either --false-alarms N a day or --fpr PERCENT")
    if model is not None and not files:
        raise BadSetting("--model goes with FILES: what was seen live was scored by the model in use")
    revisions_known(history)
    for file in files:
        open_file(str(file))
    from models.classifier import load_classifier
    from models.threshold_question import answer
    from streams.cli.compose import model_dir
    from streams.cli.outcomes import replayed, seen
    from streams.store.wiki_thresholds import WikiThreshold, keep_threshold

    classifier = load_classifier(model or model_dir(settings))
    if files:
        asked_of = replayed(classifier, files, history, shown=not as_json)
    else:
        asked_of = seen(settings, classifier)
    found = [
        answer(
            outcomes,
            classifier.version,
            false_alarms_a_day=false_alarms,
            false_positive_rate=fpr / 100 if fpr is not None else None,
        )
        for outcomes in asked_of
    ]
    if keep:
        for one in found:
            keep_threshold(
                settings.data_dir,
                WikiThreshold(one.wiki, one.model_version, one.threshold, one.asked),
            )
    if as_json:
        print_json(found)
    else:
        _print(found)
    if keep:
        say(f"kept in {settings.data_dir}: used from the next start on, with this model")


def _print(answers: list[Answer]) -> None:
    table = Table(title=f"At most {answers[0].asked}; model {answers[0].model_version}")
    table.add_column("")
    for one in answers:
        table.add_column(safe(one.wiki, 60), justify="right")
    told: list[tuple[str, Callable[[Answer], str]]] = [
        ("threshold", lambda one: f"{one.threshold:.6f}".rstrip("0") if one.threshold < 1 else "never"),
        ("false alarms a day", lambda one: _span(one.false_alarms_a_day)),
        ("catches a day", lambda one: _span(one.catches_a_day)),
        ("share of the reverted caught", lambda one: _span(one.recall)),
        ("share of the flagged reverted", lambda one: _span(one.precision)),
        ("edits that may alert (reverted)", lambda one: f"{one.edits:,} ({one.reverted:,})"),
        ("days", lambda one: f"{one.days:,.1f}"),
    ]
    for name, cell in told:
        table.add_row(name, *(cell(one) for one in answers))
    Console(highlight=False).print(table)


def _span(span: Span) -> str:
    if span.value != span.value:
        return "not known"
    return f"{span.value:.3g} ({span.low:.3g}-{span.high:.3g})"
