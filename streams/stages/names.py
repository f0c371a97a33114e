"""Names in a sentence: runs of capitalised words."""

from __future__ import annotations

import re

from streams.stages.word_tables import NAME_GLUE, NOT_NAMES

_NAME = re.compile(r"(?:[^\W\d_]\.){2,}(?!\w)|[^\W\d_][\w'’-]*")
_NOT_A_NAME_END = re.compile(r"(?:ing|ly)$")


def names_of(text: str, sentence: bool = True) -> tuple[str, ...]:
    """In the order they stand. A lone capital at the start of a sentence is a name unless it is a
    function word or looks like an adverb or a participle."""
    if text.islower() or (text.isascii() and text == text.lower()):
        return ()
    found: list[str] = []
    run: list[str] = []
    glue: list[str] = []
    run_end = 0
    opening = sentence
    opened = False

    def close() -> None:
        folded = run[0].casefold() if len(run) == 1 else ""
        if run and folded not in NOT_NAMES and not (opened and _NOT_A_NAME_END.search(folded)):
            found.append(" ".join(run))
        run.clear()
        glue.clear()

    for match in _NAME.finditer(text):
        if not run and not match[0][0].isupper():  # most words
            opening = False
            continue
        word = match[0].rstrip("'’-")
        if run and not _joined(text[run_end : match.start()], run[-1]):
            close()
        if word[:1].isupper():
            if opening and word.casefold() in NOT_NAMES:
                opening = False
                continue
            if not run:
                opened = opening
            if word[-2:] in ("'s", "’s"):
                word = word[:-2]
            run += [*glue, word]
            glue.clear()
            run_end = match.end()
        elif run and len(glue) < 2 and word.casefold() in NAME_GLUE:
            glue.append(word)
            run_end = match.end()
        elif run:
            close()
        opening = False
    close()
    return tuple(found)


def _joined(gap: str, last: str) -> bool:
    """Nothing but spaces and quotes between two words, or the dot of an initial."""
    rest = gap.strip(' "“”')
    return not rest or (rest == "." and len(last) <= 2)
