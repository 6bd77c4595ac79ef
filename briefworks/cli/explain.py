"""`briefworks explain`: what an article cost, and why, request by request."""

from __future__ import annotations

import json

import click

from briefworks.cli.account import account_lines
from briefworks.cli.prose import columns
from briefworks.cli.reach import app_options, reach


@click.command()
@click.argument("article")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@app_options
def explain(article: str, as_json: bool, project: str | None, url: str | None) -> None:
    """
    Say what an ARTICLE cost: every request to the model, and what they add up to.

    Also what was wasted, and what a second run did not pay again.

    \b
    Examples:
      briefworks explain 01JQ7ZK3V9
      briefworks explain 01JQ7ZK3V9 --json | jq .total.paid.usd
    """
    client, project_id = reach(url, project)
    with client:
        costs = client.costs(project_id, article)
    if as_json:
        click.echo(json.dumps(costs, indent=2, ensure_ascii=False))
        return
    for line in account_lines(costs, columns() or 120):
        click.echo(line)
