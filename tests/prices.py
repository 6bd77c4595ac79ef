"""Prices for the demo's model in tests: it has none, and its text is worth none."""

from __future__ import annotations

import json
from pathlib import Path

PRICES = {
    "version": "of the tests",
    "sources": {"tests": {"url": "https://example.org/no-real-price", "as_of": "2026-11-25"}},
    "models": {
        "synthetic": {"input": 2, "output": 10, "cache_read": 0.1, "cache_write": 2.5, "source": "tests"},
    },
}


def prices_of_tests(folder: Path) -> Path:
    """A file for BRIEFWORKS_PRICES."""
    path = folder / "prices.json"
    path.write_text(json.dumps(PRICES))
    return path
