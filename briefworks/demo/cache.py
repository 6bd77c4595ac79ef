"""The prompt cache: which prefix of a request is written, and which is read again for less."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from typing import TypedDict

from briefworks.demo.messages import Asked, tokens_in

FEWEST_TOKENS = 512
LOOK_BACK = 20  # blocks before a breakpoint in which an earlier prefix is found
TTL_S = {"5m": 300.0, "1h": 3600.0}
MOST_PREFIXES = 10_000


class InputUsage(TypedDict):
    input_tokens: int  # neither written nor read
    cache_creation_input_tokens: int
    cache_read_input_tokens: int


class PromptCache:
    """Prefixes by their hash, each until its time to live is over. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        self._clock = clock

    def use(self, asked: Asked) -> InputUsage:
        """Account for one request and keep its prefixes up to each breakpoint."""
        prefixes: list[tuple[str, int]] = []  # up to and with each block: hash, tokens
        sha, tokens = hashlib.sha256(asked.model.encode()), 0
        for block in asked.blocks:
            sha.update(f"\0{block.role}\0{len(block.text)}\0{block.text}".encode())
            tokens += tokens_in(block.text)
            prefixes.append((sha.hexdigest(), tokens))
        marks = [i for i, block in enumerate(asked.blocks) if block.cache_ttl]
        marks = [i for i in marks if prefixes[i][1] >= FEWEST_TOKENS]
        with self._lock:
            now = self._clock()
            read = max((self._found(prefixes, mark, now) for mark in marks), default=0)
            for mark in marks:
                self._keep(prefixes[mark][0], now + TTL_S[asked.blocks[mark].cache_ttl])
        written = max((prefixes[mark][1] for mark in marks), default=read) - read
        return {
            "input_tokens": tokens - read - written,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": read,
        }

    def clear(self) -> None:
        with self._lock:
            self._until.clear()

    def _found(self, prefixes: list[tuple[str, int]], mark: int, now: float) -> int:
        for sha, tokens in reversed(prefixes[max(0, mark - LOOK_BACK) : mark + 1]):
            if self._until.get(sha, 0.0) > now:
                return tokens
        return 0

    def _keep(self, sha: str, until: float) -> None:
        self._until[sha] = max(until, self._until.pop(sha, 0.0))
        if len(self._until) > MOST_PREFIXES:
            del self._until[next(iter(self._until))]
