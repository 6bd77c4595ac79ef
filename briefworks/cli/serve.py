"""`briefworks serve`: the app alone, for an engine that runs elsewhere."""

from __future__ import annotations

import json
import logging
import signal
import sys

import click

from briefworks.cli.own_app import own_app
from briefworks.errors import ConfigError
from briefworks.logs import log_to_stderr
from briefworks.loopback import LOOPBACK
from briefworks.settings import Settings


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="A loopback address.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--app", "place", help="An app of your own with briefworks in it: file.py or module:name.")
@click.option("--json", "as_json", is_flag=True, help="Say the address as one line of JSON.")
def serve(host: str, port: int, place: str | None, as_json: bool) -> None:
    """
    Serve the app: /api/inngest for the engine, /api/… for clients.

    A model, a search and an engine must be configured (see .env.example); `briefworks dev` brings its own
    engine.

    \b
    Example:
      INNGEST_DEV=1 briefworks serve --port 8001
    """
    if host not in LOOPBACK:
        raise ConfigError(
            f"{host} can be reached by others, and this version has no keys to tell them apart.",
            hint="Serve on 127.0.0.1; from another machine reach it through an SSH tunnel.",
        )
    log_to_stderr()
    settings = Settings.load()
    settings.upstreams()
    from werkzeug.serving import make_server

    from briefworks.web import create_app

    app = own_app(place) if place else create_app(settings)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no line per request
    try:
        server = make_server(host, port, app, threaded=True)
    except (OSError, SystemExit):  # werkzeug exits on a busy port
        raise ConfigError(f"Port {port} is taken.", hint="Choose another one with --port.") from None
    url = f"http://{host}:{server.server_port}"
    click.echo(json.dumps({"url": url}) if as_json else f"briefworks serves {url}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("\nStopped. The engine calls again when the app is back.", err=True)
