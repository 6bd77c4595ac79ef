"""What ranks for a keyword: one contract, and the providers that keep it."""

from __future__ import annotations

from typing import Protocol

from briefworks.search.brave import BraveSearch
from briefworks.search.kept import KeptSearch, Memory
from briefworks.search.results import SearchPage, SearchResult
from briefworks.search.searxng import SearxngSearch
from briefworks.search.serper import SerperSearch
from briefworks.search.tavily import TavilySearch

__all__ = [
    "BraveSearch",
    "KeptSearch",
    "Memory",
    "Search",
    "SearchPage",
    "SearchResult",
    "SearxngSearch",
    "SerperSearch",
    "TavilySearch",
]


class Search(Protocol):
    """A search provider."""

    @property
    def provider(self) -> str:
        """The name that `SearchPage.provider` and messages carry."""

    def search(self, keyword: str, *, language: str, market: str, timeout_s: float) -> SearchPage:
        """
        The first page of results, at most ten, within about `timeout_s` seconds.

        `language` and `market` are two-letter codes ("en", "us"). No results is an empty list, not an error.
        Raises `ConfigError` for a key or a set-up that cannot work, `RateLimited`, and `SearchUnavailable`
        when repeating did not help.
        """
