"""What takes a statement back: negations, "that is false", a question. Own short tables of the larger
languages; where they don't know one, a denial is read as said."""

from __future__ import annotations

import re

from streams.stages.word_tables import NEGATION_CHARS, NEGATIONS, word_set

_MORE_NEGATIONS = {
    "th": ("ไม่", "มิ"),
    "zh": ("不", "没", "沒", "未", "非", "無", "无", "别"),
}
_MORE_WORDS = {
    "el": word_set("δεν δε μη μην όχι ποτέ χωρίς"),
    "fi": word_set("ei eivät en et emme ette eikä"),
    "hu": word_set("nem ne soha sem nincs"),
    "ro": word_set("nu niciodată fără nici"),
    "da": word_set("ikke ingen aldrig uden"),
    "no": word_set("ikke ingen aldri uten"),
    "ca": word_set("no mai sense cap"),
    "bn": word_set("না নয় নেই নি"),
}
"""Languages that the fact stages have no table for."""
_WORDS = word_set(
    "untrue false falsely fake faked hoax debunk debunked debunks debunking myth misinformation"
    " disinformation wrong wrongly incorrect incorrectly inaccurate inaccurately mistaken mistakenly erroneous"
    " erroneously vandal vandals vandalised vandalized vandalism bogus nonsense refuted"
    " disproved disproven rumor rumour satire prank fabricated bullshit"
    " falsch fälschlich fälschlicherweise unwahr widerlegt gerücht irrtum lüge quatsch falschmeldung erfunden"
    " faux fausse fausses démenti démentie erroné erronée rumeur canular mensonge intox"
    " falso falsa falsos desmentido desmentida bulo mentira erróneo errónea rumor"
    " bufala smentito smentita errato errata bugia boato errado errada"
    " onwaar onjuist foutief nepnieuws verzinsel leugen"
    " неправда ложь ложно фейк неверно ошибочно опровергнуто выдумка миф брехня неправдиво"
    " nieprawda fałsz fałszywe kłamstwo bzdura falskt osant lögn falsk usant"
    " yanlış yalan asılsız hoaks bohong كاذب كذب شائعة خطأ زائف دروغ شایعه नकली झूठ झूठा गलत אינו שקר שגוי"
)
_PHRASES = re.compile(
    r"\b(?:(?:not|n['’]t|never|hardly|isnt|wasnt) (?:actually |really |even |at all )?"
    r"(?:true|correct|accurate|right|real|the case|what happened)"
    r"|no (?:evidence|proof|truth|basis)|fact[ -]?check(?:ed|s|ing)?|contrary to|used to (?:say|claim|read)"
    r"|stop (?:saying|spreading|sharing|claiming)|do(?:n['’]t| not) believe|so-called"
    r"|should (?:say|read|be)|was changed (?:to|from)|somebody changed|someone changed|who (?:wrote|edited)"
    r"|(?:an?|big|pure|total|blatant|h(?:is|er)|their|your) lies?|(?:the|these|those|such|all|more|no|of) lies"
    r"|^\W*l(?:ies?|ying)(?=\W*(?:$|[!:,.–—-]))|lies?(?=!)"
    r"|(?:is|are|was|were|be|been|keeps?|stop|['’](?:s|re)) lying"
    r"(?=(?: again| here)?\W*$)"
    r"|(?:lies?|lied|lying) (?:about (?:it|this|that|him|her|them|us|everything|h(?:is|er)|their)"
    r"|to (?:me|us|you|them|him|her|people|everyone))"
    r"|(?:a|as|ont|avez) tort"
    r"|stimmt (?:so )?nicht|nicht wahr|trifft nicht zu|pas vrai|à tort|n['’]est pas vrai|no es (?:cierto|verdad)"
    r"|non è vero|não é (?:verdade|certo)|niet waar|klopt niet|не правда|не соответствует|не так"
    r"|inte sant|tidak benar|doğru değil|không đúng|sai sự thật|nu este adevărat|غير صحيح|سچ نہیں)"
    r"(?!\w)|假的|不实|不實|谣言|謠言|错误|錯誤|辟谣|闢謠|并非|並非|デマ|嘘|誤り|間違い|誤情報|거짓|가짜|사실이 아니"
    r"|ไม่จริง|ข่าวปลอม"
)
"""Of a text without capitals."""
_WORD = re.compile(r"[^\W\d_]+")
_QUESTION_END = re.compile(r"[?？؟⁇⁉]['\"”’»)\]!\s]*$")
_ASKS = re.compile(r"^\W*(?:is|are|was|were|did|does|do|has|have|can|could|would) (?!you know\b)", re.I)
_TELLS = re.compile(
    r"^\W*(?:so |hey |and |btw |psst )?(?:did (?:you|u|ya) know|(?:you )?know what|guess what|wusste(?:st|n)"
    r"|saviez|le saviez|sabías|sabías|sabia|lo sapevi|wist je|знали ли|а вы знали|vidste|visste)",
    re.I,
)


def negations_at(words: tuple[str, ...], language: str) -> tuple[int, ...]:
    """Where canonical words deny, by the tables of `language` (English where there is none)."""
    marks = _MORE_NEGATIONS.get(language) or NEGATION_CHARS.get(language)
    if marks is None:
        known = NEGATIONS.get(language) or _MORE_WORDS.get(language) or NEGATIONS["en"]
        return tuple(at for at, word in enumerate(words) if word in known)
    return tuple(
        at
        for at, word in enumerate(words)
        if any(
            "".join(words[at : at + len(mark)]).startswith(mark) or mark in word[1:] for mark in marks
        )
    )


def takes_back(text: str, vocabulary: frozenset[str] = frozenset()) -> str:
    """The words by which `text` says that something is false; "" if it does not. `vocabulary` is the
    fact's: what it says itself does not count. `text` is cased as it comes."""
    folded = text.casefold()
    word: str
    for word in _WORD.findall(folded):
        if word in _WORDS and word not in vocabulary:
            return word
    match = _PHRASES.search(folded)
    phrase = str(match[0]) if match is not None else ""
    return phrase if any(word not in vocabulary for word in _WORD.findall(phrase)) else ""


def is_question(text: str) -> bool:
    """Whether it asks. "Did you know that …?" tells."""
    if _TELLS.match(text):
        return False
    return bool(_QUESTION_END.search(text) or _ASKS.match(text))
