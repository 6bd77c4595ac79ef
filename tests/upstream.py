"""The demo upstream as tests see it: a process of its own, its faults and its log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx


class Upstream:
    """`python -m briefworks.demo` with a client for its side door."""

    def __init__(self, log: Path, *options: str) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [sys.executable, "-m", "briefworks.demo", "--log", str(log), *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.url = json.loads(line)["url"]
        self._http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)

    def fault(self, name: str, match: str = "", times: int = 1, **options: float) -> None:
        """Let the next `times` requests whose prompt (or path, from "/" on) contains `match` fail so."""
        fault = {"fault": name, "match": match, "times": times, **options}
        answer = self._http.post("/_demo/faults", json=[fault])
        assert answer.status_code == 200, answer.text

    def calls(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The requests since the last reset, oldest first."""
        return self._http.get("/_demo/calls", params={"kind": kind} if kind else {}).json()

    def reset(self) -> None:
        """No faults, no calls, nothing cached."""
        self._http.post("/_demo/reset", json={}).raise_for_status()

    def close(self) -> None:
        self._http.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()
