"""Everything that runs on this machine for `demo` and `dev`: upstream, executor, app."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import httpx

from briefworks.cli.processes import Supervised, free_port, wait_until
from briefworks.errors import ConfigError
from briefworks.settings import Settings, child_environment

EXECUTOR_PORT, UPSTREAM_PORT = 8288, 8290


@dataclass
class Stack:
    """
    The local processes, each restarted when it dies; a context manager that ends them.

    `own_app` is served in the place of ours. `demo_upstream` puts the demo's model, search and pages in the
    place of real ones; with an `engine_url` an Inngest dev server answers there.
    """

    settings: Settings
    app_port: int
    demo_upstream: bool
    own_app: str = ""
    tokens_per_s: float = 400.0
    seed: int = 1
    engine_url: str = ""
    say: Callable[[str], None] = lambda _line: None
    processes: dict[str, Supervised] = field(default_factory=dict)

    @property
    def data_dir(self) -> Path:
        return self.settings.data_dir.absolute()

    @property
    def app_url(self) -> str:
        return self.processes["app"].url

    def __enter__(self) -> Stack:
        prepare_data_dir(self.data_dir)
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in reversed(self.processes.values()):
            process.stop()

    def _start(self) -> None:
        environment = child_environment(
            BRIEFWORKS_DATA_DIR=str(self.data_dir),
            BRIEFWORKS_STORE=self._store(),
            BRIEFWORKS_CONCURRENCY=str(self.settings.concurrency),
            PYTHONUNBUFFERED="1",
        )
        if self.settings.api_keys is None:  # the demo needs none, whatever the app of this folder needs
            environment["BRIEFWORKS_API_KEYS"] = ""
        if self.demo_upstream:
            environment |= self._upstream()
        port = free_port(self.app_port)
        if not self.engine_url:
            self.engine_url = self._executor(port)
        environment |= {"INNGEST_DEV": self.engine_url, "INNGEST_BASE_URL": "", "INNGEST_SIGNING_KEY": ""}
        app = ["briefworks", "serve", "--json", "--port", str(port)]
        app += ["--app", self.own_app] if self.own_app else []
        self._run("app", lambda: app, environment)
        health = f"{self.app_url}/healthz"
        wait_until(lambda: _answers(health), 20, "The app and its engine did not answer")
        with suppress(httpx.HTTPError):  # our executor polls; a dev server is told at once
            httpx.put(f"{self.app_url}/api/inngest", timeout=10, trust_env=False)

    def _store(self) -> str:
        """BRIEFWORKS_STORE, fit for a process in any folder."""
        if self.settings.store_kind == "sqlite":
            return f"sqlite:///{self.settings.sqlite_path.absolute()}"
        return self.settings.store

    def _upstream(self) -> dict[str, str]:
        log = self.data_dir / "upstream.jsonl"
        port = free_port(UPSTREAM_PORT)
        url = self._run(
            "upstream",
            lambda: [
                "briefworks.demo", "--port", str(port), "--seed", str(self.seed),
                "--tokens-per-s", str(self.tokens_per_s), "--log", str(log),
            ],
            child_environment(),
        )  # fmt: skip
        return {
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "demo",
            "BRIEFWORKS_MODEL": "synthetic",
            "SEARXNG_URL": url,
            **dict.fromkeys(("SERPER_API_KEY", "BRAVE_API_KEY", "TAVILY_API_KEY"), ""),
            "BRIEFWORKS_ALLOW_HOSTS": url.partition("://")[2],
        }

    def _executor(self, app_port: int) -> str:
        journal = self.data_dir / "executor.db"
        port = free_port(EXECUTOR_PORT)
        if port != EXECUTOR_PORT:
            self.say(f"Port {EXECUTOR_PORT} is taken; this project's executor listens on {port}.")
        return self._run(
            "executor",
            lambda: [
                "briefworks.executor", "--journal", str(journal), "--port", str(port),
                "--app", f"http://127.0.0.1:{app_port}/api/inngest",
            ],
            child_environment(),
        )  # fmt: skip

    def _run(self, name: str, args: Callable[[], list[str]], environment: dict[str, str]) -> str:
        process = Supervised(name, args, environment, self.data_dir / f"{name}.log")
        self.processes[name] = process
        return process.start()


def prepare_data_dir(folder: Path) -> None:
    """Make the data folder, closed to others and ignored by git."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError as error:
        raise ConfigError(
            f"The data folder {folder} cannot be used: {error.strerror}.",
            hint="Set BRIEFWORKS_DATA_DIR to a folder that can be written.",
        ) from None


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
