"""`briefworks replay`: a run once more, with the results of what came before."""

from __future__ import annotations

import time

import click

from briefworks.cli.prose import plain_line
from briefworks.cli.runs import executor_url, journal_path, terminal_width
from briefworks.cli.timeline import timeline_lines, took
from briefworks.engines import LocalEngine
from briefworks.errors import Conflict, EngineUnavailable
from briefworks.executor.history import History, Span
from briefworks.replay import ARTICLE_FN, replay_request

POLL_S = 0.2


@click.command()
@click.argument("run")
@click.option("--from", "from_step", metavar="STEP", help="This step and all that came after it run again.")
@click.option("--anew", is_flag=True, help="Every step runs again.")
@click.option("--no-wait", is_flag=True, help="Say the new run's id and do not wait for its end.")
def replay(run: str, from_step: str | None, anew: bool, no_wait: bool) -> None:
    """
    Run RUN once more: the same function on the same event, as a new run.

    What its steps had finished is kept, so a failed run goes on where it failed; `--from` and `--anew` keep
    less. Steps that ran side by side did not come after one another. Of an article nothing is paid for
    twice even then: what the model has answered to the same question is remembered. RUN is an id of
    `briefworks runs`, or its beginning or end. The engine must be running (`briefworks dev`).

    \b
    Example:
      briefworks replay 01JQ7 --from brief
    """
    path = journal_path()
    history = History(path)
    row = history.find(run)
    steps = [span.name for span in history.timeline(row["run_id"])]
    body = replay_request(row["fn_id"], row["status"], steps, from_step, anew=anew)
    if not (url := executor_url(path)):
        raise EngineUnavailable(
            "No executor of this data folder is running.", hint="Start `briefworks dev`, then ask again."
        )
    new = LocalEngine(url).rerun(row["run_id"], body)
    try:
        click.echo(f"{new}  {plain_line(row['fn_id'])}, once more")
        if not no_wait:
            _watch(history, new)
    except KeyboardInterrupt:
        click.echo(f"\nNo longer watched; the run goes on: briefworks runs {new}", err=True)
        raise SystemExit(130) from None


def _watch(history: History, run_id: str) -> None:
    """Say each step as it ends, then the whole timeline."""
    said: set[str] = set()
    while True:
        row = history.run(run_id)
        for span in history.timeline(run_id):
            if span.step_id not in said and span.status in ("done", "failed"):
                said.add(span.step_id)
                click.echo(_line(span))
        if row["ended_at"] is not None:
            break
        time.sleep(POLL_S)
    click.echo()
    for line in timeline_lines(row, history.timeline(run_id), terminal_width()):
        click.echo(line)
    if row["fn_id"] == ARTICLE_FN and row["status"] == "Completed" and row["output"] == "null":
        raise Conflict("The article took no replay: another run of it is alive, or it was erased.")
    if row["status"] != "Completed":
        raise SystemExit(1)


def _line(span: Span) -> str:
    colour = "red" if span.status == "failed" else None
    return click.style(
        f"  {plain_line(span.name) or 'a call'}  {took((span.ended_at or 0) - span.started_at)}", fg=colour
    )
