"""A file system that a test can fill: a few MB of memory (tmpfs), mounted for the test. Wants root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HOW = "needs a file system of its own to fill: run the tests as root, with the right to mount a tmpfs"


class SmallDisk:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def free_bytes(self) -> int:
        return shutil.disk_usage(self.directory).free

    @contextmanager
    def filled(self, but_bytes: int = 0) -> Iterator[None]:
        """As if somebody else had written to it, until so many bytes are left."""
        filler = self.directory / "filler"
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, self.free_bytes - but_bytes)
        try:
            yield
        finally:
            filler.unlink()


@contextmanager
def small_disk(size_mb: int) -> Iterator[SmallDisk]:
    """Below /tmp, which every user reaches. Skips where mounting is not allowed, in CI too: no package
    that a test could ask for gives that right."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip(HOW)
    directory = Path(tempfile.mkdtemp(prefix="factwatch-small-disk-"))
    try:
        mount = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            f"size={size_mb}m,mode=755",
            "factwatch-test",
            str(directory),
        ]
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"{HOW} ({done.stderr.strip()})")
        try:
            yield SmallDisk(directory)
        finally:
            subprocess.run(["umount", str(directory)], check=True, capture_output=True)
    finally:
        directory.rmdir()
