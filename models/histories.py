"""Which histories there are to learn from. Apart from what reads them: a command asks before it loads that."""

from __future__ import annotations

from pathlib import Path

from streams.errors import BadInput


def histories_in(data_dir: Path) -> list[Path]:
    """In the order of their names. Raises `BadInput` if there is none."""
    found = sorted((data_dir / "histories").glob("*.xml*"))
    if not found:
        raise BadInput(f"{data_dir}: no histories/*.xml.* in it to learn from")
    return found
