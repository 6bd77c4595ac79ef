"""The model as a step body uses it: text and structured answers, each paid once, and what they cost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from pydantic import BaseModel
from ulid import ULID

from briefworks.account import CallMemo, no_entry, write_entry
from briefworks.errors import ModelAnswerInvalid, StoreUnavailable
from briefworks.model.paying import PaidCall, Price
from briefworks.model.readable import ReadableText
from briefworks.model.request import Prompt, Request
from briefworks.model.seam import Seam, continuation
from briefworks.model.server import Server
from briefworks.model.structured import read_answer, repair
from briefworks.model.watch import Watch
from briefworks.shapes import StepOutput, Usage, add_usage, no_usage
from briefworks.text import clean, now_at

A = TypeVar("A", bound=BaseModel)

log = structlog.get_logger(__name__)


class ModelCalls:
    """
    The calls of one step body, all of which end before `deadline` (monotonic).

    An answer that `memo` remembers is not asked for again: it is heard at once and costs nothing. What `out`
    or `on_text` raise closes the connection and passes through. May be used from several threads; `thinking`
    of `out` is called from a thread of its own.

    Every method raises `RateLimited`, `ModelSpendLimit`, `ModelRejected`, `ModelUnavailable`, `ModelRefused`
    and `ModelAnswerInvalid`.
    """

    def __init__(
        self, server: Server, price: Price, memo: CallMemo, out: StepOutput, deadline: float
    ) -> None:
        self._server, self._price, self.memo = server, price, memo
        self._out, self._deadline = out, deadline
        self._lock = threading.Lock()
        self._usage = no_usage()

    @property
    def usage(self) -> Usage:
        """All that was paid so far, with what failed requests are known to have used."""
        with self._lock:
            return self._usage.copy()

    def write(self, prompt: Prompt, on_text: Callable[[str], None]) -> str:
        """
        The whole answer as text, heard by `on_text` as it comes.

        One that is cut off at `max_tokens` is continued once, without a seam.
        """
        request = Request.of(prompt)
        key = request.key(self._server.model)
        if (remembered := self._recall(key)) is not None:
            on_text(remembered["text"])
            self._saved(key, remembered)
            return str(remembered["text"])
        with self._watch() as watch, self._paid(key, watch) as call:
            hear = _seen(on_text, watch)
            answer = call.ask(request, hear)
            text = answer.text
            if answer.truncated:
                seam = Seam(text, hear)
                answer = call.ask(continuation(request, text), seam.feed, former="continued")
                seam.finish()
                text = clean(text + seam.text)
            if answer.truncated:
                raise ModelAnswerInvalid(
                    "The model's answer was cut off at its limit, and so was the rest of it."
                )
            if not text.strip():
                raise ModelAnswerInvalid("The model's answer is empty.")
        self._remember(key, text, call.usage)
        return text

    def ask(self, prompt: Prompt, answer: type[A], on_text: Callable[[str], None] | None = None) -> A:
        """
        The answer as an `answer`; `on_text` hears the strings in it as they come, never JSON.

        The server is told the schema and so is the model; what it says is validated here, and mended once.
        What is heard of a mended answer follows that of the first after an empty line.
        """
        request = Request.of(prompt, answer)
        key = request.key(self._server.model)
        if (remembered := self._recall(key)) is not None:
            found, _ = read_answer(remembered["text"], answer)
            if found is not None:
                _readable(on_text)(remembered["text"])
                self._saved(key, remembered)
                return found
        with self._watch() as watch, self._paid(key, watch) as call:
            said = call.ask(request, _readable(on_text, watch))
            found, faults = read_answer(said.text, answer)
            if found is None:
                mending = repair(request, said.text, faults, said.truncated)
                said = call.ask(mending, _readable(on_text, watch, before="\n\n"), former="invalid")
                found, faults = read_answer(said.text, answer)
            if found is None:
                raise ModelAnswerInvalid(
                    f"The model's answer is not the JSON asked for, even after a repair: {faults[0]}"
                )
        self._remember(key, said.text, call.usage)
        return found

    def _spent(self, usage: Usage) -> None:
        with self._lock:
            self._usage = add_usage(self._usage, usage)

    def _watch(self) -> Watch:
        return Watch(self._out.thinking, self._deadline)

    def _paid(self, key: str, watch: Watch) -> PaidCall:
        return PaidCall(self._server, self._price, watch, self.memo, key, self._spent)

    def _recall(self, key: str) -> dict[str, Any] | None:
        remembered: Any = self.memo.recall(key)
        if not isinstance(remembered, dict) or remembered.get("v") != 1:
            return None
        text = remembered.get("text")
        return remembered if isinstance(text, str) and text.strip() else None

    def _saved(self, key: str, remembered: dict[str, Any]) -> None:
        """In the account as well: what was not paid again."""
        entry = no_entry(str(remembered["model"]), key)
        entry["outcome"], entry["saved"] = "recalled", remembered["usage"]
        write_entry(self.memo, str(ULID()), entry)

    def _remember(self, key: str, text: str, usage: Usage) -> None:
        record = {"v": 1, "text": text, "usage": usage, "model": self._server.model, "at": now_at()}
        try:
            self.memo.remember(key, record)
        except StoreUnavailable as error:  # the answer is worth more than its memo
            log.warning("a model call could not be remembered", reason=str(error))


def _seen(on_text: Callable[[str], None], watch: Watch) -> Callable[[str], None]:
    def hear(text: str) -> None:
        watch.visible()
        on_text(text)

    return hear


def _readable(
    on_text: Callable[[str], None] | None, watch: Watch | None = None, before: str = ""
) -> Callable[[str], None]:
    """Hears JSON, passes its readable text on, with `before` in front of the first of it."""
    if on_text is None:
        return lambda _piece: None
    waiting = before

    def hear(text: str) -> None:
        nonlocal waiting
        if watch is not None:
            watch.visible()
        text, waiting = waiting + text, ""
        on_text(text)

    return ReadableText(hear).feed
