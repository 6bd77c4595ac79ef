"""`briefworks dev`: executor, app and, when nothing is configured, the demo upstream."""

from __future__ import annotations

import signal
import threading

import click

from briefworks import engines
from briefworks.cli.stack import EXECUTOR_PORT, Stack
from briefworks.errors import EngineUnavailable
from briefworks.settings import Settings


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Of the app.")
@click.option("--app", "place", help="An app of your own in the place of ours: file.py or module:name.")
@click.option(
    "--tokens-per-s",
    default=150.0,
    show_default=True,
    type=click.FloatRange(0, min_open=True),
    help="How fast the demo's model writes.",
)
def dev(port: int, place: str | None, tokens_per_s: float) -> None:
    """
    Run everything on this machine: the engine and the app, restarted when they die.

    With an Inngest dev server on port 8288 the app is synced with that one instead. With neither a model
    nor a search configured the demo upstream plays both, and the text is synthetic.

    \b
    Example:
      briefworks dev --port 8001
    """
    settings = Settings.load()
    demo = settings.upstreams() == "none"
    engine = dev_server(f"http://127.0.0.1:{EXECUTOR_PORT}")
    stopped = threading.Event()
    click.echo("Starting …")
    with Stack(
        settings,
        port,
        demo_upstream=demo,
        own_app=place or "",
        tokens_per_s=tokens_per_s,
        engine_url=engine,
        say=click.echo,
    ) as stack:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        _welcome(stack, settings.project, theirs=bool(engine))
        _tell_restarts(stack, stopped)
    click.echo("\nStopped.")


def _welcome(stack: Stack, project: str, *, theirs: bool) -> None:
    if stack.demo_upstream:
        click.secho(
            "Nothing is configured: the demo upstream plays model, search and pages.\nTEXT IS SYNTHETIC.",
            fg="yellow",
        )
    click.echo(f"     app  {stack.app_url}")
    click.echo(f"  engine  {stack.engine_url}" + ("  (Inngest dev server)" if theirs else ""))
    click.echo(f"    data  {stack.data_dir}")
    click.echo(
        f"\nAsk for an article at\n  {stack.app_url}/projects/{project}\n"
        'or in another terminal:\n  briefworks write "standing desks"'
        + ("" if stack.app_url == Settings.model_fields["url"].default else f" --url {stack.app_url}")
    )
    click.echo("\nCtrl-C stops; what is running goes on at the next start.")


def _tell_restarts(stack: Stack, stopped: threading.Event) -> None:
    """Until it is stopped."""
    restarts = dict.fromkeys(stack.processes, 0)
    while not stopped.wait(0.5):
        for name, process in stack.processes.items():
            if process.restarts != restarts[name]:
                restarts[name] = process.restarts
                click.secho(f"The {name} died and is started again; see {process.log}", fg="yellow")


def dev_server(url: str) -> str:
    """The url if an Inngest dev server answers there; "" for nothing or for an executor of ours."""
    try:
        said = engines.health(url)
    except EngineUnavailable:
        return ""
    return url if said.get("status") == 200 and "briefworks" not in str(said) else ""
