"""`POST /v1/posts`: one post as JSON or several as NDJSON, taken whole or not at all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.posts import Post, PostsGone, post_key
from streams.records import DeadLetter, Skip
from streams.stages.posts.normalize import PostNormalizer
from streams.web.bodies import read_body
from streams.web.guards import POSTS_PATH
from streams.web.problems import Problem, problem_response
from streams.web.tokens import Scope, Tokens

#: Several posts of 1 MB, or some 10,000 of the usual size, of which `MAX_POSTS` are taken.
MAX_BODY_BYTES = 8 << 20
MAX_POSTS = 1_000
#: Bodies held in memory at once.
AT_ONCE = 8
#: A body that drips in holds one of those places.
BODY_TIMEOUT_S = 30.0
#: Of the lines that can't be taken this many are told.
MAX_ERRORS = 20
RETRY_AFTER_S = 1.0
_JSON, _NDJSON = "application/json", "application/x-ndjson"
_BOM = b"\xef\xbb\xbf"

Accept = Callable[[Sequence[Post | PostsGone]], Awaitable[None]]
"""Returns when all are durable; raises `QueueFull` when there is no room, and then none is taken. Called
again with the same posts by a client that did not hear of the first time."""


class QueueFull(Exception):
    """What is waiting to be committed is as much as may wait."""

    def __init__(self, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(f"try again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class LineError(msgspec.Struct, frozen=True):
    line: int
    """From 1; of a single post 1."""
    reason: str
    """A `DeadReason`, or `no_text`."""
    message: str


class _Refused(Exception):
    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        hang_up: bool = False,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        if hang_up:  # the rest of the body is not read
            self.headers["Connection"] = "close"


class PostIntake:
    """The endpoint. `tokens` is None where nobody is asked for one, which is on loopback only."""

    def __init__(
        self,
        normalizer: PostNormalizer,
        accept: Accept,
        tokens: Tokens | None,
        now: Callable[[], float],
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
        max_posts: int = MAX_POSTS,
        at_once: int = AT_ONCE,
        body_timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        """`now` gives Unix seconds: when a post arrived."""
        self._normalizer = normalizer
        self._accept = accept
        self._tokens = tokens
        self._now = now
        self._max_body_bytes = max_body_bytes
        self._max_posts = max_posts
        self._at_once = at_once
        self._body_timeout_s = body_timeout_s
        self._under_way = 0

    def route(self) -> Route:
        return Route(POSTS_PATH, self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """202 once all posts of the body are durable. The same body again is taken again: a post is
        its platform and id, and what is known of it already changes nothing."""
        try:
            self._authorize(request)
            several = _is_ndjson(request)
            if self._under_way >= self._at_once:
                raise _Refused(429, "Too many requests at once.", _retry(RETRY_AFTER_S), hang_up=True)
            self._under_way += 1
            try:
                return await self._take(request, several)
            finally:
                self._under_way -= 1
        except _Refused as err:
            return problem_response(err.status, err.detail, err.headers)
        except Problem as err:
            return problem_response(err.status_code, err.detail, err.headers)
        except QueueFull as err:
            return problem_response(
                429, "More posts wait to be taken than may wait.", _retry(err.retry_after_s)
            )

    def _authorize(self, request: Request) -> None:
        if self._tokens is None:
            return
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        granted = self._tokens.scopes_of(token.strip()) if kind.lower() == "bearer" else None
        if granted is None:
            raise _Refused(
                401,
                "Send `Authorization: Bearer TOKEN` with a token of FACTWATCH_API_TOKENS_FILE.",
                {"WWW-Authenticate": 'Bearer realm="factwatch"'},
                hang_up=True,
            )
        if Scope.INGEST not in granted:
            raise _Refused(
                403,
                "This token has no scope `ingest`: add it to its line in the tokens file.",
                {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="ingest"'},
                hang_up=True,
            )

    async def _take(self, request: Request, several: bool) -> Response:
        body = await read_body(request, self._max_body_bytes, self._body_timeout_s)
        lines = _lines(body) if several else [(1, body)]
        del body
        if not lines:
            return _unprocessable([LineError(1, "not_json", "the body has no post")])
        if len(lines) > self._max_posts:
            raise _Refused(413, f"More than {self._max_posts:,} posts: send them in several requests.")
        records, errors = await run_in_threadpool(self._normalized, lines)
        if errors:
            return _unprocessable(errors)
        await self._accept(records)
        return Response(
            msgspec.json.encode({"accepted": len(records)}), 202, media_type="application/json"
        )

    def _normalized(
        self, lines: Sequence[tuple[int, bytes]]
    ) -> tuple[list[Post | PostsGone], list[LineError]]:
        """Of several records for one post the last counts."""
        arrival_time = self._now()
        records: dict[str, Post | PostsGone] = {}
        errors: list[LineError] = []
        for number, line in lines:
            found = self._normalizer.submitted(line, arrival_time)
            match found:
                case DeadLetter(reason=reason, message=message):
                    errors.append(LineError(number, reason.value, message))
                case Skip(reason=reason):
                    errors.append(
                        LineError(number, reason.value, "no text, no link: nothing to compare")
                    )
                case Post() | PostsGone():
                    key = _key(found)
                    records.pop(key, None)
                    records[key] = found
            if len(errors) == MAX_ERRORS:
                break
        return list(records.values()), errors


def _is_ndjson(request: Request) -> bool:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Refused(415, "Send the body unpacked, without a Content-Encoding.", hang_up=True)
    charset = parameters.strip().replace('"', "")
    if kind.strip() not in (_JSON, _NDJSON) or charset not in ("", "charset=utf-8"):
        raise _Refused(
            415,
            f"Send one post as {_JSON}, or several, one a line, as {_NDJSON}; in UTF-8.",
            {"Accept-Post": f"{_JSON}, {_NDJSON}"},
            hang_up=True,
        )
    return kind.strip() == _NDJSON


def _lines(body: bytes) -> list[tuple[int, bytes]]:
    """Numbered from 1; blank ones count and are passed over."""
    lines = body.removeprefix(_BOM).split(b"\n")
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _key(record: Post | PostsGone) -> str:
    if isinstance(record, Post):
        return record.key
    if record.post_id is not None:
        return post_key(record.platform, record.post_id)
    return f"author\x1f{record.platform}\x1f{record.author}"


def _retry(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(seconds)))}


def _unprocessable(errors: Sequence[LineError]) -> Response:
    first = errors[0]
    body = {
        "type": "about:blank",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "detail": f"Nothing was taken. Line {first.line}: {first.reason}: {first.message}",
        "errors": errors,
    }
    return Response(msgspec.json.encode(body), 422, media_type="application/problem+json")
