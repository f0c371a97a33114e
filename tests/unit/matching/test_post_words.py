from __future__ import annotations

import pytest

from streams.matching.folding import fold
from streams.matching.post_words import MAX_WORDS, post_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Lincoln's hat, Hobson’s", ["lincoln", "hat", "hobson"]),
        ("1,809 1.809 1'809 1\u00a0809 1809", ["1809"] * 5),
        ("3.5 and 3,5", ["3.5", "and", "3.5"]),
        ("1.234.567,5", ["1234567.5"]),
        ("12.02.1809 v1.2.3", ["12", "02", "1809", "v1", "2", "3"]),
        ("ends in 5. Then", ["ends", "in", "5", "then"]),
        ("林肯生于1809年。", ["林肯", "肯生", "生于", "1809", "年"]),
        ("カタカナ", ["カタ", "タカ", "カナ"]),
        ("ประเทศ", ["ปร", "ระ", "ะเ", "เท", "ทศ"]),
        ("3.5万人", ["3.5", "万人"]),
        ("링컨은 1809년에", ["링컨", "1809년에"]),
        ("مُحَمَّد كتاب", ["محمد", "كتاب"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("", []),
        ("!!! ...", []),
    ],
)
def test_words_of_any_script(text: str, words: list[str]) -> None:
    assert post_words(fold(text)) == words


def test_bigrams_find_a_name_inside_a_longer_run() -> None:
    name = post_words(fold("亚伯拉罕"))
    run = post_words(fold("总统亚伯拉罕是"))
    assert any(run[at : at + len(name)] == name for at in range(len(run)))


def test_words_are_bounded() -> None:
    assert len(post_words("a b " * 5_000)) == MAX_WORDS
