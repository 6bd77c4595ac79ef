"""What the commands that ask a running app have in common: its address, the project, the end of watching."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from briefworks.cli.prose import line
from briefworks.cli.saving import save
from briefworks.cli.watch import JsonLines, TerminalView, watch
from briefworks.client import Client
from briefworks.errors import RequestInvalid
from briefworks.settings import Settings
from briefworks.shapes import ArticleState


def app_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--project` and `--url`; a key comes from the environment only, where no history keeps it."""
    command = click.option("--url", help="The app's address; else BRIEFWORKS_URL, else this machine's.")(
        command
    )
    return click.option("--project", help="Else BRIEFWORKS_PROJECT, else “default”.")(command)


def reach(url: str | None, project: str | None) -> tuple[Client, str]:
    """The app that is meant, and the project."""
    settings = Settings.load()
    key = settings.api_key.get_secret_value() if settings.api_key else None
    return Client(url or settings.url, api_key=key), project or settings.project


@contextmanager
def left_by_ctrl_c(article_id: str, again: str, out: Path | None) -> Iterator[None]:
    """
    Ctrl-C ends the watching only, and says how to come back.

    `again` are the options to do it with, `out` is the file that the article was to be saved in.
    """
    try:
        yield
    except KeyboardInterrupt:
        file = f" --out {shlex.quote(str(out))}" if out else ""
        click.echo(
            "\n\nNo longer watching; the run goes on.\n"
            f"  come back:  briefworks follow {article_id}{again}{file}\n"
            f"  stop it:    briefworks cancel {article_id}{again}",
            err=True,
        )
        raise SystemExit(130) from None


def watch_to_end(client: Client, ids: tuple[str, str], as_json: bool) -> ArticleState:
    """Watch until the run ends; `SystemExit(1)` when it did not end well."""
    state = watch(client, JsonLines(*ids) if as_json else TerminalView.of(*ids))
    if state["status"] == "failed" and not as_json:
        again = f"briefworks replay {state['run_id']}"
        line("", f"If `briefworks dev` ran it, `{again}` goes on where it stopped.")
    if state["status"] != "done":
        raise SystemExit(1)
    return state


def keep(
    state: ArticleState,
    keyword: str,
    out: Path | None,
    *,
    again: str,
    provenance: bool = False,
    quietly: bool = False,
) -> None:
    """Save a finished article; with `provenance` its file ends with how it was made."""
    from briefworks.phases.provenance import with_provenance  # the linter takes time to load

    article = state["polished"]
    assert article is not None
    markdown = with_provenance(article) if provenance else article["markdown"]
    try:
        path = save(markdown, keyword, out)
    except RequestInvalid as error:
        kept = f"The article is kept: briefworks follow {state['article_id']}{again} --out FILE"
        raise RequestInvalid(str(error), field="out", hint=kept) from None
    if not quietly:
        click.echo(f"            {path}")


provenance_option = click.option(
    "--provenance", is_flag=True, help="End the file with how the text was made: models, times, versions."
)


def options_again(url: str | None, project: str | None) -> str:
    """The options as they were given, for a command to come back with."""
    options = (("project", project), ("url", url))
    return "".join(f" --{name} {shlex.quote(value)}" for name, value in options if value)
