"""The environment of the processes that tests start: nothing of the one who runs the tests."""

from __future__ import annotations

import os

OURS = ("BRIEFWORKS_", "ANTHROPIC_", "INNGEST", "SERPER_", "SEARXNG_", "BRAVE_", "TAVILY_", "SUPABASE_")
SCREEN = ("COLUMNS", "LINES", "NO_COLOR")  # test runners set them; they outrank a real terminal's size


def environment(**settings: str) -> dict[str, str]:
    """This process's, without any setting of ours but these."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(OURS) and name not in SCREEN
    } | settings
