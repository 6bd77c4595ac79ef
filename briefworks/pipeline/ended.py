"""The function `article-ended`: however the engine ends a run, the article gets its terminal row."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import inngest
import structlog

from briefworks.errors import NoProject, NotFound
from briefworks.pipeline.function import FN_ID
from briefworks.pipeline.keeping import erase_deleted
from briefworks.pipeline.parts import Parts
from briefworks.pipeline.words import in_inngests_words, run_failed
from briefworks.shapes import TERMINAL, RunStarted, is_id
from briefworks.stream import Store, rows_of
from briefworks.text import clean

log = structlog.get_logger("briefworks.run")
FAILED, CANCELLED = "inngest/function.failed", "inngest/function.cancelled"


def ended_function(client: inngest.Inngest, parts: Parts) -> inngest.Function[Any]:
    """
    The companion of `generate-article`, on the engine's own events, with retries of its own.

    Not `on_failure`: that one has no retries, never runs while the app is away, and is not called on cancel.
    """
    of_ours = f"event.data.function_id == '{client.app_id}-{FN_ID}'"

    @client.create_function(
        fn_id="article-ended",
        name="Write the terminal row of an article",
        trigger=[
            inngest.TriggerEvent(event=FAILED, expression=of_ours),
            inngest.TriggerEvent(event=CANCELLED, expression=of_ours),
        ],
        retries=10,
    )
    def article_ended(ctx: inngest.ContextSync) -> str:
        run = _EndedRun.of(ctx.event)
        if run is None:
            log.warning("a run ended that names no project", run_id=ctx.event.data.get("run_id"))
            return "unknown"

        def do_end() -> str:
            with in_inngests_words("end"):
                return run.end(parts)

        ending = ctx.step.run("end", do_end)
        if ending == "run-failed":
            ctx.step.send_event(
                "announce",
                inngest.Event(
                    name="article.failed",
                    id=f"article.failed-{run.run_id}",
                    data={"projectId": run.project_id, "articleId": run.article_id, "runId": run.run_id},
                ),
            )
        return ending

    return article_ended


@dataclass(frozen=True)
class _EndedRun:
    """The ids of an ended run, read leniently: the request itself may be what was wrong."""

    project_id: str
    article_id: str
    run_id: str
    started: RunStarted
    error: dict[str, Any] | None  # None: cancelled

    @classmethod
    def of(cls, event: inngest.Event) -> _EndedRun | None:
        asked = event.data.get("event")
        if not isinstance(asked, dict) or not isinstance(data := asked.get("data"), dict):
            return None
        project_id = data.get("projectId")
        article_id = data.get("articleId") or str(asked.get("id") or "")[:64]
        run_id = event.data.get("run_id")
        if not (is_id(project_id) and is_id(article_id) and isinstance(run_id, str)):
            return None
        error = event.data.get("error")
        return cls(
            project_id=str(project_id),
            article_id=str(article_id),
            run_id=run_id,
            started={
                "v": 1,
                "keyword": _said(data, "keyword", ""),
                "persona": _said(data, "persona", ""),
                "language": _said(data, "language", "en"),
                "market": _said(data, "market", "us"),
                "target_words": 0,
                "parent_run_id": None,
            },
            error=(error if isinstance(error, dict) else {}) if event.name == FAILED else None,
        )

    def end(self, parts: Parts) -> str:
        """Give the run its terminal row unless it has one; the event that ends it, "" for a duplicate."""
        store = parts.store
        # A run that failed before its first step (a bad request) is unknown to the store until now.
        store.start_run(self.project_id, self.article_id, self.run_id, self.started)
        with suppress(NotFound, NoProject):
            if self.error is None:
                store.end_run(
                    self.project_id,
                    self.run_id,
                    "run-cancelled",
                    {"by": "engine", "reason": "The run was cancelled at the engine."},
                )
            else:
                store.end_run(self.project_id, self.run_id, "run-failed", dict(run_failed(self.error)))
        ending = terminal_event(store, self.project_id, self.article_id, self.run_id)
        erase_deleted(store, self.project_id, self.article_id)
        return ending


def terminal_event(store: Store, project_id: str, article_id: str, run_id: str) -> str:
    """The event of the row that ended this run; "" when it has none."""
    for row in rows_of(store, project_id, article_id):
        if row["run_id"] == run_id and row["event"] in TERMINAL:
            return row["event"]
    return ""


def _said(data: dict[str, Any], key: str, default: str) -> str:
    value = data.get(key, default)
    return clean(value)[:200] if isinstance(value, str) else default
