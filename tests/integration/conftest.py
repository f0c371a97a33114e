"""The servers that integration tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration import mediawiki
from tests.requirements import require_or_skip


@pytest.fixture(scope="session")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mediawiki.Wiki]:
    """A real MediaWiki, one for the whole session: use titles of your own."""
    require_or_skip(mediawiki.installed(), mediawiki.HOW)
    with mediawiki.running_wiki(tmp_path_factory.mktemp("mediawiki")) as running:
        yield running
