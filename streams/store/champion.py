"""The model that was promoted: `champion` below the data directory, a link to one of `models/`. What was in
use before stays there, to go back to."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

from streams.errors import BadInput

LINK = "champion"
MODELS = "models"


def champion_of(data_dir: Path) -> Path | None:
    """None where none was promoted. A link that leads nowhere is given too: the model is missing, which
    must not pass for none."""
    link = data_dir / LINK
    return link if link.is_symlink() or link.exists() else None


def promote(data_dir: Path, model_dir: Path, version: str) -> Path:
    """Have the next start load a copy of `model_dir`. Whole or not at all. Raises `BadInput`."""
    kept = data_dir / MODELS / version
    link, beside = data_dir / LINK, data_dir / f"{LINK}.new"
    copied = kept.with_name(f"{version}.new")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            shutil.rmtree(copied, ignore_errors=True)
            shutil.copytree(model_dir, copied)
            copied.replace(kept)
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        beside.symlink_to(Path(MODELS) / version)
        beside.replace(link)
    except OSError as err:
        raise BadInput(
            f"{err.filename or link}: {err.strerror}: the model in use stays as it is"
        ) from err
    return link
