"""The call memo and the account of one take: who asks is written beside what was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from briefworks.shapes import AccountEntry, CallEntry

if TYPE_CHECKING:
    from briefworks.pipeline.run import Run


class Memo:
    """`shapes.CallMemo` of the run's article, for one take of one step."""

    def __init__(self, run: Run, step: str, take: int) -> None:
        self._run, self._step, self._take = run, step, take
        self._article = (run.project_id, run.article_id)

    def recall(self, call_key: str) -> dict[str, Any] | None:
        return self._run.patiently(self._run.parts.store.recall, *self._article, call_key)

    def remember(self, call_key: str, answer: dict[str, Any]) -> None:
        self._run.patiently(self._run.parts.store.remember, *self._article, call_key, answer)

    def enter(self, entry_id: str, entry: CallEntry) -> None:
        asked: AccountEntry = {
            **entry,
            "id": entry_id,
            "run_id": self._run.ctx.run_id,
            "step": self._step,
            "take": self._take,
            "attempt": self._run.ctx.attempt,
        }
        self._run.patiently(self._run.parts.store.enter, *self._article, entry_id, dict(asked))
