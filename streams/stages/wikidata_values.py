"""Values of Wikibase statements as a reader of the item sees them; items and properties keep their ids.

Format: Wikibase JSON, "Snaks" and "Data Values".
"""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec


class DataValue(msgspec.Struct):
    type: str = ""
    value: msgspec.Raw = msgspec.Raw(b"null")


class Snak(msgspec.Struct):
    snaktype: str = "value"
    datavalue: DataValue | None = None


def shown_snak(snak: Snak) -> str:
    if snak.snaktype == "novalue":
        return "no value"
    if snak.snaktype == "somevalue" or snak.datavalue is None:
        return "unknown value"
    raw = bytes(snak.datavalue.value)
    read = _READERS.get(snak.datavalue.type)
    if read is not None:
        try:
            return read(raw)
        except (msgspec.DecodeError, ValueError):
            pass
    return raw[:200].decode("utf-8", "replace")


class _Time(msgspec.Struct):
    time: str
    precision: int = 11
    calendarmodel: str = ""


class _Quantity(msgspec.Struct):
    amount: str
    unit: str = "1"


class _EntityId(msgspec.Struct, rename={"entity_type": "entity-type", "numeric_id": "numeric-id"}):
    id: str = ""
    entity_type: str = "item"
    numeric_id: int = 0


class _Coordinate(msgspec.Struct):
    latitude: float
    longitude: float
    globe: str = ""


class _Monolingual(msgspec.Struct):
    text: str
    language: str = ""


_TIME_PARTS = re.compile(r"([+-]?)0*(\d{1,16})-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)Z$")


def _time(raw: bytes) -> str:
    """At its own precision: 2026-07-01, 2026-07, 2026, "1800s" (decade), "19. century", "44 BCE"."""
    value = _DECODE_TIME.decode(raw)
    match = _TIME_PARTS.match(value.time)
    if match is None:
        return value.time[:60]
    sign, year, month, day, _ = match.groups()
    number = int(year)
    era = " BCE" if sign == "-" else ""
    calendar = " (Julian)" if value.calendarmodel.endswith("Q1985786") else ""
    if value.precision >= 11:
        return f"{number:04}-{month}-{day}{era}{calendar}"
    if value.precision == 10:
        return f"{number:04}-{month}{era}"
    if value.precision == 9:
        return f"{number}{era}"
    if value.precision == 8:
        return f"{number // 10 * 10}s{era}"
    if value.precision == 7:
        return f"{(number + 99) // 100}. century{era}"
    return f"about {number}{era}"


def _quantity(raw: bytes) -> str:
    value = _DECODE_QUANTITY.decode(raw)
    unit = value.unit.rpartition("/")[2]
    return value.amount.lstrip("+")[:60] + (f" {unit[:40]}" if unit not in ("1", "") else "")


def _entity_id(raw: bytes) -> str:
    value = _DECODE_ENTITY_ID.decode(raw)
    prefix = {"item": "Q", "property": "P", "lexeme": "L"}.get(value.entity_type, "")
    return value.id[:40] or f"{prefix}{value.numeric_id}"


def _coordinate(raw: bytes) -> str:
    value = _DECODE_COORDINATE.decode(raw)
    globe = value.globe.rpartition("/")[2]
    return f"{value.latitude:.6g}, {value.longitude:.6g}" + (
        f" ({globe})" if globe not in ("Q2", "") else ""
    )


def _monolingual(raw: bytes) -> str:
    value = _DECODE_MONOLINGUAL.decode(raw)
    return f"{value.text} ({value.language})"


_DECODE_TIME = msgspec.json.Decoder(_Time)
_DECODE_QUANTITY = msgspec.json.Decoder(_Quantity)
_DECODE_ENTITY_ID = msgspec.json.Decoder(_EntityId)
_DECODE_COORDINATE = msgspec.json.Decoder(_Coordinate)
_DECODE_MONOLINGUAL = msgspec.json.Decoder(_Monolingual)
_DECODE_STRING = msgspec.json.Decoder(str)
_READERS: dict[str, Callable[[bytes], str]] = {
    "time": _time,
    "quantity": _quantity,
    "wikibase-entityid": _entity_id,
    "globecoordinate": _coordinate,
    "monolingualtext": _monolingual,
    "string": _DECODE_STRING.decode,
}
