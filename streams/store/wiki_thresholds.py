"""Thresholds that an operator asked for, by wiki: a small JSON file beside the store.

An answer holds for the model it was measured with. After another model is put in, it is left alone and
the model's own thresholds count, until the question is asked anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from streams.errors import BadInput

FILE = "thresholds.json"
MAX_BYTES = 1 << 20
WIKIS = 2_000
"""Wikis kept; there are about a thousand."""


class WikiThreshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    wiki: str
    model_version: str
    threshold: float
    """Risk by the model alone, before the wiki's own reverts are followed, from which an edit alerts."""
    asked: str
    """The question, in words."""


class _Kept(msgspec.Struct, forbid_unknown_fields=True):
    thresholds: list[WikiThreshold] = []


def thresholds_of(data_dir: Path, model_version: str) -> dict[str, float]:
    """By wiki, those of this model; empty where none was asked for. Raises `BadInput` for a file that
    is not ours."""
    return {
        one.wiki: one.threshold
        for one in read_thresholds(data_dir)
        if one.model_version == model_version
    }


def read_thresholds(data_dir: Path) -> list[WikiThreshold]:
    path = data_dir / FILE
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path}: larger than {MAX_BYTES >> 20} MiB: not ours")
        kept = msgspec.json.decode(path.read_bytes(), type=_Kept).thresholds
    except FileNotFoundError:
        return []
    except OSError as err:
        raise BadInput(f"{path}: {err.strerror}") from err
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise BadInput(f"{path}: no thresholds: {str(err)[:200]}") from err
    for one in kept:
        if not 0 < one.threshold <= 1:
            raise BadInput(f"{path}: threshold {one.threshold:g}, wants above 0 and at most 1")
    return kept


def keep_threshold(data_dir: Path, one: WikiThreshold) -> None:
    """In place of an earlier one of the same wiki and model; the rest stays. Whole or not at all."""
    kept = [
        other
        for other in read_thresholds(data_dir)
        if (other.wiki, other.model_version) != (one.wiki, one.model_version)
    ]
    kept = [*kept, one][-WIKIS:]
    path = data_dir / FILE
    beside = path.with_suffix(".json.new")
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as out:
            out.write(msgspec.json.format(msgspec.json.encode(_Kept(kept)), indent=1) + b"\n")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError as err:
        raise BadInput(f"{path}: {err.strerror}") from err
