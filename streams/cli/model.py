"""`factwatch train` and `factwatch evaluate`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from models.histories import histories_in
from models.history_asked import FULL_HISTORY, NO_HISTORY, RECENT_HISTORY, revisions_known
from streams.cli.named_files import ReadDirectory, ReadFile, WriteFile
from streams.cli.output import print_json, safe, say, set_up_logging, share_done
from streams.errors import BadInput, BadSetting
from streams.settings import load_settings
from streams.sources.open import open_file

if TYPE_CHECKING:
    from models.evaluate import EvaluateReport, Figure
    from models.train import TrainReport


@click.command(short_help="Train the classifier from histories and labelled edits.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("../shared/data"),
    show_default=True,
    help="Directory with histories/ and edits/.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the model goes (default: model/ below FACTWATCH_DATA_DIR).",
)
@click.option("--leave-out", multiple=True, metavar="NAME", help="An article not to learn from.")
@click.option(
    "--from-archive",
    is_flag=True,
    help="Train from the edits seen live, as a challenger to the model in use.",
)
@click.option(
    "--promote",
    is_flag=True,
    help="With --from-archive: use the challenger from the next start on, if it may.",
)
@click.option("--json", "as_json", is_flag=True, help="Report as one JSON object.")
def train(
    data: Path,
    out: Path | None,
    leave_out: tuple[str, ...],
    from_archive: bool,
    promote: bool,
    as_json: bool,
) -> None:
    """Train from DATA and test with each article left out in turn: some minutes on one core. The same
    data give the same model, byte for byte.

    With --from-archive: train from the edits that `factwatch run` saw and what became of them, and compare
    with the model in use on the newest. Ends with 11 where that one stays, as the new one may be worse.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    if from_archive:
        from streams.cli.train_from_archive import train_from_archive

        train_from_archive(settings, out, promote=promote, as_json=as_json)
        return
    if promote:
        raise BadSetting(
            "--promote goes with --from-archive: without it nothing says which model is better"
        )
    if not data.is_dir():
        raise BadInput(f"{data}: no such directory; name one with histories/ and edits/ by --data")
    histories_in(data)  # told at once if there is none
    target = out if out is not None else settings.data_dir / "model"
    from models.train import train as train_model  # loads sklearn

    with share_done("train", shown=not as_json) as bar:
        report = train_model(data, target, lambda what, share: bar.update(share, what), leave_out)
    if as_json:
        print_json(report)
    else:
        _print(report)
    say(f"use it with FACTWATCH_MODEL_DIR={target}")


def _print(report: TrainReport) -> None:
    table = Table(title=f"Model {report.version}, {report.seconds:,.0f} s: each left out in turn")
    for column in ("left out", "edits", "reverted", "ROC-AUC", "95 %", "anonymous only", "flag alone"):
        table.add_column(column, justify="left" if column == "left out" else "right")
    for figures in report.left_out:
        low, high = figures.roc_auc_interval
        table.add_row(
            figures.name,
            f"{figures.edits:,}",
            f"{figures.reverted / max(figures.edits, 1):.0%}",
            f"{figures.roc_auc:.3f}",
            f"{low:.3f}-{high:.3f}",
            f"{figures.roc_auc_anonymous:.3f}",
            f"{figures.baseline_roc_auc:.3f}",
        )
    Console(highlight=False).print(table)


@click.command(short_help="Measure the classifier on histories.")
@click.argument("files", nargs=-1, required=True, type=ReadFile())
@click.option(
    "--labels",
    type=ReadFile(),
    help="CSV of rev_id,damaging,kind by people; without it, what was reverted within 48 h counts.",
)
@click.option("--scores", type=WriteFile(), help="Write rev_id,score of every edit.")
@click.option(
    "--model",
    type=ReadDirectory(),
    help="Directory of a trained model (default: the one in use).",
)
@click.option(
    "--history",
    metavar="none|recent:N|full|all",
    default=FULL_HISTORY,
    show_default=True,
    help="How much is known of a page before each edit; all: one report for each.",
)
@click.option("--json", "as_json", is_flag=True, help="Report as one JSON object; a list for all.")
def evaluate(
    files: tuple[Path, ...],
    labels: Path | None,
    scores: Path | None,
    model: Path | None,
    history: str,
    as_json: bool,
) -> None:
    """Replay FILES (MediaWiki XML exports) and compare the scores with what became of each edit, or
    with people's labels. A model that learned from the same pages flatters itself: train one with
    --leave-out first.
    """
    settings = load_settings(os.environ)
    set_up_logging(settings.log_level)
    asked = (RECENT_HISTORY, NO_HISTORY, FULL_HISTORY) if history == "all" else (history,)
    if scores is not None and len(asked) > 1:
        raise BadSetting("--scores takes the scores of one history: name it by --history")
    for one in asked:
        revisions_known(one)
    for file in files:
        open_file(str(file))
    from models.evaluate import evaluate as evaluate_model  # loads sklearn
    from streams.cli.compose import model_dir

    directory = model or model_dir(settings)
    with share_done("evaluate", shown=not as_json) as bar:
        reports = [
            evaluate_model(
                files, labels, scores, directory, lambda what, share: bar.update(share, what), one
            )
            for one in asked
        ]
    if as_json:
        print_json(reports if len(reports) > 1 else reports[0])
        return
    for report in reports:
        _print_quality(report)


def _print_quality(report: EvaluateReport) -> None:
    table = Table(
        title=f"Model {report.model_version}; history: {report.history}; positive: {report.label}"
    )
    table.add_column("")
    table.add_column("everybody", justify="right")
    table.add_column("anonymous only", justify="right")
    parts = (report.everybody, report.anonymous)
    table.add_row(
        "edits (positive)",
        *(
            f"{part.edits:,} ({part.positives:,}, {part.positives / max(part.edits, 1):.0%})"
            for part in parts
        ),
    )
    table.add_row("ROC-AUC", *(_figure(part.roc_auc) for part in parts))
    table.add_row("  of the anonymous flag alone", *(_number(part.baseline_roc_auc) for part in parts))
    table.add_row("PR-AUC", *(_figure(part.pr_auc) for part in parts))
    table.add_row("  of the anonymous flag alone", *(_number(part.baseline_pr_auc) for part in parts))
    for rate in report.everybody.recall_at:
        table.add_row(
            f"recall at {rate} false positives", *(_figure(part.recall_at[rate]) for part in parts)
        )
    table.add_row("calibration error", *(_number(part.calibration_error) for part in parts))
    owns = [report.own_calibration[editors] for editors in ("everybody", "anonymous")]
    table.add_row(
        "  each wiki's own reverts followed (of reverts)",
        *(_number(own.own_calibration_error) for own in owns),
    )
    table.add_row("  ROC-AUC so", *(_number(own.own_roc_auc) for own in owns))
    table.add_row("recall at 1 % of what nobody took back (r1p)", _figure(report.r1p), "")
    table.add_row("  where only others' reverts within 48 h count", _figure(report.r1p_others_48h), "")
    for kind, recall in report.by_kind.items():
        table.add_row(f"  {safe(kind, 40)}", f"{recall.recall:.3f} of {recall.edits:,}", "")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"{report.edits_scored:,} edits scored, {report.edits_reverted:,} reverted within 48 h,"
        f" {report.edits_without_content:,} without content"
        + (f", {report.labels_not_found:,} labels not found" if report.labels_not_found else "")
    )


def _figure(figure: Figure) -> str:
    if figure.value is None:
        return "not known"
    if figure.low is None or figure.high is None:
        return f"{figure.value:.3f}"
    return f"{figure.value:.3f} ({figure.low:.3f}-{figure.high:.3f})"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"
