"""`briefworks follow`: come back to an article."""

from __future__ import annotations

from pathlib import Path

import click

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
from briefworks.errors import NotStarted


@click.command()
@click.argument("article")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save it there when it is done.")
@click.option("--json", "as_json", is_flag=True, help="One row as JSON a line.")
@provenance_option
@app_options
def follow(
    article: str, out: Path | None, as_json: bool, provenance: bool, project: str | None, url: str | None
) -> None:
    """
    Come back to ARTICLE: what was written until now, then the rest as it is written.

    Ctrl-C ends the watching only. An article that is finished is shown at once.

    \b
    Examples:
      briefworks follow desks-1 --out desks.md
      briefworks follow desks-1 --json | jq -r .event
    """
    client, project_id = reach(url, project)
    if out:
        check_folder(out)
    again = options_again(url, project)
    with client, left_by_ctrl_c(article, again, out):
        try:
            client.article(project_id, article)
        except NotStarted:
            click.echo(
                f"Article {article} has no row yet: it was just asked for, or never. Waiting …", err=True
            )
        state = watch_to_end(client, (project_id, article), as_json)
    if out:
        keep(state, article, out, again=again, provenance=provenance, quietly=as_json)
