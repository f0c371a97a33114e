"""The model on disk: arrays in a skops file that needs no trusted type, and a manifest that vouches for it.

Same model, same bytes: skops writes memory addresses and the time of day, so both are replaced.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.errors import BadArtifact
from streams.state.drift import DriftReference

MODEL_FILE = "model.skops"
MANIFEST_FILE = "manifest.json"
CARD_FILE = "MODEL_CARD.md"
TRUSTED: list[str] = []
"""Types outside skops' own list of harmless ones that a model file may hold: none."""
MAX_MODEL_BYTES = 64 << 20
MAX_UNPACKED_BYTES = 256 << 20
MAX_MANIFEST_BYTES = 1 << 20
FORMAT = 1
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,  # a shape that no file could fill
    OSError,
    RuntimeError,  # deep JSON, an encrypted entry, a packing that zipfile does not know
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What skops, NumPy and zipfile raise for a file that none of them wrote."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int = FORMAT
    version: str
    """Short digest of model, features and threshold."""
    model_sha256: str
    feature_names: tuple[str, ...]
    threshold: float
    """revert_risk that flags 1 % of the edits nobody reverted, out of fold."""
    thresholds: dict[str, float]
    """By `Situation`: revert_risk from which an edit alerts."""
    trained_with: dict[str, str]
    """Versions of the libraries."""
    training_data: dict[str, str]
    """sha256 by file name."""
    metrics: dict[str, Any]
    reference: DriftReference | None = None
    """How scores and some features were spread in training; None: not known."""


def write(directory: Path, arrays: dict[str, NDArray[Any]], manifest: Manifest, card: str) -> None:
    """Write all three files. `arrays` must be what `manifest.model_sha256` was taken of."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(model_bytes(arrays))
    text = json.dumps(msgspec.to_builtins(manifest), indent=1, ensure_ascii=False)
    (directory / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    (directory / CARD_FILE).write_text(card, encoding="utf-8")


def read(directory: Path) -> tuple[dict[str, NDArray[Any]], Manifest]:
    """Raises `BadArtifact` for anything that is not as the manifest says."""
    manifest_path, model_path = directory / MANIFEST_FILE, directory / MODEL_FILE
    try:
        if manifest_path.stat().st_size > MAX_MANIFEST_BYTES:
            raise BadArtifact(
                f"{manifest_path}: larger than {MAX_MANIFEST_BYTES >> 20} MiB: no manifest"
            )
        manifest = msgspec.json.decode(manifest_path.read_bytes(), type=Manifest)
        if model_path.stat().st_size > MAX_MODEL_BYTES:
            raise BadArtifact(f"{model_path}: larger than {MAX_MODEL_BYTES >> 20} MiB: no model of ours")
        data = model_path.read_bytes()
    except OSError as err:
        raise BadArtifact(f"{err.filename}: {err.strerror}: train one with `factwatch train`") from err
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise BadArtifact(f"{manifest_path}: no manifest: {str(err)[:200]}") from err
    if manifest.format != FORMAT:
        raise BadArtifact(
            f"{manifest_path}: format {manifest.format}, this version reads {FORMAT}: train anew"
        )
    for threshold in (manifest.threshold, *manifest.thresholds.values()):
        if not 0 < threshold <= 1:
            raise BadArtifact(f"{manifest_path}: threshold {threshold:g}, wants above 0 and at most 1")
    if manifest.reference is not None:
        strange = set(manifest.reference.features) - set(manifest.feature_names)
        if strange:
            raise BadArtifact(
                f"{manifest_path}: a reference of {min(strange)[:100]!r}: no feature of it"
            )
    if sha256(data).hexdigest() != manifest.model_sha256:
        raise BadArtifact(f"{model_path}: not the file its manifest names (sha256 differs): train anew")
    import skops.io  # with scikit-learn over a second: only for who loads a model

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > MAX_UNPACKED_BYTES:
                raise BadArtifact(f"{model_path}: unpacks to more than {MAX_UNPACKED_BYTES >> 20} MiB")
        untrusted = skops.io.get_untrusted_types(data=data)
        if set(untrusted) - set(TRUSTED):
            raise BadArtifact(
                f"{model_path}: holds types that are not trusted: {', '.join(untrusted)[:200]}"
            )
        arrays = skops.io.loads(data, trusted=TRUSTED)
    except BadArtifact:
        raise
    except _UNREADABLE as err:
        raise BadArtifact(f"{model_path}: can't be read: {str(err)[:200]}") from err
    if not isinstance(arrays, dict) or not all(
        isinstance(value, np.ndarray) for value in arrays.values()
    ):
        raise BadArtifact(f"{model_path}: holds something else than arrays")
    return arrays, manifest


def model_bytes(arrays: dict[str, NDArray[Any]]) -> bytes:
    """The skops file of some arrays, the same bytes for the same arrays."""
    import skops.io

    source = zipfile.ZipFile(io.BytesIO(skops.io.dumps(arrays)))
    schema = json.loads(source.read("schema.json"))
    numbers: dict[int, int] = {}
    _renumber(schema, numbers)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
        for name in sorted(source.namelist(), key=lambda name: _new_name(name, numbers)):
            body = source.read(name) if name != "schema.json" else json.dumps(schema).encode()
            entry = zipfile.ZipInfo(_new_name(name, numbers), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            target.writestr(entry, body)
    return out.getvalue()


def _renumber(node: Any, numbers: dict[int, int]) -> None:
    if isinstance(node, list):
        for item in node:
            _renumber(item, numbers)
    elif isinstance(node, dict):
        if "__id__" in node:
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        for item in node.values():
            _renumber(item, numbers)
        if "file" in node:
            node["file"] = _new_name(node["file"], numbers)


def _new_name(name: str, numbers: dict[int, int]) -> str:
    stem, dot, suffix = name.partition(".")
    return f"{numbers.get(int(stem), int(stem)):04d}{dot}{suffix}" if stem.isdigit() else name
