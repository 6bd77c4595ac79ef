"""The command line: one file a command, in `COMMANDS`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from briefworks.cli.prose import say_error
from briefworks.errors import BriefworksError, ConfigError, RequestInvalid

# One file a command, loaded when it is called: a model client takes a second to import, `--help` does not.
COMMANDS = {
    "demo": "Write an article with nothing but this machine.",
    "dev": "Run the engine and the app on this machine.",
    "serve": "Serve the app for an engine that runs elsewhere.",
    "write": "Ask a running app for an article, watch it, save it.",
    "follow": "Come back to an article.",
    "articles": "List the articles of a project.",
    "explain": "Say what an article cost, request by request.",
    "cancel": "Stop the run of an article.",
    "delete": "Erase an article.",
    "score": "Score a Markdown file: grounding, tells, style and form.",
    "runs": "List what has run; show one run as a timeline.",
    "replay": "Run a run once more, whole or from a step.",
    "doctor": "Check the configuration and say what to do.",
    "keys": "Make API keys for a server that others can reach.",
    "migrate": "Make the tables in a PostgreSQL or Supabase database.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"briefworks.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        from briefworks.settings import wants_no_color  # not for `--help`

        if wants_no_color():
            ctx.color = False
        try:
            return super().invoke(ctx)
        except BriefworksError as error:
            say_error(error)
            sys.exit(2 if isinstance(error, ConfigError | RequestInvalid) else 1)
        except KeyboardInterrupt:
            click.echo("\nStopped.", err=True)
            sys.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="briefworks")
def main() -> None:
    """
    Write long articles durably: kill anything at any time, the run goes on.

    Start with `briefworks demo "standing desks"`: it needs no key and no server.
    """
