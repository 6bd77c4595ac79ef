"""Search: two wire formats, one page of results, and every failure in its own words."""

import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from briefworks.errors import ConfigError, RateLimited, SearchUnavailable
from briefworks.search import Search, SearchPage, SearxngSearch, SerperSearch

KEY = "sk-very-secret-0123456789"

SERPER = {
    "searchParameters": {"q": "standing desks", "gl": "de", "hl": "en", "type": "search", "num": 10},
    "organic": [
        {
            "title": "  Standing desks,\n explained ",
            "link": "https://desks.example/guide#top",
            "snippet": "What a standing\u00a0desk does.",
            "date": "Mar 3, 2026",
            "position": 1,
            "sitelinks": [{"title": "More", "link": "https://desks.example/more"}],
        },
        {"title": "The same page", "link": "https://www.desks.example/guide/", "snippet": "", "position": 2},
        {"title": "A study", "link": "https://lab.example/paper.PDF", "snippet": "PDF", "position": 3},
        {"title": "Second", "link": "http://other.example/desks?page=2", "position": 4, "date": "3 days ago"},
    ],
    "peopleAlsoAsk": [
        {
            "question": "Are standing desks worth it?",
            "snippet": "…",
            "title": "…",
            "link": "https://x.example",
        },
        {"question": "are standing desks  worth it?"},
    ],
    "relatedSearches": [{"query": "standing desk converter"}, {"query": ""}, {}],
    "credits": 1,
}
SEARXNG = {
    "query": "standing desks",
    "results": [
        {
            "url": "https://desks.example/guide",
            "title": "Standing desks, explained",
            "content": "What a standing desk does.",
            "publishedDate": "2026-03-03T10:00:00+02:00",
            "engine": "brave",
            "engines": ["brave", "duckduckgo"],
            "positions": [1, 2],
            "score": 3.0,
            "category": "general",
        },
        {"url": "https://other.example/desks", "title": "", "content": None, "publishedDate": None},
    ],
    "answers": [],
    "infoboxes": [],
    "suggestions": ["standing desk converter", "how high should a standing desk be?"],
    "unresponsive_engines": [["google", "timeout"]],
}


def serper(server: HTTPServer) -> SerperSearch:
    return SerperSearch(KEY, base_url=server.url_for(""))


def searxng(server: HTTPServer) -> SearxngSearch:
    return SearxngSearch(server.url_for(""))


def ask(search: Search, timeout_s: float = 5) -> SearchPage:
    return search.search("standing desks", language="en", market="de", timeout_s=timeout_s)


BOTH = pytest.mark.parametrize(
    ("method", "make"), [("POST", serper), ("GET", searxng)], ids=["serper", "searxng"]
)


def test_serper_is_asked_with_the_key_in_a_header_the_market_and_the_language(httpserver: HTTPServer):
    httpserver.expect_request("/search", method="POST").respond_with_json(SERPER)
    ask(serper(httpserver))
    request, _ = httpserver.log[0]
    assert request.headers["X-API-KEY"] == KEY
    assert KEY not in request.url
    assert request.json == {"q": "standing desks", "gl": "de", "hl": "en", "num": 10}


def test_serpers_answer_becomes_clean_numbered_distinct_pages(httpserver: HTTPServer):
    httpserver.expect_request("/search", method="POST").respond_with_json(SERPER)
    page = ask(serper(httpserver))
    days_ago = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%dT00:00:00Z")
    assert page["provider"] == "serper"
    assert page["fetched_at"].endswith("Z")
    assert page["results"] == [
        {
            "position": 1,
            "url": "https://desks.example/guide",
            "title": "Standing desks, explained",
            "snippet": "What a standing desk does.",
            "published_at": "2026-03-03T00:00:00Z",
        },
        {
            "position": 2,
            "url": "http://other.example/desks?page=2",
            "title": "Second",
            "snippet": "",
            "published_at": days_ago,
        },
    ]
    assert page["questions"] == ["Are standing desks worth it?"]
    assert page["related"] == ["standing desk converter"]


def test_searxng_is_asked_for_json_in_the_language_of_the_market(httpserver: HTTPServer):
    httpserver.expect_request("/search", method="GET").respond_with_json(SEARXNG)
    ask(searxng(httpserver))
    asked = httpserver.log[0][0].args
    assert asked["q"] == "standing desks"
    assert asked["format"] == "json"
    assert asked["language"] == "en-DE"


def test_searxngs_answer_becomes_the_same_shape(httpserver: HTTPServer):
    httpserver.expect_request("/search", method="GET").respond_with_json(SEARXNG)
    page = ask(searxng(httpserver))
    assert page["provider"] == "searxng"
    assert [result["published_at"] for result in page["results"]] == ["2026-03-03T08:00:00Z", None]
    assert page["results"][1]["title"] == "other.example"
    assert page["questions"] == ["how high should a standing desk be?"]
    assert page["related"] == ["standing desk converter"]


def test_searxng_below_a_path_and_behind_a_password_is_reached(httpserver: HTTPServer):
    httpserver.expect_request("/searx/search").respond_with_json(SEARXNG)
    url = httpserver.url_for("/searx/").replace("http://", "http://reader:pass-word@")
    assert len(ask(SearxngSearch(url))["results"]) == 2
    request, _ = httpserver.log[0]
    assert request.authorization is not None
    assert request.authorization.password == "pass-word"


@BOTH
def test_no_results_is_an_empty_list(httpserver: HTTPServer, method, make):
    httpserver.expect_request("/search", method=method).respond_with_json({})
    page = ask(make(httpserver))
    assert (page["results"], page["questions"], page["related"]) == ([], [], [])


def test_of_many_results_ten_remain_numbered_from_one(httpserver: HTTPServer):
    found = [{"url": f"https://site{n}.example/", "title": str(n), "content": ""} for n in range(30)]
    httpserver.expect_request("/search").respond_with_json({"results": found})
    results = ask(searxng(httpserver))["results"]
    assert [result["position"] for result in results] == list(range(1, 11))
    assert results[9]["url"] == "https://site9.example/"


def test_only_absolute_web_addresses_are_results(httpserver: HTTPServer):
    wrong = [
        "ftp://a.example/",
        "/relative",
        "javascript:alert(1)",
        "http://",
        "http://user@a.example/",
        "http://a.example:port/",
        "http://[::1/",
        "http://a.example/x y",
        "http://a.example/\u0000",
        "http://a.example/" + "x" * 3000,
        "file:///etc/passwd",
        None,
        7,
        ["http://a.example/"],
    ]
    found: list[object] = [{"url": url, "title": "t", "content": "c"} for url in wrong]
    httpserver.expect_request("/search").respond_with_json(
        {"results": [*found, "text", None, {"title": "no address"}, {"url": "https://good.example/"}]}
    )
    assert [result["url"] for result in ask(searxng(httpserver))["results"]] == ["https://good.example/"]


def test_titles_and_snippets_are_short_single_lines_that_a_database_takes(httpserver: HTTPServer):
    httpserver.expect_request("/search").respond_with_json(
        {
            "results": [
                {"url": "https://a.example/", "title": "a\u0000\n\tb " * 999, "content": "\ud800c" * 999}
            ]
        }
    )
    (result,) = ask(searxng(httpserver))["results"]
    assert result["title"].startswith("a b a b")
    assert len(result["title"]) <= 200
    assert len(result["snippet"]) <= 500
    (result["title"] + result["snippet"]).encode()


def test_a_wrong_key_names_the_setting_and_hides_the_key(httpserver: HTTPServer):
    httpserver.expect_request("/search").respond_with_json(
        {"message": f"Unauthorized {KEY}", "statusCode": 403}, status=403
    )
    with pytest.raises(ConfigError) as raised:
        ask(serper(httpserver))
    assert "SERPER_API_KEY" in raised.value.hint
    assert "Unauthorized" in str(raised.value)
    assert KEY not in str(raised.value) + raised.value.hint
    assert len(httpserver.log) == 1


def test_searxng_without_json_says_which_file_to_mend(httpserver: HTTPServer):
    httpserver.expect_request("/search").respond_with_data("<h1>Forbidden</h1>", status=403)
    with pytest.raises(ConfigError) as raised:
        ask(searxng(httpserver))
    assert "add json to search.formats" in raised.value.hint
    assert "settings.yml" in raised.value.hint


def test_spent_credits_are_no_outage(httpserver: HTTPServer):
    httpserver.expect_request("/search").respond_with_json({"message": "Not enough credits"}, status=400)
    with pytest.raises(ConfigError, match="Not enough credits"):
        ask(serper(httpserver))


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [({"Retry-After": "7"}, 7), ({}, 30), ({"Retry-After": "999999"}, 3600), ({"Retry-After": "nan"}, 30)],
)
def test_a_429_carries_the_wait_and_is_not_repeated_here(httpserver: HTTPServer, header, wait_s):
    httpserver.expect_request("/search").respond_with_json({}, status=429, headers=header)
    with pytest.raises(RateLimited) as raised:
        ask(serper(httpserver))
    assert raised.value.retry_after_s == wait_s
    assert len(httpserver.log) == 1


def test_a_429_with_a_date_waits_until_then(httpserver: HTTPServer):
    until = (datetime.now(UTC) + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    httpserver.expect_request("/search").respond_with_json({}, status=429, headers={"Retry-After": until})
    with pytest.raises(RateLimited) as raised:
        ask(searxng(httpserver))
    assert 80 < raised.value.retry_after_s <= 90


@BOTH
def test_a_server_error_is_repeated_until_it_works(httpserver: HTTPServer, method, make):
    httpserver.expect_ordered_request("/search", method=method).respond_with_data("oh", status=502)
    httpserver.expect_ordered_request("/search", method=method).respond_with_json({})
    assert ask(make(httpserver))["results"] == []
    assert len(httpserver.log) == 2


@BOTH
def test_a_lasting_server_error_is_unavailable_after_three_tries(httpserver: HTTPServer, method, make):
    httpserver.expect_request("/search", method=method).respond_with_data("oh", status=503)
    with pytest.raises(SearchUnavailable, match="503"):
        ask(make(httpserver))
    assert len(httpserver.log) == 3


def test_nobody_at_the_address_is_unavailable():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        search = SearxngSearch(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(SearchUnavailable, match="cannot be reached"):
            ask(search)


@pytest.mark.parametrize("body", ["<html>", "", "[]", "null", "{" * 100_000, b"\xff\xfe{"])
def test_an_answer_that_is_no_json_object_is_unavailable_at_once(httpserver: HTTPServer, body):
    httpserver.expect_request("/search").respond_with_data(body, content_type="text/html")
    with pytest.raises(SearchUnavailable, match="not a JSON object"):
        ask(serper(httpserver))
    assert len(httpserver.log) == 1


def test_fields_of_a_wrong_type_are_as_if_missing(httpserver: HTTPServer):
    httpserver.expect_request("/search").respond_with_json(
        {"organic": {"link": "x"}, "peopleAlsoAsk": [None, {"question": 1}], "relatedSearches": "standing"}
    )
    page = ask(serper(httpserver))
    assert (page["results"], page["questions"], page["related"]) == ([], [], [])


def test_a_silent_server_costs_no_more_than_the_time_given(httpserver: HTTPServer):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        search = SerperSearch(KEY, base_url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(SearchUnavailable, match="in time"):
            ask(search, timeout_s=0.5)
    assert time.monotonic() - began < 4


def test_a_dripping_server_costs_no_more_than_the_time_given(httpserver: HTTPServer):
    def drip():
        for _ in range(100):
            time.sleep(0.1)
            yield b" "

    httpserver.expect_request("/search").respond_with_handler(lambda _: Response(drip()))
    began = time.monotonic()
    with pytest.raises(SearchUnavailable, match="in time"):
        ask(searxng(httpserver), timeout_s=0.5)
    assert time.monotonic() - began < 4


def test_a_redirect_is_not_followed_with_the_key(httpserver: HTTPServer):
    httpserver.expect_request("/search").respond_with_data(
        status=302, headers={"Location": httpserver.url_for("/elsewhere")}
    )
    with pytest.raises(ConfigError, match="redirects"):
        ask(serper(httpserver))
    assert [request.path for request, _ in httpserver.log] == ["/search"]


@pytest.mark.parametrize("url", ["", "searx.example", "ftp://searx.example", "http://", "http://[::1"])
def test_an_address_that_cannot_work_is_refused_at_once(url):
    with pytest.raises(ConfigError):
        SearxngSearch(url)


@pytest.mark.parametrize("key", ["", "  ", "schlüssel"])
def test_a_key_that_no_header_can_carry_is_refused_at_once(key):
    with pytest.raises(ConfigError, match="key"):
        SerperSearch(key)
