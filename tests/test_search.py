"""Search: four wire formats, one page of results, and every failure in its own words."""

import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from briefworks.errors import ConfigError, RateLimited, SearchUnavailable
from briefworks.search import BraveSearch, Search, SearchPage, SearxngSearch, SerperSearch, TavilySearch
from briefworks.settings import Settings
from briefworks.web.parts import build_search
from in_time import in_time

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
BRAVE = {
    "type": "search",
    "query": {"original": "standing desks", "more_results_available": True},
    "web": {
        "type": "search",
        "results": [
            {
                "title": "Standing desks, explained",
                "url": "https://desks.example/guide",
                "description": "What a standing desk does.",
                "page_age": "2026-03-03T10:00:00",
                "age": "March 3, 2026",
                "language": "en",
                "extra_snippets": ["More of it."],
            },
            {"title": "Second", "url": "https://other.example/desks", "description": "", "age": "2 days ago"},
        ],
    },
    "faq": {
        "results": [{"question": "Are standing desks worth it?", "answer": "…", "url": "https://a.example"}]
    },
}
TAVILY = {
    "query": "standing desks",
    "answer": None,
    "images": [],
    "results": [
        {
            "title": "Standing desks, explained",
            "url": "https://desks.example/guide",
            "content": "What a standing desk does.",
            "score": 0.98,
            "raw_content": None,
        },
        {"title": "Second", "url": "https://other.example/desks", "content": "", "score": 0.5},
    ],
    "response_time": 1.09,
}


def serper(server: HTTPServer) -> SerperSearch:
    return SerperSearch(KEY, base_url=server.url_for(""))


def searxng(server: HTTPServer) -> SearxngSearch:
    return SearxngSearch(server.url_for(""))


def brave(server: HTTPServer) -> BraveSearch:
    return BraveSearch(KEY, base_url=server.url_for(""))


def tavily(server: HTTPServer) -> TavilySearch:
    return TavilySearch(KEY, base_url=server.url_for(""))


def ask(search: Search, timeout_s: float = 5) -> SearchPage:
    return search.search("standing desks", language="en", market="de", timeout_s=timeout_s)


ASKED_AT = {serper: "/search", searxng: "/search", brave: "/res/v1/web/search", tavily: "/search"}
EACH = pytest.mark.parametrize("make", ASKED_AT, ids=lambda make: make.__name__)
KEYED = pytest.mark.parametrize("make", [serper, brave, tavily], ids=lambda make: make.__name__)


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


def test_brave_is_asked_with_the_key_in_a_header_the_market_and_the_language(httpserver: HTTPServer):
    httpserver.expect_request(ASKED_AT[brave], method="GET").respond_with_json(BRAVE)
    ask(brave(httpserver))
    request, _ = httpserver.log[0]
    assert request.headers["X-Subscription-Token"] == KEY
    assert KEY not in request.url
    assert dict(request.args) == {
        "q": "standing desks",
        "country": "DE",
        "search_lang": "en",
        "count": "20",
        "text_decorations": "false",
    }


@pytest.mark.parametrize(
    ("language", "market", "said", "country"),
    [
        ("ja", "jp", "jp", "JP"),
        ("zh", "tw", "zh-hant", "TW"),
        ("zh", "cn", "zh-hans", "CN"),
        ("pt", "br", "pt-br", "BR"),
        ("pt", "pt", "pt-pt", "PT"),
        ("no", "no", "nb", "NO"),
        ("cy", "lu", None, "ALL"),  # neither is one that Brave knows: it would refuse the question
    ],
)
def test_brave_gets_its_own_codes_for_language_and_market(httpserver, language, market, said, country):
    httpserver.expect_request(ASKED_AT[brave]).respond_with_json(BRAVE)
    brave(httpserver).search("standing desks", language=language, market=market, timeout_s=5)
    asked = httpserver.log[0][0].args
    assert (asked.get("search_lang"), asked["country"]) == (said, country)


def test_brave_is_asked_no_more_than_it_takes(httpserver: HTTPServer):
    httpserver.expect_request(ASKED_AT[brave]).respond_with_json(BRAVE)
    brave(httpserver).search("desk " * 60 + "x" * 400, language="en", market="us", timeout_s=5)
    asked = httpserver.log[0][0].args["q"]
    assert len(asked.split()) <= 50 and len(asked) <= 400


def test_braves_answer_becomes_the_same_shape(httpserver: HTTPServer):
    httpserver.expect_request(ASKED_AT[brave]).respond_with_json(BRAVE)
    page = ask(brave(httpserver))
    days_ago = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT00:00:00Z")
    assert page["provider"] == "brave"
    assert [result["url"] for result in page["results"]] == [
        "https://desks.example/guide",
        "https://other.example/desks",
    ]
    assert page["results"][0]["snippet"] == "What a standing desk does."
    assert [result["published_at"] for result in page["results"]] == ["2026-03-03T10:00:00Z", days_ago]
    assert page["questions"] == ["Are standing desks worth it?"]


def test_tavily_is_asked_with_the_key_in_a_header_and_the_markets_name(httpserver: HTTPServer):
    httpserver.expect_request("/search", method="POST").respond_with_json(TAVILY)
    ask(tavily(httpserver))
    request, _ = httpserver.log[0]
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert KEY.encode() not in request.data and KEY not in request.url
    assert (request.json["query"], request.json["country"]) == ("standing desks", "germany")
    assert request.json["max_results"] <= 20


def test_a_market_that_tavily_has_no_name_for_is_left_out(httpserver: HTTPServer):
    httpserver.expect_request("/search", method="POST").respond_with_json(TAVILY)
    tavily(httpserver).search("standing desks", language="en", market="aq", timeout_s=5)
    assert "country" not in httpserver.log[0][0].json


def test_tavilys_answer_becomes_the_same_shape(httpserver: HTTPServer):
    httpserver.expect_request("/search", method="POST").respond_with_json(TAVILY)
    page = ask(tavily(httpserver))
    assert page["provider"] == "tavily"
    assert page["results"][0] == {
        "position": 1,
        "url": "https://desks.example/guide",
        "title": "Standing desks, explained",
        "snippet": "What a standing desk does.",
        "published_at": None,
    }
    assert (len(page["results"]), page["questions"], page["related"]) == (2, [], [])


def test_searxng_below_a_path_and_behind_a_password_is_reached(httpserver: HTTPServer):
    httpserver.expect_request("/searx/search").respond_with_json(SEARXNG)
    url = httpserver.url_for("/searx/").replace("http://", "http://reader:pass-word@")
    assert len(ask(SearxngSearch(url))["results"]) == 2
    request, _ = httpserver.log[0]
    assert request.authorization is not None
    assert request.authorization.password == "pass-word"


@EACH
def test_no_results_is_an_empty_list(httpserver: HTTPServer, make):
    httpserver.expect_request(ASKED_AT[make]).respond_with_json({})
    page = ask(make(httpserver))
    assert (page["results"], page["questions"], page["related"]) == ([], [], [])


def test_of_many_results_ten_remain_numbered_from_one(httpserver: HTTPServer):
    found = [{"url": f"https://site{n}.example/", "title": str(n), "content": ""} for n in range(30)]
    httpserver.expect_request("/search").respond_with_json({"results": found})
    results = ask(searxng(httpserver))["results"]
    assert [result["position"] for result in results] == list(range(1, 11))
    assert results[9]["url"] == "https://site9.example/"


@pytest.mark.parametrize(
    "other",
    [
        "http://desks.example/guide",
        "https://www.desks.example/guide/",
        "https://m.desks.example/guide?utm_source=mail&fbclid=x",
        "https://desks.example:443/guide/amp/",
        "https://amp.desks.example/guide.amp.html?amp=1",
        "https://desks.example/gu%69de#legs",
        "https://desks.example/guide/index.html?ref=home",
    ],
)
def test_two_addresses_of_one_page_are_one_result(httpserver: HTTPServer, other):
    found = [{"url": url} for url in ("https://desks.example/guide", other, "https://desks.example/guides")]
    httpserver.expect_request("/search").respond_with_json({"results": found})
    assert [result["url"] for result in ask(searxng(httpserver))["results"]] == [
        "https://desks.example/guide",
        "https://desks.example/guides",
    ]


def test_a_host_spelled_in_letters_and_as_it_is_asked_for_is_one(httpserver: HTTPServer):
    too_long = f"https://{'b' * 70}.example/"  # for a name
    urls = ["https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4", too_long]
    httpserver.expect_request("/search").respond_with_json({"results": [{"url": url} for url in urls]})
    assert [result["url"] for result in ask(searxng(httpserver))["results"]] == [urls[0], urls[2]]


def test_addresses_that_ask_for_something_else_are_two_results(httpserver: HTTPServer):
    urls = [f"https://desks.example/show?{asked}" for asked in ("id=1&page=2", "id=2", "id=1", "page=2&id=1")]
    httpserver.expect_request("/search").respond_with_json({"results": [{"url": url} for url in urls]})
    assert [result["url"] for result in ask(searxng(httpserver))["results"]] == urls[:3]


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


WRONG_KEY = {
    serper: (403, {"message": f"Unauthorized {KEY}", "statusCode": 403}),
    brave: (
        422,
        {
            "type": "ErrorResponse",
            "error": {
                "code": "SUBSCRIPTION_TOKEN_INVALID",
                "detail": f"The subscription token {KEY} is invalid.",
            },
        },
    ),
    tavily: (401, {"detail": {"error": f"Unauthorized: missing or invalid API key {KEY}."}}),
}


@KEYED
def test_a_wrong_key_names_the_setting_and_hides_the_key(httpserver: HTTPServer, make):
    status, said = WRONG_KEY[make]
    httpserver.expect_request(ASKED_AT[make]).respond_with_json(said, status=status)
    with pytest.raises(ConfigError) as raised:
        ask(make(httpserver))
    assert f"{make.__name__.upper()}_API_KEY" in raised.value.hint
    assert "nauthorized" in str(raised.value) or "token" in str(raised.value)
    assert KEY not in str(raised.value) + raised.value.hint
    assert len(httpserver.log) == 1


def test_searxng_without_json_says_which_file_to_mend(httpserver: HTTPServer):
    httpserver.expect_request("/search").respond_with_data("<h1>Forbidden</h1>", status=403)
    with pytest.raises(ConfigError) as raised:
        ask(searxng(httpserver))
    assert "add json to search.formats" in raised.value.hint
    assert "settings.yml" in raised.value.hint


@pytest.mark.parametrize(
    ("make", "status", "said"),
    [
        (serper, 400, {"message": "Not enough credits"}),
        (brave, 402, {"error": {"detail": "Not enough credits", "status": 402}}),
        (tavily, 432, {"detail": {"error": "Not enough credits"}}),
        (tavily, 433, {"detail": "Not enough credits"}),
    ],
)
def test_spent_credits_are_no_outage(httpserver: HTTPServer, make, status, said):
    httpserver.expect_request(ASKED_AT[make]).respond_with_json(said, status=status)
    with pytest.raises(ConfigError, match="Not enough credits"):
        ask(make(httpserver))
    assert len(httpserver.log) == 1


def test_a_limit_that_says_when_it_ends_is_waited_for(httpserver: HTTPServer):
    httpserver.expect_request(ASKED_AT[brave]).respond_with_json(
        {}, status=402, headers={"Retry-After": "60"}
    )
    with pytest.raises(RateLimited) as raised:
        ask(brave(httpserver))
    assert raised.value.retry_after_s == 60


@pytest.mark.parametrize(("left", "wait_s"), [("0, 14000", 2), ("0, 0", 3600), ("1, 14000", 30), ("", 30)])
def test_brave_says_in_its_own_headers_how_long_to_wait(httpserver: HTTPServer, left, wait_s):
    headers = {"X-RateLimit-Remaining": left, "X-RateLimit-Reset": "2, 1419704"}
    httpserver.expect_request(ASKED_AT[brave]).respond_with_json({}, status=429, headers=headers)
    with pytest.raises(RateLimited) as raised:
        ask(brave(httpserver))
    assert raised.value.retry_after_s == wait_s


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [({"Retry-After": "7"}, 7), ({}, 30), ({"Retry-After": "999999"}, 3600), ({"Retry-After": "nan"}, 30)],
)
@KEYED
def test_a_429_carries_the_wait_and_is_not_repeated_here(httpserver: HTTPServer, make, header, wait_s):
    httpserver.expect_request(ASKED_AT[make]).respond_with_json({}, status=429, headers=header)
    with pytest.raises(RateLimited) as raised:
        ask(make(httpserver))
    assert raised.value.retry_after_s == wait_s
    assert len(httpserver.log) == 1


def test_a_429_with_a_date_waits_until_then(httpserver: HTTPServer):
    until = (datetime.now(UTC) + timedelta(seconds=90)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    httpserver.expect_request("/search").respond_with_json({}, status=429, headers={"Retry-After": until})
    with pytest.raises(RateLimited) as raised:
        ask(searxng(httpserver))
    assert 80 < raised.value.retry_after_s <= 90


@EACH
def test_a_server_error_is_repeated_until_it_works(httpserver: HTTPServer, make):
    httpserver.expect_ordered_request(ASKED_AT[make]).respond_with_data("oh", status=502)
    httpserver.expect_ordered_request(ASKED_AT[make]).respond_with_json({})
    assert ask(make(httpserver))["results"] == []
    assert len(httpserver.log) == 2


@EACH
def test_a_lasting_server_error_is_unavailable_after_three_tries(httpserver: HTTPServer, make):
    httpserver.expect_request(ASKED_AT[make]).respond_with_data("oh", status=503)
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
        with in_time(), pytest.raises(SearchUnavailable, match="in time"):
            ask(search, timeout_s=0.5)


def test_a_dripping_server_costs_no_more_than_the_time_given(httpserver: HTTPServer):
    def drip():
        for _ in range(100):
            time.sleep(0.1)
            yield b" "

    httpserver.expect_request("/search").respond_with_handler(lambda _: Response(drip()))
    with in_time(), pytest.raises(SearchUnavailable, match="in time"):
        ask(searxng(httpserver), timeout_s=0.5)


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
@pytest.mark.parametrize("kind", [SerperSearch, BraveSearch, TavilySearch])
def test_a_key_that_no_header_can_carry_is_refused_at_once(kind, key):
    with pytest.raises(ConfigError, match="key"):
        kind(key)


def test_of_several_searches_the_one_that_says_most_is_asked():
    keys = {"searxng_url": "http://127.0.0.1:9"}
    for name in ("tavily", "brave", "serper"):
        keys = {f"{name}_api_key": "k", **keys}
        settings = Settings.load(_env_file=None, **keys)
        assert build_search(settings).provider == settings.searches[0] == name
    assert settings.searches == ["serper", "brave", "tavily", "searxng"]
