"""Words that the fact stages go by, of the larger languages: our own short tables, no dictionaries."""

from __future__ import annotations


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Languages that write 3.5, and 1,809 for a thousand and more; the others 3,5 and 1.809.
POINT_IS_DECIMAL = word_set("en simple zh ja ko th he hi bn ta te ml ur ms sw my ne si am yue")
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan januar janvier enero gennaio janeiro januari января january январь"
            " styczeń stycznia ocak",
            "february feb februar février febrero febbraio fevereiro februari февраля лютого luty"
            " lutego şubat",
            "march mar märz mars marzo março maart марта березня marzec marca mart",
            "april apr avril abril aprile апреля квітня kwiecień kwietnia nisan",
            "may mai mayo maggio maio mei мая травня maj maja mayıs",
            "june jun juni juin junio giugno junho июня червня czerwiec czerwca haziran",
            "july jul juli juillet julio luglio julho июля липня lipiec lipca temmuz",
            "august aug août agosto augustus августа серпня sierpień sierpnia ağustos",
            "september sep sept septembre septiembre settembre setembro сентября вересня wrzesień"
            " września eylül",
            "october oct oktober octobre octubre ottobre outubro октября жовтня październik"
            " października ekim",
            "november nov novembre noviembre novembro ноября листопада listopad listopada kasım",
            "december dec dezember décembre diciembre dicembre dezembro декабря грудня grudzień"
            " grudnia aralık",
        ),
        start=1,
    )
    for name in names.split()
}
SCALES = {
    "hundred": 2, "thousand": 3, "mil": 3, "тыс": 3, "тысяч": 3, "千": 3, "万": 4, "萬": 4, "億": 8,
    "亿": 8, "billion": 9, "mrd": 9, "milliard": 9, "miliardi": 9, "mlrd": 9, "млрд": 9, "trillion": 12,
}  # fmt: skip
_TWO_TO_TWENTY = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty"
)
_TENS = "thirty forty fifty sixty seventy eighty ninety"
WORD_NUMBERS = dict(zip(_TWO_TO_TWENTY.split(), range(2, 21), strict=True)) | dict(
    zip(_TENS.split(), range(30, 100, 10), strict=True)
)
NAME_GLUE = word_set("of the de la le du des di da del van von der den zu al bin ibn")
"""Small words inside a name."""
NOT_NAMES = word_set(
    "the a an in on at by for from of to and or but as if when while after before since during he"
    " she it they we you i his her its their this that these those there here who what which where"
    " why how not no some many most all both each with without although though however because so"
    " thus then also one der die das ein eine und im am er sie es seit nach le la les un une il elle"
    " ils dans en el los las una y lo de da do o os em na nel nella del is was are were be been has"
    " had have will would can could may might does did yes later finally sometimes often now today"
    " just still only even first next once soon until upon under over between among despite"
    " according see other another"
)
"""Capitals at the start of a sentence only."""
_NEGATIONS = {
    "en": "not no never none neither nor without cannot nobody nothing false falsely untrue",
    "de": "nicht kein keine keinen keinem keiner keines nie niemals ohne weder",
    "fr": "pas jamais aucun aucune sans ni non rien",
    "es": "no nunca jamás ningún ninguno ninguna sin ni tampoco",
    "it": "non mai nessun nessuno nessuna senza né",
    "pt": "não nunca jamais nenhum nenhuma sem nem",
    "nl": "niet geen nooit zonder noch",
    "ru": "не ни никогда нет без",
    "uk": "не ні ніколи немає без",
    "pl": "nie nigdy bez żaden żadna ani",
    "sv": "inte ej aldrig ingen inget utan",
    "cs": "ne není nikdy bez žádný žádná nebyl nebyla",
    "tr": "değil yok hiç asla",
    "id": "tidak bukan tanpa belum",
    "vi": "không chưa chẳng",
    "ar": "لا لم لن ليس ليست غير بدون",
    "fa": "نه نیست نبود هرگز بدون",
    "he": "לא אין ללא אינו אינה מעולם",
    "hi": "नहीं न मत बिना कभी",
}  # fmt: skip
NEGATIONS = {language: word_set(table) for language, table in _NEGATIONS.items()}
NEGATION_CHARS = {
    "zh": "不没沒未非無无",
    "ja": ("ない", "なかった", "ません", "ず、"),
    "ko": ("않", "없", "아니"),
}
ABBREVIATIONS = word_set(
    "dr mr mrs ms prof st lt col gen capt sgt maj rev hon gov sen pres sr jr vs etc cf ca approx"
    " e.g i.e a.m p.m u.s u.k u.s.a u.n b.c a.d ph.d vols pp ed eds figs inc ltd co corp dept univ"
    " jan feb mar apr jun jul aug sep sept oct nov dec z.b d.h u.a bzw usw geb gest mme mlle sra dra"
    " ud uds núm pág г гг в вв р им т.е т.д т.п тыс млн млрд др пр ул св проф o.a d.w.z bijv ur zm tzw"
)
"""No sentence ends behind these."""
NUMBERED = word_set("no nos nr art op ch p vol fig est c fl abs str § núm n")
"""Nor behind these where a number follows."""
#: An abbreviation all the same, but a sentence may end behind it when a capital follows.
MAY_END = word_set("etc a.m p.m u.s u.k u.s.a u.n b.c a.d ph.d jr sr inc ltd co corp г гг usw")
OPENERS = word_set("the a an in on at he she it they his her this that these after before by when")
CATEGORIES = word_set(
    "category kategorie catégorie categoría categoria categorie kategoria kategori kategorija kategória"
    " luokka категория категорія категорија カテゴリ 分类 分類 분류 تصنيف رده קטגוריה श्रेणी বিষয়শ্রেণী"
    " หมวดหมู่ κατηγορία կատեգորիա"
) | {"thể loại"}
FILES = word_set("file image datei bild fichier archivo immagine файл ficheiro plik bestand")
