"""`briefworks delete`: erase an article."""

from __future__ import annotations

import click

from briefworks.cli.prose import plain
from briefworks.cli.reach import app_options, reach


@click.command()
@click.argument("article")
@click.option("--yes", is_flag=True, help="Do not ask.")
@app_options
def delete(article: str, yes: bool, project: str | None, url: str | None) -> None:
    """
    Erase ARTICLE with all its rows, sources and remembered answers. A living run is cancelled.

    \b
    Example:
      briefworks delete desks-1
    """
    client, project_id = reach(url, project)
    with client:
        if not yes:
            state = client.article(project_id, article)  # nothing there: said before anything is asked
            title = state["brief"]["title"] if state["brief"] else article
            click.confirm(f"Erase “{plain(title)}” ({state['status']}) for good?", abort=True)
        client.delete(project_id, article)
    click.echo(f"Article {article} is erased.")
