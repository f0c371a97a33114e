"""`POST /v1/check`: a text held against the hot facts, statement by statement. Nothing of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.matching.answer_findings import CheckedAnswer
from streams.stages.wrong_json import in_words
from streams.web.bodies import hung_up, read_body
from streams.web.problems import Problem
from streams.web.queries import refuse_parameters

CHECK_PATH = "/v1/check"
#: Of a text some 30 times as long as what is looked at, in any script.
MAX_BODY_BYTES = 2 << 20
#: Texts checked or coming in at once: two cores' worth, as each holds the matcher in turn.
AT_ONCE = 4
#: A body that drips in holds one of those places.
BODY_TIMEOUT_S = 30.0
RETRY_AFTER_S = 1
_JSON, _TEXT = "application/json", "text/plain"

Check = Callable[[str, str | None], CheckedAnswer]
"""Of a text and its language, if that is known. Bounded in time; called in threads."""


class AskedCheck(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body, as JSON."""

    text: str
    language: Annotated[str, msgspec.Meta(min_length=1, max_length=35)] | None = None
    """BCP 47 tag."""


def check_route(
    check: Check,
    *,
    max_body_bytes: int = MAX_BODY_BYTES,
    at_once: int = AT_ONCE,
    body_timeout_s: float = BODY_TIMEOUT_S,
) -> Route:
    """The endpoint. Whoever may read alerts may ask: `BearerTokens` sees to that."""
    under_way = 0

    async def answer(request: Request) -> Response:
        nonlocal under_way
        refuse_parameters(request.query_params)
        kind = _kind_of(request)
        if under_way >= at_once:
            raise hung_up(
                429, "Too many texts are checked at once.", {"Retry-After": str(RETRY_AFTER_S)}
            )
        under_way += 1
        try:
            body = await read_body(request, max_body_bytes, body_timeout_s)
            asked = _asked(body, kind)
            checked = await run_in_threadpool(check, asked.text, asked.language)
        finally:
            under_way -= 1
        return Response(msgspec.json.encode(checked), media_type=_JSON)

    return Route(CHECK_PATH, answer, methods=["POST"])


def _kind_of(request: Request) -> str:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    kind, charset = kind.strip(), parameters.strip().replace('"', "")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise hung_up(415, "Send the body unpacked, without a Content-Encoding.")
    if kind not in (_JSON, _TEXT) or charset not in ("", "charset=utf-8"):
        raise hung_up(
            415,
            f'Send {{"text": "…"}} as {_JSON}, or the text itself as {_TEXT}; in UTF-8.',
            {"Accept-Post": f"{_JSON}, {_TEXT}"},
        )
    return kind


def _asked(body: bytes, kind: str) -> AskedCheck:
    try:
        asked = _decode(body) if kind == _JSON else AskedCheck(body.decode())
    except (msgspec.DecodeError, UnicodeDecodeError) as err:
        raise Problem(422, f"Nothing was checked: {in_words(err, AskedCheck)}.") from None
    if not asked.text.strip():
        raise Problem(422, "Nothing was checked: the text is empty.")
    return asked


_decode = msgspec.json.Decoder(AskedCheck).decode
