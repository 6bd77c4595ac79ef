"""Which request may be sent now: first come, first served, within every concurrency limit that applies."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

from briefworks.executor.records import Job


@dataclass(frozen=True)
class Pool:
    """Requests that share a limit."""

    name: str
    limit: int


class Slots:
    """The requests that are ready, and the slots that those under way hold. Not thread-safe."""

    def __init__(self) -> None:
        # Jobs of the same pools wait in one line; only the heads of the lines have to be compared.
        self._lines: dict[tuple[Pool, ...], deque[tuple[int, Job]]] = {}
        self._busy: Counter[str] = Counter()
        self._held: dict[str, tuple[Pool, ...]] = {}
        self._added = 0

    def add(self, job: Job, pools: tuple[Pool, ...]) -> None:
        """Put a job at the end of its line."""
        self._added += 1
        self._lines.setdefault(pools, deque()).append((self._added, job))

    def take(self) -> Job | None:
        """The oldest job that all its limits allow; it holds its slots until `release`."""
        free = [pools for pools in self._lines if self._allowed(pools)]
        if not free:
            return None
        pools = min(free, key=lambda each: self._lines[each][0][0])
        _, job = self._lines[pools].popleft()
        if not self._lines[pools]:
            del self._lines[pools]
        self._held[job.job_id] = pools
        self._busy.update(pool.name for pool in pools)
        return job

    def release(self, job_id: str) -> None:
        """Give the slots of a job back."""
        for pool in self._held.pop(job_id, ()):
            self._busy[pool.name] -= 1
            if not self._busy[pool.name]:
                del self._busy[pool.name]

    def holds(self, job_id: str) -> bool:
        return job_id in self._held

    @property
    def waiting(self) -> bool:
        return bool(self._lines)

    @property
    def under_way(self) -> int:
        return len(self._held)

    def _allowed(self, pools: tuple[Pool, ...]) -> bool:
        return all(self._busy[pool.name] < pool.limit for pool in pools)
