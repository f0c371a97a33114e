"""From steps of the story to what the networks send: each post gets its id, and is found again by its key
when it is reposted, reworded or deleted."""

from __future__ import annotations

import msgspec

from streams.demo import bluesky, mastodon
from streams.demo.pages import Json
from streams.demo.people import Network, Person
from streams.demo.post_story import AnyPostStep, Deletes, Reposts, Rewords, Says


class Made(msgspec.Struct, frozen=True):
    """A post that later steps may name."""

    person: Person
    local_id: str
    step: Says
    at: float

    @property
    def address(self) -> str:
        return bluesky.address(self.person, self.local_id)


class Happened(msgspec.Struct, frozen=True):
    """One event of a network. `kind` is Mastodon's name of it."""

    network: Network
    kind: str
    body: Json | str


class Posters:
    """Remembers the named posts of one telling."""

    def __init__(self) -> None:
        self._made: dict[str, Made] = {}
        self._telling = 0
        self._number = 0

    def apply(self, telling: int, step: AnyPostStep, now: float) -> Happened:
        """KeyError where a step names a post that was not made before: a fault of the story."""
        if telling != self._telling:
            self._telling = telling
            self._made.clear()
        self._number += 1
        match step:
            case Says():
                return self._says(step, now)
            case Reposts():
                return self._reposts(step, now)
            case Rewords():
                return self._rewords(step, now)
            case Deletes():
                return self._deletes(step, now)

    def _says(self, step: Says, now: float) -> Happened:
        made = Made(step.by, self._local_id(step.by, now), step, now)
        if step.key:
            self._made[step.key] = made
        parent = self._made[step.answers] if step.answers else None
        if parent is not None and parent.person.network is not step.by.network:
            parent = None  # on another network nobody can answer it, only speak of it
        if step.by.network is Network.BLUESKY:
            return _on_bluesky(
                bluesky.said(
                    step.by,
                    made.local_id,
                    step.text,
                    step.language,
                    now,
                    link=step.link,
                    parent=parent.address if parent is not None else "",
                )
            )
        body = mastodon.status(
            step.by,
            made.local_id,
            step.text,
            step.language,
            now,
            link=step.link,
            answers=parent.local_id if parent is not None else None,
        )
        return Happened(Network.MASTODON, "update", body)

    def _reposts(self, step: Reposts, now: float) -> Happened:
        original = self._made[step.of]
        local_id = self._local_id(step.by, now)
        if step.by.network is Network.BLUESKY:
            return _on_bluesky(bluesky.reposted(step.by, local_id, original.address, now))
        body = mastodon.status(step.by, local_id, "", "en", now, reblog={"id": original.local_id})
        return Happened(Network.MASTODON, "update", body)

    def _rewords(self, step: Rewords, now: float) -> Happened:
        made = self._made[step.of]
        said = made.step
        if made.person.network is Network.BLUESKY:
            return _on_bluesky(
                bluesky.said(made.person, made.local_id, step.text, said.language, now, edited=True)
            )
        body = mastodon.status(made.person, made.local_id, step.text, said.language, made.at, edited=now)
        return Happened(Network.MASTODON, "status.update", body)

    def _deletes(self, step: Deletes, now: float) -> Happened:
        made = self._made[step.of]
        if made.person.network is Network.BLUESKY:
            return _on_bluesky(bluesky.deleted(made.person, made.local_id, now))
        return Happened(Network.MASTODON, "delete", made.local_id)

    def _local_id(self, person: Person, now: float) -> str:
        if person.network is Network.BLUESKY:
            return f"3demo{self._number:08d}"
        return mastodon.status_id(now, self._number)


def _on_bluesky(body: Json) -> Happened:
    return Happened(Network.BLUESKY, "commit", body)
