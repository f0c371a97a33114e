"""Keys of states and their 63-bit digests, by which a store finds them."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b


@lru_cache(maxsize=65_536)  # each key is asked for several times a batch
def state_id(key: str) -> int:
    """Digest of a key. Among ten million keys the chance of any two meeting is 5e-6; a state
    carries its key, so that a meeting would show."""
    raw = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(raw, "big") >> 1
