"""What a request says: its body, its numbers and its names, or a `RequestInvalid` that names the field."""

from __future__ import annotations

import json

import flask

from briefworks.errors import RequestInvalid
from briefworks.shapes import check_id


def json_body() -> object:
    """The body, which must be JSON."""
    try:
        return json.loads(flask.request.get_data())
    except (ValueError, RecursionError):
        raise RequestInvalid("The body is not JSON.") from None


def number(name: str, default: int, most: int, least: int = 0) -> int:
    """A parameter of the query."""
    return whole(name, flask.request.args.get(name, str(default)), most, least)


def whole(name: str, text: str, most: int, least: int = 0) -> int:
    """A whole number."""
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and least <= int(text) <= most):
        raise RequestInvalid(f"{name}: a whole number from {least} to {most}", field=name)
    return int(text)


def article() -> str | None:
    """The parameter `article`, None for the whole project."""
    article_id = flask.request.args.get("article")
    if article_id is not None:
        check_id("article", article_id)
    return article_id
