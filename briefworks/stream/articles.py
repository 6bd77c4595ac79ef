"""One article out of the stream: all its rows, the state they add up to, and what came of it and cost."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

from briefworks.account import AccountEntry, ArticleCosts
from briefworks.costs import PriceList, summed_up
from briefworks.errors import NotFound, NotStarted
from briefworks.fold import fold
from briefworks.shapes import ArticleState, Polished, Research, StreamRow
from briefworks.stream.store import Store


def rows_of(store: Store, project_id: str, article_id: str, after: int = 0) -> list[StreamRow]:
    """All rows of the article beyond `after` that the store has now, page by page."""
    rows: list[StreamRow] = []
    while True:
        page = store.read(project_id, after, article_id)
        rows += page["rows"]
        after = page["upto"]
        if after >= page["head"]:
            return rows


def started_rows(store: Store, project_id: str, article_id: str) -> list[StreamRow]:
    """All its rows; `NotStarted` before the first of them."""
    rows = rows_of(store, project_id, article_id)
    if not rows:
        raise NotStarted(
            f"Article {article_id!r} of project {project_id!r} has not started, or was never asked for."
        )
    return rows


def state_of(store: Store, project_id: str, article_id: str) -> ArticleState:
    """The article as its rows add up now; `NotStarted` before the first of them."""
    return fold(project_id, article_id, started_rows(store, project_id, article_id))


class Finished(NamedTuple):
    """What was asked for, what was found, and what came of it."""

    started: dict[str, Any]
    research: Research | None
    polished: Polished


def finished(store: Store, project_id: str, article_id: str) -> Finished:
    """The article's results; `NotFound` while it is being written."""
    rows = started_rows(store, project_id, article_id)
    state = fold(project_id, article_id, rows)
    if state["polished"] is None:
        raise NotFound(f"Article {article_id!r} is not finished yet.")
    started = next(row["data"] for row in reversed(rows) if row["event"] == "run-started")
    return Finished(started, state["research"], state["polished"])


def costs_of(store: Store, project_id: str, article_id: str, prices: PriceList) -> ArticleCosts:
    """What it cost; `prices` says where each model's price was found. `NotStarted` before its first row."""
    rows = started_rows(store, project_id, article_id)
    entries = cast("list[AccountEntry]", store.entries(project_id, article_id))
    return summed_up(project_id, article_id, entries, rows, prices)
