"""The app with nothing behind its engine: in this process, or behind a real server of one's choice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from flask import Flask

from briefworks.settings import Settings
from briefworks.stores.sqlite import SqliteStore
from briefworks.stream import Store
from briefworks.web import create_app
from briefworks.web.parts import build_parts
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


def app_and_store(folder: Path, **more: Any) -> tuple[Flask, Store]:
    """The app in this process and its store; upstreams and engine are nowhere, unless `more` says where."""
    chosen = dict.fromkeys(("inngest_dev", "anthropic_base_url", "searxng_url"), NOWHERE) | more
    settings = Settings.load(_env_file=None, data_dir=folder, **chosen)
    parts = build_parts(settings)
    return create_app(settings, parts), parts.store


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
        wait_for(lambda: process.poll() is not None or answers(url), what=f"{server} at {url}")
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
