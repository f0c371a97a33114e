"""A made-up page with a life: good editors add sentences, vandals write nonsense and are reverted."""

from __future__ import annotations

import random
import time
from hashlib import sha1
from html import escape

from streams.records import Content, Edit, PerformerKind, RevisionText

VOCABULARY = [
    "".join(random.Random(number).choices("aeioubcdlmnprst", k=4 + number % 6)) for number in range(400)
]
INSULTS = ["BUTTZ", "lolol", "hahaha", "poopy", "sukkz", "zomgg", "n00bs", "wuzhere"]


def edit_of(
    rev_id: int,
    text: str | None,
    parent: tuple[int, str | None] | None,
    performer: str,
    event_time: float,
    *,
    comment: str = "",
    title: str = "Made up",
) -> Edit:
    ip = performer[0].isdigit()
    size = None if text is None else len(text.encode())
    revision = RevisionText(rev_id, text, None if text is None else sha1(text.encode()).hexdigest())
    return Edit(
        event_id=f"{title}-{rev_id}",
        wiki="testwiki",
        server_name="test.example.org",
        title=title,
        namespace=0,
        rev_id=rev_id,
        parent_id=parent[0] if parent else None,
        performer=performer,
        performer_kind=PerformerKind.IP if ip else PerformerKind.REGISTERED,
        event_time=event_time,
        arrival_time=event_time,
        comment=comment,
        is_new=parent is None,
        old_len=None if parent is None or parent[1] is None else len(parent[1].encode()),
        new_len=size,
        content=Content(revision, RevisionText(parent[0], parent[1]) if parent else None),
    )


def sentence(rng: random.Random) -> str:
    chosen = rng.choices(VOCABULARY, k=rng.randint(6, 14))
    chosen[2] = f"[[{chosen[2]}]]"
    return (
        " ".join(chosen).capitalize()
        + f" in {rng.randint(1700, 2000)}.<ref>{rng.choice(VOCABULARY)}</ref>"
    )


def life(seed: int, edits: int, title: str = "Made up") -> list[Edit]:
    """`edits` edits, about a third of them vandalism that the next one undoes."""
    rng = random.Random(seed)
    now, rev_id = 1_000_000.0, 100
    text = "\n".join(sentence(rng) for _ in range(12))
    made = [edit_of(rev_id, text, None, "Founder", now, title=title)]
    while len(made) < edits:
        now += rng.uniform(600, 90_000)
        rev_id += 1
        lines = text.split("\n")
        if rng.random() < 0.35:
            at = rng.randrange(len(lines))
            kind = rng.random()
            if kind < 0.6:
                lines[at] += " " + " ".join(rng.choices(INSULTS, k=rng.randint(1, 5)))
            elif kind < 0.8:
                del lines[max(1, at // 2) :]
            else:
                lines[at] = rng.choice(INSULTS) * 3
            bad = "\n".join(lines)
            vandal = f"10.{rng.randint(0, 9)}.{rng.randint(0, 255)}.{rng.randint(1, 254)}"
            made.append(edit_of(rev_id, bad, (rev_id - 1, text), vandal, now, title=title))
            now += rng.uniform(20, 3_000)
            rev_id += 1
            undone = edit_of(rev_id, text, (rev_id - 1, bad), "Patroller", now, title=title)
            made.append(undone)
        else:
            lines.insert(rng.randrange(len(lines) + 1), sentence(rng))
            better = "\n".join(lines)
            name = rng.choice(["Anna", "Bert", "Cleo", "10.20.30.40"])
            comment = rng.choice(["", "more on this", "/* History */ a source"])
            made.append(
                edit_of(rev_id, better, (rev_id - 1, text), name, now, comment=comment, title=title)
            )
            text = better
    return made


def export(edits: list[Edit]) -> str:
    """A MediaWiki XML export of one page."""
    parts = [
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">',
        "<siteinfo><base>https://test.example.org/wiki/Main</base><dbname>testwiki</dbname></siteinfo>",
        f"<page><title>{escape(edits[0].title)}</title><ns>0</ns><id>1</id>",
    ]
    for edit in edits:
        assert edit.content is not None
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(edit.event_time + 1e9))
        kind = "ip" if edit.performer_kind is PerformerKind.IP else "username"
        parts.append(
            f"<revision><id>{edit.rev_id}</id><timestamp>{stamp}</timestamp>"
            f"<contributor><{kind}>{escape(edit.performer)}</{kind}></contributor>"
            f"<comment>{escape(edit.comment)}</comment>"
            f'<text xml:space="preserve">{escape(edit.content.revision.text or "")}</text></revision>'
        )
    return "\n".join([*parts, "</page></mediawiki>"])
