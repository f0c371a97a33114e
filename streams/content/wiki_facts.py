"""How each wiki words its reverts and names temporary accounts: asked daily, built-in until then."""

from __future__ import annotations

from streams.content.api_transport import ApiTransport
from streams.content.outcomes import FetchFailure
from streams.content.revert_summaries import RevertSummaries, RevertSummary
from streams.content.siteinfo import REFRESH_AFTER_S, fetch_site_facts
from streams.content.temporary_accounts import TemporaryAccounts

#: After a wiki did not answer.
RETRY_AFTER_S = 300.0


class WikiFacts:
    """By wiki. Of a wiki that was not asked, or does not answer, the built-in forms hold."""

    def __init__(self) -> None:
        self._built_in = RevertSummaries()
        self._temporary_default = TemporaryAccounts()
        self._summaries: dict[str, RevertSummaries] = {}
        self._temporary: dict[str, TemporaryAccounts] = {}
        self._ask_again: dict[str, float] = {}

    def match_revert(self, wiki: str, comment: str) -> RevertSummary | None:
        return self._summaries.get(wiki, self._built_in).match(comment)

    def is_temporary(self, wiki: str, name: str) -> bool:
        return self._temporary.get(wiki, self._temporary_default).matches(name)

    def refresh(self, transport: ApiTransport, wiki: str, now: float, deadline: float) -> None:
        """Ask a listed wiki if it is time to; `now` and `deadline` by the transport's clock."""
        if now < self._ask_again.get(wiki, float("-inf")) or not transport.lists(wiki):
            return
        found = fetch_site_facts(transport, wiki, deadline)
        if isinstance(found, FetchFailure):
            self._ask_again[wiki] = now + RETRY_AFTER_S
            return
        self._summaries[wiki] = found.revert_summaries()
        self._temporary[wiki] = found.temporary_accounts()
        self._ask_again[wiki] = now + REFRESH_AFTER_S
