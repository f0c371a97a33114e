"""Letters of other scripts that pass for Latin ones, and the styled letters that NFKC leaves alone.

Our own short tables of what spam uses most and Unicode's confusables data (UTS #39) agrees with.
"""

from __future__ import annotations

import re

_CYRILLIC = dict(
    zip("АВСЕНІЈКМОРЅТХУҮԚԜӀасеһіјорѕхуԁԛԝӏүѵк", "ABCEHIJKMOPSTXYYQWIacehijopsxydqwlyvk", strict=True)
)
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧϺαγικνορτυχϳ", "ABEZHIKMNOPTYXMayikvoptuxj", strict=True))
_ARMENIAN = dict(zip("ՏՍՕասոհօցյզ", "SUOwunhogjq", strict=True))
_CHEROKEE = dict(zip("ᎠᎡᎢᎪᎫᎬᎳᎷᎻᏀᏃᏎᏏᏒᏙᏚᏞᏟᏢᏦ", "DRTAJEWMHGZ4bRVSLCPK", strict=True))
_LATIN_OF = _CYRILLIC | _GREEK | _ARMENIAN | _CHEROKEE
_PLAYED = dict(zip("вмнтяипшАВЯИПШςωη", "bmhtrnnwABRNNWcwn", strict=True))
"""Only in a word whose other letters are Latin: alone they are what they look like."""
_CYRILLIC_OF = dict(zip("ABCEHKMOPTXYIJaceopxyij", "АВСЕНКМОРТХУІЈасеорхуіј", strict=True))
_GREEK_OF = dict(zip("ABEZHIKMNOPTYXUVaivopu", "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧυναινορυ", strict=True))

_TO_LATIN = str.maketrans(_LATIN_OF)
_MIXED_TO_LATIN = str.maketrans(_LATIN_OF | _PLAYED)
_TO_CYRILLIC = str.maketrans(_CYRILLIC_OF)
_TO_GREEK = str.maketrans(_GREEK_OF)
_STYLED = str.maketrans(
    dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢɑɡɩ", "abcdefghijklmnoprstuvwyzagi", strict=True))
    | {
        chr(first + offset): chr(ord("a") + offset)
        for first in (0x1F150, 0x1F170)  # white letters on black circles and squares
        for offset in range(26)
    }
)

_IS_STYLED = re.compile("[\u0251-\u02a0\u1d00-\u1d22\ua730\ua731\U0001f150-\U0001f189]")
_FOREIGN = re.compile("[\u0370-\u058f\u13a0-\u13ff]")
"""Greek, Cyrillic, Armenian, Cherokee: the scripts of the table."""
_GENUINE = re.compile(f"(?![{''.join(_LATIN_OF)}])[\u0370-\u058f\u13a0-\u13ff]")
"""A letter of them that passes for no Latin one."""
_LATIN = re.compile("[A-Za-z]")
_FOREIGN_WORD = re.compile(
    r"(?<![^\W\d_])[^\W\d_\u0370-\u058f\u13a0-\u13ff]*[\u0370-\u058f\u13a0-\u13ff][^\W\d_]*"
)
_MIXED = re.compile(
    r"[\u0370-\u058f\u13a0-\u13ff]"
    r"(?:(?=[^\W\d_\u0370-\u058f\u13a0-\u13ff])|(?<=[^\W\d_\u0370-\u058f\u13a0-\u13ff].))"
)
"""A letter of them beside one of another script: no word mixes any without it."""
MAX_UNMASKED = 1_000
"""Words looked into: a text with more of them is no text."""


def unmask(text: str) -> str:
    """The text with look-alikes made what they imitate: in words that mix scripts, by what the rest of
    the word is; whole words of nothing but look-alikes only where the whole text is Latin otherwise.
    A word of one script in a text of that script stays as it is."""
    if _IS_STYLED.search(text):
        text = text.translate(_STYLED)
    if not _FOREIGN.search(text) or not _LATIN.search(text):
        return text
    latin_text = not _GENUINE.search(text)
    if not latin_text and not _MIXED.search(text):
        return text

    def unmasked(match: re.Match[str]) -> str:
        word = match[0]
        if not _LATIN.search(word):
            return word.translate(_TO_LATIN) if latin_text else word
        if _GENUINE.search(word):
            for table in (_TO_CYRILLIC, _TO_GREEK):
                one_script = word.translate(table)
                if not _LATIN.search(one_script):
                    return one_script
        return word.translate(_MIXED_TO_LATIN)

    return _FOREIGN_WORD.sub(unmasked, text, count=MAX_UNMASKED)
