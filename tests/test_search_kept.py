"""A day's memory of searches: what is asked again within 24 hours is answered without the search."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from briefworks.errors import SearchUnavailable
from briefworks.search import KeptSearch, SearchPage, SearxngSearch

FOUND = {
    "results": [{"url": "https://desks.example/", "title": "Desks", "content": "…"}],
    "suggestions": ["a desk"],
}


class Kept(dict[tuple[date, str], dict[str, Any]]):
    """What a store keeps; nothing in it is ever replaced."""

    def recall(self, day: date, key: str) -> dict[str, Any] | None:
        return self.get((day, key))

    def remember(self, day: date, key: str, answer: dict[str, Any]) -> None:
        self.setdefault((day, key), answer)

    def age(self, by: timedelta) -> None:
        """As if everything had been asked so much earlier."""
        for (day, key), answer in list(self.items()):
            asked_at = datetime.fromisoformat(answer["page"]["fetched_at"]) - by
            answer["page"]["fetched_at"] = asked_at.isoformat().replace("+00:00", "Z")
            self[asked_at.date(), key] = self.pop((day, key))


@pytest.fixture
def kept() -> Kept:
    return Kept()


def ask(httpserver: HTTPServer, kept: Kept, keyword: str = "desks", **other: str) -> SearchPage:
    search = SearxngSearch(httpserver.url_for(""))
    where = {"language": "en", "market": "us", **other}
    return KeptSearch(search, kept, search.address).search(keyword, timeout_s=5, **where)


@pytest.mark.parametrize("again", ["desks", " Desks"])
def test_the_same_question_is_asked_once_and_says_that_it_was_not_asked(httpserver, kept, again):
    httpserver.expect_request("/search").respond_with_json(FOUND)
    first, second = ask(httpserver, kept), ask(httpserver, kept, again)
    assert len(httpserver.log) == 1
    assert "kept" not in first and second == {**first, "kept": True}


@pytest.mark.parametrize("other", [{"keyword": "lamps"}, {"language": "de"}, {"market": "de"}])
def test_another_keyword_language_or_market_is_asked(httpserver, kept, other):
    httpserver.expect_request("/search").respond_with_json(FOUND)
    ask(httpserver, kept)
    ask(httpserver, kept, **other)
    assert len(httpserver.log) == 2


def test_another_server_of_the_same_kind_is_asked(httpserver, kept):
    httpserver.expect_request("/search").respond_with_json(FOUND)
    httpserver.expect_request("/other/search").respond_with_json(FOUND)
    ask(httpserver, kept)
    other = SearxngSearch(httpserver.url_for("/other"))
    KeptSearch(other, kept, other.address).search("desks", language="en", market="us", timeout_s=5)
    assert len(httpserver.log) == 2


@pytest.mark.parametrize(("hours", "asked"), [(23.9, 1), (24.1, 2), (47, 2)])
def test_after_a_day_it_is_asked_anew(httpserver, kept, hours, asked):
    httpserver.expect_request("/search").respond_with_json(FOUND)
    ask(httpserver, kept)
    kept.age(timedelta(hours=hours))
    found = ask(httpserver, kept)
    assert len(httpserver.log) == asked
    assert ("kept" in found) == (asked == 1)
    assert ask(httpserver, kept)["kept"]


def test_what_found_nothing_and_what_failed_is_asked_again(httpserver, kept):
    httpserver.expect_ordered_request("/search").respond_with_json({"results": [], "suggestions": ["a desk"]})
    httpserver.expect_ordered_request("/search").respond_with_data("no", status=400)
    httpserver.expect_ordered_request("/search").respond_with_json(FOUND)
    assert ask(httpserver, kept)["results"] == []
    with pytest.raises(SearchUnavailable):
        ask(httpserver, kept)
    assert kept == {}
    assert len(ask(httpserver, kept)["results"]) == 1
    assert [day for day, _ in kept] == [datetime.now(UTC).date()]
