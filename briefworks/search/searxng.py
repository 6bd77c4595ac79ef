"""SearXNG: a metasearch server of one's own, no key."""

from __future__ import annotations

from typing import Any

from briefworks.search.asking import Asker
from briefworks.search.results import SearchPage, dicts_in, search_page


class SearxngSearch:
    """Asks `GET {base_url}/search?format=json`; a user and password may stand in `base_url`."""

    provider = "searxng"

    def __init__(self, base_url: str) -> None:
        self._asker = Asker(
            self.provider,
            base_url,
            denied_hint="SearXNG: add json to search.formats in its settings.yml, and check SEARXNG_URL.",
            moved_hint="Set SEARXNG_URL to the address that SearXNG finally answers at.",
        )
        self.address = self._asker.address

    def search(self, keyword: str, *, language: str, market: str, timeout_s: float) -> SearchPage:
        """See `Search.search`. SearXNG knows no "people also ask": suggestions that ask are the questions."""
        answer = self._asker.ask(
            "GET",
            "/search",
            timeout_s,
            params={"q": keyword, "format": "json", "language": f"{language}-{market.upper()}", "pageno": 1},
        )
        listed: Any = answer.get("suggestions")
        suggestions = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
        return search_page(
            self.provider,
            (
                {
                    "url": one.get("url"),
                    "title": one.get("title"),
                    "snippet": one.get("content"),
                    "date": one.get("publishedDate"),
                }
                for one in dicts_in(answer, "results")
            ),
            questions=[one for one in suggestions if one.rstrip().endswith("?")],
            related=[one for one in suggestions if not one.rstrip().endswith("?")],
        )
