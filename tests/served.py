"""The app behind a real server of one's choice, as a process, with nothing behind its engine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from briefworks.stores.sqlite import SqliteStore
from environment import environment
from waiting import free_port, wait_for

NOWHERE = "http://127.0.0.1:9"  # nothing listens there
SERVERS = {
    "waitress": ["-m", "briefworks", "serve", "--port", "{port}"],
    "gunicorn": [
        "-m", "gunicorn", "briefworks.web:create_app()", "--bind", "127.0.0.1:{port}",
        "--threads", "24", "--graceful-timeout", "1", "--log-level", "warning",
    ],
    "werkzeug": ["-m", "flask", "--app", "briefworks.web:create_app()", "run", "--port", "{port}"],
}  # fmt: skip


@dataclass
class Served:
    """Where it answers; `store` is another handle on its file."""

    url: str
    store: SqliteStore
    process: subprocess.Popen[bytes]
    log: Path


def reaching_nothing(folder: Path, **settings: str) -> dict[str, str]:
    """The environment of an app whose upstreams and engine are nowhere."""
    nowhere = dict.fromkeys(("ANTHROPIC_BASE_URL", "SEARXNG_URL", "INNGEST_DEV"), NOWHERE)
    return environment(**nowhere | {"BRIEFWORKS_DATA_DIR": str(folder)} | settings)


@contextmanager
def serve_app(server: str, folder: Path, **settings: str) -> Iterator[Served]:
    """It, until the end; asked to stop, and killed if it does not."""
    port, log = free_port(), folder / "server.log"
    command = [sys.executable, *(part.format(port=port) for part in SERVERS[server])]
    with log.open("wb") as told:
        process = subprocess.Popen(
            command, cwd=folder, env=reaching_nothing(folder, **settings), stdout=told, stderr=told
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: process.poll() is not None or answers(url), 30, f"{server} at {url}")
        assert process.poll() is None, log.read_text()
        store = SqliteStore(folder / "stream.db")
        yield Served(url, store, process, log)
        store.close()
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/session", trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False
