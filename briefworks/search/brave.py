"""Brave: an index of its own, not Google's, for a key."""

from __future__ import annotations

from typing import Any

from briefworks.search.asking import Asker, usable_key
from briefworks.search.results import MOST_RESULTS, SearchPage, dicts_in, search_page

MOST_CHARS, MOST_WORDS = 400, 50  # of a question to Brave
_ELSEWHERE = "ALL"  # for a market that Brave does not tell apart
# `country` and `search_lang`: https://api-dashboard.search.brave.com/app/documentation ("Codes").
_COUNTRIES = (
    "AR AU AT BE BR CA CL CN DK FI FR DE GR HK IN ID IT JP KR MY MX NL NZ NO PL PT PH RU SA ZA ES SE CH TW TR"
    " GB US"
)
_LANGUAGES = (
    "ar eu bn bg ca hr cs da nl en et fi fr gl de el gu he hi hu is it jp kn ko lv lt ms ml mr nb pl pa ro ru"
    " sr sk sl es sv ta te th tr uk vi"
)
_CALLED = {"ja": "jp", "no": "nb", "nn": "nb", "iw": "he"}  # languages that Brave has its own code for


class BraveSearch:
    """Asks `GET {base_url}/res/v1/web/search`."""

    provider = "brave"

    def __init__(self, api_key: str, base_url: str = "https://api.search.brave.com") -> None:
        self._key = usable_key(self.provider, api_key, "BRAVE_API_KEY")
        self._asker = Asker(
            self.provider,
            base_url,
            secret=self._key,
            denied_hint="Check BRAVE_API_KEY.",
            moved_hint="Brave's address is https://api.search.brave.com.",
        )
        self.address = self._asker.address

    def search(self, keyword: str, *, language: str, market: str, timeout_s: float) -> SearchPage:
        """See `Search.search`. A language that Brave does not know is left out, a market is all of them."""
        asked = {
            "q": " ".join(keyword.split()[:MOST_WORDS])[:MOST_CHARS],
            "country": market.upper() if market.upper() in _COUNTRIES.split() else _ELSEWHERE,
            "count": MOST_RESULTS * 2,  # some are not pages to read
            "text_decorations": "false",  # else snippets carry <strong>
        }
        if spoken := _search_lang(language, market):
            asked["search_lang"] = spoken
        answer = self._asker.ask(
            "GET",
            "/res/v1/web/search",
            timeout_s,
            headers={"X-Subscription-Token": self._key},
            params=asked,
        )
        return search_page(
            self.provider,
            (
                {
                    "url": one.get("url"),
                    "title": one.get("title"),
                    "snippet": one.get("description"),
                    "date": one.get("page_age") or one.get("age"),
                }
                for one in dicts_in(_part(answer, "web"), "results")
            ),
            questions=[one.get("question") for one in dicts_in(_part(answer, "faq"), "results")],
            related=[one.get("query") for one in dicts_in(_part(answer, "query"), "related_queries")],
        )


def _part(answer: dict[str, Any], name: str) -> dict[str, Any]:
    part = answer.get(name)
    return part if isinstance(part, dict) else {}


def _search_lang(language: str, market: str) -> str:
    if language == "zh":
        return "zh-hant" if market in ("tw", "hk", "mo") else "zh-hans"
    if language == "pt":
        return "pt-br" if market == "br" else "pt-pt"
    spoken = _CALLED.get(language, language)
    return spoken if spoken in _LANGUAGES.split() else ""
