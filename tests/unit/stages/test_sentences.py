from __future__ import annotations

import pytest

from streams.stages.sentences import split_sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith met J. F. Stone at 3.30 p.m. on Monday.", "He left."],
        ["It is 3.5 km, i.e. far.", "Really?", "Yes!", "End"],
        ["She said no.", "Then she left."],
        ["It is no. 5 of the list.", "Next one."],
        ["He lived in the U.S.", "The rest is known."],
        ["The U.S. Army came.", "It won."],
        ['He said "stop."', "Nobody did."],
        ["Wait...", "What now?"],
        ["Er kam am 12. Februar, z. B. zu Fuß.", "Dann ging er."],
        ["Родился в 1809 г. в селе.", "Умер там же."],
    ],
)
def test_a_line_is_its_sentences(sentences: list[str]) -> None:
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [["彼は大統領だ。", "生まれた！", "「はい。」", "終"], ["他是总统。", "他走了？"]],
)
def test_scripts_without_spaces(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


def test_other_ends() -> None:
    assert split_sentences("वह आया। वह गया॥ अंत") == ["वह आया।", "वह गया॥", "अंत"]
    assert split_sentences("هل جاء؟ نعم") == ["هل جاء؟", "نعم"]
    assert split_sentences("ዓለም። ሰላም") == ["ዓለም።", "ሰላም"]
    assert split_sentences("เขาเกิดที่นี่ เขาเป็นคนดี 10 คน") == ["เขาเกิดที่นี่", "เขาเป็นคนดี 10 คน"]


def test_a_space_forgotten_behind_a_sentence() -> None:
    assert split_sentences("It was history.He was dumb") == ["It was history.", "He was dumb"]


def test_the_last_holds_the_rest() -> None:
    assert split_sentences("A bb. C dd. E ff. G hh.", limit=2) == ["A bb.", "C dd. E ff. G hh."]
