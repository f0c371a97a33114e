"""Posts on real Kafka, as an operator runs it: a fact is vandalised, posts repeat it, it is put right, and
one who repeated it takes his words back."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from streams.content.revisions import content_digest
from streams.kafka.hot_facts import read_hot_facts
from streams.records import Alert, AlertKind, AlertStatus, Edit, PostRef
from streams.topics import DEAD_LETTERS, HOT_FACTS, POSTS, POSTS_GONE
from tests.core_world import EditWorld, raw_of
from tests.integration.kafka_records import committed, make_topics_anew
from tests.integration.program import Program as Running
from tests.integration.program import running
from tests.kafka_world import Process, Topics, fleet, run_to_end, wait_until
from tests.post_core_world import BAD, GOOD

PARTITIONS = 2


@contextmanager
def action_api(world: EditWorld) -> Iterator[str]:
    """Gives the texts of the story's revisions."""
    edits = {record.rev_id: record for record in world.records if isinstance(record, Edit)}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = parse_qs(urlsplit(self.path).query)
            answer = json.dumps(_answer(asked.get("revids", [""])[0], edits)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.path = f"/?{body}"
            self.do_GET()

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/api.php"
    finally:
        server.shutdown()
        server.server_close()


def _answer(revids: str, edits: dict[int, Edit]) -> dict[str, object]:
    pages = []
    for text in filter(None, revids.split("|")):
        edit = edits.get(int(text))
        if edit is None or edit.content is None:
            continue
        words = edit.content.revision.text or ""
        pages.append({
            "pageid": 7, "ns": 0, "title": edit.title,
            "revisions": [{
                "revid": edit.rev_id, "parentid": edit.parent_id or 0, "minor": False, "tags": [],
                "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(edit.event_time)),
                "size": len(words), "user": edit.performer, "comment": "", "sha1": content_digest(words),
                "slots": {"main": {
                    "contentmodel": "wikitext", "contentformat": "text/x-wiki", "content": words,
                }},
            }],
        })  # fmt: skip
    return {"batchcomplete": True, "query": {"pages": pages}}


class Program:
    """Its commands, on one Kafka."""

    def __init__(self, bootstrap: str, directory: Path, api: str) -> None:
        self.topics = Topics(bootstrap)
        self._directory = directory
        self._runs = 0
        key = directory / "author.key"
        key.write_text("0123456789abcdef0123456789abcdef")
        self.environ = {
            "FACTWATCH_AUTHOR_KEY_FILE": str(key),
            "FACTWATCH_KAFKA_BOOTSTRAP": bootstrap,
            "FACTWATCH_WIKIS": "enwiki=en.wikipedia.org",
            "FACTWATCH_MEDIAWIKI_API": api,
            "FACTWATCH_ALERT_THRESHOLD": "0.000001",
            "FACTWATCH_DATA_DIR": str(directory / "data"),
            "FACTWATCH_DATABASE_URL": f"sqlite:///{directory / 'archive.sqlite'}",
        }

    def ingest(self, what: str, lines: Sequence[bytes]) -> None:
        self._runs += 1
        file = self._directory / f"{what}-{self._runs}.ndjson"
        file.write_bytes(b"\n".join(lines) + b"\n")
        log = self._directory / f"ingest-{self._runs}.log"
        run_to_end(["ingest", what, "--source", str(file)], self.environ, log)

    def alerts(self, kind: AlertKind) -> list[Alert]:
        return [alert for alert in self.topics.alerts() if alert.kind is kind]

    def settled(self) -> list[Alert]:
        repeats = self.alerts(AlertKind.POST_REPEATS)
        return [alert for alert in repeats if alert.status is AlertStatus.RESOLVED]

    def follow_ups(self) -> list[Alert]:
        return [alert for alert in self.alerts(AlertKind.FACT_CORRECTED) if alert.posts]


def submitted(post_id: str, at: float, text: str = "", **fields: object) -> bytes:
    fields = {"author": f"did:plc:secret-{post_id}", **fields}
    return msgspec.json.encode(
        {"platform": "chat", "id": post_id, "text": text, "created": at, **fields}
    )


def later(at: float) -> bytes:
    """Somebody says something else, so that time goes on."""
    return submitted(f"later-{at}", at, "What a nice day in the park.")


def test_a_story_of_posts(kafka: str, tmp_path: Path) -> None:
    make_topics_anew(kafka, PARTITIONS)
    world = EditWorld(step_s=10.0)
    world.now = float(int(time.time()) - 3_600)
    good = world.edit("Alice", GOOD)
    bad = world.edit("192.0.2.7", BAD)
    world.edit("Zoe", "A mast.", title="Mast")
    first = list(world.records)
    said_at = world.now
    world.wait(600)
    world.revert("Bob", good)
    world.wait(300)
    world.edit("Zoe", "A taller mast.", title="Mast")
    rest = world.records[len(first) :]
    with ExitStack() as stack:
        program = Program(kafka, tmp_path, stack.enter_context(action_api(world)))
        workers = stack.enter_context(fleet(tmp_path, program.environ, 2))
        workers.up()
        archive = stack.enter_context(at_work(Process(["archive"], program.environ, tmp_path / "a.log")))
        api = stack.enter_context(running(["api"], program.environ, tmp_path))
        program.ingest("changes", [raw_of(record) for record in first])
        program.ingest("posts", [
            *(submitted(f"p{n}", said_at + n, BAD) for n in range(3)),
            submitted("p3", said_at + 5, "", repost_of="p0"),
            submitted("p4", said_at + 6, GOOD),
            later(said_at + 60),
            b'{"platform":"chat"}',
        ])  # fmt: skip
        wait_until(lambda: len(program.alerts(AlertKind.POST_REPEATS)) >= 3, 60, workers.told)
        repeats = program.alerts(AlertKind.POST_REPEATS)
        assert {post.post_id for told in repeats for post in told.posts} == {"p0", "p1", "p2"}
        alert = next(a for a in program.alerts(AlertKind.EDIT_SUSPECT) if a.rev_id == bad.rev_id)
        assert {told.related for told in repeats} == {(alert.alert_id,)}
        wait_until(lambda: archived(tmp_path, "p0"), 30, archive.told)
        assert quotable(api, BAD) == "no"
        assert quotable(api, GOOD) == "caution"
        assert quotable(api, "What a nice day in the park.") == "nothing-known"
        wait_until(lambda: named_by_facts(api, alert) == {"p0", "p1", "p2"}, 30, workers.told)

        hand_in(api, [
            {"platform": "chat", "id": "p0", "deleted": True, "created": said_at + 100},
            {"platform": "chat", "author": "did:plc:secret-p1", "deleted": True, "created": said_at + 101},
            {"platform": "chat", "id": "later", "text": "Nice day.", "created": said_at + 130},
        ])  # fmt: skip
        wait_until(lambda: len(program.settled()) >= 2, 60, workers.told)
        assert [settled.evidence["outcome"] for settled in program.settled()] == ["deleted", "deleted"]
        wait_until(
            lambda: not archived(tmp_path, "p0") and not archived(tmp_path, "p1"), 30, archive.told
        )
        assert archived(tmp_path, "p2")
        wait_until(lambda: named_by_facts(api, alert) == {"p2"}, 30, workers.told)

        program.ingest("changes", [raw_of(record) for record in rest])
        hand_in(api, [{"platform": "chat", "id": "end", "text": "Nice day.", "created": world.now}])
        wait_until(lambda: bool(program.follow_ups()), 60, workers.told)
        assert {post.post_id for told in program.follow_ups() for post in told.posts} == {"p2"}
        wait_until(lambda: facts_of(api, alert)[0]["hot"]["corrected_time"], 30, workers.told)
        assert facts_of(api, alert)[0]["spread"]["posts_before"] == 1
        assert all(worker.stop() == 0 for worker in (*workers.workers.values(), archive))
    written = b"".join(
        record.value or b"" for of in committed(kafka, POSTS.name).values() for record in of
    )
    assert b"secret" not in written
    assert len([r for of in committed(kafka, POSTS_GONE.name).values() for r in of]) == 2
    (dead,) = [r for of in committed(kafka, DEAD_LETTERS.name).values() for r in of]
    assert dead.value == b'{"platform":"chat"}'
    newest = {r.key: r.value for of in committed(kafka, HOT_FACTS.name).values() for r in of if r.key}
    facts = read_hot_facts(newest[b"enwiki:Tower"]).facts
    assert alert.alert_id in {fact.alert_id for fact in facts if fact.corrected_time is not None}
    assert not [word for word in (b'"p0"', b'"p1"') if word in left_in(tmp_path)]


def hand_in(api: Running, posts: Sequence[dict[str, object]]) -> None:
    """Over HTTP, taken whole."""
    body = b"\n".join(map(msgspec.json.encode, posts))
    request = Request(
        f"{api.url}/v1/posts", body, {"Content-Type": "application/x-ndjson"}, method="POST"
    )
    with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
        assert answer.status == 202
        assert json.load(answer) == {"accepted": len(posts)}


def quotable(api: Running, text: str) -> str:
    """What `POST /v1/check` says of it."""
    request = Request(
        f"{api.url}/v1/check", text.encode(), {"Content-Type": "text/plain"}, method="POST"
    )
    with build_opener(ProxyHandler({})).open(request, timeout=20) as answer:
        said: str = json.load(answer)["quotable"]
        return said


def facts_of(api: Running, alert: Alert) -> list[dict[str, Any]]:
    """What `GET /v1/facts` says is hot by the alert, where a post repeated it."""
    found = api.get("/v1/facts?wiki=enwiki&title=Tower&repeated=1")["facts"]
    return [fact for fact in found if fact["hot"]["alert_id"] == alert.alert_id]


def named_by_facts(api: Running, alert: Alert) -> set[str]:
    return {post["post_id"] for fact in facts_of(api, alert) for post in fact["spread"]["named"]}


def archived(directory: Path, post_id: str) -> bool:
    """Whether an alert in the archive names the post."""
    with contextlib.closing(sqlite3.connect(directory / "archive.sqlite")) as db:
        bodies = db.execute("SELECT body FROM alert_posts").fetchall()
    return post_id in {msgspec.json.decode(body, type=PostRef).post_id for (body,) in bodies}


def left_in(directory: Path) -> bytes:
    """All bytes of the archive."""
    return b"".join(file.read_bytes() for file in directory.glob("archive.sqlite*"))


@contextmanager
def at_work(process: Process) -> Iterator[Process]:
    try:
        yield process
    finally:
        if process.running:
            process.kill()
