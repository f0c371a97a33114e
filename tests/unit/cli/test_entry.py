"""Ctrl-C, whenever it comes."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys
import streams.cli.main as main
from streams.cli.entry import main as enter
from streams.errors import BrokerUnavailable

class Finalized:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def command(prog_name, standalone_mode):
    {command}

main.cli.main = command
enter()
"""


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("signal.raise_signal(signal.SIGINT)", 130, "factwatch: interrupted\n"),
        ("raise BrokerUnavailable('no broker')", 4, "factwatch: no broker\n"),
        ("return 3", 3, ""),
    ],
)
def test_how_a_command_ends(command: str, code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(command=command)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, said)


def test_an_interrupt_that_python_drops_in_a_finalizer_is_one_all_the_same() -> None:
    command = "value = Finalized(); del value; raise BrokerUnavailable('no broker')"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(command=command)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 130
    assert done.stderr.endswith("factwatch: interrupted\n")
    assert "factwatch: no broker" not in done.stderr


def test_while_it_is_still_loading_there_is_no_traceback() -> None:
    program = """
import builtins, signal
from streams.cli.entry import main
load = builtins.__import__
def interrupted(name, *rest, **named):
    if name == "streams.cli.main":
        signal.raise_signal(signal.SIGINT)
    return load(name, *rest, **named)
builtins.__import__ = interrupted
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (130, "factwatch: interrupted\n")


@pytest.mark.parametrize(
    "arguments", [["--version"], ["topics", "create", "--help"], ["ingest", "--help"]]
)
def test_only_who_loads_a_model_waits_for_its_libraries(arguments: list[str]) -> None:
    program = f"""
import sys
from streams.cli.main import cli
cli.main({arguments!r}, standalone_mode=False)
print(sorted({{"sklearn", "scipy", "skops"}} & sys.modules.keys()), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "[]\n")
