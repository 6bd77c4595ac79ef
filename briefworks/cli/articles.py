"""`briefworks articles`: what a project has."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice

import click

from briefworks.cli.prose import columns, plain
from briefworks.cli.reach import app_options, reach
from briefworks.client import ListedArticle

COLOURS = {"done": "green", "failed": "red", "cancelled": "yellow"}


@click.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="One article as JSON a line.")
@app_options
def articles(limit: int, as_json: bool, project: str | None, url: str | None) -> None:
    """
    List the articles of a project, the newest first.

    \b
    Examples:
      briefworks articles --project acme
      briefworks articles --json | jq -r 'select(.status == "failed") | .article_id'
    """
    client, project_id = reach(url, project)
    with client:
        found = list(islice(client.articles(project_id), limit + 1))
    if as_json:
        for article in found[:limit]:
            click.echo(json.dumps(article, ensure_ascii=False))
        return
    if not found:
        click.echo(f"No article in project {project_id} yet: `briefworks write` asks for one.", err=True)
    wide = max((len(article["article_id"]) for article in found), default=0)
    for article in found[:limit]:
        click.echo(_line(article, wide))
    if len(found) > limit:
        click.echo(f"Older ones: --limit {2 * limit}", err=True)


def _line(article: ListedArticle, wide: int) -> str:
    status, began = article["status"], _ago(article["started_at"])
    title = plain(article["title"] or f"({article['keyword']})")
    start = f"{article['article_id']:<{wide}}  "
    # As much as there is room for: a line that breaks is no table. A pipe has room for all of it.
    if (width := columns()) is not None:
        room = width - len(start) - 19
        title = title if len(title) <= room else title[: max(room - 1, 0)] + "…"
    return f"{start}{click.style(f'{status:<9}', fg=COLOURS.get(status))}  {began:>6}  {title}"


def _ago(instant_at: str) -> str:
    """How long ago, in one unit."""
    try:
        seconds = (datetime.now(UTC) - datetime.fromisoformat(instant_at)).total_seconds()
    except ValueError:
        return "?"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "now"
