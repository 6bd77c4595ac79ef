"""The call memo and the account of one take: who asks is written beside what was asked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import stamina
from ulid import ULID

from briefworks.account import REASON_CHARS, AccountEntry, CallEntry, CallMemo, no_entry, write_entry
from briefworks.errors import BriefworksError, StoreUnavailable
from briefworks.search import Search, SearchPage
from briefworks.text import clean, now_at

if TYPE_CHECKING:
    from briefworks.pipeline.run import Run

T = TypeVar("T")
P = ParamSpec("P")
STORE_AWAY_S = 90.0  # how long a step waits for a store that is away, if its own limit allows
FAILED_ENTRY_S = 5.0  # and one that has failed already, with its entry


class Memo:
    """`account.CallMemo` of the run's article, for one take of one step."""

    def __init__(self, run: Run, step: str, take: int) -> None:
        self._run, self._step, self._take = run, step, take
        self._article = (run.project_id, run.article_id)
        self._told: set[str] = set()

    def recall(self, call_key: str) -> dict[str, Any] | None:
        return self._run.patiently(self._run.parts.store.recall, *self._article, call_key)

    def remember(self, call_key: str, answer: dict[str, Any]) -> None:
        self._run.patiently(self._run.parts.store.remember, *self._article, call_key, answer)

    def failed(self, error: BriefworksError) -> None:
        """Enter that the take failed, and why, unless the entry of a request has said that."""
        entry = no_entry("", "")
        entry["outcome"] = "failed"
        entry["reason"] = "" if error.code in self._told else clean(str(error))[:REASON_CHARS]
        with suppress(BriefworksError):  # the first error is the one to be told
            self.enter(str(ULID()), entry)

    def enter(self, entry_id: str, entry: CallEntry) -> None:
        self._told.add(entry["outcome"])
        asked: AccountEntry = {
            **entry,
            "id": entry_id,
            "run_id": self._run.ctx.run_id,
            "step": self._step,
            "take": self._take,
            "attempt": self._run.ctx.attempt,
        }
        most_s = STORE_AWAY_S if entry["outcome"] == "answered" else FAILED_ENTRY_S
        patience_s = min(most_s, self._run.left_s)
        insist(patience_s, self._run.parts.store.enter, *self._article, entry_id, dict(asked))


class CountedSearch:
    """A `Search` whose every question has an entry in the account."""

    def __init__(self, search: Search, memo: CallMemo) -> None:
        self._search, self._memo = search, memo
        self.provider = search.provider

    def search(self, keyword: str, *, language: str, market: str, timeout_s: float) -> SearchPage:
        entry = no_entry("", "")
        found = self._search.search(keyword, language=language, market=market, timeout_s=timeout_s)
        entry["outcome"], entry["model"], entry["finished_at"] = "searched", found["provider"], now_at()
        write_entry(self._memo, str(ULID()), entry)
        return found


class SearchMemory:
    """`search.Memory` of the run's project: in the call memo, under ids that no article can have."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def recall(self, day: date, key: str) -> dict[str, Any] | None:
        return self._run.patiently(self._run.parts.store.recall, self._run.project_id, _searches(day), key)

    def remember(self, day: date, key: str, answer: dict[str, Any]) -> None:
        store, project_id = self._run.parts.store, self._run.project_id
        self._run.patiently(store.remember, project_id, _searches(day), key, answer)
        self._run.patiently(store.delete_article, project_id, _searches(day - timedelta(days=2)))


def _searches(day: date) -> str:
    return f"~search-{day.isoformat()}"


def insist(patience_s: float, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the store answers; one that is away is asked again for so long."""
    retry = stamina.retry_context(StoreUnavailable, attempts=None, timeout=max(0.1, patience_s), wait_max=2.0)
    for attempt in retry:
        with attempt:
            return call(*args, **kwargs)
    raise AssertionError("stamina ends with an answer or an error")
