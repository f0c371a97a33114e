"""Does the suite bite? Breaks a copy of the code by hand, one line at a time, and looks for a test that
fails: `python -m tests.contract.mutants`. Run it when the core or its tests changed; two minutes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.conftest import CHECKOUT, data_directory

TESTS = (
    "tests/unit/stages tests/unit/state tests/unit/store tests/unit/runners tests/unit/cli"
    " tests/unit/test_settings.py tests/property/test_core_properties.py"
).split()


class Mutant(NamedTuple):
    what: str
    path: str
    before: str
    after: str


MUTANTS = (
    Mutant("inverted threshold", "stages/decide.py", "return risk >= threshold or", "return risk < threshold or"),
    Mutant("the shifted risk decides", "stages/decide.py",
           "risk, threshold = score.decides,", "risk, threshold = score.revert_risk,"),
    Mutant("late labels teach", "runners/own_shifts.py", "- day > COUNTED_DAYS", "- day > 99"),
    Mutant("no hysteresis", "stages/decide.py", "threshold * self.policy.join_share", "threshold"),
    Mutant("radius off by one", "stages/track.py",
           "    first = max(0, index - REVERT_RADIUS)\n", "    first = max(0, index - REVERT_RADIUS - 1)\n"),
    Mutant("null edits revert", "stages/track.py", 'if back < index - 1 else None', 'if back < index else None'),
    Mutant("watermark lateness sign", "state/watermark.py", "newest - LATENESS_S", "newest + LATENESS_S"),
    Mutant("two odd clocks are enough", "state/watermark.py", "CONFIRMATIONS = 3", "CONFIRMATIONS = 2"),
    Mutant("swallowed dead letter", "runners/processor.py",
           "                batch.dead_letters.append(record)\n", "                pass\n"),
    Mutant("corruption becomes a dead letter", "runners/processor.py",
           "                except FactwatchError:\n                    raise  #", "                except ZeroDivisionError:\n                    raise  #"),
    Mutant("cursor not committed", "store/batch_rows.py", "if batch.cursor is not None:", "if False:"),
    Mutant("no rollback", "store/sqlite.py", 'db.execute("ROLLBACK")', 'db.execute("COMMIT")'),
    Mutant("kept too early", "store/batch.py", "KEPT_AFTER_S = 48 *", "KEPT_AFTER_S = 47 *"),
    Mutant("duplicates pass", "stages/deduplicate.py", "            return False\n", "            return True\n"),
    Mutant("requeued letters counted twice", "store/batch_rows.py", "SET n = n - ?", "SET n = n - 0 * ?"),
    Mutant("a moved episode has no timer", "runners/second_pass.py",
           "heapq.heappush(self._timers, (moved.next_deadline, new))", "pass"),
    Mutant("cool-down forgotten", "stages/decide.py",
           "edit.event_time < episode.dispute_quiet_until", "False"),
    Mutant("vandalism clean-up is a dispute", "stages/controversy.py",
           "if 2 * sum(1 for entry in entries if not entry.flags & _NO_EDITORS) > len(entries)", "if True"),
    Mutant("controversy keeps its top pair", "stages/controversy.py", "(sum(weights) - max(weights))", "sum(weights)"),
    Mutant("a typo in a setting passes", "settings.py", "and name not in known:", "and False:"),
    Mutant("requeued letters stop the program", "runners/embedded.py",
           "if not batch.requeued and not of_posts:\n            self._limit", "if not of_posts:\n            self._limit"),
    Mutant("alert ids by chance", "stages/alerts.py", '"\\x1f".join(str(part) for part in parts)',
           '"\\x1f".join(str(part) for part in (*parts, id(parts)))'),
)  # fmt: skip


def survives(tree: Path, mutant: Mutant) -> bool | None:
    """None: its line is not there any more."""
    path = tree / "streams" / mutant.path
    whole = path.read_text("utf-8")
    if whole.count(mutant.before) != 1:
        return None
    path.write_text(whole.replace(mutant.before, mutant.after), "utf-8")
    try:
        environ = os.environ | {
            "PYTHONPATH": str(tree),
            "FACTWATCH_TEST_DATA": str(data_directory()),
            "PYTHONDONTWRITEBYTECODE": "1",
            "CI": "1",
        }
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS]
        done = subprocess.run(command, cwd=tree, env=environ, capture_output=True, check=False)
        return done.returncode == 0
    finally:
        path.write_text(whole, "utf-8")


def main() -> int:
    survivors = 0
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name)
        for part in ("streams", "models", "tests"):
            shutil.copytree(CHECKOUT / part, tree / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(CHECKOUT / "pyproject.toml", tree)
        if survives(tree, Mutant("nothing", "settings.py", "PREFIX = ", "PREFIX = ")) is not True:
            sys.stdout.write("the tests fail without any mutant: mend them first\n")
            return 1
        for mutant in MUTANTS:
            lives = survives(tree, mutant)
            survivors += lives is not False
            told = {True: "SURVIVED", False: "killed", None: "NOT THERE"}[lives]
            sys.stdout.write(f"{told:<10} {mutant.path:<24} {mutant.what}\n")
            sys.stdout.flush()
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
