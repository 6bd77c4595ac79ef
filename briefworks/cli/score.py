"""`briefworks score`: the scorecard of any Markdown file, and where its tells are."""

from __future__ import annotations

import json
from typing import BinaryIO

import click

from briefworks import tells
from briefworks.errors import RequestInvalid
from briefworks.shapes import Scorecard
from briefworks.tells import Tell

MOST_BYTES = 2_000_000


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of a table.")
@click.option("--language", default="en", show_default=True, help="Of the text; tells are known in en only.")
def score(file: BinaryIO, as_json: bool, language: str) -> None:
    """
    Score a Markdown FILE ("-" is the standard input): grounding, tells, style and form.

    No key, no network, no judge: everything is counted, and docs/QUALITY.md says how. The bands are those of
    texts that people wrote. The tells say where the text sounds like a machine, not who wrote it.

    \b
    Examples:
      briefworks score standing-desks.md
      briefworks score draft.md --json | jq .tells_per_1000_words
    """
    from briefworks.phases import score_markdown

    name = getattr(file, "name", "<stdin>")
    try:
        content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise RequestInvalid(f"{name} is longer than {MOST_BYTES // 10**6} MB.", field="file")
        markdown = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise RequestInvalid(f"{name} is no text in UTF-8.", field="file") from None
    card, found = score_markdown(markdown, language), tells.lint(markdown, language)
    if as_json:
        listed = [{**tell, "line": _line(markdown, tell)} for tell in found]
        report = {"file": name, **card["measures"], "outside": card["outside"], "tells": listed}
        click.echo(
            json.dumps({**report, "rules_version": card["rules_version"]}, ensure_ascii=False, indent=1)
        )
    else:
        _print(card, found, markdown)


def _print(card: Scorecard, found: list[Tell], markdown: str) -> None:
    from briefworks.phases.scorecard import MEASURES

    group = ""
    for name, value in card["measures"].items():
        measure = MEASURES[name]
        if value is None:
            continue
        if measure.group != group:
            group = measure.group
            click.secho(group, bold=True)
        band = measure.band
        mark = "" if not band else "outside" if name in card["outside"] else "ok"
        click.echo(f"  {name:<24}{value:>10g}  {band:<14}{mark:<8} {measure.says}")
    if found:
        click.secho("tells", bold=True)
    for tell in found:
        quote = " ".join(tell["quote"].split())[:60]
        click.echo(f"  line {_line(markdown, tell):<5}{tell['rule']:<24}{quote!r}: {tell['why']}")


def _line(markdown: str, tell: Tell) -> int:
    return markdown.count("\n", 0, tell["start"]) + 1
