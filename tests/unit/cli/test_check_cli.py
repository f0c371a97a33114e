"""`factwatch check`: what is told, and what a script can tell by its exit code."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from streams.cli import check_local
from streams.cli.check import NOT_TO_BE_QUOTED, check
from streams.errors import BadInput, BadSetting, FactwatchError, SourceUnavailable, StoreCorrupt
from streams.web.app import build_app
from streams.web.check import MAX_BODY_BYTES, check_route
from streams.web.server import WebServer
from streams.web.tokens import Scope, Tokens
from tests.answer_world import FACTS, FALKENMARK, LINCOLN, checker, fact, write_state
from tests.web_world import WebWorld

BAD = f"A life. {LINCOLN.fact.after}"
TOKEN, INGESTER = "a-token-that-reads", "a-token-that-ingests"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("state") / "factwatch.sqlite"
    write_state(path)
    return path


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """A running API, by its address."""
    tokens = Tokens({TOKEN: frozenset({Scope.READ}), INGESTER: frozenset({Scope.INGEST})})
    world = WebWorld()
    route = check_route(checker().check)
    app = build_app(world.alerts, world.metrics.registry, world, world, tokens, more=[route])
    server = WebServer(app, "127.0.0.1:0")
    server.start()
    yield server.url
    server.stop()


def run(state: Path, *args: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(check, ["--state", str(state), *args], input=stdin)


def ask(url: str, *args: str) -> Result:
    return CliRunner().invoke(check, ["--url", url, *args])


def token_file(directory: Path, token: str) -> str:
    path = directory / "token"
    path.write_text(f"{token}\n")
    return str(path)


def refusal(result: Result, kind: type[FactwatchError]) -> str:
    assert isinstance(result.exception, kind), result.output
    assert result.stdout == ""
    assert "\n" not in str(result.exception)
    return str(result.exception)


def test_a_person_reads_what_to_cite_instead(state: Path) -> None:
    result = run(state, BAD)
    lines = result.stdout.splitlines()
    assert lines[0].startswith("no  Not to be quoted as it stands: 1 of 2 statements")
    assert f"8-{len(BAD)}  “{LINCOLN.fact.after}”" in lines
    assert "    bad: states what a suspect edit put there: Abraham Lincoln (enwiki)" in lines
    assert f"      - {LINCOLN.fact.before}" in lines
    assert f"      + {LINCOLN.fact.after}" in lines
    assert f"      cite {LINCOLN.last_good_url}" in lines
    assert any("changed 2025-11-24 16:00 UTC, not corrected so far" in line for line in lines)
    assert "Nothing known: 1 other statement, the check-worthiest of them" in lines


def test_a_script_tells_by_the_exit_code(state: Path) -> None:
    assert run(state, BAD).exit_code == NOT_TO_BE_QUOTED == 10
    assert run(state, FALKENMARK.fact.before).exit_code == NOT_TO_BE_QUOTED
    good = run(state, LINCOLN.fact.before)
    assert good.exit_code == 0
    assert good.stdout.startswith("caution  To be quoted with care: ")
    nothing = run(state, "The Eiffel Tower was opened in 1889.")
    assert nothing.exit_code == 0
    assert nothing.stdout.startswith("nothing-known  Nothing is known of it: ")
    assert "This does not say that it is true." in nothing.stdout


def test_no_exit_code_of_a_failure_is_that_of_a_bad_value() -> None:
    kinds = [FactwatchError]
    for kind in kinds:
        kinds += kind.__subclasses__()
        assert kind.exit_code != NOT_TO_BE_QUOTED


def test_json_is_one_object_on_stdout(state: Path) -> None:
    result = run(state, "--json", BAD)
    assert result.exit_code == NOT_TO_BE_QUOTED
    (line,) = result.stdout.splitlines()
    answer = json.loads(line)
    assert answer["quotable"] == "no"
    assert answer["hot_facts"] == len(FACTS)
    (finding,) = answer["statements"][1]["findings"]
    assert (finding["states"], finding["last_good_rev_id"]) == ("bad", LINCOLN.last_good_rev_id)


def test_the_text_comes_from_an_argument_a_file_or_stdin(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_bytes(f"\r\n{BAD}\r\n".encode())
    told = json.loads(run(state, "--json", BAD).stdout)["statements"]
    for result in (
        run(state, "--json", "--file", str(file)),
        run(state, "--json", stdin=file.read_bytes()),
        run(state, "--json", "-", stdin=file.read_bytes()),
        run(state, "--json", "--file", "-", stdin=file.read_bytes()),
    ):
        assert result.exit_code == NOT_TO_BE_QUOTED
        statements = json.loads(result.stdout)["statements"]
        assert [one["start"] - 2 for one in statements] == [one["start"] for one in told]
        assert [one["findings"] for one in statements] == [one["findings"] for one in told]


def test_statements_that_nothing_is_known_of_are_shown_the_check_worthiest_first(state: Path) -> None:
    text = "I love it. The bridge was opened in 1889 by Otto Lind. It is long."
    lines = run(state, "--top", "2", text).stdout.splitlines()
    assert "Nothing known: 3 statements, the check-worthiest of them" in lines
    shown = lines[lines.index("Nothing known: 3 statements, the check-worthiest of them") + 1 :]
    assert len(shown) == 2
    assert "“The bridge was opened in 1889 by Otto Lind.”" in shown[0]
    assert "Otto Lind" not in run(state, "--top", "0", text).stdout


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"bad \xff", "stdin: not UTF-8 (invalid start byte at byte 4)"),
        (b"", "stdin: empty"),
        (b" \n\t", "stdin: empty"),
        (b"\xed\xa0\x80", "not UTF-8"),
        (b"x" * (MAX_BODY_BYTES + 1), "more than 2,097,152 bytes"),
        ("é".encode("utf-16"), "not UTF-8"),
    ],
)
def test_what_is_no_text_is_refused_in_one_line(state: Path, raw: bytes, said: str) -> None:
    assert said in refusal(run(state, stdin=raw), BadInput)


def test_a_file_and_an_argument_that_are_no_text_are_named(state: Path, tmp_path: Path) -> None:
    file = tmp_path / "answer.txt"
    file.write_bytes(b"\xff")
    assert str(file) in refusal(run(state, "--file", str(file)), BadInput)
    argument = os.fsdecode(b"a \xff")
    assert "TEXT: not UTF-8" in refusal(run(state, argument), BadInput)


@pytest.mark.parametrize(
    "args",
    [
        ("text", "--file", "/dev/null"),
        ("--url", "http://127.0.0.1:1", "text"),
        ("--token-file", "/dev/null", "text"),
        ("--top", "-1", "text"),
        ("one", "two"),
    ],
)
def test_options_that_do_not_go_together_are_refused(state: Path, args: tuple[str, ...]) -> None:
    result = run(state, *args)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_no_state_yet_says_what_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(tmp_path))
    said = refusal(CliRunner().invoke(check, [BAD]), BadSetting)
    assert "nothing there yet (start `factwatch run` first)" in said
    assert list(tmp_path.iterdir()) == []


def test_the_state_is_that_of_the_settings(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTWATCH_DATA_DIR", str(state.parent))
    assert CliRunner().invoke(check, [BAD]).exit_code == NOT_TO_BE_QUOTED


def test_a_broken_state_is_loud(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sqlite"
    broken.write_bytes(b"no database" * 1_000)
    refusal(run(broken, BAD), StoreCorrupt)


def test_a_state_that_nobody_writes_any_more_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.sqlite"
    write_state(path)
    fresh = run(path, BAD)
    assert fresh.stderr == ""
    written = path.stat().st_mtime
    monkeypatch.setattr(check_local.time, "time", lambda: written + 3 * 86_400)  # type: ignore[attr-defined]  # typeshed: BaseServer
    old = run(path, BAD)
    assert "last written 3 days ago" in old.stderr
    assert old.stdout == fresh.stdout


def test_hostile_text_does_nothing_to_a_terminal(tmp_path: Path) -> None:
    evil = "\x1b[2J\x9b31m\u202e\u2066\x07\r\nline of its own"
    path = tmp_path / "evil.sqlite"
    hot = fact(1, f"Lincoln{evil}", f"{LINCOLN.fact.before}{evil}", f"{LINCOLN.fact.after}{evil}")
    write_state(path, [hot])
    text = "Lincoln\x1b[2J\u202e was born on February 12, 1808, in a log cabin in Kentucky."
    result = run(path, text)
    assert result.exit_code == NOT_TO_BE_QUOTED
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", result.stdout)
    assert not any(line.startswith("line of its own") for line in result.stdout.splitlines())
    assert "\\u001b[2J" in result.stdout


def test_a_running_program_answers_the_same(served: str, state: Path, tmp_path: Path) -> None:
    remote = ask(served, "--token-file", token_file(tmp_path, TOKEN), "--json", BAD)
    assert remote.exit_code == NOT_TO_BE_QUOTED
    assert remote.stdout == run(state, "--json", BAD).stdout
    shown = ask(f"{served}/", "--token-file", token_file(tmp_path, TOKEN), BAD)
    assert shown.stdout == run(state, BAD).stdout


def test_without_the_right_token_it_says_so_and_never_the_token(served: str, tmp_path: Path) -> None:
    assert "HTTP 401" in refusal(ask(served, BAD), BadSetting)
    said = refusal(ask(served, "--token-file", token_file(tmp_path, INGESTER), BAD), BadSetting)
    assert "scope `read`" in said
    assert INGESTER not in said
    for wrong in ("", "two words", "ünïcode"):
        said = refusal(ask(served, "--token-file", token_file(tmp_path, wrong), BAD), BadSetting)
        assert "wants one token" in said


def test_what_the_api_refuses_is_told(served: str, tmp_path: Path) -> None:
    token = token_file(tmp_path, TOKEN)
    said = refusal(ask(served, "--token-file", token, "--language", "x" * 36, BAD), BadInput)
    assert "HTTP 422" in said
    said = refusal(ask(f"{served}/nowhere", "--token-file", token, BAD), BadSetting)
    assert "HTTP 404" in said


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:8080", "http://", "http://x/?y=1", "file:///etc"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    assert "--url" in refusal(ask(url, BAD), BadSetting)


def test_nobody_there_is_out_of_reach() -> None:
    said = refusal(ask("http://127.0.0.1:9", BAD), SourceUnavailable)
    assert said.startswith("http://127.0.0.1:9: ")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (302, b"", BadSetting),
        (200, b"<html>", BadInput),
        (200, b"{}", BadInput),
        (200, b'{"quotable":"yes"}', BadInput),
        (500, b'{"detail":"\\u001b[2J"}', SourceUnavailable),
        (503, b"\xff", SourceUnavailable),
    ],
)
def test_what_answers_may_be_something_else(
    tmp_path: Path, status: int, body: bytes, kind: type[FactwatchError]
) -> None:
    """The token goes nowhere but to the address that was given."""
    asked: list[str] = []

    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")  # type: ignore[attr-defined]  # typeshed: BaseServer
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            said = refusal(ask(url, "--token-file", token_file(tmp_path, TOKEN), BAD), kind)
        finally:
            server.shutdown()
            thread.join()
    assert asked == ["/v1/check"]
    assert "\x1b" not in said
    assert TOKEN not in said
