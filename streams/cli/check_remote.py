"""A text checked by a running Factwatch, over `POST /v1/check`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import urllib3

from streams import __version__
from streams.cli.http_errors import cause_of
from streams.cli.output import safe
from streams.errors import BadInput, BadSetting, FactwatchError, SourceUnavailable
from streams.matching.answer_findings import CheckedAnswer
from streams.web.check import CHECK_PATH, AskedCheck

TIMEOUT = urllib3.Timeout(connect=5.0, read=35.0)
#: 256 statements of ten facts each come to some 10 MB.
MAX_ANSWER = 32 << 20
_MAX_TOKEN = 4_096


class _Problem(msgspec.Struct):
    detail: str = ""


def check_at(url: str, text: str, language: str | None, token_file: Path | None) -> CheckedAnswer:
    """Raises `SourceUnavailable` where nobody answers, `BadSetting` for a wrong address or token, `BadInput`
    for a text that is refused."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise BadSetting(f"--url: {safe(url)}: wants an address such as http://127.0.0.1:8080")
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    headers = {"Content-Type": "application/json", "User-Agent": f"factwatch/{__version__}"}
    if token_file is not None:
        headers["Authorization"] = f"Bearer {_token(token_file)}"
    body = msgspec.json.encode(AskedCheck(text, language))
    with urllib3.PoolManager(retries=False) as pool:
        try:
            answer = pool.request(
                "POST",
                place + parts.path.rstrip("/") + CHECK_PATH,
                body=body,
                headers=headers,
                timeout=TIMEOUT,
                redirect=False,
                preload_content=False,
            )
            raw = answer.read(MAX_ANSWER + 1)
        except (urllib3.exceptions.HTTPError, OSError) as err:
            raise SourceUnavailable(f"{place}: {cause_of(err)}; is `factwatch run` up?") from None
    if answer.status != 200:
        raise _refusal(place, answer.status, raw)
    if len(raw) > MAX_ANSWER:
        raise BadInput(f"{place}: its answer has more than {MAX_ANSWER:,} bytes")
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(f"{place}: what it answers is no answer of {CHECK_PATH}") from None


def _token(file: Path) -> str:
    try:
        token = file.read_bytes()[:_MAX_TOKEN].decode("ascii").strip()
    except OSError as err:
        raise BadSetting(f"--token-file: {file}: {err.strerror}") from None
    except UnicodeDecodeError:
        token = ""
    if not token or len(token.split()) > 1:
        raise BadSetting(f"--token-file: {file}: wants one token, alone, of ASCII characters")
    return token


def _refusal(place: str, status: int, raw: bytes) -> FactwatchError:
    try:
        detail = _decode_problem(raw).detail
    except (msgspec.DecodeError, UnicodeDecodeError):
        detail = ""
    line = f"{place}: HTTP {status}" + (f": {safe(detail)}" if detail else "")
    if status in (401, 403):
        return BadSetting(f"{line} (--token-file)")
    if status in (408, 429) or status >= 500:
        return SourceUnavailable(f"{line}; try again in a while")
    if status in (413, 422):
        return BadInput(line)
    return BadSetting(f"{line}; --url wants the address of a Factwatch that answers {CHECK_PATH}")


_decode = msgspec.json.Decoder(CheckedAnswer).decode
_decode_problem = msgspec.json.Decoder(_Problem).decode
