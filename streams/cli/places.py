"""Where things are below FACTWATCH_DATA_DIR."""

from __future__ import annotations

from pathlib import Path

from streams.settings import Settings


def store_path(settings: Settings) -> Path:
    return settings.data_dir / "factwatch.sqlite"
