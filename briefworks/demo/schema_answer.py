"""A value for any JSON schema, for prompts the demo's writer does not know: valid, and plainly made up."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

from briefworks.demo.phrases import NOTICE

# The SDK moves bounds that the API does not enforce into the description: "{minLength: 3, maximum: 9}".
_NOTE = re.compile(r"\{([^{}]*)\}\s*$")
_BOUND = re.compile(
    r"\b(minItems|maxItems|minLength|maxLength|minimum|maximum|exclusiveMinimum|exclusiveMaximum|multipleOf)"
    r": (-?\d+(?:\.\d+)?)"
)
_DEEPEST = 12
_BY_FORMAT = {
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "date": "2026-01-01",
    "duration": "P1D",
    "email": "demo@example.org",
    "hostname": "example.org",
    "uri": "https://example.org/demo",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def schema_answer(schema: dict[str, Any], prompt: str, seed: int) -> Any:
    """The same for the same schema, prompt and seed."""
    return _Generator(schema, random.Random(f"{seed}|{prompt}")).value(schema, 0)  # noqa: S311 – a demo's dice


class _Generator:
    def __init__(self, root: dict[str, Any], dice: random.Random) -> None:
        self._root, self._dice = root, dice

    def value(self, schema: dict[str, Any], depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._dice.choice(schema["enum"])
        if variants := schema.get("anyOf") or schema.get("oneOf"):
            return self.value(self._variant(variants, depth), depth)
        if "allOf" in schema:
            merged: dict[str, Any] = {}
            for part in schema["allOf"]:
                merged |= self._resolved(part)
            return self.value(merged, depth)
        kind = schema.get("type", "object" if "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        return self._of_type(kind, schema, depth)

    def _of_type(self, kind: str, schema: dict[str, Any], depth: int) -> Any:
        makers: dict[str, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, depth),
            "integer": lambda: int(self._number(schema, whole=True)),
            "number": lambda: self._number(schema, whole=False),
            "boolean": lambda: self._dice.random() < 0.5,
            "null": lambda: None,
        }
        return makers.get(kind, lambda: self._text(schema))()

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in schema:
            target: Any = self._root
            for part in schema["$ref"].removeprefix("#").strip("/").split("/"):
                target = target[part] if part else target
            schema = target
        return schema

    def _variant(self, variants: list[dict[str, Any]], depth: int) -> dict[str, Any]:
        null = [one for one in variants if one.get("type") == "null"]
        others = [one for one in variants if one.get("type") != "null"]
        if null and (not others or depth > _DEEPEST or self._dice.random() < 0.25):
            return null[0]
        return self._dice.choice(others)

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        required = set(schema.get("required", []))
        # Required properties come first in the API's answers, as here.
        names = sorted(schema.get("properties", {}), key=lambda name: name not in required)
        return {
            name: self.value(schema["properties"][name], depth + 1)
            for name in names
            if name in required or (depth < _DEEPEST and self._dice.random() < 0.7)
        }

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        bounds = _bounds(schema)
        least = int(bounds.get("minItems", 0))
        most = int(bounds.get("maxItems", max(3, least)))
        wanted = least if depth > _DEEPEST else min(most, max(least, self._dice.randint(1, 3)))
        return [self.value(schema.get("items", {}), depth + 1) for _ in range(wanted)]

    def _number(self, schema: dict[str, Any], *, whole: bool) -> float:
        bounds, step = _bounds(schema), 1 if whole else 0.01
        low = bounds.get("minimum", bounds.get("exclusiveMinimum", -step) + step)
        high = bounds.get("maximum", bounds.get("exclusiveMaximum", max(low, 0) + 100 + step) - step)
        low = min(low, high) if "minimum" not in bounds and "exclusiveMinimum" not in bounds else low
        number = (
            self._dice.randint(int(-(-low // 1)), int(high // 1)) if whole else self._dice.uniform(low, high)
        )
        if multiple := bounds.get("multipleOf"):
            return -(-low // multiple) * multiple
        return number if whole else round(min(max(number, low), high), 6)

    def _text(self, schema: dict[str, Any]) -> str:
        if fixed := _BY_FORMAT.get(schema.get("format", "")):
            return fixed
        bounds = _bounds(schema)
        least, most = int(bounds.get("minLength", 0)), int(bounds.get("maxLength", 1000))
        text = f"{schema.get('title', 'Demo text')} {self._dice.randint(100, 999)}. {NOTICE}"
        return (text * (least // len(text) + 1))[: max(least, min(most, len(text)))].strip().ljust(least, ".")


def _bounds(schema: dict[str, Any]) -> dict[str, float]:
    note = _NOTE.search(schema.get("description") or "")
    bounds = {name: float(number) for name, number in _BOUND.findall(note[1] if note else "")}
    bounds |= {name: float(schema[name]) for name in ("minItems", "maxItems", "minLength", "maxLength",
               "minimum", "maximum") if name in schema}  # fmt: skip
    return bounds
