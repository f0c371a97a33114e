"""Which dispute templates a text carries, and which of them an edit put up or took down.

A template counts by the name written, folded like MediaWiki folds titles and through the redirects
listed here; a wiki's own redirects beyond these are not followed. Names that mean something else on
another wiki (it: F, P) are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import msgspec

from streams.stages.diff import TextDelta
from streams.state.page import PageState

MAX_CHARS = 400_000
"""Text read. A longer page's end is not searched."""

_NAMES = {
    "disputed": (
        "disputed|disputed section|disputed-section|disputed list|accuracy|accuracy dispute"
        "|accuracy disputed|factual accuracy|disputeabout|totally disputed|totallydisputed"
        "|totally-disputed|disputed inline|disputed-inline|disputed statement|disputable"
        "|dispute inline|désaccord de pertinence|exactitude contestée|discutido|veracidad"
        "|veracidad discutida|attendibilità|недостоверность|спорная статья|проверить факты"
        "|достовірність|正確性|真実性|准确性|準確性|准确性存疑|準確性存疑|دقة متنازع عليها|نزاع"
        "|disputa|contenido discutido|twijfel|omstreden|正確性疑義|omtvistet|ifrågasatt"
        "|tartışmalı"
    ),
    "pov": (
        "pov|npov|neutrality|pov-check|pov check|pov section|pov-section|npov section"
        "|npov-section|pov statement|pov-statement|pov inline|pov lead|pov-intro|unbalanced"
        "|unbalanced section|one-sided|bias|biased|cherry picked|undue|undue weight"
        "|undue-section|too few opinions|neutralität|neutralitaet|non neutre"
        "|désaccord de neutralité|désaccord neutralité|no neutral|no neutralidad|noneutral"
        "|no-neutral|punto de vista|non neutrale|nãoneutro|niet neutraal|нейтральность"
        "|ненейтральность|неравновесие|нейтральність|pov?|nie npov|中立的観点|観点|中立性"
        "|中立存疑|غير محايد|وجهة نظر|حياد|بی‌طرفی|دیدگاه جانبدارانه|הטיה|neutralitet|taraflı"
        "|ensidig|중립|중립 필요|trung lập|tidak netral"
    ),
    "hoax": (
        "hoax|fake|fake article|possible hoax|hoax section|falschmeldung|canular"
        "|suspicion de canular|bulo|posible bulo|bufala|sospetta bufala|farsa|мистификация"
        "|подозрение на мистификацию|містифікація|デマ|恶作剧|惡作劇|خدعة|بلوف"
    ),
    "contradict": (
        "contradict|contradict-other|contradicts other|contradict-inline|contradiction inline"
        "|contradict section|contradictory|contradictory section|self-contradictory"
        "|self contradictory|inconsistent|contradiction|widerspruch|contradictoire"
        "|contradictorio|contraddizione|contraditório|противоречие|суперечність|矛盾|自相矛盾"
        "|内容矛盾|تناقض"
    ),
    "dubious": (
        "dubious|dubious-inline|dubious inline|doubtful|implausible|fact check needed"
        "|à vérifier|passage à vérifier|exact ou pertinent|da verificare|сомнительно|проверить"
        "|сумнівно|要検証|可疑|存疑"
    ),
    "citation needed": (
        "citation needed|cn|fact|citation required|citation-needed|citeneeded|cite needed"
        "|citation requested|need citation|needs citation|needs source|source needed|source?"
        "|unsourced-inline|cb|ref?|prove it|référence nécessaire|refnec|référence souhaitée"
        "|refsou|ref nec|citation nécessaire|source nécessaire|cita requerida|citarequerida"
        "|citazione necessaria|senza fonte|carece de fontes|citação necessária|bron?|feit"
        "|нет аи|нет аи 2|нет источника|источник?|потрібне джерело|fact2|немає ад|немає ад 2"
        "|fakt|potrzebne źródło|要出典|来源请求|來源請求|بحاجة لمصدر|مدرک|דרוש מקור"
        "|källa behövs|kb|trenger referanse|treng kjelde|lähde|forráskérő|doplňte zdroj"
        "|fakt/dne|kaynak belirt|출처|출처 필요|butuh rujukan|cần chú thích|cần dẫn nguồn"
        "|উদ্ধৃতি প্রয়োজন|তথ্যসূত্র প্রয়োজন|उद्धरण आवश्यक|εκκρεμεί παραπομπή|necesită citare"
        "|citació necessària|bez citácie|чињеница"
    ),
    "failed verification": (
        "failed verification|fv|failedverification|not in source|not in citation|not in ref"
        "|verification failed|není ve zdroji|нет в источнике|فشل التوثيق|文献不支持|不在来源中"
    ),
    "unreferenced": (
        "unreferenced|unsourced|noref|no references|no sources|unreferenced section|refimprove"
        "|more citations needed|more references needed|blp unsourced|blp unreferenced"
        "|blp sources|blp refimprove|additional citations|belege fehlen|belege|quellen fehlen"
        "|à sourcer|sources à lier|referencias|sin referencias|añadir referencias|sem-fontes"
        "|sem fontes|mais notas|bronloos|нет источников|без источников|джерела|без джерел"
        "|dopracować|出典の明記|出典なし|غير موثق|بدون منبع|källor|nincs forrás|kaynaksız"
    ),
    "original research": (
        "original research|orig research|original research section|original research inline"
        "|synthesis|synth|travail inédit|inédit|investigación original|fuente primaria"
        "|ricerca originale|pesquisa inédita|орисс|独自研究|原创研究|原創研究|بحث أصلي"
        "|תחקיר מקורי|oryginalne badania"
    ),
}
_CANONICAL = {name: canonical for canonical, names in _NAMES.items() for name in names.split("|")}
#: A missing source is no dispute.
NO_DISPUTE = frozenset({"citation needed", "failed verification", "unreferenced"})
_CALL = re.compile(r"\{\{\s{0,20}([^{}|<>\[\]\n#]{1,80})")
_PREFIX = re.compile(
    r"^(?:template|vorlage|modèle|plantilla|шаблон|predefinição|sjabloon|subst|msg)\s*:\s*"
)


class DisputeChange(msgspec.Struct, frozen=True, gc=False):
    """Templates put up and taken down, by canonical name; inline ones count each time they stand."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    citation_needed: int = 0
    """More (or fewer) inline requests for a source than before."""


def dispute_templates(text: str | Iterable[str]) -> frozenset[str]:
    """Canonical names (`pov`, `hoax`, …) of the dispute templates in a text or in its lines."""
    return frozenset(_counted(text))


def dispute_change(delta: TextDelta) -> DisputeChange:
    """What an edit did to the templates: of the changed lines alone. A moved template is no change."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for hunk in delta.hunks:
        before += _counted(hunk.before)
        after += _counted(hunk.after)
    return DisputeChange(
        added=frozenset(name for name, n in after.items() if n > before[name]),
        removed=frozenset(name for name, n in before.items() if n > after[name]),
        citation_needed=after["citation needed"] - before["citation needed"],
    )


def fold_disputes(page: PageState, delta: TextDelta) -> None:
    """Keep which dispute templates the page carries. A page met for the first time is read whole."""
    if page.seen == 1:
        page.disputes = sorted(dispute_templates(delta.after_lines) - NO_DISPUTE)
        return
    change = dispute_change(delta)
    if change.added or change.removed:
        page.disputes = sorted((set(page.disputes) | change.added) - change.removed - NO_DISPUTE)


def fold_template(written: str) -> str:
    """As MediaWiki takes a template's name, and case folded throughout."""
    name = " ".join(written.replace("_", " ").split()).casefold()
    return _PREFIX.sub("", name)


def _counted(text: str | Iterable[str]) -> Counter[str]:
    whole = text if isinstance(text, str) else "\n".join(text)
    found: Counter[str] = Counter()
    if "{{" not in whole:
        return found
    for match in _CALL.finditer(whole, 0, MAX_CHARS):
        canonical = _CANONICAL.get(fold_template(match[1]))
        if canonical is not None:
            found[canonical] += 1
    return found
