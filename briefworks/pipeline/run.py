"""One run of one article: each step body becomes a fenced take whose rows and result are in the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, ParamSpec, TypedDict, TypeVar, cast

import inngest
import structlog
from ulid import ULID

from briefworks.account import CallMemo
from briefworks.errors import BriefworksError, StaleTake
from briefworks.model import ModelCalls
from briefworks.pipeline.keeping import erase_deleted, erase_old
from briefworks.pipeline.memo import STORE_AWAY_S, CountedSearch, Memo, SearchMemory, insist
from briefworks.pipeline.parts import Parts
from briefworks.pipeline.words import in_inngests_words
from briefworks.search import KeptSearch, Search
from briefworks.shapes import RESULT, ArticleRequest, Event, Phase, Research
from briefworks.stream import StepWriter, rows_of

log = structlog.get_logger("briefworks.run")
T = TypeVar("T")
P = ParamSpec("P")
Body = Callable[[StepWriter, ModelCalls], T]
WAIT_FOR_WINNER_S = 10.0


class Claim(TypedDict):
    """The memo of `start`: which run asked for the article, and whether it got it."""

    v: Literal[1]
    run_id: str
    claimed: bool


class Run:
    """
    What `generate_article` says its steps with; made anew for every request, so it holds nothing but when
    that request must have been answered.
    """

    def __init__(self, ctx: inngest.ContextSync, asked: ArticleRequest, parts: Parts) -> None:
        assert asked.article_id is not None
        self.ctx, self.asked, self.parts = ctx, asked, parts
        self.project_id, self.article_id = asked.project_id, asked.article_id
        self._until = time.monotonic() + parts.step_limit_s

    def start(self) -> bool:
        """
        Claim the article; False when another run has it, or when it was cancelled before it began.

        A run that is replayed from a step brings the claims of earlier runs as its memos: it makes its own.
        """
        claim, k = self._claim("start", None), 1
        while claim["run_id"] != self.ctx.run_id:
            k += 1
            claim = self._claim(f"start-{k}", claim["run_id"])
        return claim["claimed"]

    def _claim(self, step: str, parent_run_id: str | None) -> Claim:
        def do_claim() -> Claim | bool:
            with in_inngests_words("start"):
                claimed = self.patiently(
                    self.parts.store.start_run,
                    self.project_id,
                    self.article_id,
                    self.ctx.run_id,
                    self.asked.run_started(parent_run_id),
                )
            if not claimed:
                self.patiently(erase_deleted, self.parts.store, self.project_id, self.article_id)
            if claimed and self.parts.keep_days is not None:
                erase_old(self.parts.store, self.project_id, self.parts.keep_days)
            return {"v": 1, "run_id": self.ctx.run_id, "claimed": claimed}

        claim = self.ctx.step.run(step, do_claim)
        if isinstance(claim, bool):  # of a run that 0.1.0 began
            return {"v": 1, "run_id": self.ctx.run_id, "claimed": claim}
        return claim

    def step(
        self,
        step: str,
        phase: Phase,
        done: Event,
        body: Body[T],
        *,
        ends_run: bool = False,
        spare_siblings: bool = False,
    ) -> T:
        """Run `body` once for good: its rows carry a take, its result is the data of the `done` row."""

        def do_step() -> T:
            with in_inngests_words(step, spare_siblings=spare_siblings):
                return self._take(step, phase, done, body, ends_run)

        return self.ctx.step.run(step, do_step)

    def parallel(self, phase: Phase, done: Event, bodies: Mapping[str, Body[T]]) -> list[T]:
        """Several steps at once, by step id; their results in the order of `bodies`."""

        def one(step: str, body: Body[T]) -> Callable[[], T]:
            return lambda: self.step(step, phase, done, body, spare_siblings=True)

        return list(self.ctx.group.parallel(tuple(one(step, body) for step, body in bodies.items())))

    @property
    def left_s(self) -> float:
        """How long this request may still wait."""
        return self._until - time.monotonic()

    def deadline(self) -> float:
        """When (monotonic) a step body that starts now must have its answer; storing it takes time too."""
        return time.monotonic() + 0.95 * self.parts.step_limit_s

    def announce(self) -> None:
        """Tell the engine that the article is done; it is done whether or not that works."""
        ids = {"projectId": self.project_id, "articleId": self.article_id, "runId": self.ctx.run_id}
        event = inngest.Event(
            name="article.finished", id=f"article.finished-{self.ctx.run_id}", data=dict(ids)
        )
        try:
            self.ctx.step.send_event("announce", event)
        except inngest.StepError as error:
            log.warning("article.finished could not be sent", reason=error.message, **ids)

    def search(self, memo: CallMemo) -> Search:
        """The search, each question counted, and none asked twice by this project within a day."""
        asked = self.parts.search
        return KeptSearch(CountedSearch(asked, memo), SearchMemory(self), getattr(asked, "address", ""))

    def texts(self, research: Research) -> dict[str, str]:
        """The text of every page that could be read, by source id."""
        return {
            page["source_id"]: self.patiently(self.parts.store.snapshot, self.project_id, page["snapshot_id"])
            for page in research["pages"]
            if page["snapshot_id"] is not None
        }

    def keep_snapshot(self, url: str, text: str, fetched_at: str) -> str:
        return self.patiently(self.parts.store.put_snapshot, self.project_id, url, text, fetched_at)

    def _take(self, step: str, phase: Phase, done: Event, body: Body[T], ends_run: bool) -> T:
        deadline = self.deadline()
        claim = str(ULID())
        take = self.patiently(
            self.parts.store.open_take, self.project_id, self.article_id, self.ctx.run_id, step, claim
        )
        if take["done"] is not None:
            return cast(T, take["done"])
        writer = StepWriter(
            self.parts.store,
            self.project_id,
            self.article_id,
            step,
            take["take"],
            phase,
            flush_ms=self.parts.flush_ms,
            give_up_s=STORE_AWAY_S,
            until=self._until,
        )
        memo = Memo(self, step, take["take"])
        try:
            with writer as out:
                result = body(out, self.parts.model.calls(memo, out, deadline))
                out.done(done, cast(dict[str, Any], result), ends_run)
                return result
        except StaleTake:
            return cast(T, self._result_of_winner(step, take["take"]))
        except BriefworksError as error:
            memo.failed(error)
            raise

    def patiently(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the store answers; one that is away is asked again while this request may wait."""
        return insist(min(STORE_AWAY_S, self.left_s), call, *args, **kwargs)

    def _result_of_winner(self, step: str, take: int) -> dict[str, Any]:
        """What the newer take of this step stores within 10 s; else the engine may ask again."""
        until = time.monotonic() + WAIT_FOR_WINNER_S
        while True:
            page = self.parts.store.read(self.project_id, limit=1)
            for row in rows_of(self.parts.store, self.project_id, self.article_id):
                if row["step"] == step and row["take"] > take and row["event"] in RESULT:
                    return row["data"]
            left = until - time.monotonic()
            if left <= 0:
                raise StaleTake
            self.parts.store.wait(self.project_id, page["head"], left)
