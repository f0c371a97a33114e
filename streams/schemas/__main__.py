"""`python -m streams.schemas`: write the schemas anew from the records."""

from __future__ import annotations

from pathlib import Path

from streams.schemas import WIRE, make_schema, render

for name in WIRE:
    Path(__file__).with_name(f"{name}.json").write_text(render(make_schema(name)), "utf-8")
