"""The demo's search and web pages: right in shape for any keyword, in agreement, plainly synthetic."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import httpx
import lxml.html
import pytest
from protego import Protego

from briefworks.demo import DemoUpstream
from briefworks.demo.pages import CLOSED_PAGE, GONE_PAGE, PAGES, SYNTHETIC, keyword_of, page_html, slug_of
from briefworks.demo.world import World, topics
from briefworks.scoring import shared_terms
from briefworks.tells import lint
from briefworks.text import count_words

KEYWORDS = [
    "standing desks",
    "how to bake sourdough bread",
    "C++ & <b>templates</b>",
    "Zürich Straßenbahn",
    "e-bike",
    "гибкий график",
    '"; </script><script>alert(1)</script> {k} {0}',
    "50% off / half-price?",
    "x" * 200,
]
READABLE = [n for n in range(1, PAGES + 1) if n not in (CLOSED_PAGE, GONE_PAGE)]


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    upstream = DemoUpstream(seed=7)
    with httpx.Client(base_url=upstream.start(), trust_env=False) as http:
        yield http
    upstream.stop()


def search(http: httpx.Client, keyword: str) -> dict[str, Any]:
    answer = http.get("/search", params={"q": keyword, "format": "json", "language": "en"})
    assert answer.status_code == 200
    return answer.json()


def article_text(keyword: str, n: int, seed: int = 7) -> str:
    """The words of the article part, a line per block."""
    article = lxml.html.fromstring(page_html(keyword, n, seed)).find(".//article")
    assert article is not None
    return "\n".join(" ".join(block.itertext()) for block in article.iter("h1", "h2", "h3", "p", "li", "td"))


@pytest.mark.parametrize("keyword", KEYWORDS, ids=lambda keyword: keyword[:20])
def test_a_search_has_searxngs_shape_and_leads_to_pages_of_our_own(http: httpx.Client, keyword: str) -> None:
    found = search(http, keyword)
    assert found["query"] == keyword and len(found["results"]) == PAGES
    for position, result in enumerate(found["results"], 1):
        assert result["url"].startswith(f"{str(http.base_url).rstrip('/')}/pages/")
        assert result["positions"] == [position]
        assert result["engine"] in result["engines"] and result["category"] == "general"
        assert result["content"] and "synthetic" in result["title"]
    assert found["answers"] == found["infoboxes"] == found["unresponsive_engines"] == []
    assert all(keyword in suggestion for suggestion in found["suggestions"])
    statuses = [http.get(result["url"]).status_code for result in found["results"]]
    assert [n for n, status in enumerate(statuses, 1) if status == 404] == [GONE_PAGE]
    assert statuses.count(200) == PAGES - 1


@pytest.mark.parametrize("keyword", KEYWORDS, ids=lambda keyword: keyword[:20])
def test_a_page_knows_its_keyword_and_lets_it_break_nothing(keyword: str) -> None:
    assert keyword_of(slug_of(keyword)) == keyword
    for n in READABLE:
        page = lxml.html.fromstring(page_html(keyword, n, 7))
        assert keyword in article_text(keyword, n)
        assert page.findtext(".//h1") == page.findtext(".//title")
        scripts = {script.get("type", ""): script.text for script in page.iter("script")}
        assert scripts.pop("") == 'window.tracking = "none";'
        headlines = [json.loads(text)["headline"] for text in scripts.values()]
        assert all(keyword.casefold() in headline.casefold() for headline in headlines)
        assert len(page.xpath("//script")) == 1 + len(scripts) and not page.xpath("//article//b")


def test_search_without_json_is_forbidden_and_without_words_refused(http: httpx.Client) -> None:
    assert http.get("/search", params={"q": "tea"}).status_code == 403
    assert http.get("/search", params={"q": " ", "format": "json"}).status_code == 400


def test_every_page_says_in_title_and_first_paragraph_that_it_is_synthetic() -> None:
    for n in range(1, PAGES + 1):
        page = lxml.html.fromstring(page_html("tea", n, 7))
        assert "synthetic demo page" in page.findtext(".//title")
        assert "".join(page.find(".//article/p").itertext()).startswith(SYNTHETIC)


@pytest.mark.parametrize("seed", [1, 7, 99])
def test_pages_have_400_to_1200_words_and_differ(seed: int) -> None:
    texts = {n: article_text("standing desks", n, seed) for n in READABLE}
    assert len(texts) >= 6
    assert all(400 <= count_words(text) <= 1200 for text in texts.values()), {
        n: count_words(text) for n, text in texts.items()
    }
    for one, other in combinations(texts.values(), 2):
        shared = set(one.splitlines()) & set(other.splitlines())
        assert len(" ".join(shared)) < 0.5 * min(len(one), len(other))


def test_pages_have_what_a_reader_of_pages_must_cope_with() -> None:
    pages = {n: lxml.html.fromstring(page_html("tea", n, 7)) for n in READABLE}
    for page in pages.values():
        assert page.find(".//nav") is not None and page.find(".//footer") is not None
        assert page.xpath("//*[contains(@class, 'cookie')]")
        assert page.findall(".//h2")
    assert any(page.findall(".//h3") for page in pages.values())
    for kind in (
        "li",
        "table",
        "script[@type='application/ld+json']",
        "meta[@property='article:published_time']",
    ):
        having = [n for n, page in pages.items() if page.xpath(f"//{kind}")]
        assert 0 < len(having) < len(pages), kind


def test_the_same_seed_makes_the_same_pages_and_another_does_not() -> None:
    assert page_html("tea", 1, 7) == page_html("tea", 1, 7)
    assert page_html("tea", 1, 7) != page_html("tea", 1, 8) != page_html("tea", 2, 8)


def test_pages_agree_a_sentence_has_the_same_numbers_everywhere() -> None:
    claims: dict[str, set[str]] = {}
    for n in READABLE:
        for sentence in re.split(r"(?<=\.)\s+", article_text("tea", n)):
            if sentence.endswith("."):
                claims.setdefault(re.sub(r"\d[\d,]*", "#", sentence), set()).add(sentence)
    assert len(claims) > 150
    assert [said for said in claims.values() if len(said) > 1] == []


def test_pages_share_terms_and_invented_names() -> None:
    texts = {f"s{n}": article_text("tea", n) for n in READABLE}
    terms = {entity["name"].casefold(): entity for entity in shared_terms(texts, "tea", limit=60)}
    names = World("tea", 7).names
    for kind in ("survey", "lab", "body", "guide", "person"):
        assert sum(names[kind] in text for text in texts.values()) >= 4, names[kind]
    assert len(terms) >= 20
    assert any(" " in name for name in terms)


def test_every_sentence_can_be_quoted_alone() -> None:
    world = World("standing desks", 7)
    for about in topics().values():
        for template in about["sentences"]:
            sentence = world.say(template)
            assert re.fullmatch(r"[A-Z\d][^{}]*\.", sentence)
            assert 6 <= len(sentence.split()) <= 32, sentence
            assert not re.search(r"\ba [aeio]|\b1 (days|weeks|months)", sentence), sentence
            assert not re.match(r"(It|They|This|These|He|She)\b", sentence), sentence


def test_the_pages_have_no_tells_of_their_own() -> None:
    for n in READABLE:
        assert [tell for tell in lint(article_text("tea", n)) if tell["weight"] > 1] == []


def test_robots_closes_one_page_to_everybody(http: httpx.Client) -> None:
    robots = Protego.parse(http.get("/robots.txt").text)
    results = search(http, "tea time")["results"]
    allowed = [robots.can_fetch(result["url"], "briefworks") for result in results]
    assert [n for n, may in enumerate(allowed, 1) if not may] == [CLOSED_PAGE]
    assert "Disallow" in http.get("/robots.txt").text


@pytest.mark.parametrize(
    "path", ["/pages/tea/0", "/pages/tea/11", "/pages/tea/x", "/pages/tea", "/pages//1", "/x"]
)
def test_what_is_not_there_is_404(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404
