"""The store's contract by database functions: what is asked, what the answers mean; not how they travel."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from typing import Any, cast

from ulid import ULID

from briefworks.errors import (
    BriefworksError,
    ConfigError,
    Hole,
    NoProject,
    NotFound,
    RunOver,
    StaleTake,
    StoreUnavailable,
)
from briefworks.shapes import RunStarted, Terminal
from briefworks.stores.heads import Heads
from briefworks.stores.rows import check_append, check_finish, snapshot_id
from briefworks.stream import Decision, PageOfRows, Row, Take
from briefworks.text import clean, clean_json

_REFUSALS: dict[str, type[BriefworksError]] = {
    "PT404": NoProject,
    "PT409": StaleTake,
    "PT410": RunOver,
    "PT422": Hole,
}
_NO_MIGRATION = {"42883", "42P01", "3F000", "PGRST202", "PGRST205"}  # function, table or schema is missing
_AWAY = (
    "08",
    "53",
    "57",
    "55P03",
    "40",
    "25006",
    "XX",
    "PGRST00",
)  # connection, resources, shutdown, locks, read-only (after a failover, or a full disk), PostgREST's pool
_RETRY_S, _FIRST_PAUSE_S = 2.0, 0.05


def error_of(code: str | None, message: str) -> BriefworksError:
    """Our error for what the database said; `code` is its SQLSTATE or PostgREST's own."""
    said = message.strip().splitlines()[0] if message.strip() else "no reason given"
    if code in _REFUSALS:
        return _REFUSALS[code](said)
    if code in _NO_MIGRATION:
        return ConfigError(
            "The database lacks briefworks' tables or functions.", hint="Run `briefworks migrate` on it."
        )
    if code == "42501":
        return ConfigError(
            f"The database lets this key or user not write: {said}",
            hint="Use the project's secret key (sb_secret_…), or the user that ran `briefworks migrate`.",
        )
    if code and code.startswith(("28", "3D")):
        return ConfigError(
            f"The database refuses the connection: {said}",
            hint="Check the address, the user and the password; of a Supabase project, what Connect shows.",
        )
    if code is None or code.startswith(_AWAY):
        return StoreUnavailable(f"The stream store does not answer: {said}")
    return BriefworksError(f"The stream store refuses what it was asked ({code}): {said}")


class FunctionStore(ABC):
    """
    `briefworks.stream.Store` over the functions of supabase/migrations.

    Every call may be repeated: who got no answer asks again and is told the same, for at most 2 s here.
    `lost_after_s` is the silence after which a run can be taken over.
    """

    def __init__(self, lost_after_s: float) -> None:
        self._lost_after_s = lost_after_s
        self._heads = Heads(self)

    @abstractmethod
    def ask(self, function: str, arguments: dict[str, Any]) -> Any:
        """Call the function once; its answer as JSON. Lists of objects are jsonb[], of texts text[]."""

    @abstractmethod
    def pause(self, longest_s: float) -> dict[str, int]:
        """Sleep until new rows are heard of or the time is over; the heads that were heard."""

    @property
    def closed(self) -> bool:
        return self._heads.closed

    def _call(self, function: str, **arguments: Any) -> Any:
        until, pause_s = time.monotonic() + _RETRY_S, _FIRST_PAUSE_S
        named = {f"p_{name}": value for name, value in arguments.items()}
        while True:
            try:
                return self.ask(f"article_{function}", named)
            except StoreUnavailable:
                if time.monotonic() + pause_s > until or self.closed:
                    raise
            time.sleep(pause_s)
            pause_s *= 2

    # --- runs
    def start_run(self, project_id: str, article_id: str, run_id: str, data: RunStarted) -> bool:
        started = self._call(
            "start_run",
            project=project_id,
            article=article_id,
            run=run_id,
            data=[clean_json(dict(data))],
            lost_after_s=self._lost_after_s,
        )
        return bool(started)

    def end_run(self, project_id: str, run_id: str, event: Terminal, data: dict[str, Any]) -> bool:
        ended = self._call(
            "end_run",
            project=project_id,
            run=run_id,
            event=event,
            data=[clean_json(data)],
            call=str(ULID()),
        )
        if ended is None:
            raise NotFound(f"Run {run_id} has not started.")
        return bool(ended)

    # --- takes
    def open_take(self, project_id: str, article_id: str, run_id: str, step: str, claim_id: str) -> Take:
        found = self._call(
            "open_take", project=project_id, article=article_id, run=run_id, step=step, claim=claim_id
        )
        return cast(Take, found)

    def append(
        self, project_id: str, article_id: str, step: str, take: int, first_idx: int, rows: list[Row]
    ) -> int:
        check_append(rows)
        return self._write("append", project_id, article_id, step, take, first_idx, rows)

    def finish(
        self,
        project_id: str,
        article_id: str,
        step: str,
        take: int,
        first_idx: int,
        rows: list[Row],
        ends_run: bool = False,
    ) -> int:
        check_finish(rows, ends_run)
        return self._write("finish", project_id, article_id, step, take, first_idx, rows, ends_run=ends_run)

    def _write(
        self,
        function: str,
        project_id: str,
        article_id: str,
        step: str,
        take: int,
        first_idx: int,
        rows: list[Row],
        **more: Any,
    ) -> int:
        sent = [{"event": event, "data": clean_json(data)} for event, data in rows]
        head: int = self._call(
            function,
            project=project_id,
            article=article_id,
            step=step,
            take=take,
            first_idx=first_idx,
            rows=sent,
            **more,
        )
        self._heads.heard({project_id: head})
        return head

    # --- decisions
    def decide(self, project_id: str, article_id: str, what: Decision, decision: dict[str, Any]) -> bool:
        decided = self._call(
            "decide",
            project=project_id,
            article=article_id,
            what=what,
            decision=[clean_json(decision)],
            call=str(ULID()),
        )
        return bool(decided)

    def decision(self, project_id: str, article_id: str, what: Decision) -> dict[str, Any] | None:
        found = self._call("decision", project=project_id, article=article_id, what=what)
        return cast("dict[str, Any] | None", found)

    # --- reading
    def read(
        self, project_id: str, after: int = 0, article_id: str | None = None, limit: int = 1000
    ) -> PageOfRows:
        page = self._call("read", project=project_id, after=after, article=article_id, limit=max(limit, 1))
        return cast(PageOfRows, page)

    def wait(self, project_id: str, after: int, timeout_s: float) -> int:
        return self._heads.wait(project_id, after, timeout_s)

    def heads(self, project_ids: list[str]) -> dict[str, int]:
        """The head of each project that has one."""
        return cast("dict[str, int]", self._call("heads", projects=project_ids))

    def articles(self, project_id: str, limit: int = 50, before: str | None = None) -> list[dict[str, Any]]:
        found = self._call("list", project=project_id, limit=limit, before=before)
        return cast("list[dict[str, Any]]", found)

    # --- what is kept beside the rows
    def recall(self, project_id: str, article_id: str, call_key: str) -> dict[str, Any] | None:
        found = self._call("recall", project=project_id, article=article_id, key=call_key)
        return cast("dict[str, Any] | None", found)

    def remember(self, project_id: str, article_id: str, call_key: str, answer: dict[str, Any]) -> None:
        self._call(
            "remember", project=project_id, article=article_id, key=call_key, answer=[clean_json(answer)]
        )

    def enter(self, project_id: str, article_id: str, entry_id: str, entry: dict[str, Any]) -> None:
        self._call("enter", project=project_id, article=article_id, id=entry_id, entry=[clean_json(entry)])

    def entries(self, project_id: str, article_id: str) -> list[dict[str, Any]]:
        found = self._call("entries", project=project_id, article=article_id)
        return cast("list[dict[str, Any]]", found)

    def put_snapshot(self, project_id: str, url: str, text: str, fetched_at: str) -> str:
        url, text = clean(url), clean(text)
        kept = snapshot_id(url, text)
        self._call(
            "put_snapshot", project=project_id, snapshot=kept, url=url, text=text, fetched_at=fetched_at
        )
        return kept

    def snapshot(self, project_id: str, snapshot_id: str) -> str:
        found = self._call("snapshot", project=project_id, snapshot=snapshot_id)
        if found is None:
            raise NotFound(f"There is no snapshot {snapshot_id!r}.")
        return str(found)

    def delete_article(self, project_id: str, article_id: str) -> None:
        self._call("delete", project=project_id, article=article_id)

    def projects_of(self, claims: dict[str, Any]) -> frozenset[str]:
        return frozenset(self._call("projects_of", claims=[clean_json(claims)]))

    def close(self) -> None:
        self._heads.close()
