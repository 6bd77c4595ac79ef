"""`briefworks serve`: the app alone, for an engine that runs elsewhere."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import socket
import sys
import threading

import click

from briefworks.cli.own_app import own_app
from briefworks.errors import ConfigError
from briefworks.keys import keys_of
from briefworks.logs import log_to_stderr
from briefworks.loopback import LOOPBACK
from briefworks.settings import Settings

STOP_S = 1.5  # for answers under way; the engine asks again for a step that is cut off


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="A public address needs keys.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--app", "place", help="An app of your own with briefworks in it: file.py or module:name.")
@click.option("--json", "as_json", is_flag=True, help="Say the address as one line of JSON.")
def serve(host: str, port: int, place: str | None, as_json: bool) -> None:
    """
    Serve the app: /api/inngest for the engine, /api/… for clients.

    A model, a search and an engine must be configured (see .env.example); `briefworks dev` brings its own
    engine. On a public address it asks for API keys (`briefworks keys new`) and for signed requests of the
    engine. It speaks plain HTTP: put a proxy with TLS before it.

    \b
    Example:
      INNGEST_DEV=1 briefworks serve --port 8001
    """
    settings = Settings.load()
    if host not in LOOPBACK:
        check_public(host, settings)
    log_to_stderr()
    settings.upstreams()
    listening = listen(host, port)
    from waitress.server import create_server

    from briefworks.web import create_app
    from briefworks.web.app import WATCHERS

    app = own_app(place) if place else create_app(settings)
    logging.getLogger("waitress").setLevel(logging.ERROR)  # no line for a short queue or a reader that left
    server = create_server(
        app,
        sockets=[listening],
        threads=settings.threads,
        connection_limit=1000,
        channel_request_lookahead=1,  # it goes on reading, and so sees who hangs up
        clear_untrusted_proxy_headers=False,  # briefworks.web.access looks at them, and trusts none
        asyncore_use_poll=True,
        ident=None,
    )
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    threading.Thread(target=server.run, name="server", daemon=True).start()
    name = f"[{host}]" if ":" in host else host
    url = f"http://{name}:{listening.getsockname()[1]}"
    click.echo(json.dumps({"url": url}) if as_json else f"briefworks serves {url}")
    stopped.wait()
    if watchers := getattr(app, "extensions", {}).get(WATCHERS):
        watchers.close()
    server.task_dispatcher.shutdown(timeout=STOP_S)
    click.echo("\nStopped. The engine calls again when the app is back.", err=True)
    sys.stdout.flush()
    os._exit(0)  # what is still at work is abandoned as by a kill, which every file of ours survives


def check_public(host: str, settings: Settings) -> None:
    """Raises `ConfigError` unless strangers who reach the app can do nothing."""
    if not keys_of(settings) and not settings.has_users:
        raise ConfigError(
            f"{host} can be reached by others, and there is no key to tell them apart.",
            hint="`briefworks keys new` makes one; or let a Supabase project's users ask (docs/SUPABASE.md);"
            " or serve on 127.0.0.1 and reach it through an SSH tunnel.",
        )
    if settings.inngest_dev or settings.inngest_signing_key is None:
        raise ConfigError(
            f"{host} can be reached by others, and unsigned requests to /api/inngest would start paid work.",
            hint="Set INNGEST_SIGNING_KEY (and not INNGEST_DEV): the engine then signs, and the app checks.",
        )


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; `ConfigError` when that cannot be."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        return socket.create_server(address[:2], family=family, backlog=256)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(f"Port {port} is taken.", hint="Choose another one with --port.") from None
        raise ConfigError(
            f"The app cannot listen on {host}, port {port}: {error.strerror or error}.",
            hint="Choose an address of this machine with --host, and a port above 1023 with --port.",
        ) from None
