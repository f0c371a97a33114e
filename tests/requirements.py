"""What a test needs of the machine: missing, it is skipped on a person's machine and fails in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

#: What tests fetch once and keep.
CACHE = Path(os.environ.get("FACTWATCH_TEST_CACHE") or "~/.cache/factwatch-tests").expanduser()
#: Programs of Debian packages that .ci/packages unpacked there, rather than installed.
_UNPACKED = CACHE / "debian" / "usr" / "bin"


def require_or_skip(condition: bool, how: str) -> None:
    """`how` says how to get what is missing. With CI set, a test that can't run is a failure."""
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(f"can't run here: {how}", pytrace=False)
    pytest.skip(how)


def require(tool: str, how: str) -> str:
    """The path of the program `tool`."""
    path = shutil.which(tool) or shutil.which(tool, path=_UNPACKED)
    require_or_skip(path is not None, how)
    assert path is not None
    return path
