"""`briefworks keys`: makes the API keys that a server knows its callers by."""

from __future__ import annotations

import click

from briefworks.keys import ALL, hash_key, new_key
from briefworks.shapes import check_id


@click.group()
def keys() -> None:
    """
    Make API keys: each opens one project, or all of them.

    \b
    Example:
      briefworks keys new --project acme
    """


@keys.command()
@click.option("--project", default=ALL, help="The project it opens; without it, all of them.")
def new(project: str) -> None:
    """
    Make a key and say the line for .env.

    The key is shown this once and kept nowhere; the server keeps its hash only. Send it as
    `Authorization: Bearer …`, or log in with it on the page. To take a key back, remove its entry and
    restart the server.

    \b
    Example:
      briefworks keys new --project acme
    """
    if project != ALL:
        check_id("--project", project)
    key = new_key()
    opens = "all projects" if project == ALL else f"project {project}"
    click.echo(f"The key, for whoever may see {opens} (it is not shown again):\n\n  {key}\n")
    click.echo("For the server's .env; several entries are separated by commas:\n")
    click.echo(f"  BRIEFWORKS_API_KEYS={project}:{hash_key(key)}")
