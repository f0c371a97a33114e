"""Histories of cold pages against real HTTP: a scripted server for every fault, and a real MediaWiki."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from streams import metrics
from streams.content.action_api import ActionApi
from streams.content.page_history import TEXTS, asked_of
from streams.content.recent_histories import HistoryOutcome, RecentHistories
from streams.content.stage import ContentStage
from streams.content.wiki_facts import WikiFacts
from streams.demo.scenario import STORY
from streams.demo.wiki import DemoWiki
from streams.records import Edit, PerformerKind
from tests.integration.mediawiki import Session, Wiki
from tests.integration.test_action_api import Reply, ScriptedApi, edit, server, text_of

__all__ = ["server"]

NOON = 1_767_268_800.0


class Client:
    """The client under test, and what it counted."""

    def __init__(self, host: str, *, per_minute: float = 1_000, **bounds: Any) -> None:
        self.counted: Counter[HistoryOutcome] = Counter()
        self.api = ActionApi(
            {"testwiki": host}, "http://{server_name}/w/api.php", "factwatch-tests/1", **bounds
        )
        self.histories = RecentHistories(
            self.api,
            WikiFacts().is_temporary,
            per_minute=per_minute,
            count=lambda outcome: self.counted.update([outcome]),
        )

    def before(self, *edits: Edit, wait_s: float = 10.0) -> dict[str, list[Edit]]:
        return {name: list(past) for name, past in self.histories.before(edits, wait_s).items()}

    def close(self) -> None:
        self.api.close()
        self.histories.close()


@pytest.fixture
def client(server: ScriptedApi) -> Iterator[Client]:
    made = Client(server.host)
    yield made
    made.close()


def suspicious(rev_id: int = 100, **fields: Any) -> Edit:
    return edit(rev_id, rev_id - 1, page_id=7, event_time=NOON, **fields)


def metadata(first: int = 80, last: int = 99) -> Reply:
    """As MediaWiki 1.43 gives it."""
    revisions = [
        {
            "revid": rev_id,
            "parentid": rev_id - 1,
            "minor": False,
            "user": "Ana",
            "timestamp": f"2026-01-01T11:{rev_id - 50:02}:00Z",
            "size": 40,
            "sha1": f"{rev_id:040x}",
            "comment": "",
            "tags": ["visualeditor"],
        }
        for rev_id in range(last, first - 1, -1)
    ]
    page = {"pageid": 7, "ns": 0, "title": "Page", "revisions": revisions}
    body = {"continue": {"rvcontinue": "x", "continue": "||"}, "query": {"pages": [page]}}
    return 200, {}, json.dumps(body).encode()


def test_one_call_for_the_metadata_and_one_for_some_texts(server: ScriptedApi, client: Client) -> None:
    server.script = [metadata()]
    past = client.before(suspicious())["e100"]
    assert [one.rev_id for one in past] == list(range(80, 100))
    first, second = server.asked
    assert (first["pageids"], first["rvstart"], first["rvlimit"]) == ("7", "2026-01-01T12:00:00Z", "50")
    assert len(second["revids"].split("|")) == TEXTS
    newest = past[-1].content
    assert newest is not None
    assert newest.parent is not None
    assert (newest.revision.text, newest.parent.text) == (text_of(99), text_of(98))
    oldest = past[0].content
    assert oldest is not None
    assert oldest.revision.text is None
    assert client.counted == {HistoryOutcome.FETCHED: 1}


def test_the_texts_of_several_pages_share_calls(server: ScriptedApi, client: Client) -> None:
    server.script = [metadata()] * 3
    found = client.before(*(suspicious(event_id=f"e{at}") for at in range(3)))
    assert len(found) == 3
    assert sum("revids" in call for call in server.asked) == 1
    assert server.most_at_once <= 3


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ((200, {}, b'{"query": {"pages": [{"pageid": 7, "missing": true}]}}'), HistoryOutcome.MISSING),
        ((200, {}, b'{"query": {"pages": []}}'), HistoryOutcome.MISSING),
        ((200, {}, b'{"batchcomplete": true}'), HistoryOutcome.MISSING),
        ((429, {"Retry-After": "600"}, b""), HistoryOutcome.REFUSED),
        ((503, {"Retry-After": "600"}, b""), HistoryOutcome.REFUSED),
        ((500, {"Retry-After": "600"}, b""), HistoryOutcome.ERROR),
    ],
)
def test_what_can_not_be_had_is_left_out_and_counted(
    server: ScriptedApi,
    client: Client,
    reply: Reply,
    outcome: HistoryOutcome,
) -> None:
    server.script = [reply]
    assert client.before(suspicious()) == {}
    assert client.counted == {outcome: 1}
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[" * 100_000,
        b'{"query": {"pages": [{"pageid": 7, "revisions": [{"revid": -1}]}]}}',
        b'{"query": {"pages": [{"pageid": 7, "revisions": [{"revid": 9, "tags": [9]}]}]}}',
        b'{"query": {"pages": [{"pageid": 7, "revisions": 3}]}}',
        b'{"error": {"code": "internal_api_error", "info": "\\u001b[31m"}}',
        b"\xff\xfe",
    ],
)
def test_an_answer_that_is_none_raises_nothing(
    server: ScriptedApi,
    client: Client,
    body: bytes,
) -> None:
    server.script = [(200, {"Retry-After": "600"}, body)]
    assert client.before(suspicious()) == {}
    assert client.counted == {HistoryOutcome.ERROR: 1}


def test_without_its_texts_a_history_still_counts(server: ScriptedApi, client: Client) -> None:
    server.script = [metadata(), (429, {"Retry-After": "600"}, b"")]
    past = client.before(suspicious())["e100"]
    assert len(past) == 20
    assert {one.content.revision.text for one in past if one.content is not None} == {None}


def test_a_wiki_that_is_too_slow_is_waited_for_once_and_then_left_alone(server: ScriptedApi) -> None:
    client = Client(server.host)
    server.hold = threading.Event()
    try:
        assert client.before(suspicious(), wait_s=0.5) == {}
        assert client.before(suspicious(), wait_s=60.0) == {}
        assert client.counted == {HistoryOutcome.DEADLINE: 1, HistoryOutcome.LIMITED: 1}
    finally:
        server.hold.set()
        client.close()


def test_no_more_pages_a_minute_than_the_bound(server: ScriptedApi) -> None:
    client = Client(server.host, per_minute=4)
    server.script = [metadata(99, 99)] * 5
    found = client.before(*(suspicious(event_id=f"e{at}") for at in range(5)))
    assert len(found) == 2
    assert client.counted == {HistoryOutcome.FETCHED: 2, HistoryOutcome.LIMITED: 3}
    client.close()


def test_no_host_is_asked_that_is_not_on_the_list(server: ScriptedApi, client: Client) -> None:
    assert client.before(suspicious(wiki="otherwiki", server_name=server.host)) == {}
    assert (client.counted, server.asked) == ({HistoryOutcome.NOT_LISTED: 1}, [])


def test_after_it_was_closed_nothing_is_asked(server: ScriptedApi, client: Client) -> None:
    client.close()
    assert client.before(suspicious()) == {}
    assert server.asked == []


def test_every_outcome_is_a_metric() -> None:
    assert set(metrics.HISTORY_OUTCOMES) == set(HistoryOutcome)


# -- a real MediaWiki --------------------------------------------------------------------------------


class RealClient:
    def __init__(self, wiki: Wiki) -> None:
        self.counted: Counter[HistoryOutcome] = Counter()
        facts = WikiFacts()
        self.api = ActionApi(
            {"testwiki": wiki.host}, "http://{server_name}/api.php", "factwatch-tests/1"
        )
        self.stage = ContentStage(self.api, facts, 30.0)
        self.histories = RecentHistories(
            self.api,
            facts.is_temporary,
            per_minute=1_000,
            count=lambda outcome: self.counted.update([outcome]),
        )

    def met(self, changes: list[dict[str, Any]]) -> Edit:
        """The last change, as the content stage leaves it."""
        change = changes[-1]
        bare = edit(
            change["revision"]["new"],
            change["revision"]["old"],
            title=change["title"],
            event_time=float(change["timestamp"]),
            performer=change["user"],
            performer_kind=PerformerKind.IP,
        )
        ((_, whole),) = self.stage.attach([(None, bare)])
        assert isinstance(whole, Edit)
        return whole

    def before(self, met: Edit) -> list[Edit] | None:
        found = self.histories.before([met], 30.0).get(met.event_id)
        return list(found) if found is not None else None


@pytest.fixture
def real(wiki: Wiki) -> Iterator[RealClient]:
    made = RealClient(wiki)
    yield made
    made.api.close()
    made.histories.close()


def last_edit(wiki: Wiki, title: str, text: str) -> list[dict[str, Any]]:
    with wiki.feed() as feed:
        rev_id = wiki.edit(title, text, by="203.0.113.99")
        return feed.until(lambda change: (change.get("revision") or {}).get("new") == rev_id)


def test_a_wiki_tells_the_past_with_reverts_and_their_texts(wiki: Wiki, real: RealClient) -> None:
    good = wiki.edit("Past One", "A good text.", by="198.51.100.11")
    bad = wiki.edit("Past One", "A zork text.", by="203.0.113.12")
    wiki.undo("Past One", bad)
    met = real.met(last_edit(wiki, "Past One", "A zork text again."))
    past = real.before(met)
    assert past is not None
    assert [one.rev_id for one in past][:2] == [good, bad]
    assert past[0].is_new
    texts = [one.content.revision.text for one in past if one.content is not None]
    assert texts == ["A good text.", "A zork text.", "A good text."]
    digests = [one.content.revision.sha1 for one in past if one.content is not None]
    assert digests[0] == digests[2] != digests[1]
    assert past[1].performer == "203.0.113.12"
    assert past[2].content is not None
    assert "mw-undo" in past[2].content.revision.tags


def test_what_the_wiki_hides_is_a_gap(wiki: Wiki, real: RealClient) -> None:
    wiki.edit("Past Two", "First.", by="198.51.100.11")
    hidden = wiki.edit("Past Two", "Something to hide.", "a secret", by="203.0.113.13")
    wiki.edit("Past Two", "First again.", by="198.51.100.11")
    wiki.admin.act(action="revisiondelete", type="revision", ids=hidden, hide="content|comment|user")
    past = real.before(real.met(last_edit(wiki, "Past Two", "Third.")))
    assert past is not None
    gap = next(one for one in past if one.rev_id == hidden)
    assert gap.content is not None
    assert (gap.performer, gap.performer_kind, gap.comment) == ("", PerformerKind.HIDDEN, "")
    assert (gap.content.revision.text, gap.content.revision.sha1) == (None, None)
    assert "hide" not in repr(past)


def test_a_page_that_was_moved_meanwhile_is_found_and_a_deleted_one_is_missing(
    wiki: Wiki, real: RealClient
) -> None:
    first = wiki.edit("Past Three", "First.", by="198.51.100.11")
    met = real.met(last_edit(wiki, "Past Three", "Second."))
    wiki.move("Past Three", "Past Four")
    past = real.before(met)
    assert past is not None
    assert [one.rev_id for one in past] == [first]

    wiki.admin.act(action="delete", title="Past Four", reason="test")
    assert real.before(met) is None
    assert real.counted == {HistoryOutcome.FETCHED: 1, HistoryOutcome.MISSING: 1}


def test_of_a_redirect_its_own_past_is_told(wiki: Wiki, real: RealClient) -> None:
    wiki.edit("Past Target", "The target.", by="198.51.100.11")
    first = wiki.edit("Past Alias", "#REDIRECT [[Past Target]]", by="198.51.100.11")
    past = real.before(real.met(last_edit(wiki, "Past Alias", "#REDIRECT [[Past Target]] lol")))
    assert past is not None
    assert [one.rev_id for one in past] == [first]


def test_a_page_with_one_revision_has_no_past_to_ask_for(wiki: Wiki, real: RealClient) -> None:
    met = real.met(last_edit(wiki, "Past None", "New."))
    assert met.parent_id is None


def shapes(answer: dict[str, Any]) -> set[str]:
    """What an answer is made of, each distinct shape of a revision once; values left out."""

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(value[name]) for name in sorted(value)}
        return type(value).__name__

    (page,) = answer["query"]["pages"]
    around = shape(
        {**answer, "query": shape({name: page[name] for name in page if name != "revisions"})}
    )
    return {json.dumps(part) for part in (around, *map(shape, page.get("revisions", [])))}


@pytest.mark.parametrize("limit", ["50", "2"])
def test_the_demos_wiki_answers_in_the_shape_of_a_real_one(wiki: Wiki, limit: str) -> None:
    """By somebody with an account, by an address, hidden; whole, and cut off."""
    title = f"Shapes {limit}"
    wiki.edit(title, "First.", by=wiki.admin)
    wiki.edit(title, "Second.", by="198.51.100.11")
    hidden = wiki.edit(title, "Something to hide.", by="203.0.113.13")
    wiki.edit(title, "Second.", by=wiki.admin)
    wiki.admin.act(action="revisiondelete", type="revision", ids=hidden, hide="content|comment|user")
    demo = DemoWiki(NOON)
    for step in STORY:
        if step.title == "Port Selwyn":
            demo.apply(step, NOON + step.at_s)
    page = wiki.admin.call(action="query", titles=title)["query"]["pages"][0]
    asked = {**asked_of(suspicious()), "rvlimit": limit}
    del asked["rvstart"]
    anybody = Session(wiki.admin.api_url, "198.51.100.12")  # an administrator sees what is hidden
    real = anybody.call(**{**asked, "pageids": page["pageid"]})
    told = demo.api({**asked, "pageids": str(demo.top("demowiki", "Port Selwyn").page.page_id)})
    assert shapes(told) == shapes(real)
    gone = {**asked, "pageids": "999999"}
    assert demo.api(gone) == anybody.call(**gone)
