"""How far a sink has come in the log of alerts; the store keeps it."""

from __future__ import annotations

from typing import Protocol


class SinkCursors(Protocol):
    """Thread-safe. `set` returns when the cursor is durable."""

    def get(self, name: str) -> int:
        """The seq last delivered; 0 for a sink that never was."""
        ...

    def set(self, name: str, seq: int) -> None: ...
