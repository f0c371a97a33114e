"""The content stage: edits go in bare and come out with their texts, or without past their deadline."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from streams.content.action_api import ActionApi
from streams.content.api_transport import ApiTransport
from streams.content.outcomes import FetchFailure
from streams.content.wiki_facts import WikiFacts
from streams.records import Content, Edit
from streams.stages.normalize import Normalized

log = logging.getLogger("factwatch.content")

_Carried = TypeVar("_Carried")


class ContentStage:
    """Fetches for a micro-batch at once. `deadline_s` is how long the batch waits at most."""

    def __init__(
        self,
        api: ActionApi,
        facts: WikiFacts,
        deadline_s: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.api = api
        self._facts = facts
        self._deadline_s = deadline_s
        self._now = now

    @property
    def transport(self) -> ApiTransport:
        """For what else is asked of the wikis: its bounds hold for all of it."""
        return self.api.transport

    def attach(
        self, records: Sequence[tuple[_Carried, Normalized]]
    ) -> list[tuple[_Carried, Normalized]]:
        """The records in their order; edits that have no content yet, and are not a bot's, with
        theirs."""
        wanted = [
            record
            for _, record in records
            if isinstance(record, Edit) and record.content is None and not record.bot
        ]
        if not wanted:
            return list(records)
        now = self._now()
        try:
            for wiki in dict.fromkeys(edit.wiki for edit in wanted):
                self._facts.refresh(self.api.transport, wiki, now, now + self._deadline_s)
            fetched = self.api.fetch(wanted, self._deadline_s)
        except Exception:  # a wiki's answer that we did not foresee must not stop us
            log.exception("content: these edits go on without their texts")
            return list(records)
        return [
            (
                item,
                _with_content(record, fetched.get(record.event_id))
                if isinstance(record, Edit)
                else record,
            )
            for item, record in records
        ]

    def status(self) -> str:
        return self.api.status()

    def close(self) -> None:
        self.api.close()


def _with_content(edit: Edit, found: Content | FetchFailure | None) -> Edit:
    if found is None or isinstance(found, FetchFailure):
        return edit
    return msgspec.structs.replace(
        edit,
        content=found,
        page_id=found.revision.page_id,
        parent_id=edit.parent_id or found.revision.parent_id,
    )
