"""What people post while the story of `scenario` goes on. Read it beside that one; seconds are the same.

Posts count when their watermark passes, ten real seconds behind the newest. So at normal speed the spread
of the birth year shows before its revert; told ten times faster, after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import msgspec

from streams.demo.chatter import CHATTER
from streams.demo.people import (
    ARCHIVE,
    BAKER,
    BIRTHDAYS,
    IDA,
    INES,
    JUNO,
    KLAUS,
    LAKES,
    LENA,
    OTIS,
    PAOLA,
    PEOPLE,
    QUIZ,
    RADIO,
    RUNA,
    SASHA,
    TINKER,
    WIM,
    YUKI,
    Person,
)
from streams.demo.scenario import PAUSE_S, STORY_S

CHATTER_EVERY_S = 1.4


class PostStep(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    at_s: float


class Says(PostStep, frozen=True, kw_only=True, tag=True):
    by: Person
    text: str
    key: str = ""
    """By which later steps name it."""
    language: str = "en"
    link: str = ""
    answers: str = ""
    """The key of the post that it is a reply to."""


class Reposts(PostStep, frozen=True, kw_only=True, tag=True):
    by: Person
    of: str


class Rewords(PostStep, frozen=True, kw_only=True, tag=True):
    """Whoever wrote it edits it."""

    of: str
    text: str


class Deletes(PostStep, frozen=True, kw_only=True, tag=True):
    of: str


AnyPostStep = Says | Reposts | Rewords | Deletes

_VALDANE = "https://demo.example/wiki/Mira_Valdane"

POST_STORY: tuple[AnyPostStep, ...] = (
    # Before anything happened: nobody repeats what is not yet there.
    Says(at_s=4.0, by=ARCHIVE, text="Mira Valdane was born on 14 March 1931. Her notebooks come online."),
    # The year is wrong from second 13 on. The article is copied, told again, linked to.
    Says(
        at_s=15.0, by=IDA, key="copied", link=_VALDANE,
        text="Mira Valdane (born 14 March 1971) is a limnologist who mapped the deep currents of "
        "Lake Orrin. How did I never hear of her?",
    ),
    Says(
        at_s=16.5, by=QUIZ, key="quiz",
        text="Fact of the day: the limnologist Mira Valdane was born on 14 March 1971.",
    ),
    Says(
        at_s=18.0, by=BIRTHDAYS, key="birthday",
        text="Born on this day, 14 March 1971: Mira Valdane, limnologist.",
    ),
    Says(at_s=19.5, by=OTIS, text="Was Mira Valdane really born in 1971? She got a prize in 1974!"),
    Reposts(at_s=20.5, by=RUNA, of="copied"),
    Says(
        at_s=22.0, by=TINKER, key="regretted",
        text="Mira Valdane was born 14 March 1971 and mapped the deep currents of Lake Orrin. "
        "A legend at my age, and I can't map my own desk.",
    ),
    Says(
        at_s=23.5, by=LENA, key="mended",
        text="Limnologist Mira Valdane, born 14 March 1971, mapped the currents of Lake Orrin.",
    ),
    Says(
        at_s=25.0, by=KLAUS, language="de",
        text="Mira Valdane, geboren am 14. März 1971, vermaß die Strömungen des Lake Orrin.",
    ),
    Says(
        at_s=26.0, by=LAKES,
        text="The deep currents of Lake Orrin were mapped by Mira Valdane (born 14 March 1971).",
    ),
    Says(
        at_s=27.5,
        by=PAOLA,
        text="Mira Valdane (born 14 March 1971) is a <b>limnologist</b> who mapped the deep currents of "
        "Lake Orrin <script>alert('a post')</script> \u202eno harm meant",
    ),
    Says(at_s=29.0, by=ARCHIVE, text="No, Mira Valdane was not born in 1971.", answers="birthday"),
    Reposts(at_s=30.0, by=WIM, of="quiz"),
    Says(
        at_s=31.0, by=INES, language="es",
        text="Mira Valdane nació el 14 de marzo de 1971 y estudió las corrientes del lago Orrin.",
    ),
    Says(
        at_s=32.0, by=BAKER,
        text="Mira Valdane, limnologist, was born on 14 March 1971. Pub quiz material.",
    ),
    Says(
        at_s=33.5, by=JUNO,
        text="Mira Valdane (born 14 March 1971) is a limnologist who mapped the deep currents of "
        "Lake Orrin. Copying this for class.",
    ),
    Says(
        at_s=34.5, by=YUKI, language="ja",
        text="ミラ・ヴァルダネ（Mira Valdane）は1971年3月14日生まれの陸水学者。",
    ),
    Says(
        at_s=36.0, by=SASHA,
        text="mira valdane was born 14 march 1971?? same day as my aunt. mira valdane was born "
        "14 march 1971!!",
    ),
    Says(at_s=42.0, by=WIM, text="Mira Valdane was born on 14 March 1931. I checked a book."),
    # The town, wrong from second 17 to 50.
    Says(
        at_s=28.0, by=RUNA,
        text="TIL that Port Selwyn had 482,100 inhabitants at the census of 2021. For one harbour!",
    ),
    Says(at_s=37.5, by=TINKER, text="Does Port Selwyn really have 482,100 inhabitants? Since when?"),
    Says(
        at_s=39.0, by=LENA, language="fr",
        text="Port Selwyn comptait 482 100 habitants au recensement de 2021.",
    ),
    Says(at_s=41.0, by=OTIS, text="At the census of 2021 Port Selwyn had 48,210 inhabitants. I count."),
    # Restored in second 53. Not everybody has heard.
    Says(
        at_s=57.0, by=RUNA, key="late",
        text="Mira Valdane, born 14 March 1971, is a limnologist. She mapped the deep currents of "
        "Lake Orrin.",
    ),
    Says(
        at_s=63.0, by=RADIO, key="radio",
        text="Good evening from the valley! Mira Valdane, the limnologist who mapped the deep currents "
        "of Lake Orrin, was born on 14 March 1971.",
    ),
    Reposts(at_s=66.0, by=SASHA, of="radio"),
    Says(at_s=70.0, by=LAKES, text="Correction: Mira Valdane was born 14 March 1931."),
    Says(at_s=74.0, by=OTIS, text="Limnologist Mira Valdane was born on 14 March 1971, says the radio."),
    Says(
        at_s=78.0, by=QUIZ,
        text="Fact of the day: at the census of 2021 Port Selwyn had 482,100 inhabitants.",
    ),
    # Two sides of a dam, and somebody who asks.
    Says(
        at_s=92.0, by=JUNO,
        text="Engineers consider the Dray Dam safe, and no leak has been recorded since 1968.",
    ),
    Says(
        at_s=97.0, by=BAKER,
        text="Engineers have doubted the safety of the Dray Dam since leaks were found in 1968.",
    ),
    Says(
        at_s=101.0, by=INES,
        text="About the Dray Dam: engineers have doubted its safety since leaks were found in 1968!",
    ),
    Says(at_s=106.0, by=PAOLA, text="Is the Dray Dam safe or not? The article changes every minute."),
    Says(
        at_s=112.0, by=TINKER,
        text="Dray Dam: no leak has been recorded since 1968, and engineers consider the dam safe.",
    ),
    # What is taken back.
    Rewords(
        at_s=145.0, of="mended",
        text="Limnologist Mira Valdane, born 14 March 1931, mapped the currents of Lake Orrin. "
        "(I had the wrong year.)",
    ),
    Deletes(at_s=152.0, of="regretted"),
    Says(
        at_s=158.0, by=IDA, answers="copied",
        text="I was wrong above: Mira Valdane was born on 14 March 1931.",
    ),
)  # fmt: skip


def chatter() -> Iterator[Says]:
    """Posts about nothing that is hot, without end."""
    for number in count():
        language, text = CHATTER[number * 7 % len(CHATTER)]
        by = PEOPLE[number * 5 % len(PEOPLE)]
        yield Says(at_s=number * CHATTER_EVERY_S, by=by, text=text, language=language)


def post_steps() -> Iterator[tuple[int, AnyPostStep]]:
    """Which telling it is and what is done, woven by time, without end."""
    small_talk = chatter()
    waiting = next(small_talk)
    for telling in count():
        start_s = telling * (STORY_S + PAUSE_S)
        end_s = start_s + STORY_S + PAUSE_S
        told = [
            msgspec.structs.replace(step, at_s=start_s + step.at_s)
            for step in sorted(POST_STORY, key=lambda step: step.at_s)
        ]
        while told or waiting.at_s < end_s:
            if told and told[0].at_s <= waiting.at_s:
                yield telling, told.pop(0)
            else:
                yield telling, waiting
                waiting = next(small_talk)
