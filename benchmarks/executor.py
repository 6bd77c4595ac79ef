"""What the embedded executor costs: time a step, steps a second, memory; the app's own share beside it."""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import flask
import httpx
import inngest
import inngest.flask
import waitress

from briefworks.executor.owner import owner_of

WAVE = 500
BARS = {"ms_per_step_over_app": 6.0, "steps_per_s": 150.0, "memory_mb": 100.0, "slower_after": 1.5}


# The app, a process of its own


def serve(engine_url: str, port: int) -> None:
    """Functions of trivial steps on the real SDK; `GET /cost` tells how long their requests took inside."""
    client = inngest.Inngest(
        app_id="bench", is_production=False, api_base_url=engine_url, event_api_base_url=engine_url
    )

    def steps(count: int) -> Callable[[inngest.ContextSync], int]:
        def body(ctx: inngest.ContextSync) -> int:
            return sum(ctx.step.run(f"s{n}", lambda n=n: n) for n in range(count))

        return body

    def parallel(ctx: inngest.ContextSync) -> int:
        return sum(ctx.group.parallel(tuple(lambda n=n: ctx.step.run(f"p{n}", lambda: n) for n in range(10))))

    bodies = {"one": steps(1), "four": steps(4), "twenty": steps(20), "parallel": parallel}
    functions = [
        client.create_function(fn_id=name, trigger=inngest.TriggerEvent(event=f"bench/{name}"))(body)
        for name, body in bodies.items()
    ]
    app = flask.Flask("bench")
    inngest.flask.serve(app, client, functions)
    inner, cost, lock = app.wsgi_app, {"requests": 0, "ms": 0.0}, threading.Lock()

    def timed(environ: Any, start_response: Any) -> Any:
        begun = time.perf_counter()
        try:
            return inner(environ, start_response)
        finally:
            with lock:
                cost["requests"] += environ["REQUEST_METHOD"] == "POST"
                cost["ms"] += (environ["REQUEST_METHOD"] == "POST") * (time.perf_counter() - begun) * 1000

    @app.get("/cost")
    def told() -> dict[str, float]:
        return cost

    app.wsgi_app = timed  # type: ignore[method-assign]
    waitress.serve(app, host="127.0.0.1", port=port, threads=64)


# The measuring side


class Pair:
    """An executor and the app as processes, and the journal between them."""

    def __init__(self, folder: Path) -> None:
        self.journal = folder / "journal.db"
        app_port = _free_port()
        args = ["--journal", str(self.journal), "--port", "0", "--poll-s", "3600"]
        args += ["--app", f"http://127.0.0.1:{app_port}/api/inngest"]
        begun = time.perf_counter()
        self.executor = subprocess.Popen(
            [sys.executable, "-m", "briefworks.executor", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.executor.stdout is not None
        url = json.loads(self.executor.stdout.readline())["url"]
        self.start_s = time.perf_counter() - begun
        self.app = subprocess.Popen([sys.executable, __file__, "--serve", url, str(app_port)])
        self.http = httpx.Client(base_url=url, timeout=60.0, trust_env=False)
        self.app_url = f"http://127.0.0.1:{app_port}"
        until(lambda: self.http.get("/dev").json()["functions"], 60)
        self.db = sqlite3.connect(f"file:{self.journal}?mode=ro", uri=True)
        self.sent = 0
        assert owner_of(self.journal)["pid"] == self.executor.pid

    def run(self, name: str, count: int) -> dict[str, float]:
        """Send `count` events at once, wait for the end of their runs: how long, and the app's share."""
        before = self._cost()
        events = [{"name": f"bench/{name}", "data": {}} for _ in range(count)]
        self.sent += count
        begun = time.perf_counter()
        self.http.post("/e/bench", json=events).raise_for_status()
        until(lambda: self._ended() >= self.sent, 600)
        taken_s = time.perf_counter() - begun
        after = self._cost()
        app_ms = (after["ms"] - before["ms"]) / (after["requests"] - before["requests"])
        return {"s": taken_s, "app_ms": app_ms}

    def memory_mb(self) -> float:
        said = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.executor.pid)], capture_output=True, check=True
        )
        return int(said.stdout) / 1024

    def close(self) -> None:
        self.db.close()
        self.http.close()
        for process in (self.executor, self.app):
            process.terminate()
            process.wait(10)
        assert self.executor.stdout is not None
        self.executor.stdout.close()

    def _ended(self) -> int:
        found: tuple[int] = self.db.execute(
            "SELECT (SELECT max(rowid) FROM run) - (SELECT count(*) FROM run WHERE ended_at IS NULL)"
        ).fetchone()
        return found[0] or 0

    def _cost(self) -> dict[str, float]:
        answer: dict[str, float] = httpx.get(f"{self.app_url}/cost", trust_env=False).json()
        return answer


@contextlib.contextmanager
def pair() -> Iterator[Pair]:
    with tempfile.TemporaryDirectory() as folder:
        made = Pair(Path(folder))
        try:
            yield made
        finally:
            made.close()


def until(condition: Callable[[], Any], timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("the executor did not finish in time")
        time.sleep(0.003)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(finished: int) -> dict[str, Any]:
    """All the figures, out of one executor that runs from its first run to the `finished`-th."""
    with pair() as both:
        both.run("four", 4)  # connections, imports, pages of the file
        first = _in_one_run(both)
        figures: dict[str, Any] = {
            "start_s": round(both.start_s, 2),
            "one_run_of_20_steps": first,
            "ten_parallel_steps_s": round(min(both.run("parallel", 1)["s"] for _ in range(3)), 3),
            "runs_of_4_steps": {
                str(count): {"steps_per_s": round(4 * count / both.run("four", count)["s"], 1)}
                for count in (50, 200)
            },
            "memory_mb_at_start": round(both.memory_mb(), 1),
        }
        rates = []
        while both.sent < finished:
            rates.append(WAVE / both.run("one", WAVE)["s"])
        last = _in_one_run(both)
        figures["after"] = {
            "runs": both.sent,
            "one_run_of_20_steps": last,
            "memory_mb": round(both.memory_mb(), 1),
            "runs_per_s": [round(rate, 1) for rate in rates],
        }
        figures["bars_met"] = {
            "ms_per_step_over_app": first["ms_per_step_over_app"] <= BARS["ms_per_step_over_app"],
            "steps_per_s": figures["runs_of_4_steps"]["200"]["steps_per_s"] >= BARS["steps_per_s"],
            "memory_mb": figures["after"]["memory_mb"] <= BARS["memory_mb"],
            "flat": last["ms_per_step"] <= BARS["slower_after"] * first["ms_per_step"]
            and (not rates or median(rates[:5]) <= BARS["slower_after"] * median(rates[-5:])),
        }
        return figures


def _in_one_run(both: Pair) -> dict[str, float]:
    """The best of three runs of 20 steps: 21 requests, one after another."""
    runs = sorted((both.run("twenty", 1) for _ in range(3)), key=lambda each: each["s"])
    per_step, app_ms = runs[0]["s"] * 1000 / 20, runs[0]["app_ms"]
    return {
        "ms_per_step": round(per_step, 2),
        "app_ms": round(app_ms, 2),
        "ms_per_step_over_app": round(per_step - app_ms, 2),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--finished", type=int, default=10_000, help="runs until memory is measured")
    parser.add_argument("--json", action="store_true", help="the figures alone")
    parser.add_argument("--serve", nargs=2, metavar=("ENGINE", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], int(options.serve[1]))
    else:
        figures = measure(options.finished)
        print(json.dumps(figures, indent=None if options.json else 2))
        sys.exit(0 if all(figures["bars_met"].values()) else 1)
