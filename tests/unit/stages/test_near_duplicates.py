from __future__ import annotations

import subprocess
import sys

from streams.stages.near_duplicates import SIGNATURE_BYTES, TEXT_CAP, nearest, signature

POST = (
    "BREAKING: Abraham Lincoln was born on February 12, 1808, in a one-room log cabin near Hodgenville!"
)


def alike(first: str, second: str) -> bool:
    return nearest(signature(first), [signature(second)]) == 0


def test_copies_with_another_start_link_case_or_sign_are_near_duplicates() -> None:
    for copy in (
        POST.lower(),
        POST + " https://example.org/x?y=1 #history",
        POST.replace("BREAKING: ", "lol did you know "),
        POST.replace("!", " 😂😂😂"),
        "@someone " + POST,
    ):
        assert alike(POST, copy), copy


def test_other_words_about_the_same_fact_are_not() -> None:
    for other in (
        "Lincoln, the 16th president, was born February 12, 1808 in Kentucky, says Wikipedia",
        "TIL that Honest Abe came into the world in 1808",
        "Abraham Lincoln was assassinated on April 14, 1865, at Ford's Theatre in Washington",
    ):
        assert not alike(POST, other), other


def test_scripts_without_spaces_are_told_apart_too() -> None:
    text = "エイブラハム・リンカーンは1808年2月12日にケンタッキー州で生まれた第16代大統領である"
    assert alike(text, "速報" + text)
    assert not alike(text, "エベレストの標高は9998メートルであると発表された。世界最高峰の山である")


def test_a_text_without_words_is_like_no_other() -> None:
    for text in ("", " \n ", "😂😂", "https://example.org", "@you", "!?"):
        assert signature(text) == b""
    assert nearest(b"", [b"", signature(POST)]) is None
    assert nearest(signature(POST), []) is None


def test_the_nearest_of_several_is_found_the_first_where_equal() -> None:
    far = signature("something else entirely about the height of a mountain")
    near, same = signature(POST + " yes indeed it is so"), signature(POST)
    assert nearest(same, [far, near, same, same]) == 2


def test_hostile_text_is_read_up_to_a_bound() -> None:
    assert signature("a b" * 500_000) == signature("a b" * TEXT_CAP)
    for text in ("x\ud800y" * 10, "\u202egnp\x00\x1f", "a", "\U0001f1e6x", "İ" * 3_000):
        assert len(signature(text)) == SIGNATURE_BYTES


def test_a_signature_is_the_same_in_every_process() -> None:
    """State is shared by processes, whose string hashes are seeded at random."""
    code = f"from streams.stages.near_duplicates import signature; print(signature({POST!r}).hex())"
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {signature(POST).hex()}
