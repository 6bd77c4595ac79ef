"""`briefworks cancel`: stop a run."""

from __future__ import annotations

import click

from briefworks.cli.reach import app_options, reach
from briefworks.errors import NotStarted


@click.command()
@click.argument("article")
@app_options
def cancel(article: str, project: str | None, url: str | None) -> None:
    """
    Stop the run of ARTICLE, also one that has not begun.

    What it has written stays to be read; nothing more is written or paid for.

    \b
    Example:
      briefworks cancel desks-1
    """
    client, project_id = reach(url, project)
    with client:
        client.cancel(project_id, article)
        try:
            client.article(project_id, article)
        except NotStarted as error:
            click.echo(f"{error} It will not be written.")
        else:
            click.echo(f"Article {article} is cancelled.")
