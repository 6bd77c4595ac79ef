"""All four phases against the demo upstream: a whole article, and what must be true of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from briefworks import personas
from briefworks.demo import DemoUpstream
from briefworks.demo.phrases import INVENTED, NOTICE
from briefworks.model import Model, ModelCalls
from briefworks.pages import Pages
from briefworks.phases import (
    Round,
    flagged_sections,
    gaps_worth_another,
    run_brief_phase,
    run_critique_phase,
    run_draft_phase,
    run_polish_phase,
    run_research_phase,
    run_rewrite_phase,
    run_section_phase,
)
from briefworks.search import SearxngSearch
from briefworks.shapes import ArticleRequest, Brief, Draft, Polished, Research, no_usage
from briefworks.text import count_words, squash
from test_phases_model import Heard, Memo


@dataclass
class Written:
    """An article and all it came from."""

    research: Research
    brief: Brief
    draft: Draft
    rounds: list[Round]
    article: Polished
    texts: dict[str, str]
    heard: dict[str, Heard] = field(default_factory=dict)


def write_article(url: str, keyword: str, target_words: int = 1800) -> Written:
    """The phases in the order of the run, one after the other."""
    asked = ArticleRequest(project_id="p1", keyword=keyword, target_words=target_words)
    model = Model(model="claude-sonnet-5-5", api_key="demo", base_url=url)
    persona, memo, heard = personas.load("plain-expert"), Memo(), {}
    kept: dict[str, str] = {}

    def step(name: str) -> tuple[ModelCalls, Heard]:
        heard[name] = Heard()
        return model.calls(memo, heard[name], time.monotonic() + 60), heard[name]

    def keep(page_url: str, text: str, fetched_at: str) -> str:
        kept[page_url] = text
        return page_url

    calls, out = step("research")
    research = run_research_phase(
        asked,
        search=SearxngSearch(url),
        pages=Pages(allow_hosts=[urlsplit(url).netloc]),
        calls=calls,
        keep_snapshot=keep,
        out=out,
        deadline=time.monotonic() + 60,
    )
    texts = {p["source_id"]: kept[p["snapshot_id"]] for p in research["pages"] if p["snapshot_id"]}
    calls, out = step("brief")
    brief = run_brief_phase(asked, research, texts, persona, calls=calls, out=out)
    if gaps_worth_another(brief):
        calls, out = step("regenerate-brief")
        brief = run_brief_phase(asked, research, texts, persona, calls=calls, out=out, former=brief)
    sections = []
    for plan in brief["outline"]:
        calls, out = step(f"draft-section-{plan['n']}")
        sections.append(
            run_section_phase(asked, plan, brief, research, texts, persona, calls=calls, out=out)["section"]
        )
    draft = run_draft_phase(brief, sections, research)
    critique = run_critique_phase(draft["sections"], 1, calls=step("critique")[0])
    rewrites = []
    for n in flagged_sections(critique):
        calls, out = step(f"polish-section-{n}")
        section = draft["sections"][n - 1]
        findings = critique["findings"]
        rewrites.append(
            run_rewrite_phase(
                section, findings, persona, research=research, texts=texts, calls=calls, out=out
            )
        )
    rounds: list[Round] = [{"critique": critique, "sections": rewrites}]
    article = run_polish_phase(asked, brief, draft, rounds, research, texts, usage_so_far=no_usage())
    return Written(research, brief, draft, rounds, article, texts, heard)


@pytest.fixture(scope="module")
def demo_url() -> Iterator[str]:
    upstream = DemoUpstream(seed=7, tokens_per_s=100_000)
    url = upstream.start()
    yield url
    upstream.stop()


@pytest.fixture(scope="module")
def written(demo_url: str) -> Written:
    return write_article(demo_url, "standing desks")


def test_the_article_is_long_enough_and_says_that_it_is_synthetic(written: Written) -> None:
    article = written.article
    assert article["words"] >= 1000
    assert article["words"] == sum(count_words(section["markdown"]) for section in article["sections"])
    assert article["title"].startswith("Demo:")
    assert article["sections"][0]["markdown"].startswith(NOTICE)


def test_every_citation_resolves_to_a_page_that_was_read(written: Written) -> None:
    body, _, _ = written.article["markdown"].partition("\n## Sources")
    numbers = {int(number) for number in re.findall(r"\[(\d+)\]", body)}
    sources = {source["number"]: source for source in written.article["sources"]}
    assert numbers == set(sources) and numbers
    read = {page["url"] for page in written.research["pages"] if page["snapshot_id"] is not None}
    assert all(source["url"] in read for source in sources.values())
    assert not re.search(r"\[s\d+\]", written.article["markdown"])


def test_every_entity_occurs_in_the_pages_it_is_said_to_occur_in(written: Written) -> None:
    assert written.research["entities"]
    for entity in written.research["entities"]:
        assert entity["pages"]
        for source_id in entity["pages"]:
            assert squash(entity["name"]).casefold() in squash(written.texts[source_id]).casefold()
    assert INVENTED not in {entity["name"] for entity in written.research["entities"]}


def test_polish_takes_tells_away_and_nothing_else(written: Written) -> None:
    article = written.article
    assert article["tells_after"] < article["tells_before"]
    assert any(finding["fixed"] for finding in article["findings"])
    before = [section["sources"] for section in written.draft["sections"]]
    assert [section["sources"] for section in article["sections"]] == before


def test_the_plan_covers_what_was_found_and_adds_up(written: Written) -> None:
    assert len(written.brief["outline"]) == 7
    assert sum(plan["words"] for plan in written.brief["outline"]) == 1800
    assert not gaps_worth_another(written.brief)


def test_no_sentence_comes_twice(written: Written) -> None:
    text = " ".join(section["markdown"] for section in written.article["sections"])
    sentences = [squash(sentence) for sentence in re.split(r"(?<=[.!?])\s+", text) if "[s" in sentence]
    assert len(sentences) == len(set(sentences))


def test_what_a_reader_hears_is_text_and_never_json(written: Written) -> None:
    for step, heard in written.heard.items():
        assert "{" not in heard.text and "<paragraph" not in heard.text, step
    first = written.heard["draft-section-1"].text
    assert squash(first) == squash(written.draft["sections"][0]["markdown"])


@pytest.mark.parametrize("keyword", ["Zürich Straßenbahn", "c++"])
def test_any_keyword_makes_an_article(demo_url: str, keyword: str) -> None:
    written = write_article(demo_url, keyword, 900)
    assert written.article["words"] >= 500
    assert written.article["sources"]
