"""Who may ask for what: the file of API tokens."""

from __future__ import annotations

import hashlib
import hmac
import logging
import stat
from enum import StrEnum
from pathlib import Path

from streams.errors import BadSetting

log = logging.getLogger(__name__)
MIN_LENGTH = 16


class Scope(StrEnum):
    READ = "read"
    INGEST = "ingest"
    VERDICT = "verdict"
    ADMIN = "admin"


class Tokens:
    """Digests of the tokens with their scopes: what is compared has one length, and what is kept can't
    be shown by a traceback."""

    def __init__(self, scopes: dict[str, frozenset[Scope]]) -> None:
        self._entries = [(_digest(token), granted) for token, granted in scopes.items()]

    def scopes_of(self, token: str) -> frozenset[Scope] | None:
        """None for an unknown token. Every entry is compared, each in constant time."""
        presented = _digest(token)
        found: frozenset[Scope] | None = None
        for digest, granted in self._entries:
            if hmac.compare_digest(digest, presented):
                found = granted
        return found


def load_tokens(path: Path) -> Tokens:
    """Lines of `token scope[,scope]`; `#` starts a comment line. Raises `BadSetting` naming the file and
    line, never the token. A file that others can read is only warned of: a mounted secret often is."""
    name = f"FACTWATCH_API_TOKENS_FILE: {path}"
    try:
        text = path.read_text(encoding="utf-8")
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as err:
        raise BadSetting(f"{name} can't be read: {getattr(err, 'strerror', None) or err}") from None
    if mode & (stat.S_IRGRP | stat.S_IROTH):
        log.warning("%s can be read by other users: chmod 600 %s", name, path)
    scopes: dict[str, frozenset[Scope]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2:
            raise BadSetting(f"{name}, line {number}: wants `token scope[,scope]`")
        token, granted = words
        if not token.isascii() or len(token) < MIN_LENGTH:
            raise BadSetting(
                f"{name}, line {number}: a token has at least {MIN_LENGTH} ASCII characters; "
                "`openssl rand -hex 32` makes one"
            )
        if token in scopes:
            raise BadSetting(f"{name}, line {number}: this token stands on an earlier line too")
        try:
            scopes[token] = frozenset(Scope(scope) for scope in granted.split(","))
        except ValueError:
            allowed = ", ".join(Scope)
            raise BadSetting(f"{name}, line {number}: a scope is one of {allowed}") from None
    if not scopes:
        raise BadSetting(f"{name} holds no token: add a line such as `TOKEN read`, or unset it")
    return Tokens(scopes)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
