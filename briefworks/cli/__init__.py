"""The command line: `briefworks demo`, `dev`, `serve`, `doctor`."""

from __future__ import annotations

import sys
from typing import Any

import click

from briefworks.errors import BriefworksError, ConfigError, RequestInvalid


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BriefworksError as error:
            click.secho(f"Error: {error}", fg="red", err=True)
            if error.hint:
                click.echo(f"  {error.hint}", err=True)
            sys.exit(2 if isinstance(error, ConfigError | RequestInvalid) else 1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="briefworks")
def main() -> None:
    """Write long articles durably: kill anything at any time, the run goes on."""


# The commands register themselves; each import is one file, one command.
from briefworks.cli import demo, dev, doctor, serve  # noqa: E402

main.add_command(demo.demo)
main.add_command(dev.dev)
main.add_command(serve.serve)
main.add_command(doctor.doctor)
