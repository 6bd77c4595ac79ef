"""
Long articles, written durably: the run survives a closed tab, a killed worker and an overloaded model.

What a program that asks for articles needs is here; `briefworks.web` serves them. Each name is loaded when
it is first used, so that importing costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from briefworks.client import Asked, Client
    from briefworks.errors import (
        BriefworksError,
        ConfigError,
        Conflict,
        EngineUnavailable,
        Forbidden,
        NotFound,
        NotStarted,
        RateLimited,
        RequestInvalid,
        Unauthorized,
        UpstreamUnavailable,
    )
    from briefworks.shapes import ArticleRequest, ArticleState, StreamRow

    __version__: str

__all__ = [
    "ArticleRequest",
    "ArticleState",
    "Asked",
    "BriefworksError",
    "Client",
    "ConfigError",
    "Conflict",
    "EngineUnavailable",
    "Forbidden",
    "NotFound",
    "NotStarted",
    "RateLimited",
    "RequestInvalid",
    "StreamRow",
    "Unauthorized",
    "UpstreamUnavailable",
]

_HOMES = {
    **dict.fromkeys(("Asked", "Client"), "briefworks.client"),
    **dict.fromkeys(("ArticleRequest", "ArticleState", "StreamRow"), "briefworks.shapes"),
}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("briefworks")
    if name not in __all__:
        raise AttributeError(f"module 'briefworks' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "briefworks.errors")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__, "__version__"])
