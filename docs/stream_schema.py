"""
The stream's shapes for other languages, made out of briefworks/shapes.py by `python docs/stream_schema.py`.

docs/stream.schema.json is JSON Schema for rows and the state; briefworks/static/shapes.d.ts is TypeScript.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints, is_typeddict

from briefworks.shapes import EVENT_DATA, ArticleState, StreamRow

ROOT = Path(__file__).parent.parent
PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}


def fields(shape: type) -> Iterator[tuple[str, Any, bool]]:
    """Each field of a TypedDict: its name, its type, whether it must be there."""
    for name, hint in get_type_hints(shape, include_extras=True).items():
        optional = get_origin(hint) is NotRequired
        yield name, get_args(hint)[0] if optional else hint, not optional


def shapes_in(hint: Any) -> Iterator[type]:
    """The TypedDicts that a type is made of, the innermost first."""
    for inner in get_args(hint):
        yield from shapes_in(inner)
    if is_typeddict(hint):
        for _, inner, _ in fields(hint):
            yield from shapes_in(inner)
        yield hint


def schema_of(hint: Any) -> dict[str, Any]:
    """A type as JSON Schema; TypedDicts by reference."""
    origin, args = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return {"type": PLAIN[hint]}
    if is_typeddict(hint):
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if origin is Literal:
        return {"enum": list(args)}
    if origin is list:
        return {"type": "array", "items": schema_of(args[0])}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema_of(args[1])}
    assert origin in (Union, types.UnionType), hint
    return {"anyOf": [schema_of(arg) for arg in args]}


def typescript_of(hint: Any) -> str:
    """A type as TypeScript says it."""
    origin, args = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return {"integer": "number"}.get(PLAIN[hint], PLAIN[hint])
    if is_typeddict(hint):
        return str(hint.__name__)
    if origin is Literal:
        return " | ".join(json.dumps(arg) for arg in args)
    if origin is list:
        inner = typescript_of(args[0])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<string, {typescript_of(args[1])}>"
    return " | ".join(typescript_of(arg) for arg in args)


def row_fields() -> list[tuple[str, Any]]:
    """A row's fields besides `event` and `data`."""
    return [(name, hint) for name, hint, _ in fields(StreamRow) if name not in ("event", "data")]


def json_schema() -> dict[str, Any]:
    """A row, whose `data` has the shape of its event; `$defs` has all shapes, also that of the state."""
    rows = [
        {"if": {"properties": {"event": {"const": event}}}, "then": {"properties": {"data": schema_of(data)}}}
        for event, data in EVENT_DATA.items()
    ]
    shapes = {
        shape.__name__: {
            "type": "object",
            "properties": {name: schema_of(hint) for name, hint, _ in fields(shape)},
            "required": [name for name, _, required in fields(shape) if required],
        }
        for shape in all_shapes()
    }
    place = {name: schema_of(hint) for name, hint in row_fields()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A row of a briefworks stream",
        "type": "object",
        "properties": {**place, "event": {"type": "string"}, "data": {"type": "object"}},
        "required": [*place, "event", "data"],
        "allOf": rows,
        "$defs": shapes,
    }


def all_shapes() -> list[type]:
    """Every TypedDict of rows and state, each once, before those that are made of it."""
    found: dict[type, None] = {}
    for hint in (*EVENT_DATA.values(), ArticleState):
        found.update(dict.fromkeys(shapes_in(hint)))
    return list(found)


def typescript() -> str:
    """The same for TypeScript, and for editors that read JSDoc."""
    lines = ["/** The shapes of the stream; made by docs/stream_schema.py out of briefworks/shapes.py. */"]
    for shape in all_shapes():
        lines.append(f"export type {shape.__name__} = {{")
        for name, hint, required in fields(shape):
            lines.append(f"  {name}{'' if required else '?'}: {typescript_of(hint)};")
        lines.append("};")
    lines.append("export type EventData = {")
    lines += [f"  {json.dumps(event)}: {data.__name__};" for event, data in EVENT_DATA.items()]
    lines += ["};", "export type Place = {"]
    lines += [f"  {name}: {typescript_of(hint)};" for name, hint in row_fields()]
    lines += [
        "};",
        "/** A row; `row.event` tells the shape of `row.data`. */",
        "export type StreamRow = {",
        "  [E in keyof EventData]: Place & { event: E; data: EventData[E] };",
        "}[keyof EventData];",
        "export type PageOfRows = { rows: StreamRow[]; head: number; upto: number };",
    ]
    return "\n".join(lines) + "\n"


def a_line_each(value: Any, depth: int = 2) -> str:
    """JSON with a line for each member of its first levels."""
    if depth and isinstance(value, dict):
        members = [
            f"{json.dumps(key)}: {a_line_each(inner, depth - 1).strip()}" for key, inner in value.items()
        ]
        return "{\n" + ",\n".join(members) + "\n}\n"
    if depth and isinstance(value, list):
        return "[\n" + ",\n".join(map(json.dumps, value)) + "\n]\n"
    return json.dumps(value)


def made() -> dict[Path, str]:
    """The files, as they should be."""
    return {
        ROOT / "docs/stream.schema.json": a_line_each(json_schema()),
        ROOT / "briefworks/static/shapes.d.ts": typescript(),
    }


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text)
