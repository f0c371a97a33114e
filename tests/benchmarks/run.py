"""`make bench`: every figure beside a bound measured in the same run, each part in a process of its own.

    python tests/benchmarks/run.py [PART …] [--json] [--data DIR]

Parts: metadata, text, lincoln, memory, latency, sources, facts, classifier (by default all). A figure that is not
reached is marked and the exit code is 1.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

HERE = Path(__file__).parent
PARTS = ("metadata", "text", "lincoln", "memory", "latency", "sources", "facts", "classifier")


def measure(part: str, data: str) -> list[dict[str, object]]:
    """Rows of one part: name, value, unit, asked (text), ok, beside (the bound)."""
    done = subprocess.run(
        [sys.executable, str(HERE / "parts.py"), part, "--data", data],
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    if done.returncode:
        return [{"name": f"{part} failed (exit code {done.returncode})", "ok": False}]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure")
    parser.add_argument(
        "--data",
        default=os.environ.get("FACTWATCH_TEST_DATA", str(HERE.parents[2] / "shared" / "data")),
        help="directory of the real data (parts that need it are left out without)",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part {unknown.pop()!r}; there are {', '.join(PARTS)}")
    rows = []
    for part in arguments.parts or PARTS:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        rows += measure(part, arguments.data)
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
    else:
        table = Table(title="Factwatch benchmarks, one core")
        for column in ("figure", "measured", "asked", "", "beside (same run)"):
            table.add_column(column, overflow="fold")
        for row in rows:
            mark = {True: "ok", False: "MISSED", None: ""}[row.get("ok")]  # type: ignore[index]  # of JSON
            table.add_row(
                str(row["name"]), str(row.get("value", "")), str(row.get("asked", "")), mark,
                str(row.get("beside", "")),
            )  # fmt: skip
        Console(width=150).print(table)
    return 0 if all(row.get("ok") is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
