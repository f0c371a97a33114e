"""JSON Schemas (2020-12) of what goes over the wire, made from the records.

`python -m streams.schemas` writes them beside this file; a contract test says when code and files
differ. A version's schema changes by added optional fields only. Readers must pass over fields that
they don't know, and kinds too: their sets are open, so those are examples, not an enum.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from importlib.resources import files
from typing import Any

import msgspec

from streams import posts, records
from streams.kafka import hot_facts
from streams.kafka.hot_facts import HotFacts
from streams.posts import HotKind, PostRecord
from streams.records import Alert, AlertKind, ChangeType, EditsVerdict, Grade, Label, PageStatus

ALERT, LABEL, PAGE_STATUS, HOT_FACTS = "alert.v1", "label.v1", "page-status.v1", "hot-facts.v1"
POST, VERDICT = "post.v1", "verdict.v1"
WIRE: dict[str, type[msgspec.Struct]] = {
    ALERT: Alert,
    LABEL: Label,
    PAGE_STATUS: PageStatus,
    HOT_FACTS: HotFacts,
    POST: PostRecord,
    VERDICT: EditsVerdict,
}
DIALECT = "https://json-schema.org/draft/2020-12/schema"
#: Where the project publishes them. Another major version gets another address, as CloudEvents asks.
BASE_URI = "https://raw.githubusercontent.com/factwatch/factwatch/main/streams/schemas"
#: Sets to which later versions add members.
OPEN_SETS = (AlertKind.__name__, ChangeType.__name__, Grade.__name__, HotKind.__name__)


def schema_uri(name: str) -> str:
    """`$id` of a schema, and `ce_dataschema` of what it describes."""
    return f"{BASE_URI}/{name}.json"


def schema_text(name: str) -> str:
    """As committed."""
    return files("streams.schemas").joinpath(f"{name}.json").read_text("utf-8")


def make_schema(name: str) -> dict[str, Any]:
    """The schema of a record by its type and docstrings."""
    record = WIRE[name]
    (_,), parts = msgspec.json.schema_components([record], ref_template="#/$defs/{name}")
    fields = _field_docstrings()
    for part_name, part in parts.items():
        _describe(part_name, part, fields.get(part_name, {}))
    own = parts.pop(record.__name__)
    own["description"] += " Times are Unix seconds."
    schema = {"$schema": DIALECT, "$id": schema_uri(name), **own}
    return {**schema, "$defs": {key: parts[key] for key in sorted(parts)}}


def render(schema: dict[str, Any]) -> str:
    """Bytes that are the same for the same schema: reviewed as a diff."""
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


def _describe(name: str, part: dict[str, Any], fields: dict[str, str]) -> None:
    if "description" in part:
        part["description"] = _one_line(part["description"])
    if name in OPEN_SETS:
        part["type"], part["examples"] = "string", part.pop("enum")
    for field, text in fields.items():
        if field in part.get("properties", {}):
            part["properties"][field]["description"] = _one_line(text)


def _field_docstrings() -> dict[str, dict[str, str]]:
    """By class, then field: the string below a field, which Python itself drops."""
    found: dict[str, dict[str, str]] = {}
    modules = (records, posts, hot_facts)
    for node in [node for module in modules for node in ast.parse(inspect.getsource(module)).body]:
        if isinstance(node, ast.ClassDef):
            found[node.name] = {
                field.target.id: text.value.value
                for field, text in zip(node.body, node.body[1:], strict=False)
                if isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
    return found


def _one_line(text: str) -> str:
    return " ".join(textwrap.dedent(text).split())
