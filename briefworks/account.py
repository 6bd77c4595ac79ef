"""The account of an article: its entries, one for each request to the model, and what they add up to."""

from __future__ import annotations

from typing import Any, Literal, Protocol, TypedDict

import structlog

from briefworks.errors import StoreUnavailable
from briefworks.shapes import Phase, Usage, no_usage
from briefworks.text import now_at

REASON_CHARS = 300

log = structlog.get_logger(__name__)


class CallEntry(TypedDict):
    """
    One request to the model, one answer that was remembered, one search, or the failure of a take.

    `usage` is what the server has told. `outcome` is "" while the request is under way, "answered",
    "continued" (cut off at its limit and gone on with by the next), "recalled", "searched", or "failed" (the
    whole take); all else is why what it used was wasted: "invalid" (mended by the
    next), "stopped", or the code of an error.
    """

    v: Literal[1]
    call: str  # names the prompt: the requests of one call share it, and those of its repetitions
    request: int  # 1-based within the call; 0 for what was none
    model: str  # or the search's provider
    outcome: str
    reason: str
    retries: list[str]  # why it was sent again before the first byte of its answer
    started_at: str
    finished_at: str  # "" while it is under way
    usage: Usage
    thinking_tokens: int  # of the output tokens, and billed as such
    estimate: Usage  # what it used beyond `usage` without our being told, by the length of its texts
    saved: Usage  # of a recalled answer: what it had cost


class AccountEntry(CallEntry):
    """And who asked."""

    id: str
    run_id: str
    step: str
    take: int
    attempt: int  # of the step, 0-based, as the engine counts


class ExplainedEntry(AccountEntry):
    """
    And what it belongs to.

    The `outcome` of a request is "lost" when its take or its run is over without a word of its end; "kept" is
    a step that a replay did not run, because its engine had kept the result.
    """

    phase: Phase
    section: int | None  # that was drafted or rewritten
    wasted: bool


class Spending(TypedDict):
    """What some of the entries add up to."""

    paid: Usage  # with what was wasted
    thinking_tokens: int  # of the output
    wasted: Usage  # of what was paid
    estimate: Usage  # beyond what was paid, as far as we know
    saved: Usage  # what recalled answers and kept steps had cost, not paid again


class RunCosts(Spending):
    """What one run paid, and what it did not pay again."""

    run_id: str
    started_at: str
    ended_at: str  # "" while it goes on
    ended_by: str  # the event of its terminal row
    sections: int  # that it drafted or kept
    sections_reused: int  # of them those whose every answer was recalled, or that were kept


class Searched(TypedDict):
    """What was asked of a search provider; its price is not known here."""

    provider: str
    searches: int
    pages: int  # found, by the researches that were finished
    pages_read: int  # of them


class PriceSource(TypedDict):
    """Where a price was found."""

    url: str
    as_of: str
    version: str  # of the price list


class ArticleCosts(TypedDict):
    """The account of an article, summed up; phases, sections and runs each add up to `total`."""

    v: Literal[1]
    project_id: str
    article_id: str
    total: Spending
    phases: dict[str, Spending]
    sections: dict[str, Spending]  # by number; "other" is what belongs to none
    runs: list[RunCosts]
    searches: list[Searched]
    prices: dict[str, PriceSource | None]  # of each model that was asked; None: no price is known
    entries: list[ExplainedEntry]  # as they began


class CallMemo(Protocol):
    """Answers of finished model calls, so that none is paid twice, and the account of what was paid."""

    def recall(self, call_key: str) -> dict[str, Any] | None: ...
    def remember(self, call_key: str, answer: dict[str, Any]) -> None: ...
    def enter(self, entry_id: str, entry: CallEntry) -> None:
        """Write an entry of the account, in place of the one of that id."""


def no_entry(model: str, key: str) -> CallEntry:
    """An entry of something that took no time and cost nothing."""
    now = now_at()
    return {
        "v": 1,
        "call": key[:16],
        "request": 0,
        "model": model,
        "outcome": "",
        "reason": "",
        "retries": [],
        "started_at": now,
        "finished_at": now,
        "usage": no_usage(),
        "thinking_tokens": 0,
        "estimate": no_usage(),
        "saved": no_usage(),
    }


def write_entry(memo: CallMemo, entry_id: str, entry: CallEntry) -> None:
    """Into the article's account, if the store is there."""
    try:
        memo.enter(entry_id, entry)
    except StoreUnavailable as error:
        log.warning("an entry of the account could not be written", reason=str(error))
