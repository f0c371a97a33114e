"""GET /v1/facts: the facts that are hot now, each with how far it has spread."""

from __future__ import annotations

from typing import Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.store.facts_query import FactsFound, FactsQuery
from streams.web.problems import Problem
from streams.web.queries import MAX_SEQ, Query

FACTS_PATH = "/v1/facts"
DEFAULT_LIMIT = 50
#: Some 20 KB a fact that is repeated by many.
MAX_LIMIT = 200


class FactsReader(Protocol):
    """Thread-safe."""

    def facts(self, query: FactsQuery) -> FactsFound: ...


def facts_route(reader: FactsReader) -> Route:
    """For `build_app(…, more=[…])`."""

    def facts(request: Request) -> Response:
        query = Query(request.query_params)
        wiki, title = query.text("wiki"), query.text("title")
        after = query.whole("after", 0, MAX_SEQ)
        limit = query.whole("limit", 1, MAX_LIMIT) or DEFAULT_LIMIT
        repeated = query.whole("repeated", 0, 1) == 1
        query.done()
        if title is not None and wiki is None:
            raise Problem(400, "title: names a page only with `wiki`.")
        found = reader.facts(FactsQuery(limit, after, wiki, title, repeated))
        return Response(msgspec.json.encode(found), media_type="application/json")

    return Route(FACTS_PATH, facts)
