"""What may be asked of the facts that are hot, and what is answered, wherever they are read from."""

from __future__ import annotations

import msgspec

from streams.posts import HotFact
from streams.state.fact_spread import FactSpread

#: Pages looked through for one answer where only some are wanted; the rest comes with the next.
PAGES_LOOKED_AT = 5_000


class FactsQuery(msgspec.Struct, frozen=True):
    """Facts of one page stand together, pages in no order that means anything. An answer may pass `limit`
    by the facts of its last page, and may have none where few are wanted: `next` tells whether there
    are more."""

    limit: int
    after: int | None = None
    """`next` of the answer before; None: from the beginning."""
    wiki: str | None = None
    title: str | None = None
    """Names a page only with `wiki`."""
    repeated: bool = False
    """Only those that a post repeated."""

    @property
    def page(self) -> tuple[str, str] | None:
        """`(wiki, title)`, where it asks of one page."""
        return None if self.wiki is None or self.title is None else (self.wiki, self.title)

    def wants(self, fact: HotFact) -> bool:
        """But for `repeated`."""
        return (self.wiki is None or fact.wiki == self.wiki) and (
            self.title is None or fact.title == self.title
        )


class FactNow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    hot: HotFact
    spread: FactSpread | None
    """None where no post repeated it."""


class FactsFound(msgspec.Struct, frozen=True, gc=False):
    facts: list[FactNow]
    next: int | None
    """`after` of the next call; None at the end."""
