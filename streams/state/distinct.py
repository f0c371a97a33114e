"""How many different authors, in 256 bytes: HyperLogLog (Flajolet et al. 2007) with linear counting for
few. Standard error 1.04 / sqrt(256) = 6.5 %. Telling one twice changes nothing; none can be taken back."""

from __future__ import annotations

import math
from collections.abc import Iterable

_REGISTERS = 256
_BITS = 63 - 8
"""A hash of 63 bits: eight choose the register, the rest is counted for leading zeros."""
_ALPHA = 0.7213 / (1 + 1.079 / _REGISTERS)

#: Of nobody.
EMPTY = b""


def added(sketch: bytes, hashes: Iterable[int]) -> bytes:
    """`sketch`, with these too. Hashes are even over 63 bits."""
    registers = bytearray(sketch or bytes(_REGISTERS))
    for value in hashes:
        register, rest = value & (_REGISTERS - 1), value >> 8
        rank = _BITS - rest.bit_length() + 1
        if rank > registers[register]:
            registers[register] = rank
    return bytes(registers)


def united(sketches: Iterable[bytes]) -> bytes:
    """Of those in any of them."""
    present = [sketch for sketch in sketches if sketch]
    return bytes(map(max, *present)) if len(present) > 1 else present[0] if present else EMPTY


def estimate(sketch: bytes) -> int:
    if not sketch:
        return 0
    raw = _ALPHA * _REGISTERS**2 / sum(2.0**-rank for rank in sketch)
    empty = sketch.count(0)
    if raw <= 2.5 * _REGISTERS and empty:
        return round(_REGISTERS * math.log(_REGISTERS / empty))
    return round(raw)
