"""What a host's robots.txt lets us do. Reading it is somebody else's errand, given as an argument."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from protego import Protego

from briefworks.pages.fetch import AGENT, MOST_REDIRECTS, Answer
from briefworks.pages.guard import OutOfTime, Refused, Unreachable

KEPT_S, FAILURE_KEPT_S = 3600.0, 60.0
MOST_DELAY_S = 10.0


@dataclass(frozen=True)
class Rules:
    """The rules of one origin until `stale_at` (monotonic); with a `note` none of its pages is fetched."""

    stale_at: float
    note: str = ""
    parsed: Protego | None = None  # None: everything is allowed

    @property
    def delay_s(self) -> float:
        """Seconds between two requests, as asked for."""
        return float(self.parsed.crawl_delay(AGENT) or 0.0) if self.parsed else 0.0

    def note_for(self, url: httpx.URL) -> str:
        """Why this page may not be fetched, or ""."""
        if self.note or self.parsed is None:
            return self.note
        if not self.parsed.can_fetch(str(url), AGENT):
            return "robots.txt does not allow it"
        if self.delay_s > MOST_DELAY_S:
            return f"robots.txt asks for {self.delay_s:.0f} s between two requests"
        return ""


def read_rules(
    url: httpx.URL, request: Callable[[httpx.URL], Answer], check: Callable[[str], httpx.URL]
) -> Rules:
    """
    Read the robots.txt of the origin of `url`, following redirects that `check` lets through.

    No such file means that all is allowed; a server that fails or keeps silent means that nothing is.
    Raises `OutOfTime` only.
    """
    at = url.copy_with(raw_path=b"/robots.txt", fragment=None)
    try:
        for _ in range(MOST_REDIRECTS + 1):
            answer = request(at)
            if not answer.location:
                return _rules(answer)
            at = check(str(at.join(answer.location)))
    except OutOfTime:
        raise
    except Unreachable as error:
        return _closed(str(error))
    except Refused as error:
        return _closed(f"robots.txt cannot be read: {error}")
    except (httpx.InvalidURL, ValueError):
        return _closed("robots.txt cannot be read: it redirects to nowhere")
    return Rules(time.monotonic() + KEPT_S)  # as if there were none, like every redirect too many (RFC 9309)


def _rules(answer: Answer) -> Rules:
    if answer.status == 200:
        parsed = Protego.parse(answer.body.decode("utf-8", "replace"))
        return Rules(time.monotonic() + KEPT_S, parsed=parsed)
    if 400 <= answer.status < 500:
        return Rules(time.monotonic() + KEPT_S)
    return _closed(f"robots.txt cannot be read: {answer.status}")


def _closed(note: str) -> Rules:
    return Rules(time.monotonic() + FAILURE_KEPT_S, note)
