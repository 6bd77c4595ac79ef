"""Phase 1, research: what ranks for the keyword, what those pages share, and how good each of them is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from pydantic import BaseModel

from briefworks.errors import ModelAnswerInvalid, NothingToResearch
from briefworks.model import ModelCalls
from briefworks.pages import FetchedPage, Pages
from briefworks.pages.commands import without_commands
from briefworks.phases.prompts import entities_prompt
from briefworks.scoring import PageFacts, copies, score_pages, shared_terms, spearman, verify_entities
from briefworks.search import Search, SearchPage, SearchResult
from briefworks.shapes import ArticleRequest, Entity, Page, Research, ScoreCheck, StepOutput
from briefworks.text import squash

MOST_PAGES = 10
MOST_QUESTIONS = 20
LEAST_SCORED = 4
SEARCH_SHARE, PAGES_SHARE = 0.15, 0.45  # of the step's time; the model has the rest
KeepSnapshot = Callable[[str, str, str], str]  # (url, text, fetched_at) → snapshot id


class EntitiesAnswer(BaseModel):
    """Names that the model says the pages talk about; none is believed before it is found."""

    names: list[str]


def run_research_phase(
    asked: ArticleRequest,
    *,
    search: Search,
    pages: Pages,
    calls: ModelCalls,
    keep_snapshot: KeepSnapshot,
    out: StepOutput,
    deadline: float,
    own_domains: Sequence[str] = (),
) -> Research:
    """
    Search, fetch, read and score the pages that rank for the keyword.

    `keep_snapshot(url, text, fetched_at)` stores a page's text and returns its id. `deadline` is a
    `time.monotonic()` value. Pages of `own_domains` are listed, not read: an article is not its own source.
    A page that cannot be used carries a note and no snapshot; sentences that command a model are left out of
    its text and listed as `commands`; model-named entities are kept only when they
    occur verbatim in a page.

    Raises `NothingToResearch` when no page can be read; search and model errors pass through, except that
    an invalid answer about entities leaves the shared terms alone.
    """
    time_s = max(1.0, deadline - time.monotonic())
    found = _search(asked, search, out, time_s * SEARCH_SHARE)
    results = _distinct_results(found["results"])
    own = {f"s{n}" for n, result in enumerate(results, 1) if _is_own(result["url"], own_domains)}
    fetched = _fetch(results, own, pages, out, time_s * PAGES_SHARE)
    for copy, first in copies({at: page["text"] for at, page in fetched.items() if not page["note"]}).items():
        fetched[copy]["note"] = f"the same text as {first}"
    commands = _free_of_commands(fetched)
    texts = {
        source_id: page["text"] for source_id, page in fetched.items() if page["text"] and not page["note"]
    }
    if not texts:
        raise NothingToResearch(_why_nothing(fetched))
    titles = {f"s{n}": result["title"] for n, result in enumerate(results, 1)}
    entities = _entities(asked, titles, texts, calls, out)
    questions = _distinct_lines(found["questions"])[:MOST_QUESTIONS]
    facts = [_facts(source_id, fetched[source_id]) for source_id in texts]
    scores = score_pages(facts, entities, questions, asked.language)
    listed: list[Page] = []
    for n, result in enumerate(results, 1):
        page, note = fetched.get(f"s{n}"), "a page of your own" if f"s{n}" in own else "not fetched"
        one: Page = {
            "source_id": f"s{n}",
            "url": result["url"],
            "title": squash(page["title"] if page and page["title"] else result["title"]) or result["url"],
            "position": result["position"],
            "snapshot_id": keep_snapshot(page["url"], page["text"], page["fetched_at"])
            if page and f"s{n}" in texts
            else None,
            "note": (page["note"] or ("" if page["text"] else "no text")) if page else note,
            "words": page["words"] if page else 0,
            "headings": page["headings"][:40] if page else [],
            "published_at": (page["published_at"] if page else None) or result["published_at"],
            "score": scores.get(f"s{n}"),
            "commands": commands.get(f"s{n}", []),
        }
        if page and f"s{n}" in texts:
            one["fetched_at"] = page["fetched_at"]
        listed.append(one)
    research: Research = {
        "v": 1,
        "keyword": asked.keyword,
        "provider": found["provider"],
        "fetched_at": found["fetched_at"],
        "pages": listed,
        "questions": questions,
        "related": _distinct_lines(found["related"])[:MOST_QUESTIONS],
        "entities": entities,
        "usage": calls.usage,
    }
    if (check := _score_check(listed)) is not None:
        research["score_check"] = check
    return research


def _score_check(pages: Sequence[Page]) -> ScoreCheck | None:
    """Whether the search ranks as the score does; None for fewer than four scored pages: they say nothing."""
    scored = [(page["score"]["total"], float(page["position"])) for page in pages if page["score"]]
    if len(scored) < LEAST_SCORED:
        return None
    rank = spearman(*zip(*scored, strict=True))
    return None if rank is None else {"spearman": round(rank, 3), "pages": len(scored)}


def _search(asked: ArticleRequest, search: Search, out: StepOutput, timeout_s: float) -> SearchPage:
    out.progress("serp", 0, 1, f"asking {search.provider}")
    found = search.search(asked.keyword, language=asked.language, market=asked.market, timeout_s=timeout_s)
    note = f"{len(found['results'])} results from {found['provider']}"
    if found.get("kept"):
        note += f", asked {_ago(found['fetched_at'])} ago: not asked, not paid again"
    out.progress("serp", 1, 1, note)
    return found


def _ago(instant: str) -> str:
    minutes = int((datetime.now(UTC) - datetime.fromisoformat(instant)).total_seconds() // 60)
    return f"{minutes // 60} h" if minutes >= 60 else f"{max(1, minutes)} min"


def _distinct_results(results: Sequence[SearchResult]) -> list[SearchResult]:
    by_url = {result["url"]: result for result in reversed(results)}
    return sorted(by_url.values(), key=lambda result: result["position"])[:MOST_PAGES]


def _is_own(url: str, own_domains: Sequence[str]) -> bool:
    host = urlsplit(url).hostname or ""
    return any(host == domain or host.endswith(f".{domain}") for domain in own_domains)


def _fetch(
    results: Sequence[SearchResult], own: set[str], pages: Pages, out: StepOutput, timeout_s: float
) -> dict[str, FetchedPage]:
    wanted = {f"s{n}": result["url"] for n, result in enumerate(results, 1) if f"s{n}" not in own}
    done = 0

    def on_page(page: FetchedPage) -> None:
        nonlocal done
        done += 1
        what = page["note"] or f"{page['words']} words"
        out.progress("pages", done, len(wanted), f"{urlsplit(page['url']).netloc}: {what}")

    out.progress("pages", 0, len(wanted))
    fetched = pages.fetch_all(list(wanted.values()), timeout_s=timeout_s, on_page=on_page)
    return dict(zip(wanted, fetched, strict=True))


def _free_of_commands(fetched: Mapping[str, FetchedPage]) -> dict[str, list[str]]:
    """Take what commands a model out of the pages' texts; what that was, by source id."""
    found: dict[str, list[str]] = {}
    for source_id, page in fetched.items():
        page["text"], found[source_id] = without_commands(page["text"])
        page["headings"] = [heading for heading in page["headings"] if not without_commands(heading)[1]]
    return found


def _why_nothing(fetched: Mapping[str, FetchedPage]) -> str:
    if not fetched:
        return "The search found no page for this keyword."
    notes = sorted({page["note"] or "no text" for page in fetched.values()})
    return f"None of the {len(fetched)} pages found could be read: {'; '.join(notes)[:500]}."


def _entities(
    asked: ArticleRequest,
    titles: Mapping[str, str],
    texts: Mapping[str, str],
    calls: ModelCalls,
    out: StepOutput,
) -> list[Entity]:
    out.progress("entities", 0, 1)
    terms = shared_terms(texts, asked.keyword, language=asked.language)
    note = ""
    try:
        answer = calls.ask(entities_prompt(asked.keyword, titles, texts), EntitiesAnswer)
        named = verify_entities(_distinct_lines(answer.names), texts)
        note = f"{len(named)} of {len(answer.names)} names found in the pages"
    except ModelAnswerInvalid as error:
        named, note = [], f"shared terms only: {error}"
    out.progress("entities", 1, 1, f"{len(terms)} shared terms, {note}" if named else note)
    by_name = {entity["name"].casefold(): entity for entity in [*terms, *named]}  # a name beats a term
    return sorted(by_name.values(), key=lambda entity: -len(entity["pages"]))  # else the weightiest first


def _distinct_lines(lines: Sequence[str]) -> list[str]:
    by_key: dict[str, str] = {}
    for line in lines:
        by_key.setdefault(squash(line).casefold(), squash(line))
    return [line for line in by_key.values() if line]


def _facts(source_id: str, page: FetchedPage) -> PageFacts:
    return {
        "source_id": source_id,
        "text": page["text"],
        "words": page["words"],
        "headings": page["headings"],
        "has_list": page["has_list"],
        "has_table": page["has_table"],
        "published_at": page["published_at"],
    }
