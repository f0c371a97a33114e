"""Pages and revisions of the demo's wikis."""

from __future__ import annotations

from collections import deque
from typing import Any

HISTORY = 60
"""Revisions that a page remembers, for its rollbacks."""

Json = dict[str, Any]


class Revision:
    """One revision; its tags change when it is reverted."""

    def __init__(
        self,
        rev_id: int,
        parent: Revision | None,
        page: Page,
        text: str,
        by: str,
        comment: str,
        at: float,
    ) -> None:
        self.rev_id = rev_id
        self.parent_id = parent.rev_id if parent is not None else 0
        self.page = page
        self.text = text
        self.by = by
        self.comment = comment
        self.at = at
        self.tags: list[str] = []
        self.hidden = False
        self.minor = False

    @property
    def size(self) -> int:
        return len(self.text.encode())


class Page:
    def __init__(self, wiki: str, title: str, page_id: int) -> None:
        self.wiki = wiki
        self.title = title
        self.page_id = page_id
        self.history: deque[Revision] = deque(maxlen=HISTORY)

    @property
    def top(self) -> Revision:
        return self.history[-1]
