"""`briefworks runs`: what the executor has run, one run as a timeline, old ones forgotten."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path

import click

from briefworks import engines
from briefworks.cli.timeline import run_json, run_lines, timeline_lines
from briefworks.errors import ConfigError, EngineUnavailable, RequestInvalid
from briefworks.executor import wire
from briefworks.executor.history import History
from briefworks.executor.journal import Journal
from briefworks.executor.owner import owner_of
from briefworks.settings import Settings


class _Runs(click.Group):
    """`runs <id>` is `runs show <id>`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "[OPTIONS] [RUN | prune --older-than AGE]")

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([("prune", "Forget runs that ended long ago.")])


@click.group(cls=_Runs, invoke_without_command=True)
@click.option(
    "--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="How many to list."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def runs(ctx: click.Context, limit: int, as_json: bool) -> None:
    """
    List what the local engine has run, newest first; with the id of a RUN show its timeline.

    The id may be cut: its beginning or its end will do. Works whether or not the engine is running.

    \b
    Examples:
      briefworks runs --limit 5
      briefworks runs 01JQ7
      briefworks runs prune --older-than 30d
    """
    ctx.obj = as_json
    if ctx.invoked_subcommand is not None:
        return
    found = History(journal_path()).runs(limit)
    if as_json:
        click.echo(json.dumps([run_json(row) for row in found], indent=2))
    elif not found:
        click.echo("Nothing has run yet.")
    else:
        for row in found:
            for line in run_lines(row, terminal_width()):
                click.echo(line)


@runs.command(hidden=True)
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.pass_context
def show(ctx: click.Context, run: str, as_json: bool) -> None:
    """Show one run: its steps as bars, failed attempts, waits and errors."""
    history = History(journal_path())
    row = history.find(run)
    spans = history.timeline(row["run_id"])
    if as_json or ctx.obj:
        click.echo(json.dumps(run_json(row) | {"timeline": [asdict(span) for span in spans]}, indent=2))
        return
    for line in timeline_lines(row, spans, terminal_width()):
        click.echo(line)


@runs.command()
@click.option("--older-than", required=True, metavar="AGE", help="Like 7d, 12h or 1w.")
def prune(older_than: str) -> None:
    """Forget the runs that ended longer ago than AGE, and the events that only they needed."""
    try:
        age_s = wire.duration_s(older_than)
    except ValueError as error:
        raise RequestInvalid(f"--older-than: {error}", field="older-than") from None
    path = journal_path()
    History(path).runs(1)  # says what is wrong with the file
    if url := executor_url(path):
        pruned = engines.LocalEngine(url).prune(older_than)
    else:
        journal = Journal(path)
        try:
            pruned = journal.prune(time.time() - age_s, time.time())
        finally:
            journal.close()
    click.echo(f"{pruned} {'run' if pruned == 1 else 'runs'} forgotten.")


def journal_path() -> Path:
    """The journal of this data folder's executor; `ConfigError` when only the demo has one."""
    folder = Settings.load().data_dir
    path, demo = folder / "executor.db", folder / "demo"
    if not path.exists() and (demo / "executor.db").exists():
        raise ConfigError(
            f"There is no journal {path}.", hint=f"Of the demo's runs: BRIEFWORKS_DATA_DIR={demo}"
        )
    return path


def executor_url(journal: Path) -> str:
    """Where the executor answers that owns the journal now; "" when none is running."""
    owner = owner_of(journal)
    url = str(owner.get("url", ""))
    try:
        said = engines.health(url)
    except EngineUnavailable:
        return ""
    return url if said.get("server") == "briefworks" and said.get("pid") == owner.get("pid") else ""


def terminal_width() -> int:
    return max(shutil.get_terminal_size((100, 24)).columns, 40)
