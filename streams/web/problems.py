"""Errors of the API as application/problem+json (RFC 9457); `detail` says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

#: For errors that the framework raises itself.
DETAILS = {
    404: "There is nothing here. The API is under /v1/alerts, the page at /.",
    405: "GET and HEAD are answered here; /v1/posts, /v1/check and verdicts take POST.",
}


class Problem(HTTPException):
    """`raise Problem(400, "limit: …")` anywhere in an endpoint."""


def problem_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return Response(
        msgspec.json.encode(body), status, media_type="application/problem+json", headers=headers
    )


def on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if isinstance(error, Problem) else DETAILS.get(error.status_code, error.detail)
    return problem_response(error.status_code, detail, error.headers)


def on_unexpected(request: Request, error: Exception) -> Response:
    """The traceback goes to the log (the framework raises it again), never to the caller."""
    return problem_response(500, "An error of our own; the log has it. Trying again may help.")
