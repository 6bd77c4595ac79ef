"""What the function works with: handed in by whoever builds the app, replaced in tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from briefworks.model import Model
from briefworks.pages import Pages
from briefworks.search import Search
from briefworks.stream import Store


@dataclass(frozen=True)
class Parts:
    """
    The outside things of a run and its limits.

    `step_limit_s` is how long the body of one step may run; every time-out of search, pages and model
    is derived from it.
    """

    model: Model
    search: Search
    pages: Pages
    store: Store
    personas_dir: Path | None = None
    flush_ms: int = 100
    step_limit_s: float = 240.0
    concurrency: int = 5
    retries: int = 2
    keep_days: int | None = None
    prices_version: str = ""
    disclosure: str = ""  # the line below an article's title that says that a machine wrote it
