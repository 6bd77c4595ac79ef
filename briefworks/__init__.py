"""
Long articles, written durably: the run survives a closed tab, a killed worker and an overloaded model.

What a program that asks for articles needs is here; `briefworks.web` serves them.
"""

from importlib.metadata import version

from briefworks.errors import BriefworksError, Conflict, EngineUnavailable, NotFound, RequestInvalid
from briefworks.shapes import ArticleRequest, ArticleState, StreamRow

__version__ = version("briefworks")

__all__ = [
    "ArticleRequest",
    "ArticleState",
    "BriefworksError",
    "Conflict",
    "EngineUnavailable",
    "NotFound",
    "RequestInvalid",
    "StreamRow",
]
