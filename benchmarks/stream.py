"""What streaming costs the model's stream: nothing, our writer and one write for each token, in one run."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from briefworks.shapes import RunStarted
from briefworks.stores.sqlite import SqliteStore
from briefworks.stream import StepWriter, Store

STARTED: RunStarted = {
    "v": 1,
    "keyword": "benchmark",
    "persona": "none",
    "language": "en",
    "market": "us",
    "target_words": 600,
    "parent_run_id": None,
}
STEP = "draft-section-1"
FLUSH_MS = 250  # Supabase's default; a store 30 ms away is one like it


class Remote(SqliteStore):
    """A store that is `call_ms` away, and what was asked of it: calls, bytes, when each token was there."""

    call_ms = 0.0

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.calls, self.bytes, self.read_at = 0, 0, list[float]()

    def append(self, *place: Any) -> int:
        return self._called(super().append, *place)

    def finish(self, *place: Any) -> int:
        return self._called(super().finish, *place)

    def _called(self, call: Callable[..., int], *place: Any) -> int:
        time.sleep(self.call_ms / 2000)
        head = call(*place)
        now = time.perf_counter()
        time.sleep(self.call_ms / 2000)
        rows = place[5]
        self.calls += 1
        self.bytes += len(json.dumps(rows))
        self.read_at += [now] * sum(data.get("text", "").count(" ") for _, data in rows)
        return head


def tokens(count: int, per_s: float) -> Any:
    """Words at the model's pace, by absolute deadlines; and when each was said."""
    begun = time.perf_counter()
    for n in range(count):
        time.sleep(max(0.0, begun + n / per_s - time.perf_counter()))
        yield f"word{n} "


def section(way: str, count: int, per_s: float, call_ms: float) -> dict[str, float]:
    """One section from its first token to its stored result."""
    with tempfile.TemporaryDirectory() as folder, closing(Remote(Path(folder) / "stream.db")) as store:
        store.start_run("p", "a", "r", STARTED)
        take = store.open_take("p", "a", "r", STEP, "c")["take"]
        store.call_ms = call_ms
        said_at: list[float] = []
        begun = time.perf_counter()
        writer = StepWriter(store, "p", "a", STEP, take, "draft", flush_ms=FLUSH_MS)
        for n, text in enumerate(tokens(count, per_s)):
            said_at.append(time.perf_counter())
            if way == "ours":
                writer.token(text)
            elif way == "each":
                store.append("p", "a", STEP, take, n, [("draft-token", {"text": text})])
        result = {"n": 1, "section": {"markdown": "x" * 6 * count}}
        if way == "ours":
            writer.done("section-done", result)
        else:
            store.finish("p", "a", STEP, take, count if way == "each" else 0, [("section-done", result)])
        wall_s = time.perf_counter() - begun
        lags = [1000 * (read - said) for said, read in zip(said_at, store.read_at, strict=False)]
        return {
            "wall_s": round(wall_s, 3),
            "calls": store.calls,
            "kilobytes": round(store.bytes / 1000, 1),
            **({} if way == "none" else percentiles(lags, "lag", "ms")),
        }


def percentiles(values: list[float], name: str, unit: str) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {f"{name}_p{p}_{unit}": round(cuts[p - 1], 2) for p in (50, 95, 99)}


def overhead(store: Store, take: int, appends: int) -> dict[str, float]:
    """How long one append takes, the store's answer included."""
    times = []
    for n in range(appends):
        begun = time.perf_counter()
        store.append("p", "a", STEP, take, n, [("draft-token", {"text": "twenty words or so " * 5})])
        times.append(1000 * (time.perf_counter() - begun))
    return percentiles(times, "append", "ms")


class Nothing(BaseHTTPRequestHandler):
    """The Data API of a database that takes no time: what is left is our client's own."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"1")

    def log_message(self, *_: Any) -> None:
        pass


def supabase_overhead(appends: int) -> dict[str, float]:
    from briefworks.stores.supabase import SupabaseStore  # noqa: PLC0415

    server = ThreadingHTTPServer(("127.0.0.1", 0), Nothing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    with closing(SupabaseStore(url, "sb_secret_benchmark")) as store:
        overhead(store, 1, 20)
        return overhead(store, 1, appends)


def postgres(url: str, appends: int, writers: int = 8) -> dict[str, float]:
    """One writer, then several at once in one project, each with a step of its own."""
    from briefworks.stores.migrations import apply  # noqa: PLC0415
    from briefworks.stores.postgres import PostgresStore  # noqa: PLC0415

    apply(url)
    with closing(PostgresStore(url)) as store:
        for article in ("a", "b"):
            store.delete_article("p", article)
        run = f"r{time.time_ns()}"
        store.start_run("p", "a", run, STARTED)
        first = store.open_take("p", "a", run, STEP, run)["take"]
        one = overhead(store, first, appends)
        store.start_run("p", "b", f"{run}b", STARTED)
        takes = [store.open_take("p", "b", f"{run}b", f"step-{n}", run)["take"] for n in range(writers)]
        rows: list[Any] = [("draft-token", {"text": "twenty words or so " * 5})]

        def write(n: int) -> None:
            for i in range(appends // writers):
                store.append("p", "b", f"step-{n}", takes[n], i, rows)

        begun = time.perf_counter()
        with ThreadPoolExecutor(writers) as pool:
            list(pool.map(write, range(writers)))
        return {**one, "writers": writers, "appends_per_s": round(appends / (time.perf_counter() - begun))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=800)
    parser.add_argument("--tokens-per-s", type=float, default=80.0)
    parser.add_argument("--call-ms", type=float, default=30.0, help="how far the store is away")
    parser.add_argument("--appends", type=int, default=1000)
    parser.add_argument("--postgres", metavar="URL", help="a database to measure as well (migrated for it)")
    parser.add_argument("--json", action="store_true", help="the figures alone")
    options = parser.parse_args()
    figures: dict[str, Any] = {
        way: section(way, options.tokens, options.tokens_per_s, options.call_ms)
        for way in ("none", "ours", "each")
    }
    figures["ours_over_none_percent"] = round(
        100 * (figures["ours"]["wall_s"] / figures["none"]["wall_s"] - 1), 2
    )
    figures["supabase_client"] = supabase_overhead(options.appends)
    if options.postgres:
        figures["postgres"] = postgres(options.postgres, options.appends)
    if options.json:
        print(json.dumps(figures))
        return
    for name, found in figures.items():
        print(f"{name:>24}  {found}")


if __name__ == "__main__":
    main()
