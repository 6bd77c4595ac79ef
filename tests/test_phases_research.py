"""Research over real HTTP: what the search lists, what the pages say, and what happens when they do not."""

from __future__ import annotations

import json
import time
from urllib.parse import urlsplit

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from briefworks.errors import NothingToResearch, UpstreamUnavailable
from briefworks.pages import Pages
from briefworks.phases import run_research_phase
from briefworks.search import KeptSearch, Search, SearxngSearch
from briefworks.shapes import ArticleRequest, Research
from test_phases_model import Says
from test_search_kept import Kept

ASKED = ArticleRequest(project_id="p1", keyword="rain barrels")
PARAGRAPH = (
    "A rain barrel collects the water that runs off a roof, and a leaf screen keeps the dirt out of it. "
    "The overflow valve leads what does not fit away from the wall. Acme Labs measured page {n} twice. "
    "In winter the barrel is emptied, because ice would break the seams of the plastic and of the tap. "
)


class Web:
    """A search and its pages on loopback."""

    def __init__(self, server: HTTPServer, says: Says) -> None:
        self.server, self.says = server, says
        self.base = server.url_for("").rstrip("/")
        self.host = urlsplit(self.base).netloc
        self.kept: dict[str, tuple[str, str, str]] = {}
        self.broken: set[int] = set()
        self.same: dict[int, int] = {}  # page → the one it is a copy of
        self.parts: dict[int, int] = {}  # page → how many parts it has
        self.results = [f"{self.base}/page/{n}" for n in (1, 2, 3, 4)]
        server.expect_request("/robots.txt").respond_with_data("", status=404)
        server.expect_request("/search").respond_with_handler(self._search)
        for n in (1, 2, 3, 4):
            server.expect_request(f"/page/{n}").respond_with_handler(self._page)

    def _search(self, request: Request) -> Response:
        results = [{"url": url, "title": f"Page {url[-1]}", "content": "…"} for url in self.results]
        found = {"query": request.args["q"], "results": results, "suggestions": ["rain barrel winter"]}
        return Response(json.dumps(found), content_type="application/json")

    def _page(self, request: Request) -> Response:
        n = int(request.path[-1])
        n = self.same.get(n, n)
        if n in self.broken:
            return Response("no", status=500)
        body = "".join(
            f"<h2>Part {k}</h2><p>{PARAGRAPH.format(n=n) * 2}</p>" for k in range(self.parts.get(n, 3))
        )
        head = f"<head><title>Barrels {n}</title></head>"
        page = f"<html>{head}<body><article><h1>Barrels</h1>{body}</article></body></html>"
        return Response(page, content_type="text/html")

    def _keep(self, url: str, text: str, fetched_at: str) -> str:
        self.kept[f"snap-{len(self.kept)}"] = (url, text, fetched_at)
        return f"snap-{len(self.kept) - 1}"

    def research(
        self, *answers: object, own_domains: tuple[str, ...] = (), search: Search | None = None
    ) -> Research:
        return run_research_phase(
            ASKED,
            search=search or SearxngSearch(self.base),
            pages=Pages(allow_hosts=[self.host]),
            calls=self.says.calls(*answers),
            keep_snapshot=self._keep,
            out=self.says.out,
            deadline=time.monotonic() + 60,
            own_domains=own_domains,
        )


@pytest.fixture
def web(httpserver: HTTPServer) -> Web:
    return Web(httpserver, Says(httpserver))


NAMES = {"names": ["Acme Labs", "Quillhaven Institute", "acme labs"]}


def test_pages_are_numbered_in_the_order_of_the_search_and_kept(web: Web) -> None:
    research = web.research(NAMES)
    assert [(page["source_id"], page["url"]) for page in research["pages"]] == [
        (f"s{n}", url) for n, url in enumerate(web.results, 1)
    ]
    for page in research["pages"]:
        assert page["note"] == ""
        assert web.kept[page["snapshot_id"]][0] == page["url"]
        assert "rain barrel collects" in web.kept[page["snapshot_id"]][1]
        assert 0 <= page["score"]["total"] <= 100
    assert research["provider"] == "searxng"
    assert research["usage"]["calls"] == 1


@pytest.mark.slow
def test_a_search_that_was_kept_is_told_as_not_paid_again(web: Web) -> None:
    search = KeptSearch(SearxngSearch(web.base), Kept())
    web.research(NAMES, search=search)
    web.research(NAMES, search=search)
    notes = [note for stage, *_, note in web.says.out.rows if stage == "serp" and "results" in note]
    assert notes == [
        "4 results from searxng",
        "4 results from searxng, asked 1 min ago: not asked, not paid again",
    ]


@pytest.mark.slow
def test_a_copy_of_a_page_under_another_address_is_no_source(web: Web) -> None:
    web.same = {3: 1}
    research = web.research(NAMES)
    assert [page["note"] for page in research["pages"]] == ["", "", "the same text as s1", ""]
    assert research["pages"][2]["snapshot_id"] is None and research["pages"][2]["score"] is None
    assert len(web.kept) == 3
    assert "score_check" not in research


@pytest.mark.slow
def test_with_four_scored_pages_it_says_whether_the_search_ranks_as_the_score_does(web: Web) -> None:
    web.parts = {1: 1, 2: 2, 3: 3, 4: 4}  # the longest, and best, comes last
    assert web.research(NAMES)["score_check"] == {"spearman": 0.949, "pages": 4}  # the two best are equal
    web.parts = {1: 4, 2: 3, 3: 2, 4: 1}
    assert web.research(NAMES)["score_check"] == {"spearman": -0.949, "pages": 4}
    web.broken = {2}
    assert "score_check" not in web.research(NAMES)


def test_a_name_counts_only_when_a_page_says_it(web: Web) -> None:
    research = web.research(NAMES)
    named = [entity for entity in research["entities"] if entity["kind"] == "entity"]
    assert [(entity["name"], entity["pages"]) for entity in named] == [
        ("Acme Labs", ["s1", "s2", "s3", "s4"])
    ]
    assert any(entity["kind"] == "term" for entity in research["entities"])


def test_its_progress_tells_the_stages_in_order_and_every_page(web: Web) -> None:
    web.broken = {2}
    web.research(NAMES)
    rows = web.says.out.rows
    assert list(dict.fromkeys(stage for stage, *_ in rows)) == ["serp", "pages", "entities"]
    pages = [(done, of) for stage, done, of, _ in rows if stage == "pages"]
    assert pages == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert any("500" in note for _, _, _, note in rows)
    assert all(done <= of for _, done, of, _ in rows)


def test_a_page_that_fails_is_a_note_and_keeps_its_place(web: Web) -> None:
    web.broken = {2}
    research = web.research(NAMES)
    broken = research["pages"][1]
    assert (broken["source_id"], broken["snapshot_id"], broken["score"]) == ("s2", None, None)
    assert broken["note"]
    assert [page["snapshot_id"] is None for page in research["pages"]] == [False, True, False, False]


def test_no_readable_page_is_nothing_to_research(web: Web) -> None:
    web.broken = {1, 2, 3, 4}
    with pytest.raises(NothingToResearch, match="None of the 4 pages"):
        web.research()
    assert web.says.asked == []


def test_a_search_without_results_is_nothing_to_research(web: Web) -> None:
    web.results = []
    with pytest.raises(NothingToResearch, match="no page"):
        web.research()


def test_pages_of_ones_own_are_listed_but_not_read(web: Web) -> None:
    web.results[1] = "https://www.my-site.example/barrels"
    research = web.research(NAMES, own_domains=("my-site.example",))
    assert (research["pages"][1]["note"], research["pages"][1]["snapshot_id"]) == ("a page of your own", None)
    assert len(web.kept) == 3


def test_a_model_that_cannot_name_anything_leaves_the_shared_terms(web: Web) -> None:
    research = web.research(*["What a nice set of pages."] * 4)
    assert research["entities"]
    assert {entity["kind"] for entity in research["entities"]} == {"term"}
    assert "shared terms only" in web.says.out.rows[-1][3]


def test_a_model_that_is_away_is_not_papered_over(web: Web) -> None:
    web.server.clear_all_handlers()
    web = Web(web.server, web.says)
    web.server.expect_request("/v1/messages").respond_with_data("", status=529)
    with pytest.raises(UpstreamUnavailable):
        web.research()
