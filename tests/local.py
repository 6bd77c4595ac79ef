"""A whole local installation for tests: executor and app as real processes that can be killed with -9."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from briefworks.fold import fold
from briefworks.shapes import TERMINAL, ArticleState, StreamRow
from briefworks.stores.sqlite import SqliteStore
from briefworks.stream import rows_of
from environment import environment
from waiting import free_port, wait_for


class Process:
    """One child that says its url in its first line of output."""

    def __init__(self, name: str, args: list[str], env: dict[str, str], log: Path) -> None:
        self.name, self.args, self.env, self.log = name, args, env, log
        self.url = ""
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", *self.args],
                env=self.env,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self.child.stdout.readline()
        assert line, f"{self.name} did not start: {self.log.read_text()}"
        self.url = json.loads(line)["url"]

    def kill(self) -> None:
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
        self.child.stdout.close()

    def stop(self) -> None:
        if self.child.poll() is None:
            self.kill()


class Local:
    """Executor and app in `folder`, against an upstream; the store is read directly."""

    def __init__(
        self,
        folder: Path,
        upstream_url: str,
        behind: Any = None,  # a proxy with a `port`, told its `target`, that the executor calls in our place
        executor_options: Sequence[str] = (),
        app_options: Sequence[str] = (),
        **settings: str,
    ) -> None:
        self.folder = folder
        host = upstream_url.partition("://")[2]
        clean = environment()
        self.env = {
            **clean,
            "ANTHROPIC_API_KEY": "test",
            "ANTHROPIC_BASE_URL": upstream_url,
            "SEARXNG_URL": upstream_url,
            "BRIEFWORKS_MODEL": "synthetic",
            "BRIEFWORKS_ALLOW_HOSTS": host,
            "BRIEFWORKS_DATA_DIR": str(folder),
            **settings,
        }
        app_port = free_port()
        called = f"http://127.0.0.1:{behind.port if behind else app_port}/api/inngest"
        args = ["briefworks.executor", "--journal", str(folder / "executor.db"), "--app", called]
        args += [*executor_options, "--port", str(free_port())]
        self.executor = Process("executor", args, clean, folder / "executor.log")
        self.executor.args[self.executor.args.index("--port") + 1] = self.executor.url.rpartition(":")[2]
        self.env["INNGEST_DEV"] = self.executor.url
        args = ["briefworks", "serve", "--json", "--port", str(app_port), *app_options]
        self.app = Process("app", args, self.env, folder / "app.log")
        if behind:
            behind.target = self.app.url
        self.http = httpx.Client(base_url=self.app.url, timeout=20, trust_env=False)
        self.store = SqliteStore(folder / "stream.db")

    def close(self) -> None:
        self.http.close()
        self.store.close()
        self.app.stop()
        self.executor.stop()

    def ask(
        self, project: str = "p", article: str = "a1", keyword: str = "standing desks", **more: Any
    ) -> Any:
        body = {"projectId": project, "articleId": article, "keyword": keyword, "targetWords": 900, **more}
        return self.http.post("/api/articles", json=body)

    def rows(self, project: str = "p", article: str = "a1") -> list[StreamRow]:
        return rows_of(self.store, project, article)

    def state(self, project: str = "p", article: str = "a1") -> ArticleState:
        return fold(project, article, self.rows(project, article))

    def wait_end(self, project: str = "p", article: str = "a1", timeout_s: float = 90) -> list[StreamRow]:
        """All rows once a terminal one is among them."""

        def ended() -> list[StreamRow] | None:
            rows = self.rows(project, article)
            return rows if any(row["event"] in TERMINAL for row in rows) else None

        try:
            return wait_for(ended, timeout_s, f"the end of {article}")
        except AssertionError as error:
            logs = "".join((self.folder / f"{name}.log").read_text()[-3000:] for name in ("app", "executor"))
            raise AssertionError(
                f"{error}\n{[(r['step'], r['event']) for r in self.rows(project, article)][-5:]}\n{logs}"
            ) from None
