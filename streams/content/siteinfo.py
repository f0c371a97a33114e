"""What is the same for all edits of a wiki: how it words reverts and names temporary accounts."""

from __future__ import annotations

import msgspec

from streams.content.api_transport import ApiTransport
from streams.content.message_patterns import MESSAGES
from streams.content.outcomes import FetchFailure, FetchOutcome
from streams.content.revert_summaries import RevertSummaries
from streams.content.revisions import ApiAnswer
from streams.content.temporary_accounts import TemporaryAccounts

REFRESH_AFTER_S = 86_400.0
"""Wikis change these messages a few times a year."""
MAX_MESSAGE = 2_000


class SiteFacts(msgspec.Struct, frozen=True):
    """Of one wiki. The caller keeps it and asks again after `REFRESH_AFTER_S`."""

    wiki: str
    language: str
    """Its content language, in which summaries are written."""
    messages: dict[str, str]
    """The wiki's revert messages by name, as wikitext: plain data, to be kept in the store."""
    temporary_patterns: tuple[str, ...] = ()

    def revert_summaries(self) -> RevertSummaries:
        return RevertSummaries(self.messages)

    def temporary_accounts(self) -> TemporaryAccounts:
        return TemporaryAccounts(self.temporary_patterns or None)


def facts_unknown(wiki: str) -> SiteFacts:
    """What holds until the wiki was asked, or when it can't be: built-in forms only."""
    return SiteFacts(wiki, "en", {})


class _General(msgspec.Struct, frozen=True):
    lang: str = "en"


class _TemporaryUsers(msgspec.Struct, frozen=True):
    enabled: bool = False
    matchPatterns: tuple[str, ...] = ()  # the API's own spelling
    matchPattern: str | None = None  # MediaWiki before 1.42


class _Message(msgspec.Struct, frozen=True):
    name: str
    content: str | None = None
    """None: this MediaWiki has no such message."""


class _Query(msgspec.Struct, frozen=True):
    general: _General = _General()
    autocreatetempuser: _TemporaryUsers = _TemporaryUsers()
    allmessages: tuple[_Message, ...] = ()


class _SiteAnswer(ApiAnswer, frozen=True):
    query: _Query | None = None


def fetch_site_facts(transport: ApiTransport, wiki: str, deadline: float) -> SiteFacts | FetchFailure:
    """Two calls: which language, then the messages in it. `deadline` is on the transport's clock."""
    site = transport.ask(
        wiki,
        {"action": "query", "meta": "siteinfo", "siprop": "general|autocreatetempuser"},
        _SiteAnswer,
        deadline,
    )
    if isinstance(site, FetchFailure):
        return site
    if site.query is None:
        return FetchFailure(FetchOutcome.ERROR, "siteinfo is empty")
    worded = transport.ask(
        wiki,
        {
            "action": "query",
            "meta": "allmessages",
            "ammessages": "|".join(MESSAGES),
            "amlang": site.query.general.lang,
        },
        _SiteAnswer,
        deadline,
    )
    if isinstance(worded, FetchFailure):
        return worded
    users = site.query.autocreatetempuser
    patterns = users.matchPatterns or ((users.matchPattern,) if users.matchPattern else ())
    return SiteFacts(
        wiki,
        site.query.general.lang,
        {
            message.name: message.content
            for message in (worded.query.allmessages if worded.query is not None else ())
            if message.name in MESSAGES and message.content and len(message.content) <= MAX_MESSAGE
        },
        patterns if users.enabled else (),
    )
