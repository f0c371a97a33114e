"""Python's memory, set for states that live long."""

from __future__ import annotations

import ctypes
import gc
import sys

from streams.runners.huge_pages import ask_for_huge_pages

_M_MMAP_THRESHOLD = -3
"""Of mallopt(3)."""
LARGE_BYTES = 4 << 20
"""Above what a batch takes for a moment: those would be mapped anew each time."""


def set_for_long_lives() -> None:
    """At the start of a run, once all that stays is loaded.

    States live long and hold no cycles: each collection of the young would walk them for nothing
    (measured: 12 % of the time of metadata-only events in one process, more in a worker). And a block as
    large as the table of a big dict goes back to the system when it is freed: glibc would keep what was
    once given back for the next one, and a table that is made anew now and then would be held twice
    (measured: 8 MB of 326 after 200,000 events).
    """
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
    ask_for_huge_pages()
