"""Tavily: a search made for programs, for a key; a thousand searches a month cost nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from briefworks.search.asking import Asker, usable_key
from briefworks.search.results import MOST_RESULTS, SearchPage, dicts_in, search_page


class TavilySearch:
    """Asks `POST {base_url}/search`."""

    provider = "tavily"

    def __init__(self, api_key: str, base_url: str = "https://api.tavily.com") -> None:
        self._key = usable_key(self.provider, api_key, "TAVILY_API_KEY")
        self._asker = Asker(
            self.provider,
            base_url,
            secret=self._key,
            denied_hint="Check TAVILY_API_KEY.",
            moved_hint="Tavily's address is https://api.tavily.com.",
        )
        self.address = self._asker.address

    def search(
        self,
        keyword: str,
        *,
        language: str,  # noqa: ARG002  # Tavily takes none
        market: str,
        timeout_s: float,
    ) -> SearchPage:
        """See `Search.search`. Tavily knows neither questions nor related searches."""
        asked: dict[str, object] = {
            "query": keyword,
            "topic": "general",  # the only one with a country
            "search_depth": "basic",
            "max_results": MOST_RESULTS * 2,  # some are not pages to read
        }
        if country := _countries().get(market):
            asked["country"] = country
        answer = self._asker.ask(
            "POST", "/search", timeout_s, headers={"Authorization": f"Bearer {self._key}"}, json=asked
        )
        return search_page(
            self.provider,
            (
                {
                    "url": one.get("url"),
                    "title": one.get("title"),
                    "snippet": one.get("content"),
                    "date": one.get("published_date"),
                }
                for one in dicts_in(answer, "results")
            ),
            questions=[],
            related=[],
        )


@cache
def _countries() -> dict[str, str]:
    """What Tavily calls a market, by its two letters."""
    lines = (Path(__file__).parent / "tavily_countries.txt").read_text(encoding="utf-8").splitlines()
    parted = (line.partition(" ") for line in lines if line and not line.startswith("#"))
    return {code: name for code, _, name in parted}
