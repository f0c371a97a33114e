"""How the first edits were spread that a model scored here: on disk, so that a decline over weeks is not
hidden by a restart in between."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from streams.state.drift import DriftReference

log = logging.getLogger("factwatch")


class _Kept(msgspec.Struct, frozen=True):
    model_version: str
    first: DriftReference


class FirstEdits:
    """A file of a few KB. Without it drift is held against the edits of now: nothing stops for it."""

    def __init__(self, path: Path, model_version: str) -> None:
        self._path = path
        self._model_version = model_version

    def load(self) -> DriftReference | None:
        """None where there is none of this model."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as err:
            log.warning("%s: can't be read, drift starts anew: %s", self._path, str(err)[:200])
            return None
        return kept.first if kept.model_version == self._model_version else None

    def save(self, first: DriftReference) -> None:
        unfinished = self._path.with_name(self._path.name + ".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(msgspec.json.encode(_Kept(self._model_version, first)))
            unfinished.replace(self._path)
        except OSError as err:
            log.warning("%s: can't be kept, drift starts anew with the next start: %s", self._path, err)
