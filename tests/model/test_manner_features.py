"""Insults, chat and test edits are known as such in more languages than the model learnt from."""

from __future__ import annotations

import math

import msgspec
import pytest

from models.manner_features import MANNER_NAMES, manner_features
from models.manner_tables import CHAT, PERSONS, READ_TOO, RUDE, SAMPLES
from streams.stages.diff import text_delta
from tests.model.histories import edit_of

PAGE = "The bridge over the Alda was opened in 1911 by the mayor of the town.\n"


def told(after: str, before: str = PAGE, wiki: str = "enwiki") -> dict[str, float]:
    edit = msgspec.structs.replace(edit_of(2, after, (1, before), "10.0.0.1", 1e9), wiki=wiki)
    return dict(zip(MANNER_NAMES, manner_features(edit, text_delta(before, after)), strict=True))


@pytest.mark.parametrize(
    ("wiki", "written", "name"),
    [
        ("enwiki", "bob is a fuckface", "rude_added"),
        ("enwiki", "you are stupid", "rude_added"),
        ("enwiki", "you are stupid", "persons_added"),
        ("enwiki", "lolololol", "chat_added"),
        ("enwiki", "hahahahaha", "chat_added"),
        ("dewiki", "der Lehrer ist ein Arschloch", "rude_added"),
        ("frwiki", "ta mère la pute", "rude_added"),
        ("eswiki", "jajajajaja", "chat_added"),
        ("plwiki", "kurwa mać", "rude_added"),
        ("ruwiki", "он дурак", "rude_added"),
        ("ukwiki", "он дурак", "rude_added"),
        ("hrwiki", "to je sranje", "rude_added"),
        ("arwiki", "هههههه", "chat_added"),
        ("kowiki", "ㅋㅋㅋㅋ", "chat_added"),
        ("zhwiki", "他是个傻逼啊", "rude_added"),
        ("jawiki", "うんこ", "rude_added"),
        ("thwiki", "ไอ้ควย", "rude_added"),
        ("aawiki", "fuckers", "rude_added"),
        ("xhwiki", "hello", "chat_added"),
        ("enwiki", "'''Bold text'''", "samples_added"),
        ("enwiki", "[http://www.example.com link title]", "samples_added"),
        ("frwiki", "'''Texte gras'''", "samples_added"),
        ("viwiki", "[[File:Example.jpg]]", "samples_added"),
    ],
)
def test_it_is_known_for_what_it_is(wiki: str, written: str, name: str) -> None:
    assert told(PAGE + written, wiki=wiki)[name] > 0


@pytest.mark.parametrize(
    ("wiki", "written"),
    [
        ("enwiki", "The cathedral of Scunthorpe was assessed by a classical author in Essex"),
        ("svwiki", "Kyrkans slut kom med stor fart"),
        ("dawiki", "Hendes fag var historie"),
        ("plwiki", "i nie tylko"),
        ("ptwiki", "hoje me parece"),
        ("itwiki", "La guerra di Troia"),
        ("ruwiki", "в 1939—1945 гг. в стране"),
        ("fawiki", "هیچ کس"),
    ],
)
def test_sober_words_that_resemble_them_are_not_taken_for_them(wiki: str, written: str) -> None:
    found = told(PAGE + written, wiki=wiki)
    assert {name for name, value in found.items() if value > 0} == set()


def test_insults_that_go_are_counted_apart() -> None:
    found = told(PAGE, PAGE + "bob is a fuckface and stupid")
    assert found["rude_removed"] == math.log1p(2)
    assert found["rude_added"] == 0.0


def test_what_is_kept_is_not_counted() -> None:
    found = told(PAGE + "fuckface is a film. It is long.", PAGE + "fuckface is a film.")
    assert found["rude_added"] == found["rude_removed"] == 0.0


def test_the_share_is_of_the_words_that_came() -> None:
    assert told(PAGE + "stupid heads")["manner_share"] == 0.5
    assert math.isnan(told("", PAGE)["manner_share"])


def test_no_word_of_the_tables_is_empty_or_would_match_all() -> None:
    for table in (RUDE, CHAT, PERSONS):
        for language, words in table.items():
            every = words.split()
            assert all(len(word.rstrip("*")) > 1 or word for word in every), language
            assert all(word == word.lower() for word in every), language
            assert all("*" not in word[:-1] for word in every), language
            assert len(every) == len(set(every)), language
    for samples in SAMPLES.values():
        assert all(sample == sample.lower() for sample in samples)
    assert set(READ_TOO.values()) <= set(RUDE)
