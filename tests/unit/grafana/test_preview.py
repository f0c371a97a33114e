"""The pictures of the dashboards: small, and showing what was answered."""

from __future__ import annotations

import math
import struct
import zlib
from datetime import UTC, datetime

import numpy as np
import pytest

from grafana.definitions.__main__ import dashboards
from grafana.definitions.panels import stat, timeseries
from grafana.definitions.queries import prometheus
from grafana.preview.answers import Series
from grafana.preview.charts import colors, course
from grafana.preview.png import shrunk
from grafana.preview.units import written
from tests.conftest import CHECKOUT

PICTURES = CHECKOUT / "docs" / "dashboards"


@pytest.mark.parametrize("name", sorted(dashboards()))
def test_each_dashboard_has_a_small_picture_in_its_page(name: str) -> None:
    picture = PICTURES / name.replace(".json", ".png")
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 300_000
    text = (CHECKOUT / "docs" / "dashboards.md").read_text("utf-8")
    assert f"(dashboards/{picture.name})" in text
    assert "not by Grafana, which could not be run where this was made" in text


def png(pixels: np.ndarray, filters: list[int]) -> bytes:
    """As the specification has it: each row by a filter of its own."""
    height, width, _ = pixels.shape
    rows = bytearray()
    for y, kind in enumerate(filters):
        rows.append(kind)
        for x in range(width):
            for channel in range(3):
                value = int(pixels[y, x, channel])
                left = int(pixels[y, x - 1, channel]) if x else 0
                above = int(pixels[y - 1, x, channel]) if y else 0
                corner = int(pixels[y - 1, x - 1, channel]) if x and y else 0
                guess = left + above - corner
                paeth = min((left, above, corner), key=lambda each: abs(guess - each))
                rows.append((value - [0, left, above, (left + above) // 2, paeth][kind]) & 255)
    return _file(width, height, 2, bytes(rows))


def _file(width: int, height: int, color_type: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def shown(small: bytes) -> np.ndarray:
    """The pixels of what `shrunk` writes: a palette, rows without a filter."""
    chunks = {}
    at = 8
    while at < len(small):
        (length,) = struct.unpack(">I", small[at : at + 4])
        data = small[at + 8 : at + 8 + length]
        assert small[at + 8 + length : at + 12 + length] == struct.pack(
            ">I", zlib.crc32(small[at + 4 : at + 8] + data)
        )
        chunks[small[at + 4 : at + 8]] = data
        at += 12 + length
    width, height = struct.unpack(">II", chunks[b"IHDR"][:8])
    palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return palette[rows[:, 1:]]


def test_a_picture_of_few_colours_stays_what_it_is_whatever_its_filters() -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (200, 3), dtype=np.uint8)[rng.integers(0, 200, (5, 40))]
    for first in range(5):
        filters = [(first + row) % 5 for row in range(5)]
        assert (shown(shrunk(png(pixels, filters))) == pixels).all(), filters


def test_of_many_colours_the_common_ones_stay() -> None:
    rng = np.random.default_rng(7)
    every = np.unique(rng.integers(0, 256, (300, 3), dtype=np.uint8), axis=0)
    common, rare = every[:200], every[200:]
    pixels = np.concatenate([np.repeat(common, 4, axis=0), rare])[None]
    kept = shown(shrunk(png(pixels, [4])))
    assert (kept[0, : len(common) * 4] == pixels[0, : len(common) * 4]).all()
    assert len(np.unique(kept[0], axis=0)) == 256


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "text"),
    [
        (0.1234, "percentunit", 1, "12.3 %"),
        (0.305, "s", None, "305 ms"),
        (90, "s", 1, "1.5 mins"),
        (0, "s", None, "0 s"),
        (137_000, "short", None, "137 K"),
        (0.25, "short", None, "0.25"),
        (192 * 2**20, "bytes", None, "192 MiB"),
        (6.333, "ops", None, "6.33 ops/s"),
        (math.nan, "none", 2, "NaN"),
        (None, "short", None, "–"),
        ("<b>", "string", None, "<b>"),
        (datetime.fromtimestamp(940, UTC), "dateTimeFromNow", None, "1 mins ago"),
    ],
)
def test_figures_are_written_in_their_unit(
    value: object, unit: str, decimals: int | None, text: str
) -> None:
    assert written(value, unit, decimals, now=1_000.0) == text


def test_a_course_names_its_series_harmlessly_and_leaves_gaps() -> None:
    panel = timeseries("T", "Q?", prometheus("x"), unit="short", colors={"kept": "green"})
    points = [(float(when), 1.0) for when in (0, 1, 2, 50, 51)]
    drawn = course(panel, [Series("<script>", points)], 0, 100, (300, 200))
    assert "&lt;script&gt;" in drawn
    assert "<script>" not in drawn
    assert drawn.count("<polyline") == 2, "what is missing is not bridged"


def test_the_same_name_has_its_colour_and_no_other_gets_it() -> None:
    panel = timeseries("T", "Q?", prometheus("x"), unit="short", colors={"kept": "green"})
    chosen = colors(panel, ["a", "kept", "b"])
    assert chosen["kept"] == "#73bf69"
    assert len({chosen[name] for name in ("a", "kept", "b")}) == 3


def test_a_panel_numbers_its_targets() -> None:
    panel = stat("T", "Q?", prometheus("x"), prometheus("y"), unit="short")
    assert [target["refId"] for target in panel["targets"]] == ["A", "B"]
