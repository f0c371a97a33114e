"""Files and directories that a command is told: what is not there is said before anything is loaded, and ends
the command as any other file that can't be read (3)."""

from __future__ import annotations

import os
from pathlib import Path

import click

from streams.errors import BadInput


class _Named(click.ParamType):
    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        self.look_at(path)
        return path

    def look_at(self, path: Path) -> None:
        raise NotImplementedError


class ReadFile(_Named):
    """One that is read. `or_stdin`: `-` is standard input."""

    name = "file"

    def __init__(self, *, or_stdin: bool = False) -> None:
        self._or_stdin = or_stdin

    def look_at(self, path: Path) -> None:
        if self._or_stdin and str(path) == "-":
            return
        if not path.exists():
            raise BadInput(f"{path}: no such file")
        if path.is_dir():
            raise BadInput(f"{path}: is a directory, wants a file in it")
        if not os.access(path, os.R_OK):
            raise BadInput(f"{path}: may not be read")


class ReadDirectory(_Named):
    name = "directory"

    def look_at(self, path: Path) -> None:
        if not path.is_dir():
            raise BadInput(
                f"{path}: {'is a file, wants a directory' if path.exists() else 'no such directory'}"
            )


class WriteFile(_Named):
    """One that is made, or written anew or on."""

    name = "file"

    def look_at(self, path: Path) -> None:
        if path.is_dir():
            raise BadInput(f"{path}: is a directory, wants a file to write")
        if not path.parent.is_dir():
            raise BadInput(f"{path}: can't be written, there is no directory {path.parent}")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise BadInput(f"{path}: may not be written")
