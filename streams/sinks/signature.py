"""The signature of a webhook: `X-Factwatch-Signature: t=1735689600,v1=5257a8…`, as Stripe's.

`v1` is the hex HMAC-SHA256, with the shared key, of the time `t`, a dot and the body's bytes as sent.
The time is signed with the body, so that a delivery overheard can't be sent again later.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from streams.errors import BadSetting

HEADER = "X-Factwatch-Signature"
TOLERANCE_S = 300


def signature(key: bytes, body: bytes, now: float) -> str:
    """The header's value for `body` sent at `now` (Unix seconds)."""
    sent = str(int(now))
    return f"t={sent},v1={_digest(key, sent, body)}"


def is_genuine(
    key: bytes, header: str, body: bytes, now: float, tolerance_s: float = TOLERANCE_S
) -> bool:
    """For a receiver: true when `header` was made with `key` for `body`, at most `tolerance_s` from
    `now`. Constant time in the digest. Other fields than `t` and `v1` are passed over: there may be a
    `v2` one day."""
    fields = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    sent, digest = fields.get("t", ""), fields.get("v1", "")
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 15 and digest.isascii()):
        return False
    return hmac.compare_digest(digest, _digest(key, sent, body)) and abs(now - int(sent)) <= tolerance_s


def load_key(path: Path) -> bytes:
    """The file's bytes without surrounding white space. Raises `BadSetting`."""
    name = f"FACTWATCH_WEBHOOK_SECRET_FILE: {path}"
    try:
        key = path.read_bytes().strip()
    except OSError as err:
        raise BadSetting(f"{name} can't be read: {err.strerror}") from None
    if len(key) < 16:
        raise BadSetting(
            f"{name} holds fewer than 16 bytes; `openssl rand -hex 32 > {path}` makes a key"
        )
    return key


def _digest(key: bytes, sent: str, body: bytes) -> str:
    return hmac.new(key, sent.encode() + b"." + body, hashlib.sha256).hexdigest()
