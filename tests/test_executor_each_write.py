"""kill -9 of the executor at each write of its journal in turn: no run ends otherwise, none pays twice."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from executor.support import free_port, wait_for

HERE = Path(__file__).parent / "executor"
OUTPUT = ["first", "one", "two", "yes", "mended"]
STEPS = {"first", "one", "two", "flaky"}
MOST_MOMENTS = 80  # of one run; there are about thirty


class Trial:
    """One run on a journal of its own, asked for and answered by somebody who repeats what was not heard."""

    def __init__(self, folder, port, app_url, log, name):
        self.journal, self.port, self.app_url, self.log, self.name = (
            folder / f"{name}.db",
            port,
            app_url,
            log,
            name,
        )
        self.executor = None

    def start(self, moment=0):
        self.executor = subprocess.Popen(
            [sys.executable, HERE / "dying.py", self.journal, str(self.port), self.app_url, str(moment)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.executor.stdout.readline() or self.died()

    def died(self):
        return self.executor.wait(10) == -9

    def end(self):
        self.executor.kill()
        self.executor.wait()
        self.executor.stdout.close()

    def say(self, name):
        """Send an event under an id of its own, as often as it takes; whether it was heard this time."""
        event = {"name": name, "id": f"{name} {self.name}", "data": {"run": self.name, "said": "yes"}}
        with contextlib.suppress(httpx.TransportError):
            url = f"http://127.0.0.1:{self.port}/e/test"
            return httpx.post(url, json=event, timeout=5, trust_env=False).status_code == 200
        return False

    def asked(self, query):
        if not self.journal.exists():
            return []
        with closing(sqlite3.connect(self.journal)) as db, contextlib.suppress(sqlite3.OperationalError):
            return db.execute(query).fetchall()
        return []

    def ended(self):
        return self.asked("SELECT status, output FROM run WHERE ended_at IS NOT NULL")

    def go(self):
        """Ask and answer until the run has ended or the executor is gone; whether it is."""
        heard = {}

        def over():
            heard["k/each"] = heard.get("k/each") or self.say("k/each")
            if self.asked("SELECT 1 FROM step WHERE waits_for <> '' AND memo IS NULL"):
                self.say("k/answer")
            return self.executor.poll() is not None or self.ended()

        wait_for(over, what="the end of the run or of the executor")
        return self.executor.poll() is not None

    def marks(self):
        """How often each step body ran, by step."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(line.split()[1] for line in lines if line.split()[0] == self.name)


@pytest.fixture
def app(tmp_path):
    """The app as a process, for the executors that follow each other on one port."""
    port, app_port, log = free_port(), free_port(), tmp_path / "marks.txt"
    process = subprocess.Popen(
        [sys.executable, HERE / "killed.py", f"http://127.0.0.1:{port}", str(app_port), log],
        stderr=subprocess.DEVNULL,
    )
    yield port, f"http://127.0.0.1:{app_port}/api/inngest", log
    process.kill()
    process.wait()


def undisturbed(trial):
    return trial.ended() == [("Completed", json.dumps(OUTPUT, separators=(",", ":")))]


def killed_at(trial, moment):
    """A run whose executor dies at this moment and is started again; whether there was such a moment."""
    trial.start(moment)
    try:
        if not trial.go():
            return False
        trial.end()
        kept = {name for (name,) in trial.asked("SELECT name FROM step WHERE memo IS NOT NULL")}
        before = trial.marks()
        trial.start()
        assert not trial.go()
        after = trial.marks()
    finally:
        trial.end()
    assert undisturbed(trial), (moment, trial.ended())
    assert [name for name in kept & STEPS if after[name] != before[name]] == [], moment
    assert set(after) == STEPS and sum(after.values()) <= len(STEPS) + 1 + 3, (moment, after)
    return True


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_each_write_in_turn_a_run_ends_as_undisturbed(tmp_path, app):
    calm = Trial(tmp_path, *app, "calm")
    calm.start()
    assert not calm.go()
    calm.end()
    assert undisturbed(calm) and calm.marks() == {"first": 1, "one": 1, "two": 1, "flaky": 2}
    moments = 1
    while killed_at(Trial(tmp_path, *app, f"r{moments}"), moments):
        moments += 1
        assert moments < MOST_MOMENTS
    assert moments > 24  # twelve writes at least: the journal, the app, the event, and nine of the run
