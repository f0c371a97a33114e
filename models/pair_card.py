"""The card of the model of pairs: what it is, learnt from what, how good, and what not to use it for."""

from __future__ import annotations

from collections.abc import Sequence

from models.artifact_files import Manifest
from models.pair_figures import PairFigures


def pair_card(manifest: Manifest, left_out: Sequence[PairFigures]) -> str:
    """Markdown. The same manifest and figures give the same card."""
    lines = [
        f"# Posts and facts, version {manifest.version}",
        "",
        "Probability that a statement of a post states one side of a fact change: the sentence as it stands",
        "after an edit, or as it stood before. It is no statement about truth.",
        "",
        f"{len(manifest.feature_names)} features of agreement (words, numbers, names, order, negation) and",
        "likeness; no word is one. Boosted trees (scikit-learn), most held to the direction that reason gives",
        "their feature; one model for both sides, with the roles exchanged.",
        f"Confirmed from {manifest.thresholds['confirmed']:.2f}, suggested from"
        f" {manifest.thresholds['suggested']:.2f}, chosen out of fold. Rules stand above it: who denies,",
        "doubts or asks does not repeat.",
        "",
        "## Learnt from",
        "Real fact changes of edits that others took back; posts made of them by rule (`models.pair_dataset`).",
        "Texts: Wikipedia, CC BY-SA; only weights are kept.",
        "",
        "| file | sha256 |",
        "| --- | --- |",
        *(f"| {name} | `{digest}` |" for name, digest in sorted(manifest.training_data.items())),
        "",
        "## How good: each article left out in turn, thresholds included",
        "",
        "| article | pairs | repeats: precision | recall | good value flagged | told as good | denials flagged |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(
            f"| {one.name} | {one.pairs} | {one.precision:.3f} | {one.recall:.3f} | {one.good_flagged:.2%} "
            f"| {one.good_told:.3f} | {one.denials_flagged:.2%} |"
            for one in left_out
        ),
        "",
        "Precision is of this mixture of pairs, most of them hard; in a stream of posts it hangs on how many",
        "are about hot facts at all.",
        "",
        "## Not for",
        "- deciding what is true, or acting against people without a look at the post;",
        "- free paraphrase: what shares no words with either side is not found (FEVER-like claims in words of",
        "  their own are mostly `suggested` or none);",
        "- irony, and denials in languages that the small tables do not know.",
        "",
    ]
    return "\n".join(lines)
