"""`briefworks write`: ask a running app for an article, watch it, save it."""

from __future__ import annotations

from pathlib import Path

import click
from ulid import ULID

from briefworks.cli.reach import (
    app_options,
    keep,
    left_by_ctrl_c,
    options_again,
    provenance_option,
    reach,
    watch_to_end,
)
from briefworks.cli.saving import check_folder
from briefworks.shapes import ArticleRequest


@click.command()
@click.argument("keyword")
@click.option("--persona", default="plain-expert", show_default=True, help="The voice it is written in.")
@click.option("--words", default=1800, show_default=True, help="How long, 600 to 6000.")
@click.option("--language", default="en", show_default=True, help="An ISO 639-1 code.")
@click.option("--market", default="us", show_default=True, help="An ISO 3166-1 code: where it must rank.")
@click.option("--article", "article_id", help="An id of your own: asked twice, it is written once.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The Markdown file; else named by the keyword.",
)
@click.option("--json", "as_json", is_flag=True, help="One row as JSON a line; saves only with --out.")
@provenance_option
@app_options
def write(
    keyword: str,
    persona: str,
    words: int,
    language: str,
    market: str,
    article_id: str | None,
    out: Path | None,
    as_json: bool,
    provenance: bool,
    project: str | None,
    url: str | None,
) -> None:
    """
    Ask a running app for an article about KEYWORD, watch it grow, save it.

    The app is one of `briefworks dev` or `briefworks serve`. Ctrl-C ends the watching only: the app
    goes on writing, and `briefworks follow` comes back to it.

    \b
    Example:
      briefworks write "standing desks" --words 1200 --out desks.md
    """
    client, project_id = reach(url, project)
    asked = {"projectId": project_id, "keyword": keyword, "persona": persona, "targetWords": words}
    asked |= {"language": language, "market": market, "articleId": article_id or str(ULID())}
    request = ArticleRequest.parse(asked)
    name = str(request.article_id)
    saves, again = bool(out) or not as_json, options_again(url, project)
    if saves:
        check_folder(out)
    file = (out or Path(f"{name}.md")) if saves else None
    with client, left_by_ctrl_c(name, again, file):
        found = client.request_article(request)
        known = "is there already" if found.existed else "is asked for"
        click.echo(f"Article {name} {known}.", err=as_json)
        state = watch_to_end(client, (project_id, name), as_json)
    if saves:
        keep(state, request.keyword, out, again=again, provenance=provenance, quietly=as_json)
