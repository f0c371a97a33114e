"""`factwatch train --from-archive`: from what was seen live, a challenger to the model in use."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from models.classifier import load_classifier
from models.contest import Figure
from models.feature_set import feature_set_of
from models.retrain import RetrainReport, retrain
from streams.cli.compose import model_dir
from streams.cli.output import print_json, say, share_done
from streams.cli.seen import seen_rows
from streams.errors import BadSetting, ChampionStays
from streams.settings import Settings, variable_of
from streams.store.champion import promote as promote_model


class _Told(msgspec.Struct):
    report: RetrainReport
    out_dir: str
    promoted: bool


def train_from_archive(settings: Settings, out: Path | None, *, promote: bool, as_json: bool) -> None:
    """Raises `ChampionStays`, after the figures were told, where the challenger may be worse."""
    if promote and settings.model_dir:
        raise BadSetting(
            f"{variable_of('model_dir')} names the model to use: unset it, or name the challenger there"
            " yourself"
        )
    target = out if out is not None else settings.data_dir / "challenger"
    champion_dir = model_dir(settings)
    champion = load_classifier(champion_dir)
    with share_done("train", shown=not as_json) as bar:
        seen = seen_rows(settings, feature_set_of(champion.text))
        report = retrain(champion_dir, target, seen, lambda what, share: bar.update(share, what))
    promoted = promote and report.contest.outcome.may_replace
    if promoted:
        promote_model(settings.data_dir, target, report.challenger)
    if as_json:
        print_json(_Told(report, str(target), promoted))
    else:
        _print(report)
    if not report.contest.outcome.may_replace:
        raise ChampionStays(
            f"{report.champion} stays: the challenger is {report.contest.outcome}: {report.contest.why}"
        )
    if promoted:
        say(f"{report.challenger} is used from the next start on; to go back, remove"
            f" {settings.data_dir / 'champion'}")  # fmt: skip
    else:
        say(
            f"watch it beside the model in use with FACTWATCH_CHALLENGER={target}, or ask again with --promote"
        )


def _print(report: RetrainReport) -> None:
    contest = report.contest
    table = Table(
        title=f"Challenger {report.challenger}, on {contest.edits:,} of the newest edits"
        f" ({contest.damaging:,} damaging, {contest.pages:,} pages): {contest.outcome}"
    )
    table.add_column("")
    for column in (f"champion {report.champion}", "challenger", "difference"):
        table.add_column(column, justify="right")
    for one in contest.figures:
        name = one.name if one.decides else f"({one.name})"
        table.add_row(
            name, *(_figure(figure) for figure in (one.champion, one.challenger, one.difference))
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{contest.why}. Rows in brackets do not decide.")
    parts = "with and without texts" if report.with_content else "without texts (too few with)"
    console.print(
        f"Learnt from {report.learnt_from:,} older edits ({report.learnt_damaging:,} damaging), {parts}. Left out:"
        f" {report.left_out_pages:,} of the same pages as newer ones, {report.not_settled:,} not settled yet,"
        f" {report.other_features:,} of another model's features."
    )


def _figure(figure: Figure) -> str:
    if figure.value != figure.value:
        return "not known"
    return f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"
