"""The executor as one object: journal, engine, threads and HTTP server, started and stopped together."""

from __future__ import annotations

import errno
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from briefworks.errors import ConfigError
from briefworks.executor.api import create_api
from briefworks.executor.dispatch import Dispatcher
from briefworks.executor.engine import Engine
from briefworks.executor.history import History
from briefworks.executor.journal import Journal
from briefworks.executor.keys import Keys
from briefworks.executor.links import Link
from briefworks.executor.schedule import AWAY_PAUSES_S
from briefworks.loopback import LOOPBACK

log = structlog.get_logger("briefworks.executor")

PORTS_TRIED = 100
STOP_S = 1.0


class Executor:
    """
    The embedded engine on one journal file, for the apps that register with it.

    `apps` are the urls of apps that are asked to register (`http://127.0.0.1:8000/api/inngest`) and watched.
    An app that is away burns no attempts, unless `burn_attempts_when_away`. `retry_scale` multiplies the
    waits between attempts; `away_pauses_s` are the first and the longest wait for an absent app. With `keys`
    it is a self-hosted server for apps in production mode. `on_write` is the journal's, for tests.
    A context manager: `with Executor(...) as executor: executor.url`.
    """

    def __init__(
        self,
        journal: Path,
        port: int = 8288,
        host: str = "127.0.0.1",
        apps: Sequence[str] = (),
        *,
        keys: Keys | None = None,
        retry_scale: float = 1.0,
        burn_attempts_when_away: bool = False,
        away_pauses_s: tuple[float, float] = AWAY_PAUSES_S,
        request_timeout_s: float = 7200.0,
        poll_s: float = 5.0,
        workers: int = 64,
        on_write: Callable[[], None] | None = None,
    ) -> None:
        if host not in LOOPBACK:
            raise ConfigError(
                f"{host} can be reached by others, and the executor is for this machine only.",
                hint="For more than one machine use Inngest's own server.",
            )
        self.journal, self.port, self.host, self.apps = Path(journal), port, host, tuple(apps)
        self._keys = keys or Keys()
        self._engine_settings: dict[str, Any] = {
            "retry_scale": retry_scale,
            "burn_attempts_when_away": burn_attempts_when_away,
            "away_pauses_s": away_pauses_s,
        }
        self._dispatch_settings: dict[str, Any] = {"workers": workers, "request_timeout_s": request_timeout_s}
        self._poll_s, self._on_write = poll_s, on_write
        self.url = ""
        self._parts: tuple[Engine, BaseWSGIServer, Dispatcher, list[Link]]

    def start(self) -> str:
        """
        Start and say the url: on `port`, or on the next one that is free.

        Raises `ConfigError` when the journal is another process's or cannot be used, or no port is free.
        """
        journal = Journal(self.journal, self._on_write)
        try:
            engine = Engine(journal, self.apps, **self._engine_settings)
            with _listen(self.host, self.port) as listening:
                self.port = listening.getsockname()[1]
                api = create_api(engine, History(self.journal), self._keys)
                server = make_server(
                    self.host, self.port, api, threaded=True, request_handler=_Quiet, fd=listening.fileno()
                )
        except BaseException:
            journal.close()
            raise
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.url = f"http://{host}:{self.port}"
        journal.listens_at(self.url)
        dispatcher = Dispatcher(engine, self._keys, **self._dispatch_settings)
        links = [Link(engine, self._keys, url, self._poll_s) for url in self.apps]
        threading.Thread(target=server.serve_forever, args=(0.05,), name="executor-http", daemon=True).start()
        threading.Thread(target=engine.keep_time, name="executor-clock", daemon=True).start()
        dispatcher.start()
        for link in links:
            link.start()
        self._parts = (engine, server, dispatcher, links)
        log.info("executor listens", url=self.url, journal=str(self.journal))
        return self.url

    def stop(self) -> None:
        """End within two seconds; whatever is not finished goes on at the next start."""
        if not self.url:
            return
        self.url = ""
        engine, server, dispatcher, links = self._parts
        for link in links:
            link.stop()
        engine.schedule.stop()
        dispatcher.stop(STOP_S)
        server.shutdown()
        server.server_close()
        engine.close()

    def __enter__(self) -> Executor:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Quiet(WSGIRequestHandler):
    """Logs no requests."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket on `port`, or on the next free one, said aloud; 0 means any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for tried in range(port, port + PORTS_TRIED) if port else (0,):
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, tried))
            sock.listen(128)
        except OSError as error:
            sock.close()
            if error.errno != errno.EADDRINUSE:
                raise ConfigError(f"Cannot listen on {host}:{tried}: {error.strerror}.") from None
            continue
        if tried != port:
            log.warning("port taken, using the next free one", wanted=port, port=tried)
        return sock
    raise ConfigError(f"No free port from {port} to {port + PORTS_TRIED - 1}.")
