"""The account of an article summed up: what was paid for what, what was wasted, what was not paid again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from briefworks.account import AccountEntry, ArticleCosts, ExplainedEntry, RunCosts, Searched, Spending
from briefworks.costs.kept import PastRun, in_order, kept
from briefworks.costs.prices import PriceList
from briefworks.fold import phase_of
from briefworks.shapes import TERMINAL, StreamRow, add_usage

_SECTION = re.compile(r"(?:draft|polish)-section-([0-9]+)(?:-[0-9]+)?")
_GOOD = ("answered", "continued", "recalled", "searched")
_LOST = "Its take or its run is over, and what became of it was never told: a killed process cannot."


def summed_up(
    project_id: str,
    article_id: str,
    entries: Sequence[AccountEntry],
    rows: Sequence[StreamRow],
    prices: PriceList,
) -> ArticleCosts:
    """`entries` are the store's, `rows` those of the article's stream."""
    runs = _runs(rows)
    explained = _explained(entries, runs)
    explained = in_order([*explained, *kept(explained, list(runs.values()))])
    phases, sections = dict.fromkeys(one["phase"] for one in explained), _section_names(explained)
    models = sorted({one["model"] for one in explained if one["outcome"] not in ("searched", "failed")})
    return {
        "v": 1,
        "project_id": project_id,
        "article_id": article_id,
        "total": spending(explained),
        "phases": {phase: spending(one for one in explained if one["phase"] == phase) for phase in phases},
        "sections": {
            name: spending(one for one in explained if _section_name(one) == name) for name in sections
        },
        "runs": [
            _run_costs(run, [one for one in explained if one["run_id"] == run.run_id])
            for run in runs.values()
        ],
        "searches": _searches(explained, rows),
        "prices": {model: prices.source(model) for model in models},
        "entries": explained,
    }


def spending(entries: Iterable[ExplainedEntry]) -> Spending:
    """What they add up to, exactly: every `usd` is a whole number of millionths."""
    some = list(entries)
    return {
        "paid": add_usage(*(one["usage"] for one in some)),
        "thinking_tokens": sum(one["thinking_tokens"] for one in some),
        "wasted": add_usage(*(one["usage"] for one in some if one["wasted"])),
        "estimate": add_usage(*(one["estimate"] for one in some if one["wasted"])),
        "saved": add_usage(*(one["saved"] for one in some)),
    }


def _runs(rows: Sequence[StreamRow]) -> dict[str, PastRun]:
    """The runs of the article, the oldest first."""
    runs: dict[str, PastRun] = {}
    for row in rows:
        run_id, at = row["run_id"], row["created_at"]
        if row["event"] == "run-started":
            runs[run_id] = PastRun(run_id, row["data"].get("parent_run_id") is not None, started_at=at)
        elif row["event"] in TERMINAL and run_id in runs:
            runs[run_id] = replace(runs[run_id], ended_at=at, ended_by=row["event"])
    return runs


def _explained(entries: Sequence[AccountEntry], runs: Mapping[str, PastRun]) -> list[ExplainedEntry]:
    newest: dict[str, int] = {}
    for entry in entries:
        newest[entry["step"]] = max(entry["take"], newest.get(entry["step"], 0))
    explained = []
    for entry in entries:
        section = _SECTION.fullmatch(entry["step"])
        outcome, reason = entry["outcome"], entry["reason"]
        run = runs.get(entry["run_id"])
        over = run is None or run.ended_by or entry["take"] < newest[entry["step"]]
        if not outcome and over:
            outcome, reason = "lost", _LOST
        explained.append(
            cast(
                ExplainedEntry,
                {
                    **entry,
                    "outcome": outcome,
                    "reason": reason,
                    "phase": phase_of(entry["step"], "research"),
                    "section": int(section[1]) if section else None,
                    "wasted": outcome not in ("", "failed", *_GOOD),
                },
            )
        )
    return explained


def _section_name(entry: ExplainedEntry) -> str:
    return "other" if entry["section"] is None else str(entry["section"])


def _section_names(entries: Sequence[ExplainedEntry]) -> list[str]:
    """In order, what belongs to none of them last."""
    return sorted(
        {_section_name(one) for one in entries}, key=lambda name: int(name) if name != "other" else 1e9
    )


def _run_costs(run: PastRun, entries: Sequence[ExplainedEntry]) -> RunCosts:
    drafted: dict[str, dict[int, list[str]]] = {}
    for entry in entries:
        if entry["phase"] == "draft" and entry["section"] is not None:
            drafted.setdefault(entry["step"], {}).setdefault(entry["take"], []).append(entry["outcome"])
    last_takes = [takes[max(takes)] for takes in drafted.values()]
    return {
        "run_id": run.run_id,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "ended_by": run.ended_by,
        **spending(entries),
        "sections": len(last_takes),
        "sections_reused": sum(set(outcomes) <= {"recalled", "kept"} for outcomes in last_takes),
    }


def _searches(entries: Sequence[ExplainedEntry], rows: Sequence[StreamRow]) -> list[Searched]:
    """By provider."""
    found: dict[str, Searched] = {}

    def of(provider: str) -> Searched:
        return found.setdefault(provider, {"provider": provider, "searches": 0, "pages": 0, "pages_read": 0})

    for entry in entries:
        if entry["outcome"] == "searched":
            of(entry["model"])["searches"] += 1
    for research in (row["data"] for row in rows if row["event"] == "research-done"):
        searched = of(research["provider"])
        searched["pages"] += len(research["pages"])
        searched["pages_read"] += sum(page["snapshot_id"] is not None for page in research["pages"])
    return list(found.values())
