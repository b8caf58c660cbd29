"""Whether JSON is shaped as a schema asks, and where it is not: the part of JSON Schema we meet.

Known are `type`, `enum`, `required`, `properties`, `items`, `minItems`, `pattern`, `format`
(date-time), `allOf`, `anyOf`, `oneOf` and references by name (json-schema.org, draft 4).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

Schema = Mapping[str, Any]
KINDS: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
}
# RFC 3339 section 5.6: a time of day and an offset belong to it.
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def faults(value: Any, schema: Schema, table: Mapping[str, Schema], at: str = "") -> Iterator[str]:
    """Each place where the value is not as the schema asks, with what is allowed."""
    while "$ref" in schema:
        schema = table[schema["$ref"]]
    where = at or "it"
    if not _is(value, schema.get("type")):
        yield f"{where} is {_short(value)}; allowed is {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {_short(value)}; allowed is {_choices(schema['enum'])}"
    if isinstance(value, str):
        yield from _text(value, schema, where)
    if isinstance(value, dict):
        yield from _object(value, schema, table, at)
    if isinstance(value, list):
        yield from _list(value, schema, table, at)
    yield from _several(value, schema, table, at)


def _is(value: Any, kind: str | None) -> bool:
    if kind is None:
        return True
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, KINDS[kind])


def _text(value: str, schema: Schema, where: str) -> Iterator[str]:
    if schema.get("format") == "date-time" and not _a_time(value):
        yield f"{where} is {_short(value)}; allowed is a date and time with its offset"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where} is {_short(value)}; allowed is what matches {schema['pattern']}"
    if schema.get("format") == "uri" and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value):
        yield f"{where} is {_short(value)}; allowed is a URI"


def _a_time(text: str) -> bool:
    if not DATE_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.upper().replace(" ", "T"))
    except ValueError:
        return False
    return True


def _object(value: Any, schema: Schema, table: Mapping[str, Schema], at: str) -> Iterator[str]:
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{f'{at}.{name}' if at else name} is missing"
    for name, inner in schema.get("properties", {}).items():
        if name in value:
            yield from faults(value[name], inner, table, f"{at}.{name}" if at else name)


def _list(value: Any, schema: Schema, table: Mapping[str, Schema], at: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{at or 'it'} has {len(value)} items; allowed are {schema['minItems']} and more"
    for number, item in enumerate(value if "items" in schema else ()):
        yield from faults(item, schema["items"], table, f"{at}[{number}]")


def _several(value: Any, schema: Schema, table: Mapping[str, Schema], at: str) -> Iterator[str]:
    for inner in schema.get("allOf", ()):
        yield from faults(value, inner, table, at)
    for word in ("anyOf", "oneOf"):
        if word not in schema:
            continue
        each = [list(faults(value, inner, table, at)) for inner in schema[word]]
        fitting = sum(not e for e in each)
        if fitting == 0:
            yield "; or ".join(e[0] for e in each)
        elif word == "oneOf" and fitting > 1:
            yield f"{at or 'it'} is told in {fitting} ways at once; allowed is one"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else f"{text[:57]}..."


def _choices(allowed: list[Any]) -> str:
    text = ", ".join(map(str, allowed))
    return text if len(text) < 120 else f"{text[:117]}..."
