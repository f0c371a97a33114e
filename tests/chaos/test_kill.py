"""Killed at any point and started again, a replay tells what an undisturbed one told: nothing lost,
nothing twice."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.replayed import start, story, what_is_known, write_export, write_ndjson

FILES: dict[str, Callable[[Path], None]] = {
    "history.xml": lambda path: write_export(path, story(3_000, 5)),
    "changes.ndjson": lambda path: write_ndjson(path, story(3_000, 40)),
}
KILLS = 15
"""Of each of the two files: thirty in all."""
ROUNDS = 6


def undisturbed(file: Path, directory: Path) -> tuple[bytes, Any]:
    process = start(file, directory / "alerts.ndjson", directory / "state")
    _out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err.decode()
    return (directory / "alerts.ndjson").read_bytes(), what_is_known(directory / "state")


def killed_on_the_way(file: Path, directory: Path, total: int, seed: int, most: int) -> list[int]:
    """Run it until it ends, killing it at most `most` times; gives how far the alerts were at each kill."""
    rng = random.Random(seed)
    out = directory / "alerts.ndjson"
    kills: list[int] = []
    while True:
        process = start(file, out, directory / "state")
        size = out.stat().st_size if out.exists() else 0
        if len(kills) == most:
            _, err = process.communicate(timeout=120)
            assert process.returncode == 0, err.decode()
            return kills
        left = max(total - size, 1)
        target = size + rng.random() * 1.6 * left / (most - len(kills) + 1)
        soon = rng.random() < 0.2  # while it starts, or before its first commit
        until = time.monotonic() + (rng.uniform(0.0, 1.5) if soon else 60.0)
        while process.poll() is None and time.monotonic() < until:
            if not soon and out.exists() and out.stat().st_size >= target:
                time.sleep(rng.choice([0, 0.001, 0.004, 0.01]))
                break
            time.sleep(0.0005)
        if process.poll() is not None:
            _, err = process.communicate()
            assert process.returncode == 0, err.decode()
            return kills
        process.kill()
        process.communicate()
        kills.append(out.stat().st_size if out.exists() else 0)


def test_thirty_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    """Both files at once, to use both cores."""
    failures: list[BaseException] = []
    kills: dict[str, list[int]] = {}

    def one(name: str, write: Callable[[Path], None], seed: int) -> None:
        try:
            directory = tmp_path / name.partition(".")[0]
            (directory / "whole").mkdir(parents=True)
            file = directory / name
            write(file)
            alerts, known = undisturbed(file, directory / "whole")
            lines = alerts.count(b"\n")
            assert lines > 200, lines
            taught = any(row[0] == "enwiki" for row in known[0])
            assert taught == name.endswith(".ndjson")
            landed = kills[name] = []
            for turn in range(ROUNDS):  # a replay may end before all of its kills have landed
                killed = directory / f"killed-{turn}"
                killed.mkdir()
                landed += killed_on_the_way(
                    file, killed, len(alerts), seed + 10 * turn, KILLS - len(landed)
                )
                again = (killed / "alerts.ndjson").read_bytes()
                assert again.count(b"\n") == lines
                assert again == alerts
                assert what_is_known(killed / "state") == known
                if len(landed) == KILLS:
                    break
        except BaseException as err:  # noqa: BLE001  # raised by the test's own thread
            failures.append(err)

    threads = [
        threading.Thread(target=one, args=(name, write, seed))
        for seed, (name, write) in enumerate(FILES.items())
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    assert [len(sizes) for sizes in kills.values()] == [KILLS] * len(FILES)
    assert len({size for sizes in kills.values() for size in sizes}) >= 10


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_after_a_whole_batch(tmp_path: Path, number: signal.Signals) -> None:
    file = tmp_path / "changes.ndjson"
    write_ndjson(file, story(6_000, 40))
    out, state = tmp_path / "alerts.ndjson", tmp_path / "state"
    process = start(file, out, state)
    until = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size) and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (0, 130), err.decode()
    if process.returncode == 130:
        assert b"the same command goes on from here" in err
        assert not (state / "done").exists()
        process = start(file, out, state)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err.decode()
        assert b"going on where an interrupted replay was" in err
    (tmp_path / "whole").mkdir()
    alerts, known = undisturbed(file, tmp_path / "whole")
    assert out.read_bytes() == alerts
    assert what_is_known(state) == known
    assert os.path.exists(state / "done")
