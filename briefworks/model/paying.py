"""The requests that one answer takes: what each used and cost, and its entry in the article's account."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Protocol, Self

from ulid import ULID

from briefworks.account import REASON_CHARS, CallEntry, CallMemo, no_entry, write_entry
from briefworks.errors import BriefworksError, ModelRejected
from briefworks.model.answer import COUNTS, Answer
from briefworks.model.request import Request
from briefworks.model.server import Server
from briefworks.model.watch import Watch
from briefworks.shapes import Usage, add_usage, no_usage
from briefworks.text import clean, now_at

_CHARS_A_TOKEN = 4  # of English, about: what is estimated is said to be


class Price(Protocol):
    """USD of one request, None for a model without a known price; see `costs.price`."""

    def __call__(
        self,
        model: str,
        *,
        input_tokens: int,
        output_tokens: int,
        cache_read_tokens: int,
        cache_write_tokens: int,
    ) -> float | None: ...


class PaidCall:
    """
    A context manager around the requests of one call; `key` is what its answer is remembered by.

    An entry is written before a request is sent, so that one whose process is killed is not forgotten, and
    again when it is known what became of it: when the next request is sent, or at the end of the context.
    A store that is away loses entries, not answers.
    """

    def __init__(
        self,
        server: Server,
        price: Price,
        watch: Watch,
        memo: CallMemo,
        key: str,
        spent: Callable[[Usage], None],
    ) -> None:
        self._server, self._price, self._watch = server, price, watch
        self._memo, self._key, self._spent = memo, key, spent
        self._requests = 0
        self._open: tuple[str, CallEntry, Answer] | None = None
        self.usage = no_usage()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._close("answered")
            return
        outcome = error.code if isinstance(error, BriefworksError) else "stopped"
        with suppress(BriefworksError):  # the first error is the one to be told
            self._close(outcome, str(error) if outcome != "stopped" else type(error).__name__)

    def ask(self, request: Request, hear: Callable[[str], None], former: str = "") -> Answer:
        """The answer to one request; `former` is what became of the request before it."""
        self._close(former)
        answer = Answer()
        self._begin(request, answer)
        try:
            self._server.stream(request, answer, self._watch, hear)
        finally:
            self._pay(answer)
        if answer.stop_reason == "model_context_window_exceeded":
            raise ModelRejected(
                "The prompt and its answer are longer than the model's context.",
                hint="Choose a model with a larger context (BRIEFWORKS_MODEL).",
            )
        return answer

    def _begin(self, request: Request, answer: Answer) -> None:
        self._requests += 1
        chars = len(request.system) + sum(len(block["text"]) for block in request.blocks)
        entry = no_entry(self._server.model, self._key)
        entry["request"], entry["finished_at"] = self._requests, ""
        entry["estimate"] = self._used(0, input_tokens=_tokens(chars))
        self._open = (str(ULID()), entry, answer)
        write_entry(self._memo, self._open[0], entry)

    def _pay(self, answer: Answer) -> None:
        """What the server has told of one request; nothing when it told nothing."""
        if not answer.started or self._open is None:
            return
        usage = self._used(1, **answer.tokens)
        self._open[1]["usage"] = usage
        self.usage = add_usage(self.usage, usage)
        self._spent(usage)

    def _close(self, outcome: str, reason: str = "") -> None:
        if self._open is None:
            return
        (entry_id, entry, answer), self._open = self._open, None
        entry["outcome"], entry["reason"] = outcome, clean(reason)[:REASON_CHARS]
        entry["retries"], entry["finished_at"] = answer.retries, now_at()
        entry["thinking_tokens"] = answer.thinking_tokens
        untold = 0 if answer.stop_reason else _tokens(len(answer.text)) - answer.tokens["output_tokens"]
        entry["estimate"] = self._used(0, output_tokens=max(0, untold))
        write_entry(self._memo, entry_id, entry)

    def _used(self, calls: int, **tokens: int) -> Usage:
        counts = dict.fromkeys(COUNTS, 0) | tokens
        usd = self._price(self._server.model, **counts) if any(counts.values()) else 0.0
        return add_usage(no_usage(), {"calls": calls, **counts, "usd": usd})


def _tokens(chars: int) -> int:
    return math.ceil(chars / _CHARS_A_TOKEN)
