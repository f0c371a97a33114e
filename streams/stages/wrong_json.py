"""What is wrong with JSON that somebody sent, in our words: the field, and what is wanted there. The parser
tells it in names of Python's types, which are nobody's business who writes JSON."""

from __future__ import annotations

import re
from enum import Enum

import msgspec

from streams.stages.normalize import quote_untrusted

MAX_FIELD_CHARS = 80
_KINDS = {
    "str": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}
_GOT = {**_KINDS, "float": "a decimal number"}
_PLACE = re.compile(r" - at `\$\.?(?P<field>[^`]*)`\Z")
_KIND = re.compile(r"Expected `(?P<wanted>[a-z |]+)`(?:, got `(?P<got>[a-z]+)`)?\Z")
_LENGTH = re.compile(r"Expected `(?P<kind>[a-z]+)` of length (?P<sign>[<>]=) (?P<count>[0-9]+)\Z")
_BOUND = re.compile(r"Expected `(?:int|float)` (?P<sign>[<>]=) (?P<bound>-?[0-9.e+]+)\Z")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`\Z", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`\Z", re.DOTALL)
_BYTE = re.compile(r"\(byte ([0-9]+)\)\Z")
_SIGNS = {">=": "at least", "<=": "at most"}
_UNITS = {"str": "character", "array": "item", "object": "field"}


def in_words(err: msgspec.DecodeError | UnicodeDecodeError, form: type[msgspec.Struct]) -> str:
    """One line, safe to be shown. `form` is what was wanted."""
    if isinstance(err, UnicodeDecodeError):
        return "not UTF-8"
    told = str(err)
    if not isinstance(err, msgspec.ValidationError):
        byte = _BYTE.search(told)
        return f"not JSON at byte {int(byte[1]):,}" if byte else "no whole JSON"
    # A name may look like anything, a place too. None is within another here: it comes last.
    if named := _UNKNOWN.match(told):
        return f"{_shown(named['name'])}: there is no such field; there are {', '.join(_names(form))}"
    place = _PLACE.search(told)
    field = place["field"] if place is not None else ""
    what = told[: place.start()] if place is not None else told
    if named := _MISSING.match(what):
        return f"{_shown(named['name'])}: missing"
    return f"{_shown(field) or 'the body'}: {_wanted(what, form, field)}"


def _wanted(what: str, form: type[msgspec.Struct], field: str) -> str:
    if found := _KIND.match(what):
        kinds = [_KINDS.get(kind.strip(), "something else") for kind in found["wanted"].split("|")]
        wanted = " or ".join(filter(None, (", ".join(kinds[:-1]), kinds[-1])))
        got = _GOT.get(found["got"] or "")
        return f"wants {wanted}" + (f", not {got}" if got else "")
    if found := _LENGTH.match(what):
        count, unit = int(found["count"]), _UNITS.get(found["kind"], "byte")
        return f"wants {_SIGNS[found['sign']]} {count:,} {unit}{'' if count == 1 else 's'}"
    if found := _BOUND.match(what):
        return f"wants {_SIGNS[found['sign']]} {found['bound']}"
    choices = _choices(form, field)
    if choices:
        return f"wants one of {', '.join(choices)}"
    if "matching regex" in what:
        return "has characters that are not taken there"
    return "has a value that is not taken there"


def _names(form: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(form)]


def _choices(form: type[msgspec.Struct], name: str) -> list[str]:
    for field in msgspec.structs.fields(form):
        if field.encode_name == name and isinstance(field.type, type) and issubclass(field.type, Enum):
            return [str(choice.value) for choice in field.type]
    return []


def _shown(field: str) -> str:
    return quote_untrusted(field, MAX_FIELD_CHARS)
