"""From the text of an answer to the object that was asked for, and what to say when it is not there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from briefworks.model.request import Request
from briefworks.text import clean

A = TypeVar("A", bound=BaseModel)

_MOST_BRACES, _MOST_FAULTS, _FAULT_CHARS, _QUOTED_CHARS = 50, 10, 300, 12_000
_DECODER = json.JSONDecoder(strict=False)  # models put plain line breaks into strings


def read_answer(text: str, answer: type[A]) -> tuple[A | None, list[str]]:
    """
    The first JSON object in `text` that is an `answer`, whatever stands around it; else None and the faults.
    """
    faults: list[str] = []
    for found in _objects(text):
        try:
            return answer.model_validate(_cleaned(found)), []
        except ValidationError as error:
            faults = _faults(error)
    return None, faults or ["There is no complete JSON object in it."]


def repair(request: Request, text: str, faults: list[str], truncated: bool) -> Request:
    """The request that has an invalid answer mended; a truncated one gets twice the room."""
    if truncated:
        faults = ["It was cut off because it was too long: be briefer.", *faults]
    return request.plus(
        f"You have answered already:\n\n<answer>{text[:_QUOTED_CHARS]}</answer>\n\n"
        "That is not valid:\n" + "\n".join(f"- {fault}" for fault in faults) + "\n\n"
        "Answer again: the whole JSON object, with these faults mended, and nothing else.",
        max_tokens=request.max_tokens * (2 if truncated else 1),
    )


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, those within another left out."""
    at = -1
    for _ in range(_MOST_BRACES):
        at = text.find("{", at + 1)
        if at < 0:
            return
        try:
            found, end = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            continue
        yield found
        at = end - 1


def _faults(error: ValidationError) -> list[str]:
    return [
        f"{'.'.join(map(str, one['loc'])) or 'The object'}: {one['msg']}"[:_FAULT_CHARS]
        for one in error.errors(include_url=False, include_input=False)[:_MOST_FAULTS]
    ]


def _cleaned(value: Any) -> Any:
    """The JSON value with its texts fit to be stored: escapes can spell what no text may hold."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return value
