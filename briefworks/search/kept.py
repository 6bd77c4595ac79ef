"""A day's memory of answers: another article of the project on the same keyword asks, and pays, no search."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, cast

from briefworks.search.results import SearchPage
from briefworks.text import squash

if TYPE_CHECKING:
    from briefworks.search import Search

KEPT_FOR = timedelta(hours=24)


class Memory(Protocol):
    """Where answers are kept, by day; what is there once is never replaced."""

    def recall(self, day: date, key: str) -> dict[str, Any] | None: ...
    def remember(self, day: date, key: str, answer: dict[str, Any]) -> None: ...


class KeptSearch:
    """A `Search` that answers from memory what it was asked within 24 hours, marked `kept`."""

    def __init__(self, search: Search, memory: Memory, address: str = "") -> None:
        """`address`: where it is asked, as two servers of one kind give different answers."""
        self._search, self._memory, self._address = search, memory, address

    @property
    def provider(self) -> str:
        return self._search.provider

    def search(self, keyword: str, *, language: str, market: str, timeout_s: float) -> SearchPage:
        """See `Search.search`. An answer without results is not kept, nor is an error."""
        key, now = self._key(keyword, language, market), datetime.now(UTC)
        for day in (now.date(), now.date() - timedelta(days=1)):
            page = (self._memory.recall(day, key) or {}).get("page")
            if page and abs(now - datetime.fromisoformat(page["fetched_at"])) < KEPT_FOR:
                return cast(SearchPage, {**page, "kept": True})
        found = self._search.search(keyword, language=language, market=market, timeout_s=timeout_s)
        if found["results"]:
            self._memory.remember(now.date(), key, {"v": 1, "page": found})
        return found

    def _key(self, keyword: str, language: str, market: str) -> str:
        asked = ["search", self.provider, self._address, squash(keyword).casefold(), language, market]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()
