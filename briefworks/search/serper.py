"""Serper: Google's results page as JSON, for a key."""

from __future__ import annotations

from briefworks.search.asking import Asker, usable_key
from briefworks.search.results import MOST_RESULTS, SearchPage, dicts_in, search_page


class SerperSearch:
    """Asks `POST {base_url}/search`."""

    provider = "serper"

    def __init__(self, api_key: str, base_url: str = "https://google.serper.dev") -> None:
        self._key = usable_key(self.provider, api_key, "SERPER_API_KEY")
        self._asker = Asker(
            self.provider,
            base_url,
            secret=self._key,
            denied_hint="Check SERPER_API_KEY.",
            moved_hint="Serper's address is https://google.serper.dev.",
        )
        self.address = self._asker.address

    def search(self, keyword: str, *, language: str, market: str, timeout_s: float) -> SearchPage:
        """See `Search.search`."""
        answer = self._asker.ask(
            "POST",
            "/search",
            timeout_s,
            headers={"X-API-KEY": self._key},
            json={"q": keyword, "gl": market, "hl": language, "num": MOST_RESULTS},
        )
        return search_page(
            self.provider,
            (
                {
                    "url": one.get("link"),
                    "title": one.get("title"),
                    "snippet": one.get("snippet"),
                    "date": one.get("date"),
                }
                for one in dicts_in(answer, "organic")
            ),
            questions=[one.get("question") for one in dicts_in(answer, "peopleAlsoAsk")],
            related=[one.get("query") for one in dicts_in(answer, "relatedSearches")],
        )
