"""Where the command begins: Ctrl-C ends it in one line from the first moment on, loading included."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def main() -> None:
    interrupted = False

    def interrupt(signum: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(signum, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        from streams.cli.main import run_command

        # Python drops what is raised in a finalizer: then the command ends some other way, and late.
        code = run_command(lambda: interrupted)
    except KeyboardInterrupt:
        print("factwatch: interrupted", file=sys.stderr)  # noqa: T201  # click may not be loaded yet
        code = 130
    sys.exit(code)
