"""Large pages are asked for where the objects are, and nowhere that it would waste memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streams.runners.huge_pages import SYSTEM, Region, growing_regions, huge_page_bytes

MIB = 1 << 20
LARGE = 2 * MIB
#: As Linux 6.18 writes them (proc_pid_maps(5)).
HEAP = "55a4c6f00000-55a4c7500000 rw-p 00000000 00:00 0                          [heap]\n"
ARENAS = "7f0a40000000-7f0a40a00000 rw-p 00000000 00:00 0 \n"
GUARD = "7f0a50000000-7f0a50001000 ---p 00000000 00:00 0 \n"
STACK = "7f0a50001000-7f0a50801000 rw-p 00000000 00:00 0 \n"
MAIN_STACK = "7ffd00000000-7ffd00800000 rw-p 00000000 00:00 0                          [stack]\n"
FILE = "7f0a60000000-7f0a60800000 rw-p 00000000 fe:00 1312                       /var/lib/x.sqlite-shm\n"
SHARED = "7f0a70000000-7f0a70800000 rw-s 00000000 00:01 0 \n"
CODE = "7f0a80000000-7f0a80800000 r-xp 00000000 00:00 0 \n"


def test_memory_of_allocators_is_asked_for():
    assert list(growing_regions([HEAP, ARENAS], LARGE)) == [
        Region(0x55A4C7000000, 0x55A4C7400000),
        Region(0x7F0A40000000, 0x7F0A40A00000),
    ]


def test_only_whole_large_pages_are():
    odd = "7f0a40100000-7f0a40500000 rw-p 00000000 00:00 0 \n"
    small = "7f0a41100000-7f0a41300000 rw-p 00000000 00:00 0 \n"
    assert list(growing_regions([odd, small], LARGE)) == [Region(0x7F0A40200000, 0x7F0A40400000)]


@pytest.mark.parametrize("line", [MAIN_STACK, FILE, SHARED, CODE])
def test_stacks_files_shared_memory_and_code_are_left_alone(line):
    assert list(growing_regions([line], LARGE)) == []


def test_the_stack_of_a_thread_is_told_by_its_guard():
    assert list(growing_regions([GUARD, STACK], LARGE)) == []
    assert len(list(growing_regions([STACK], LARGE))) == 1


def test_titles_of_mappings_may_have_spaces():
    odd = "7f0a60000000-7f0a60800000 rw-p 00000000 fe:00 1312       /tmp/a b [heap] \n"
    assert list(growing_regions([odd], LARGE)) == []


@pytest.fixture
def system(tmp_path: Path) -> Path:
    (tmp_path / "enabled").write_text("always [madvise] never\n")
    (tmp_path / "hpage_pmd_size").write_text("2097152\n")
    return tmp_path


def test_the_kernel_says_how_large_they_are(system):
    assert huge_page_bytes(system) == LARGE


def test_whoever_turned_them_off_gets_none(system):
    (system / "enabled").write_text("always madvise [never]\n")
    assert huge_page_bytes(system) == 0


@pytest.mark.parametrize("name", ["enabled", "hpage_pmd_size"])
def test_a_kernel_without_them_is_no_error(system, name):
    (system / name).unlink()
    assert huge_page_bytes(system) == 0


def test_a_size_that_is_no_number_is_no_error(system):
    (system / "hpage_pmd_size").write_text("large\n")
    assert huge_page_bytes(system) == 0


#: Prints how many KiB of large pages a process of many small objects has at first, and after it asked. It
#: waits for them, and does not end without.
ASKS = """
import re, time
from streams.runners.memory import set_for_long_lives

def large():
    return int(re.search(r"AnonHugePages: +([0-9]+) kB", open("/proc/self/smaps_rollup").read())[1])

objects = [(number, str(number)) for number in range(400_000)]
print(large())
set_for_long_lives()
set_for_long_lives()
while large() < 20_000:
    time.sleep(0.01)
print(large())
import threading
print(sum(thread.name == "huge-pages" for thread in threading.enumerate()))
"""


def _gives_to_who_asks() -> bool:
    """What the kernel gives to everybody at once would be there before anyone asked."""
    release = tuple(int(number) for number in re.findall(r"\d+", os.uname().release)[:2])
    return (
        release >= (6, 1)
        and huge_page_bytes(SYSTEM) > 0
        and "[madvise]" in (SYSTEM / "enabled").read_text()
    )


@pytest.mark.skipif(
    not _gives_to_who_asks(), reason="wants Linux 6.1, transparent_hugepage/enabled at madvise"
)
def test_a_process_gets_them_by_one_thread():
    done = subprocess.run(
        [sys.executable, "-c", ASKS], stdout=subprocess.PIPE, text=True, timeout=60, check=True
    )
    before, after, threads = map(int, done.stdout.split())
    assert before < 20_000 <= after
    assert threads == 1
