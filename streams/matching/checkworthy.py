"""How worth checking a statement is: whether it asserts something of the world that could be looked up.

By rules, not trained: no set of labelled statements at hand has a licence that allows it. Signals that
need no language come first (numbers, dates, names, length, question marks); small word tables add to
them where a language is known to us. The score sorts what a person is shown; it says nothing of truth.
"""

from __future__ import annotations

import re
from math import exp

from streams.matching.folding import fold
from streams.matching.post_words import post_words
from streams.stages.values import values_of
from streams.stages.word_tables import word_set

MAX_READ = 500
"""Characters of a statement that are looked at."""

_SELF = word_set(
    "i im ive id my me mine myself we our us you your youre lol lmao omg haha ich mir mich mein wir du je moi mon"
    " nous tu vous ton yo mi nosotros tú eu meu minha você io mio tu ik mijn jij jag mig min jeg ja mój ty я мне"
    " мой меня мы ты вы ben benim sen saya aku kamu أنا نحن אני אנחנו मैं मेरा हम 나는 내가 우리 我们"
)
"""Who speaks, and to whom: opinions, feelings and talk more often than statements of fact."""
_OPINION = word_set(
    "think feel believe hope wish guess love hate imo imho honestly personally please pls thanks thank"
    " congratulations happy birthday morning sorry hello hi hey wow should would could maybe perhaps probably glaube"
    " finde hoffe bitte danke pense crois espère merci creo pienso espero gracias acho penso obrigado grazie думаю"
    " надеюсь спасибо пожалуйста sanırım düşünüyorum umarım terima kasih"
)
_REPORT = word_set(
    "said says reported reports confirmed confirms announced according claims claimed revealed found shows study"
    " killed died born won lost arrested shot dead injured elected founded located caused percent million billion"
    " sagte laut gestorben geboren getötet selon mort né tué dijo según murió nació muertos disse segundo morreu"
    " nasceu secondo morto nato volgens dood заявил сообщил сообщает умер родился погибли 死亡 出生 表示 報道 报道"
)
_COMMAND = re.compile(
    r"(?:rt\s+)?(?:please|watch|read|check|click|follow|join|listen|don't|let's|retweet)\b"
)
_QUESTION_END = re.compile(r"[?？؟;;]\W*$")
_QUESTION_START = re.compile(
    r"(?:who|what|when|where|why|how|is|are|do|does|did|can|could|will|would|should|has|have|wer|was|wann|wo|warum"
    r"|wie|qui|quoi|pourquoi|comment|quién|qué|cuándo|dónde|por qué|cómo|кто|что|когда|где|почему|как)\b[^.!]*[?？؟]"
)


def check_worthiness(statement: str, language: str = "en") -> float:
    """0 to 1. `language` as `values_of` takes it: what decimal mark is written, what negation is."""
    text = statement[:MAX_READ]
    folded = fold(text).strip()
    words = post_words(folded)
    if not words:
        return 0.0
    values = values_of(text, language)
    kinds = set(words)
    count = len(words)
    score = -1.4
    score += 0.9 * min(2, len(values.numbers) + len(values.quantities))
    score += 0.8 * min(2, len(values.dates))
    score += 0.7 * min(3, len(values.names))
    score += 0.8 * min(2, len(kinds & _REPORT))
    score += 0.3 if values.negations else 0.0
    score -= 1.2 * min(2, len(kinds & _SELF))
    score -= 0.9 * min(2, len(kinds & _OPINION))
    if count < 5:
        score -= 0.5 * (5 - count)
    elif 8 <= count <= 60:
        score += 0.6
    if _QUESTION_END.search(text) or _QUESTION_START.match(folded):
        score -= 2.0
    if _COMMAND.match(folded):
        score -= 1.2
    if text.count("!") > 1:
        score -= 0.5
    return 1.0 / (1.0 + exp(-score))
