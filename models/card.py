"""The model card: what the model is, learnt from what, how good, and what not to use it for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.artifact_files import Manifest
from models.dataset import Rows
from models.recipe import Recipe
from models.situations import ASKED_BUDGET, BUDGET, SITUATIONS
from models.text import TEXT_NAMES
from models.usual_words import LANGUAGES
from models.word_vectors import WORDS


def model_card(manifest: Manifest, sources: Sequence[Rows]) -> str:
    """Markdown. The same manifest gives the same card."""
    lines = [
        f"# Revert risk, version {manifest.version}",
        "",
        "Probability that another user reverts an edit within 48 hours. It is no statement about truth:",
        "it knows how edits that were reverted look, not what is so.",
        "",
        f"{len(manifest.feature_names)} features of the edit, its text, the page's history and the performer's;",
        f"gradient-boosted trees (scikit-learn) over them, {len(TEXT_NAMES)} of the features being told by",
        "logistic regressions on hashed words, letter sequences and word vectors, learnt out of fold by article.",
        f"{len(Recipe().bags)} sets of trees are averaged; half of them do without words and without the rates at which",
        "a page's and an editor's edits are reverted, which carry over least to other wikis. What can't be known of",
        "an edit is missing, and the model was trained with such rows: with a recent history or none, by an editor",
        "never seen, in a language not learnt. Edits without content, and those of which nothing is known but the",
        "difference, have trees of their own. False facts were made up by swapping values in real pages, advertising",
        "by putting links into them. Insults, chat and test edits are known by short tables in 50 languages; how",
        f"usual a word is, where nothing is known of the page, by a table of {len(LANGUAGES)}, of which the model saw",
        f"English alone; what {WORDS:,} English words are used like, by vectors. Without content, edits that nobody",
        "reverted and whose words were gone eight to twelve revisions later are not taken for good.",
        f"Threshold for 1 % of the edits nobody reverted, out of fold: {manifest.threshold:.3f}.",
        "",
        "An edit alerts from a threshold that depends on what is known of its page and what it changes, so",
        "that this share of the edits that stood alerts (out of fold):",
        "",
        "| situation | share | threshold |",
        "| --- | --- | --- |",
        *(
            f"| {situation} | {BUDGET[situation]:.0%} | {manifest.thresholds[situation]:.3f} |"
            for situation in SITUATIONS
        ),
        *(
            f"| {asked} | {budget:.1%} | {manifest.thresholds[asked]:.3f} |"
            for asked, budget in ASKED_BUDGET.items()
            if asked in manifest.thresholds
        ),
        "",
        "*Asked*: a page met for the first time, whose recent history a suspicious edit has fetched. The",
        "share is of all edits of pages met so; only those that are asked about can alert.",
        "",
        "## Learnt from",
        "| source | rows used | positive | label |",
        "| --- | --- | --- | --- |",
    ]
    for source in sources:
        label = "identity-reverted by another user within 48 h" if source.history else "people's"
        used = source.usable
        lines.append(f"| {source.name} | {used.sum()} | {source.label[used].mean():.1%} | {label} |")
    lines += [
        "",
        "Each source weighs as the root of its rows; for the trees of a difference alone PAN-WVC-10, which is of",
        f"thousands of pages, {Recipe().difference_weights[0]:g} times as much. Its people's labels are weighted to its "
        "real rate of 7 %. Left out of",
        "learning: edits whose revert somebody else undid, that were reverted after 48 h, or that their own author",
        "took back. Texts: Wikipedia, CC BY-SA; only weights are kept. Words' rarity: wordfreq, CC BY-SA 4.0. Word",
        "vectors: GloVe, PDDL 1.0.",
        "",
        "| file | sha256 |",
        "| --- | --- |",
        *(f"| {name} | `{digest}` |" for name, digest in sorted(manifest.training_data.items())),
        "",
        "## How good: each article left out in turn",
        "Label: identity-reverted by another user within 48 h. In brackets: bootstrap, 95 %. What is known of",
        "a page live is at most its *recent history* (50 revisions), and at first nothing (*page met first*).",
        "*Difference alone*: nothing but the changed lines, the summary and the kind of editor.",
        "",
        "| left out | known | edits | ROC-AUC | anonymous only | anonymous flag alone, of all "
        "| recall at 1 % FPR | ECE |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in manifest.metrics["left_out"]:
        for known, figures in one["slices"].items():
            lines.append(
                f"| {one['name']} ({one['reverted']} reverted) | {known} | {figures['edits']} "
                f"| {_with_interval(figures, 'roc_auc')} | {_with_interval(figures, 'roc_auc_anonymous')} "
                f"| {one['baseline_roc_auc']:.3f} | {_shown(figures['recall_at_1_percent'])} "
                f"| {_shown(figures['calibration_error'])} |"
            )
    lines += _own_calibration(manifest.metrics["left_out"])
    for one in manifest.metrics["left_out"]:
        people = one["people"]
        if people is None:
            continue
        low, high = people["roc_auc_interval"]
        r1p_low, r1p_high = people["r1p_interval"]
        kinds = ", ".join(f"{kind} {value:.2f}" for kind, value in people["r1p_by_kind"].items())
        lines += [
            "",
            f"{one['name']} left out, whole history, against people's labels of {people['edits']} edits "
            f"({people['damaging']} damaging): ROC-AUC {people['roc_auc']:.3f} ({low:.3f}-{high:.3f}); "
            f"recall where 1 % of the page's edits that nobody took back are flagged (r1p) "
            f"{people['r1p']:.3f} ({r1p_low:.3f}-{r1p_high:.3f}); by kind: {kinds}. Where only reverts by others "
            f"within 48 h count, so that vandals' own corrections are among the 1 %: "
            f"{people['r1p_others_48h']:.3f}.",
        ]
    for one in manifest.metrics["crossed"]:
        low, high = one["roc_auc_interval"]
        lines += [
            "",
            f"{one['name']}, people's labels of {one['edits']} edits, cross-validated by random folds: ROC-AUC "
            f"{one['roc_auc']:.3f} ({low:.3f}-{high:.3f}), anonymous only {one['roc_auc_anonymous']:.3f}; "
            f"the anonymous flag alone {one['baseline_roc_auc']:.3f}.",
        ]
    lines += [
        "",
        "## Not for",
        "- blocking people or undoing edits without a person's look;",
        "- judging whether a statement is true: a plausible false value in a quiet place scores low;",
        "- wikis and pages very unlike these without looking at the live precision first: the articles learnt",
        "  from are English, of 2001 to 2010, much vandalised, and one small wiki.",
        "",
    ]
    return "\n".join(lines)


def _own_calibration(left_out: Sequence[dict[str, Any]]) -> list[str]:
    lines = [
        "",
        "How often edits are reverted differs from page to page and wiki to wiki. Factwatch shifts the",
        "probability it tells by what became of the wiki's own edits (settled, 48 h; nothing of it is learnt",
        "beforehand). The same articles left out, whole history, each edit shifted by those settled before its",
        "day. Its half-life (two years) was chosen with these figures in sight; it matters where",
        "reverts are few.",
        "",
        "| left out | editors | edits | reverted | ECE as it is | ECE, own edits followed | ROC-AUC as it is "
        "| ROC-AUC, followed |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in left_out:
        for editors, own in one["own_calibration"].items():
            lines.append(
                f"| {one['name']} | {editors} | {own['edits']} | {own['reverted']} "
                f"| {_shown(own['calibration_error'])} | {_shown(own['own_calibration_error'])} "
                f"| {_shown(own['roc_auc'])} | {_shown(own['own_roc_auc'])} |"
            )
    return lines


def _shown(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _with_interval(figures: dict[str, Any], name: str) -> str:
    value, (low, high) = figures[name], figures[f"{name}_interval"]
    return "not known" if value is None else f"{value:.3f} ({_shown(low)}-{_shown(high)})"
