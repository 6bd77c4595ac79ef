"""How long an article takes with its sections in parallel, beside one step after the other, in one run."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import httpx

from briefworks.cli.stack import Stack
from briefworks.cli.watch import follow
from briefworks.settings import Settings
from briefworks.stores.sqlite import SqliteStore


def article_s(concurrency: int, tokens_per_s: float) -> float:
    """Seconds from the request to `polish-done`, with that many steps at once."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.load(_env_file=None, data_dir=Path(folder), concurrency=concurrency)
        with Stack(settings, 8000, demo_upstream=True, tokens_per_s=tokens_per_s) as stack:
            asked = {"projectId": "p", "articleId": "a", "keyword": "standing desks"}
            begun = time.monotonic()
            httpx.post(f"{stack.app_url}/api/articles", json=asked, trust_env=False).raise_for_status()
            store = SqliteStore(settings.sqlite_path)
            *_, last = follow(store, "p", "a")
            store.close()
            if last["event"] != "polish-done":
                raise SystemExit(f"The article ended with {last['event']}: {last['data']}")
            return time.monotonic() - begun


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens-per-s", type=float, default=100.0, help="of each model stream")
    parser.add_argument("--json", action="store_true", help="the figures alone")
    options = parser.parse_args()
    sequential, ours = (article_s(n, options.tokens_per_s) for n in (1, 5))
    figures = {
        "tokens_per_s": options.tokens_per_s,
        "sequential_s": round(sequential, 1),
        "ours_s": round(ours, 1),
        "ratio": round(sequential / ours, 2),
    }
    print(json.dumps(figures) if options.json else "\n".join(f"{k:>13}  {v}" for k, v in figures.items()))
