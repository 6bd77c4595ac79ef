"""What streaming costs the model's stream: our writer beside one write for each token, in one run."""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from briefworks.shapes import RunStarted
from briefworks.stores.sqlite import SqliteStore
from briefworks.stream import StepWriter

STARTED: RunStarted = {
    "v": 1,
    "keyword": "benchmark",
    "persona": "none",
    "language": "en",
    "market": "us",
    "target_words": 600,
    "parent_run_id": None,
}


def measure(tokens: int, hear: Callable[[str], None]) -> dict[str, float]:
    """How long the model's stream waits at each token: median and 99th percentile in µs, and in all in s."""
    waits = []
    for n in range(tokens):
        begun = time.perf_counter()
        hear(f"word{n} ")
        waits.append(time.perf_counter() - begun)
        time.sleep(0.0005)  # the model's own pace, the same for both
    waits.sort()
    return {
        "p50_us": round(statistics.median(waits) * 1e6, 1),
        "p99_us": round(waits[int(0.99 * len(waits))] * 1e6, 1),
        "waited_s": round(sum(waits), 3),
    }


def run(tokens: int, folder: Path) -> dict[str, object]:
    store = SqliteStore(folder / "stream.db")
    store.start_run("p", "a", "r", STARTED)

    take = store.open_take("p", "a", "r", "draft-section-1", "c1")["take"]
    writer = StepWriter(store, "p", "a", "draft-section-1", take, "draft")
    ours = measure(tokens, writer.token)
    writer.abandon()
    rows = store.read("p")["head"] - 1

    take = store.open_take("p", "a", "r", "draft-section-2", "c2")["take"]
    count = iter(range(tokens))
    each = measure(
        tokens,
        lambda text: (
            store.append("p", "a", "draft-section-2", take, next(count), [("draft-token", {"text": text})])
            and None
        ),
    )
    store.close()
    return {
        "tokens": tokens,
        "ours": {**ours, "rows": rows},
        "one_write_each": {**each, "rows": tokens},
        "ratio_waited": round(each["waited_s"] / max(ours["waited_s"], 1e-6), 1),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=2000)
    parser.add_argument("--json", action="store_true", help="the figures alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(options.tokens, Path(folder))
    if options.json:
        print(json.dumps(figures))
    else:
        for name in ("ours", "one_write_each"):
            print(f"{name:>15}  {figures[name]}")
        print(f"one write for each token makes the model wait {figures['ratio_waited']} times as long")
