"""Keeping in touch with the apps at configured urls: asking each to register, again and again."""

from __future__ import annotations

import threading
import time

import httpx
import structlog

from briefworks.executor import wire
from briefworks.executor.engine import Engine
from briefworks.executor.keys import Keys

log = structlog.get_logger("briefworks.executor")

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0


class Link:
    """One app: `PUT` at the start, then every `poll_s`; while it is away, after pauses that double to 5 s."""

    def __init__(self, engine: Engine, keys: Keys, url: str, poll_s: float) -> None:
        self._engine, self._keys, self._url, self._poll_s = engine, keys, url, poll_s
        self._stopped = threading.Event()
        self._said = ""
        self._thread = threading.Thread(target=self._keep, name=f"link {url}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _keep(self) -> None:
        pause_s = FIRST_PAUSE_S
        with httpx.Client(timeout=10.0, trust_env=False) as http:
            while not self._stopped.is_set():
                trouble = self._ask(http)
                self._say(trouble)
                if trouble:
                    self._stopped.wait(pause_s)
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                else:
                    self._stopped.wait(self._poll_s)
                    pause_s = FIRST_PAUSE_S

    def _ask(self, http: httpx.Client) -> str:
        """Have the app register, which it does before it answers; what hinders it, or ""."""
        before = self._engine.registrations
        body = wire.canonical({"url": self._url}).encode()
        headers = {"Content-Type": "application/json", "X-Inngest-Server-Kind": self._keys.server_kind}
        try:
            answer = http.put(
                self._url, content=body, headers=headers | self._keys.signature(body, time.time())
            )
        except httpx.HTTPError:
            return "the app cannot be reached"
        if answer.status_code != 200:
            reason = f"the app answers {answer.status_code}: {_said(answer)}"
            return f"{reason}; is its mode right (INNGEST_DEV, INNGEST_SIGNING_KEY)?"
        if self._engine.registrations == before:
            refusal = _said(answer)
            return refusal or "the app registers with another engine; does its INNGEST_DEV name this one?"
        self._engine.synced(self._url)
        return ""

    def _say(self, trouble: str) -> None:
        """Log a change, not each round."""
        if trouble and trouble != self._said and not self._stopped.is_set():
            log.warning("app not synced", url=self._url, reason=trouble)
        self._said = trouble


def _said(answer: httpx.Response) -> str:
    """The sentence in an error's body, or ""."""
    try:
        body = answer.json()
    except ValueError:
        return ""
    if not isinstance(body, dict) or body.get("ok") is True:
        return ""
    return str(body.get("error") or body.get("message") or "")[:500]
