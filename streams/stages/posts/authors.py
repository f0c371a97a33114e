"""How an author is named in our records: by a keyed hash, unless it is asked otherwise."""

from __future__ import annotations

import re
from hashlib import blake2b

MIN_KEY_BYTES, MAX_KEY_BYTES = 16, 64
MAX_AUTHOR_CHARS = 512
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Authors:
    """Turns a platform's id of an author into the word our records have for it.

    The same key gives the same words, so it must be the same in every process and after each restart;
    with another key an author is another, and no deletion of an account finds the posts stored before.
    """

    def __init__(self, key: bytes | None) -> None:
        """`key`, 16 to 64 secret bytes; None keeps ids as the platform gives them."""
        if key is not None and not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
            raise ValueError(f"the key has {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, not {len(key)}")
        self._keyed = None if key is None else blake2b(key=key, digest_size=16, person=b"post author")

    def __call__(self, platform: str, author_id: str | None) -> str:
        """32 hex digits, or the id itself where there is no key; "" for an author not told."""
        if not author_id:
            return ""
        if self._keyed is None:
            told = author_id[:MAX_AUTHOR_CHARS]
            return told if told.isprintable() else _UNFIT.sub("", told)
        keyed = self._keyed.copy()
        keyed.update(f"{platform}\x1f{author_id}".encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()
