"""What the executor has acknowledged survives kill -9 at any moment, and nothing journalled runs twice."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from briefworks.errors import ConfigError
from briefworks.executor import Executor
from briefworks.executor.owner import owner_of
from executor.support import Rest, free_port, wait_for

RUNS = 3
RESULT = 0 + 1 + 2 + (0 + 1 + 2 + 3) + 100


class Pair:
    """An executor and an app as processes; the executor can be killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.journal, self.log = folder / "journal.db", folder / "marks.txt"
        self.port, app_port = free_port(), free_port()
        self.app_url = f"http://127.0.0.1:{app_port}/api/inngest"
        self.start()
        app = Path(__file__).parent / "executor/killed.py"
        self.app = subprocess.Popen(
            [sys.executable, app, self.url, str(app_port), self.log], stderr=subprocess.DEVNULL
        )

    def start(self):
        args = [
            "--journal",
            self.journal,
            "--port",
            str(self.port),
            "--app",
            self.app_url,
            "--retry-scale",
            "0.1",
        ]
        with (self.folder / "executor.log").open("ab") as log:
            self.executor = subprocess.Popen(
                [sys.executable, "-m", "briefworks.executor", *args], stdout=subprocess.PIPE, stderr=log
            )
        self.url = json.loads(self.executor.stdout.readline())["url"]

    def kill(self):
        self.executor.send_signal(signal.SIGKILL)
        self.executor.wait()
        self.executor.stdout.close()

    def close(self):
        self.kill()
        self.app.kill()
        self.app.wait()

    def marks(self):
        return self.log.read_text().splitlines() if self.log.exists() else []

    def journalled(self):
        """The run's name and the step's for each step that has its result."""
        with closing(sqlite3.connect(self.journal)) as db:
            rows = db.execute(
                "SELECT event.body, step.name FROM step JOIN run USING (run_id)"
                " JOIN event ON event.internal_id = run.event_id WHERE memo IS NOT NULL"
            )
            return {f"{json.loads(body)['data']['run']} {name}" for body, name in rows}

    def ended(self):
        with closing(sqlite3.connect(self.journal)) as db:
            return db.execute("SELECT count(*) FROM run WHERE ended_at IS NOT NULL").fetchone()[0]


@pytest.fixture
def pair(tmp_path):
    pair = Pair(tmp_path)
    yield pair
    pair.close()


def bodies(marks):
    """How often each step body ran, by run and step."""
    return Counter(" ".join(mark.split()[:2]) for mark in marks)


@pytest.mark.slow
def test_runs_go_on_after_kill_9_of_the_executor_and_no_finished_step_runs_again(pair):
    rest = Rest(pair.url)
    ids = [rest.send("k/long", {"run": f"r{n}"}) for n in range(RUNS)]
    rest.close()
    # Three sequential steps, four parallel ones, a sleep, one that fails once: marks tell the moments apart.
    for count in (4, 13, 20, 24):
        wait_for(lambda count=count: len(pair.marks()) >= count, what=f"{count} step bodies")
        pair.kill()
        before, finished = bodies(pair.marks()), pair.journalled()
        pair.start()
        wait_for(lambda before=before: bodies(pair.marks()) != before or pair.ended() == RUNS)
        after = bodies(pair.marks())
        assert {step for step in finished if after[step] > before[step]} == set()
    rest = Rest(pair.url)
    ended = [rest.ended(each) for each in ids]
    rest.close()
    assert [(run["status"], run["output"]) for run in ended] == [("Completed", RESULT)] * RUNS
    assert set(bodies(pair.marks())) == {f"r{n} {s}" for n in range(RUNS) for s in STEPS}


STEPS = ("s0", "s1", "s2", "p0", "p1", "p2", "p3", "flaky")


@pytest.mark.slow
def test_sigterm_ends_the_executor_quickly_and_loses_nothing(pair):
    rest = Rest(pair.url)
    event_id = rest.send("k/long", {"run": "r"})
    rest.close()
    wait_for(lambda: len(pair.marks()) >= 2)
    pair.executor.terminate()
    assert pair.executor.wait(10) == 0
    pair.executor.stdout.close()
    pair.start()
    rest = Rest(pair.url)
    assert rest.ended(event_id)["output"] == RESULT
    rest.close()
    assert {step: count for step, count in bodies(pair.marks()).items() if count > 1} == {"r flaky": 2}


def test_a_second_executor_on_the_same_journal_is_refused_with_the_owner(tmp_path):
    journal = tmp_path / "journal.db"
    with Executor(journal, 0) as owner:
        assert owner_of(journal) == {"pid": os.getpid(), "url": owner.url}
        with pytest.raises(ConfigError, match=f"process {os.getpid()}"):
            Executor(journal, 0).start()
    with Executor(tmp_path / "journal.db", 0) as again:
        assert again.url


def test_a_journal_of_a_newer_version_is_refused(tmp_path):
    with Executor(tmp_path / "journal.db", 0):
        pass
    with closing(sqlite3.connect(tmp_path / "journal.db")) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigError, match="newer"):
        Executor(tmp_path / "journal.db", 0).start()


def test_a_file_that_is_no_journal_is_refused(tmp_path):
    (tmp_path / "journal.db").write_text("a shopping list " * 100)
    with pytest.raises(ConfigError, match="cannot be used") as told:
        Executor(tmp_path / "journal.db", 0).start()
    assert "aside" in told.value.hint


def test_a_taken_port_means_the_next_free_one(tmp_path):
    with Executor(tmp_path / "one.db", 0) as one, Executor(tmp_path / "two.db", one.port) as two:
        assert two.port > one.port
        for executor in (one, two):
            answer = httpx.get(f"{executor.url}/health", trust_env=False).json()
            assert (answer["status"], answer["server"]) == (200, "briefworks")
