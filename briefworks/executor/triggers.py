"""Expressions (CEL) of triggers, waits, cancels, idempotency and concurrency keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import cel
import structlog

log = structlog.get_logger("briefworks.executor")

MAX_EXPRESSION_CHARS = 4000
_TEXT = r"""(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')"""
_PATH = re.compile(
    rf"{_TEXT}|\bhas\s*\([^()]*\)"  # neither holds a path that may be filled in
    rf"|(?<![\w.])(?P<path>(?:event|async)(?:\s*\.\s*\w+|\s*\[\s*{_TEXT}\s*\])+)(?P<call>\s*\()?"
)
_SEGMENT = re.compile(rf"\w+|{_TEXT}")
Path = tuple[str, ...]


class ExpressionInvalid(ValueError):
    """Not an expression that can be evaluated."""


def check(expression: str) -> None:
    """`ExpressionInvalid` with the reason when the expression cannot be compiled."""
    _compiled(expression)


def matches(expression: str, event: Mapping[str, Any], later: Mapping[str, Any] | None = None) -> bool:
    """
    Whether the expression holds for `event` (and `async`, the later event of a wait or a cancel).

    A field that is missing counts as null, as on the real server; an expression that fails does not hold.
    """
    if not expression:
        return True
    scope = {"event": event} if later is None else {"event": event, "async": later}
    try:
        program, paths = _compiled(expression)
        return _run(program, _with_nulls(scope, paths)) is True
    except ValueError as error:
        log.warning("expression failed", expression=expression, reason=_reason(error))
        return False


def value(expression: str, event: Mapping[str, Any]) -> Any:
    """The value of a key; `ValueError` when it has none: a field is missing, or the expression fails."""
    return _run(_compiled(expression)[0], {"event": event})


def _run(program: Any, scope: Mapping[str, Any]) -> Any:
    try:
        return program.execute(scope)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the library's own panics are not Exceptions
        raise ValueError(_reason(error)) from None


@lru_cache(maxsize=512)
def _compiled(expression: str) -> tuple[Any, tuple[Path, ...]]:
    if len(expression) > MAX_EXPRESSION_CHARS:
        raise ExpressionInvalid(f"An expression may have {MAX_EXPRESSION_CHARS} characters.")
    try:
        return cel.compile(expression), tuple(_paths(expression))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:
        raise ExpressionInvalid(_reason(error)) from None


def _paths(expression: str) -> list[Path]:
    """The fields of `event` and `async` that the expression reads."""
    found = []
    for match in _PATH.finditer(expression):
        if match["path"]:
            names = [name.strip("\"'") for name in _SEGMENT.findall(match["path"])]
            found.append(tuple(names[:-1] if match["call"] else names))
    return found


def _with_nulls(scope: Mapping[str, Any], paths: tuple[Path, ...]) -> dict[str, Any]:
    """The scope with null for every path that leads nowhere; what is there stays as it is."""
    filled = dict(scope)
    for path in paths:
        here: Any = filled
        for depth, name in enumerate(path):
            if not isinstance(here, dict):
                break
            inner = here.get(name)
            if depth == len(path) - 1:
                here.setdefault(name, None)
            elif inner is None or isinstance(inner, Mapping):
                here[name] = dict(inner or {})
                inner = here[name]
            here = inner
    return filled


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
