"""How long an article takes with a hundred watchers on its one process, beside none, in one run."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from briefworks.cli.stack import Stack
from briefworks.settings import Settings
from briefworks.shapes import TERMINAL

POLL_S, SSE_AGAIN_S = 2.0, 5.0


class Crowd:
    """Readers that do as the protocol says: events, and pages every two seconds where there is no place."""

    def __init__(self, url: str, article: str, size: int) -> None:
        self.url = f"{url}/api/projects/p/stream?article={article}"
        self.live, self.polls, self.finished = 0, 0, 0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._watch, daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def wait(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _watch(self) -> None:
        seen = 0
        with httpx.Client(trust_env=False, timeout=60) as http:
            while True:
                with http.stream(
                    "GET", f"{self.url}&after={seen}", headers={"Accept": "text/event-stream"}
                ) as events:
                    if events.status_code == 200:
                        with self._lock:
                            self.live += 1
                        for line in events.iter_lines():
                            if line == "event: end":
                                self._done()
                                return
                        continue
                again_at = time.monotonic() + SSE_AGAIN_S
                while time.monotonic() < again_at:
                    page = http.get(f"{self.url}&after={seen}", headers={"Accept": "application/json"}).json()
                    seen = page["upto"]
                    with self._lock:
                        self.polls += 1
                    if any(row["event"] in TERMINAL for row in page["rows"]):
                        self._done()
                        return
                    time.sleep(POLL_S)

    def _done(self) -> None:
        with self._lock:
            self.finished += 1


def crowd_of(url: str, article: str, size: int) -> subprocess.Popen[str]:
    """The readers in a process of their own: what they cost is not the app's."""
    args = [sys.executable, __file__, "--crowd", url, article, str(size)]
    return subprocess.Popen(args, stdout=subprocess.PIPE, text=True)


def article_s(stack: Stack, article: str, watchers: int) -> tuple[float, dict[str, int]]:
    """Seconds from the request to the article's last row, and what the readers had."""
    crowd = crowd_of(stack.app_url, article, watchers) if watchers else None
    if crowd:
        assert crowd.stdout is not None
        crowd.stdout.readline()  # all of them have asked once
    asked = {"projectId": "p", "articleId": article, "keyword": "standing desks", "targetWords": 1800}
    begun = time.monotonic()
    httpx.post(f"{stack.app_url}/api/articles", json=asked, trust_env=False).raise_for_status()
    url = f"{stack.app_url}/api/projects/p/articles/{article}"
    while httpx.get(url, trust_env=False).json().get("status") != "done":
        time.sleep(0.1)
    took = time.monotonic() - begun
    return took, json.loads(crowd.communicate(timeout=60)[0]) if crowd else {}


def measure(size: int, rounds: int, tokens_per_s: float) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(_env_file=None, data_dir=Path(folder))
        with Stack(settings, 8700, demo_upstream=True, tokens_per_s=tokens_per_s) as stack:
            article_s(stack, "warm-up", 0)
            alone, watched, had = [], [], {}
            for n in range(rounds):  # by turns: what else this machine does meets both
                alone.append(article_s(stack, f"alone-{n}", 0)[0])
                took, had = article_s(stack, f"watched-{n}", size)
                watched.append(took)
    without, within = statistics.median(alone), statistics.median(watched)
    return {
        "watchers": size, **had, "without_s": round(without, 2), "with_s": round(within, 2),
        "change_percent": round(100 * (within / without - 1), 1),
    }  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["--crowd"]:
        crowd = Crowd(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        time.sleep(2)
        print("asked", flush=True)
        crowd.wait(300)
        print(json.dumps({"live": crowd.live, "polls": crowd.polls, "finished": crowd.finished}))
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--watchers", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3, help="of each, by turns; their medians are compared")
    parser.add_argument("--tokens-per-s", type=float, default=60.0, help="of each model stream")
    parser.add_argument("--json", action="store_true", help="the figures alone")
    options = parser.parse_args()
    figures = measure(options.watchers, options.rounds, options.tokens_per_s)
    print(json.dumps(figures) if options.json else "\n".join(f"{k:>15}  {v}" for k, v in figures.items()))
