"""What a replay did not run again: the steps whose results its engine had kept, as entries of its account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from briefworks.account import ExplainedEntry
from briefworks.shapes import Phase, add_usage, no_usage

_PHASES: tuple[Phase, ...] = get_args(Phase)


@dataclass(frozen=True)
class PastRun:
    """One run of an article, by its rows."""

    run_id: str
    is_replay: bool
    started_at: str
    ended_at: str = ""
    ended_by: str = ""


def in_order(entries: Iterable[ExplainedEntry]) -> list[ExplainedEntry]:
    """As they began."""
    return sorted(entries, key=lambda one: (one["started_at"], one["id"]))


def kept(entries: Sequence[ExplainedEntry], runs: Sequence[PastRun]) -> list[ExplainedEntry]:
    """An entry (outcome "kept") for each step that a replay left as an earlier run had paid for it."""
    found: list[ExplainedEntry] = []
    for nth, run in enumerate(runs):
        if not run.is_replay:
            continue
        own = [one for one in entries if one["run_id"] == run.run_id]
        asked = {one["step"] for one in own}
        for earlier in _paid_for(entries, [run.run_id for run in runs[:nth]]):
            if earlier[0]["step"] not in asked and _is_behind(run, own, earlier[0]["phase"]):
                found.append(_entry(run, earlier))
    return found


def _paid_for(entries: Sequence[ExplainedEntry], run_ids: Sequence[str]) -> Iterator[list[ExplainedEntry]]:
    """By step, the entries of its last take in these runs, oldest first, if that had its result."""
    steps: dict[str, dict[tuple[int, int], list[ExplainedEntry]]] = {}
    for entry in entries:
        if entry["run_id"] in run_ids:
            take = (run_ids.index(entry["run_id"]), entry["take"])
            steps.setdefault(entry["step"], {}).setdefault(take, []).append(entry)
    for takes in steps.values():
        last = takes[max(takes)]
        if not {"", "lost", "stopped", "failed"} & {one["outcome"] for one in last}:
            yield last


def _is_behind(run: PastRun, own: Sequence[ExplainedEntry], phase: Phase) -> bool:
    """Whether the run has come so far that it will not ask for a step of that phase any more."""
    if run.ended_by == "polish-done":
        return True
    newest = max((_PHASES.index(one["phase"]) for one in own), default=0)
    return _PHASES.index(phase) < newest


def _entry(run: PastRun, earlier: Sequence[ExplainedEntry]) -> ExplainedEntry:
    last = earlier[-1]
    return {
        **last,
        "id": f"{run.run_id}-{_PHASES.index(last['phase'])}-{last['step']}",
        "run_id": run.run_id,
        "take": 0,
        "attempt": 0,
        "call": "",
        "request": 0,
        "outcome": "kept",
        "reason": "",
        "retries": [],
        "started_at": run.started_at,
        "finished_at": run.started_at,
        "usage": no_usage(),
        "thinking_tokens": 0,
        "estimate": no_usage(),
        "saved": add_usage(*(one["usage"] for one in earlier), *(one["saved"] for one in earlier)),
    }
