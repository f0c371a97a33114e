"""`factwatch thresholds`: from which revert risk on to alert, asked as a question."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from models.classifier import Classifier, load_classifier
from models.evaluate import FULL_HISTORY, score_file
from models.feature_set import feature_set_of
from models.seen_thresholds import MIN_DAMAGING, MIN_EDITS, outcomes_by_wiki
from models.threshold_question import Answer, Outcomes, Span, answer
from streams.cli.compose import model_dir
from streams.cli.output import print_json, safe, say, set_up_logging, share_done
from streams.cli.seen import seen_rows
from streams.errors import BadInput, BadSetting
from streams.settings import Settings, load_settings
from streams.store.wiki_thresholds import WikiThreshold, keep_threshold


@click.command(short_help="Answer: at most so many false alarms a day, from which risk on?")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False))
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
    type=click.Path(path_type=Path, exists=True, file_okay=False),
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
    directory = model or model_dir(settings)
    classifier = load_classifier(directory)
    if files:
        asked_of = _replayed(classifier, files, history, shown=not as_json)
    elif model is not None:
        raise BadSetting("--model goes with FILES: what was seen live was scored by the model in use")
    else:
        asked_of = _seen(settings, classifier)
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


def _replayed(
    classifier: Classifier, files: Sequence[Path], history: str, *, shown: bool
) -> list[Outcomes]:
    parts = []
    with share_done("thresholds", shown=shown) as bar:
        for at, path in enumerate(files):
            bar.update(at / len(files), f"replaying {path.name}")
            parts.append(score_file(classifier, path, history))
    wiki = np.array([one for part in parts for one in part.wikis])
    may_alert = np.concatenate([part.may_alert for part in parts])
    found = []
    for name in sorted(set(wiki.tolist())):
        chosen = (wiki == name) & may_alert
        found.append(
            Outcomes(
                name,
                np.concatenate([part.event_time for part in parts])[chosen],
                np.concatenate([part.score for part in parts])[chosen],
                np.concatenate([part.reverted for part in parts])[chosen],
            )
        )
    if not found:
        raise BadInput(f"{files[0]}: no edits in it")
    return found


def _seen(settings: Settings, classifier: Classifier) -> list[Outcomes]:
    seen = seen_rows(settings, feature_set_of(classifier.text))
    found = outcomes_by_wiki(seen, classifier.version)
    if not found:
        raise BadInput(
            f"too little was seen to answer from: {np.count_nonzero(seen.model == classifier.version):,} settled"
            f" edits of model {classifier.version} in the sample; a wiki wants {MIN_EDITS:,}, {MIN_DAMAGING} of them"
            " reverted. Let it run on, or name FILES to replay"
        )
    return found


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
