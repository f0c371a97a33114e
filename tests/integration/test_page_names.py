"""How else a page is called: a real MediaWiki's redirects, Wikibase's labels, and answers that are none."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from streams.content.api_transport import ApiTransport
from streams.content.outcomes import FetchFailure
from streams.content.page_names import MAX_NAME, MAX_NAMES, fetch_page_names
from streams.runners.posts.page_namer import PageNamer
from tests.core_world import EditWorld
from tests.integration.mediawiki import WIKI_ID, Wiki
from tests.post_core_world import ABOUT_POSTS, PostCore, says


def soon() -> float:
    return time.monotonic() + 20


def test_what_redirects_to_a_page_on_a_real_wiki(wiki: Wiki) -> None:
    wiki.edit("Harbour Lamp", "A lamp.", "new")
    for name in ("Lamp of the Harbour", "Great Lamp"):
        wiki.edit(name, "#REDIRECT [[Harbour Lamp]]", "redirect")
    transport = ApiTransport({WIKI_ID: wiki.host}, "http://{server_name}/api.php", "factwatch-tests/1")
    found = fetch_page_names(transport, WIKI_ID, ["Harbour Lamp", "Nowhere At All", "a|b"], soon())
    transport.close()
    assert not isinstance(found, FetchFailure)
    assert {title: sorted(names) for title, names in found.items()} == {
        "Harbour Lamp": ["Great Lamp", "Lamp of the Harbour"],
        "Nowhere At All": [],
        "a|b": [],
    }


class Scripted:
    """Answers each call with the next of `bodies`."""

    def __init__(self, *bodies: object) -> None:
        self.bodies = list(bodies)
        self.asked: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = {key: v[0] for key, v in parse_qs(urlsplit(self.path).query).items()}
                outer.asked.append(asked)
                body = json.dumps(outer.bodies.pop(0) if outer.bodies else {}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        host = f"127.0.0.1:{self.server.server_port}"
        hosts = {"enwiki": host, "wikidatawiki": host}
        self.transport = ApiTransport(hosts, "http://{server_name}/w/api.php", "factwatch-tests/1")

    def close(self) -> None:
        self.transport.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def scripted() -> Iterator[list[Scripted]]:
    started: list[Scripted] = []
    yield started
    for one in started:
        one.close()


def script(started: list[Scripted], *bodies: object) -> Scripted:
    started.append(Scripted(*bodies))
    return started[-1]


def test_an_item_is_called_by_its_labels_and_aliases(scripted: list[Scripted]) -> None:
    api = script(scripted, {
        "entities": {"Q42": {
            "labels": {"en": {"language": "en", "value": "Douglas Adams"}, "ja": {"value": "ダグラス・アダムズ"}},
            "aliases": {"en": [{"value": "DNA"}, {"value": "Douglas Adams"}]},
        }},
    })  # fmt: skip
    found = fetch_page_names(api.transport, "wikidatawiki", ["Q42"], soon())
    assert found == {"Q42": ("Douglas Adams", "ダグラス・アダムズ", "DNA")}
    assert (api.asked[0]["action"], api.asked[0]["ids"]) == ("wbgetentities", "Q42")


def test_names_are_bounded_whatever_a_wiki_says(scripted: list[Scripted]) -> None:
    redirects = [{"title": f"Name {n}"} for n in range(500)] + [
        {"title": "x" * (MAX_NAME + 1)},
        {"title": " "},
    ]
    api = script(scripted, {
        "query": {
            "normalized": [{"from": "tower", "to": "Tower"}],
            "pages": [{"title": "Tower", "redirects": redirects}, {"title": "Uninvited", "redirects": redirects}],
        },
    })  # fmt: skip
    found = fetch_page_names(api.transport, "enwiki", ["tower"], soon())
    assert not isinstance(found, FetchFailure)
    assert set(found) == {"tower"}
    assert found["tower"] == tuple(f"Name {n}" for n in range(MAX_NAMES))


@pytest.mark.parametrize(
    "body", [{"query": {"pages": [{"redirects": "many"}]}}, [], {"error": {"code": "x"}}]
)
def test_an_answer_that_is_none_is_a_failure(scripted: list[Scripted], body: object) -> None:
    api = script(scripted, *[body] * 50)
    found = fetch_page_names(api.transport, "enwiki", ["Tower"], time.monotonic() + 0.5)
    assert isinstance(found, FetchFailure)


def test_a_wiki_that_is_not_on_the_list_is_not_asked(scripted: list[Scripted]) -> None:
    api = script(scripted)
    assert isinstance(fetch_page_names(api.transport, "evilwiki", ["Tower"], soon()), FetchFailure)
    assert api.asked == []


def test_a_post_that_names_the_page_by_a_redirect_is_held_against_it(
    scripted: list[Scripted], tmp_path: Path
) -> None:
    api = script(
        scripted,
        {"query": {"pages": [{"title": "Mira Valdane", "redirects": [{"title": "Skybridge Annie"}]}]}},
    )
    world = EditWorld("Mira Valdane")
    world.edit("Alice", "She was born in 1931.")
    world.edit("192.0.2.7", "She was born in 1971.", risk=0.95)
    post = says("p", "Skybridge Annie was born in 1971, amazing", world.now)
    namer = PageNamer(api.transport, gather_s=0.05)
    with PostCore(tmp_path, world, namer=namer) as core:
        core.runner.start()
        core.edits(world.records)
        core.posts(post)
        core.pass_time()
        assert core.alerts(*ABOUT_POSTS) == []
        until = time.monotonic() + 20
        while "Skybridge Annie" not in {name for fact in core.index for name in fact.names}:
            assert time.monotonic() < until
            core.now += 1.0
            core.pump()
            time.sleep(0.01)
        core.posts(says("q", post.text, world.now + 70))
        core.pass_time()
        assert [alert.posts[0].post_id for alert in core.alerts(*ABOUT_POSTS)] == ["q"]
        core.runner.stop()
    with PostCore(tmp_path, world) as core:  # names are kept with the page
        assert {name for fact in core.index for name in fact.names} == {
            "Mira Valdane",
            "Skybridge Annie",
        }
