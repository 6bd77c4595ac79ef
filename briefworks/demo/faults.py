"""Faults on request: which there are, and which of them hits a request."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from briefworks.demo.messages import ApiError

# name → its options with their defaults; None: not set
FAULTS: dict[str, dict[str, float | None]] = {
    # answered with an HTTP error
    "overloaded": {"retry_after": None},
    "rate_limit": {"retry_after": 1},
    "spend_cap": {},
    "server_error": {"retry_after": None},
    "auth": {},
    "bad_request": {},
    # the connection breaks
    "drop": {},  # before the headers
    "cut": {"after_tokens": 20},  # FIN in a chunked body: the client sees that it is incomplete
    "reset": {"after_tokens": 20},  # RST
    "clean_cut": {"after_tokens": 20},  # FIN in a body that ends with the connection: looks complete
    # the answer goes wrong
    "error_event": {"after_tokens": 20},
    "stall": {"after_tokens": 20, "seconds": 600},
    "slow": {"tokens_per_s": 5},
    "bad_json": {},
    "refusal": {},
    "truncate": {"after_tokens": 20},
    "chatter": {},  # text comes with talk about the task, a heading and a placeholder
    "invent": {},  # text comes with a sentence that its source does not say
    # of pages
    "page_500": {},
    "page_slow": {"seconds": 60},
    "page_huge": {"bytes": 3_000_000},
    "page_commands": {},  # the page tells the model what to do
}
_ERRORS = {
    "overloaded": (529, "overloaded_error", "Overloaded"),
    "rate_limit": (429, "rate_limit_error", "This request would exceed the rate limit. Try again later."),
    "spend_cap": (429, "rate_limit_error", "The spend limit of this organization has been reached."),
    "server_error": (500, "api_error", "Internal server error"),
    "auth": (401, "authentication_error", "invalid x-api-key"),
    "bad_request": (400, "invalid_request_error", "The demo upstream was told to reject this request."),
}
ANYWHERE = frozenset({*_ERRORS, "drop", "stall"})  # these can hit any request, by its path


@dataclass
class Fault:
    """
    `match` that begins with "/" is a part of the path, any other a part of the prompt; "" is any.

    Of the requests that match, the first `skip` are spared, then each `every`-th is hit, `times` of them.
    """

    name: str
    match: str = ""
    times: int = 1
    options: dict[str, float | None] = field(default_factory=dict)
    skip: int = 0
    every: int = 1
    matched: int = 0

    @classmethod
    def parse(cls, value: Any) -> Fault:
        """Raises `ValueError` that names what is wrong."""
        if not isinstance(value, dict) or value.get("fault") not in FAULTS:
            raise ValueError(f"a fault is an object whose `fault` is one of {', '.join(FAULTS)}")
        given = dict(value)
        name, match, times = given.pop("fault"), given.pop("match", ""), given.pop("times", 1)
        skip, every = given.pop("skip", 0), given.pop("every", 1)
        if not isinstance(match, str) or not _whole(times, 1):
            raise ValueError("`match` is text, `times` a whole number from 1")
        if not _whole(skip, 0) or not _whole(every, 1):
            raise ValueError("`skip` is a whole number from 0, `every` one from 1")
        known = FAULTS[name]
        for option, number in given.items():
            if option not in known:
                raise ValueError(f"{name} has no option {option!r}; it has {sorted(known) or 'none'}")
            if isinstance(number, bool) or not isinstance(number, int | float) or number < 0:
                raise ValueError(f"{option} is a number from 0")
        if given.get("tokens_per_s") == 0:
            raise ValueError("tokens_per_s is above 0")
        return cls(name, match, times, {**known, **given}, skip, every)

    def number(self, option: str) -> float:
        return self.options.get(option) or 0.0

    def error(self) -> ApiError | None:
        """What the request is answered with, if with an HTTP error."""
        if self.name not in _ERRORS:
            return None
        code = "enforced_spend_limit_reached" if self.name == "spend_cap" else ""
        return ApiError(*_ERRORS[self.name], error_code=code, retry_after=self.options.get("retry_after"))

    def is_due(self) -> bool:
        """One more request matches: whether this is one to be hit."""
        self.matched += 1
        return self.matched > self.skip and (self.matched - self.skip - 1) % self.every == 0

    def hits(self, kind: str, path: str, prompt: str) -> bool:
        if self.name.startswith("page_"):
            return kind == "page" and self.match in path
        if self.match.startswith("/"):
            return self.match in path and (kind == "model" or self.name in ANYWHERE)
        return kind == "model" and self.match in prompt


def _whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


class Faults:
    """What will go wrong, oldest first. Thread-safe: a fault for one request hits one request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, values: Any) -> None:
        """All of the list or, with `ValueError`, none."""
        if not isinstance(values, Sequence) or isinstance(values, str):
            raise ValueError("faults come as a list of objects")
        parsed = [Fault.parse(value) for value in values]
        with self._lock:
            self._waiting.extend(parsed)

    def take(self, kind: str, path: str, prompt: str = "") -> Fault | None:
        """The first that hits this request, used up by one."""
        with self._lock:
            matching = [fault for fault in self._waiting if fault.hits(kind, path, prompt)]
            due = [fault for fault in matching if fault.is_due()]
            if not due:
                return None
            due[0].times -= 1
            if due[0].times == 0:
                self._waiting.remove(due[0])
            return due[0]

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
