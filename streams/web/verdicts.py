"""`POST /v1/alerts/{alert_id}/verdict`: what a person says of the edits that an alert names. It counts as their
label, before what the wiki's community does: in live quality, and in training from what was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.records import Verdict
from streams.stages.wrong_json import in_words
from streams.store.verdicts import GivenVerdict
from streams.web.bodies import hung_up, read_body
from streams.web.guards import VERDICT_ENDS, VERDICT_STARTS
from streams.web.problems import Problem
from streams.web.queries import refuse_parameters
from streams.web.tokens import Scope, Tokens

MAX_BODY_BYTES = 16 << 10
BODY_TIMEOUT_S = 10.0

Keep = Callable[[GivenVerdict], int]
"""How many edits it bears on. Called in threads."""


def _text(most: int, least: int = 0) -> Any:
    """No NUL: PostgreSQL has none, so nobody is told that it was kept."""
    return msgspec.Meta(min_length=least, max_length=most, pattern=r"\A[^\0]*\Z")


class AskedVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body, as JSON."""

    verdict: Verdict
    verdict_id: Annotated[str, _text(200, 1)]
    """Given by who sends it, so that a repeat is one."""
    rev_id: Annotated[int, msgspec.Meta(ge=1, le=1 << 62)] | None = None
    """One edit of the alert; None: all that made it."""
    given_by: Annotated[str, _text(200)] = ""
    note: Annotated[str, _text(2_000)] = ""


def verdict_route(keep: Keep, tokens: Tokens | None, now: Callable[[], float]) -> Route:
    """`tokens` is None where nobody is asked for one, which is on loopback only. `now`: Unix seconds."""

    async def answer(request: Request) -> Response:
        refuse_parameters(request.query_params)
        _authorize(request, tokens)
        # A page elsewhere can have a browser send plain text here, but not this.
        if (
            request.headers.get("content-type", "").lower().partition(";")[0].strip()
            != "application/json"
        ):
            raise hung_up(415, 'Send {"verdict": "damaging", "verdict_id": "…"} as application/json.')
        body = await read_body(request, MAX_BODY_BYTES, BODY_TIMEOUT_S)
        try:
            asked = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as err:
            raise Problem(422, f"Nothing was kept: {in_words(err, AskedVerdict)}.") from None
        edits = await run_in_threadpool(
            keep,
            GivenVerdict(
                asked.verdict_id,
                request.path_params["alert_id"],
                asked.verdict,
                asked.rev_id,
                asked.given_by,
                now(),
                asked.note,
            ),
        )
        if not edits:
            raise Problem(
                404,
                "No alert with this id is kept, or it is not edit.suspect: only those have edits to judge.",
            )
        return Response(msgspec.json.encode({"edits": edits}), media_type="application/json")

    return Route(f"{VERDICT_STARTS}{{alert_id}}{VERDICT_ENDS}", answer, methods=["POST"])


def _authorize(request: Request, tokens: Tokens | None) -> None:
    if tokens is None:
        return
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    granted = tokens.scopes_of(token.strip()) if kind.lower() == "bearer" else None
    if granted is None:
        raise hung_up(
            401,
            "Send `Authorization: Bearer TOKEN` with a token of FACTWATCH_API_TOKENS_FILE.",
            {"WWW-Authenticate": 'Bearer realm="factwatch"'},
        )
    if Scope.VERDICT not in granted:
        raise hung_up(
            403,
            "This token has no scope `verdict`: add it to its line in the tokens file.",
            {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="verdict"'},
        )


_decode = msgspec.json.Decoder(AskedVerdict).decode
