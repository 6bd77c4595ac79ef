"""`briefworks demo`: an article from nothing, with everything on this machine."""

from __future__ import annotations

import hashlib
import itertools
from contextlib import suppress
from pathlib import Path

import click
import httpx

from briefworks import personas
from briefworks.cli.processes import wait_until
from briefworks.cli.saving import check_folder, save
from briefworks.cli.stack import Stack
from briefworks.cli.watch import TerminalView, watch
from briefworks.client import Client
from briefworks.errors import ConfigError, NotStarted
from briefworks.settings import Settings
from briefworks.shapes import ArticleRequest
from briefworks.text import slugify

PROJECT = "demo"


@click.command()
@click.argument("keyword")
@click.option("--persona", default="plain-expert", show_default=True, help="The voice it is written in.")
@click.option("--words", default=1800, show_default=True, help="How long, 600 to 6000.")
@click.option("--seed", default=1, show_default=True, help="Another seed, another text.")
@click.option(
    "--tokens-per-s",
    default=150.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="How fast the demo's model writes.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The Markdown file.")
def demo(keyword: str, persona: str, words: int, seed: int, tokens_per_s: float, out: Path | None) -> None:
    """
    Write an article about KEYWORD with nothing but this machine.

    A model, a search and web pages are played by a server on loopback, so the TEXT IS SYNTHETIC and says
    so; the engine, the function, the stream and the store are the real ones. Kill it at any moment and
    start it again with the same keyword: it goes on where it was.

    \b
    Example:
      briefworks demo "standing desks"
    """
    asked = ArticleRequest.parse(
        {"projectId": PROJECT, "keyword": keyword, "persona": persona, "targetWords": words}
    )
    check_folder(out)  # this and a wrong persona are said now, not after everything has started
    settings = Settings.load()
    personas.load(asked.persona, settings.personas_dir)
    settings = settings.model_copy(
        update={"data_dir": settings.data_dir / "demo", "store": "", "api_keys": None}
    )
    click.secho("Demo: the model, the search and the pages are synthetic; all else is real.", fg="yellow")
    with Stack(
        settings, 8000, demo_upstream=True, seed=seed, tokens_per_s=tokens_per_s, say=click.echo
    ) as stack:
        with Client(stack.app_url) as client:
            article_id, resumed = _article_id(client, asked, seed)
            if resumed:
                click.echo("An unfinished article about this keyword is there: it goes on where it was.")
            client.request_article(asked.model_copy(update={"article_id": article_id}))
            try:
                state = watch(client, TerminalView.of(PROJECT, article_id))
            except KeyboardInterrupt:
                click.echo("\n\nStopped. The same command goes on where it was.", err=True)
                raise SystemExit(130) from None
        _wait_for_engine(f"{stack.engine_url}/v1/runs/{state['run_id']}")
        polished = state["polished"]
        if state["status"] != "done" or polished is None:
            raise SystemExit(1)
        click.echo(f"            {save(polished['markdown'], asked.keyword, out)}")


def _article_id(client: Client, asked: ArticleRequest, seed: int) -> tuple[str, bool]:
    """The id of the first article asked for in just this way that has not ended, and whether it has begun."""
    way = f"{asked.keyword}|{asked.persona}|{asked.target_words}|{seed}"
    name = f"{slugify(asked.keyword, 40)}-{hashlib.sha256(way.encode()).hexdigest()[:8]}"
    for k in itertools.count(1):
        try:
            if client.article(PROJECT, f"{name}-{k}")["status"] in ("running", "review"):
                return f"{name}-{k}", True
        except NotStarted:
            return f"{name}-{k}", False
    raise AssertionError("counting does not end")


def _wait_for_engine(run_url: str) -> None:
    """Let the engine see the run's end too, 5 s at most: then nothing is left over for the next start."""
    with suppress(httpx.HTTPError, ConfigError, KeyError, ValueError):
        wait_until(lambda: _run_status(run_url) != "Running", 5, "The engine did not end the run")


def _run_status(run_url: str) -> str:
    return str(httpx.get(run_url, timeout=2, trust_env=False).json()["data"]["status"])
