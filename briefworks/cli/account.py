"""The account of an article as text for a terminal of any width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import get_args

import click

from briefworks.account import ArticleCosts, ExplainedEntry, RunCosts, Spending
from briefworks.cli.prose import plain_line
from briefworks.cli.timeline import fit, took
from briefworks.shapes import Phase, Usage

ENDINGS = {"polish-done": "done", "run-failed": "failed", "run-cancelled": "cancelled"}
FREE = ("recalled", "kept")
TERMINAL, WIDE = 78, 100  # columns


def account_lines(costs: ArticleCosts, width: int) -> Iterator[str]:
    """What was paid, by whom and for what, then every request on one timeline."""
    yield from _total(costs, width)
    for nth, run in enumerate(costs["runs"], 1):
        yield ""
        yield from _run(nth, run, width)
    yield ""
    phases = {name: costs["phases"][name] for name in get_args(Phase) if name in costs["phases"]}
    yield from _table("phase", phases, width)
    yield ""
    sections = sorted(costs["sections"].items(), key=lambda one: (not one[0].isdecimal(), one[0].zfill(4)))
    yield from _table("section", dict(sections), width)
    yield ""
    yield from _timeline(costs, width)


def dollars(usage: Usage) -> str:
    """To the millionth, so that a reader's own sum comes out."""
    return "no price" if usage["usd"] is None else f"${usage['usd']:,.6f}"


def _total(costs: ArticleCosts, width: int) -> Iterator[str]:
    total = costs["total"]
    paid = total["paid"]
    yield click.style(f"{plain_line(costs['project_id'])}/{plain_line(costs['article_id'])}", bold=True)
    what = (
        f"{_requests(paid)}; tokens in: {paid['input_tokens']:,},"
        f" {paid['cache_read_tokens']:,} from the cache, {paid['cache_write_tokens']:,} into it;"
        f" out: {paid['output_tokens']:,}, of them {total['thinking_tokens']:,} for thinking"
    )
    yield from _item("paid", dollars(paid), what, width)
    if total["wasted"]["calls"]:
        what = f"of it, on {_requests(total['wasted'])} that failed"
        yield from _item("wasted", dollars(total["wasted"]), what, width)
    if any(total["estimate"][count] for count in ("input_tokens", "output_tokens")):
        what = "beyond that, estimated: what failed requests used without telling"
        yield from _item("untold", f"~{dollars(total['estimate'])}", what, width)
    if total["saved"]["calls"]:
        what = f"not paid again: what {_requests(total['saved'])} had cost before"
        yield from _item("saved", dollars(total["saved"]), what, width)
    for found in costs["searches"]:
        asked = f"{plain_line(found['provider'])}, {_times(found['searches'])}"
        what = f"{asked}: {found['pages']} pages found, {found['pages_read']} of them read"
        yield from _item("search", "no price", what, width)
    for model, source in costs["prices"].items():
        what = "its price is not known" if source is None else f"{source['url']} of {source['as_of']}"
        yield from _item("price", "", f"{plain_line(model)}: {plain_line(what)}", width)


def _run(nth: int, run: RunCosts, width: int) -> Iterator[str]:
    ending = ENDINGS.get(run["ended_by"], "running")
    began = datetime.fromisoformat(run["started_at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    line, run_id = f"run {nth}  {ending:<9}  {began}", plain_line(run["run_id"])
    yield f"{line}  {run_id}" if len(line) + 2 + len(run_id) <= width else line
    yield from _item("paid", dollars(run["paid"]), _requests(run["paid"]), width)
    if run["saved"]["calls"]:
        reused = f"{run['sections_reused']} of {run['sections']} sections reused"
        yield from _item("saved", dollars(run["saved"]), f"not paid again; {reused}", width)


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def _requests(usage: Usage) -> str:
    return f"{usage['calls']} {'request' if usage['calls'] == 1 else 'requests'}"


def _item(name: str, sum_: str, what: str, width: int) -> Iterator[str]:
    start = f"  {name:<7} {sum_:>12}  "
    room = max(width - len(start), 20)
    for n, line in enumerate(textwrap.wrap(what, room) or [""]):
        yield (start if n == 0 else " " * len(start)) + line


def _table(name: str, groups: Mapping[str, Spending], width: int) -> Iterator[str]:
    counts = f"{'requests':>9}{'in':>10}{'out':>9}" if width >= TERMINAL else ""
    yield click.style(f"  {name:<10}{counts}{'paid':>12}{'wasted':>12}{'saved':>12}", dim=True)
    for key, group in groups.items():
        paid = group["paid"]
        counts = f"{paid['calls']:>9}{_tokens_in(paid):>10,}{paid['output_tokens']:>9,}" if counts else ""
        yield (
            f"  {key:<10}{counts}"
            f"{dollars(paid):>12}{_or_none(group['wasted']):>12}{_or_none(group['saved']):>12}"
        )


def _tokens_in(usage: Usage) -> int:
    return usage["input_tokens"] + usage["cache_read_tokens"] + usage["cache_write_tokens"]


def _or_none(usage: Usage) -> str:
    return dollars(usage) if usage["calls"] else "–"


def _timeline(costs: ArticleCosts, width: int) -> Iterator[str]:
    wide = width >= WIDE
    steps = [len(plain_line(one["step"])) for one in costs["entries"]] or [0]
    room = min(max(steps), 28 if wide else 19 if width >= TERMINAL else max(width - 44, 12))
    head = f"  {'after':>9}  {'step':<{room}}{'take':>6}  {'outcome':<{_outcome_room(width)}}{'paid':>12}"
    head += f"{'took':>10}" if width >= TERMINAL else ""
    yield click.style(head + (f"{'in':>9}{'out':>8}  run" if wide else ""), dim=True)
    nth = {run["run_id"]: n for n, run in enumerate(costs["runs"], 1)}
    began = _instant(costs["runs"][0]["started_at"]) if costs["runs"] else 0.0
    for entry in costs["entries"]:
        line = _entry(entry, room, began, width)
        yield f"{line}  {nth.get(entry['run_id'], '')}" if wide else line
        for said in _reasons(entry):
            for part in textwrap.wrap(plain_line(said), max(width - 14, 20))[:6]:
                yield " " * 13 + click.style(part, fg="yellow")


def _entry(entry: ExplainedEntry, room: int, began: float, width: int) -> str:
    outcome, usage, ended = entry["outcome"] or "under way", entry["usage"], entry["finished_at"]
    free = outcome in FREE
    sum_ = (
        ""
        if outcome in ("failed", "searched")
        else f"({dollars(entry['saved'])})"
        if free
        else dollars(usage)
    )
    started, said = _instant(entry["started_at"]), _outcome_room(width)
    line = (
        f"  {took(started - began):>9}  {fit(plain_line(entry['step']), room):<{room}}"
        f"{entry['take'] or '':>6}  "
        + click.style(
            f"{fit(plain_line(outcome), said):<{said}}",
            fg="red" if entry["wasted"] or outcome == "failed" else None,
        )
        + f"{sum_:>12}"
    )
    if width >= TERMINAL:
        line += f"{took(_instant(ended) - started) if ended and not free else '':>10}"
    if width >= WIDE:
        line += f"{_tokens_in(usage) or '':>9}{usage['output_tokens'] or '':>8}"
    return click.style(line, dim=True) if free else line


def _outcome_room(width: int) -> int:
    return 20 if width >= WIDE else 17 if width >= TERMINAL else 10


def _reasons(entry: ExplainedEntry) -> Iterator[str]:
    yield from (f"sent again: {why}" for why in entry["retries"])
    if entry["reason"]:
        yield entry["reason"]
    more = entry["estimate"]
    tokens = {"in": more["input_tokens"], "out": more["output_tokens"]}
    untold = " and ".join(f"{count:,} tokens {way}" for way, count in tokens.items() if count)
    if entry["wasted"] and untold:
        yield f"Used about {untold} without telling: ~{dollars(more)}"


def _instant(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
