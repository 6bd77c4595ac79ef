"""What tests of the model client share: a step's output, a memo, a server that says what it is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from briefworks.account import CallEntry, CallMemo
from briefworks.model import Model, ModelCalls
from briefworks.shapes import StepOutput


class Out:
    """A `StepOutput`: what was heard, and when the model was said to think."""

    def __init__(self, on_thinking: Callable[[int], None] | None = None) -> None:
        self.pieces: list[str] = []
        self.thought: list[int] = []
        self._on_thinking = on_thinking

    def token(self, text: str, paragraph: int | None = None) -> None:
        self.pieces.append(text)

    def progress(self, stage: str, done: int, of: int, note: str = "") -> None: ...

    def thinking(self, since_ms: int) -> None:
        self.thought.append(since_ms)
        if self._on_thinking:
            self._on_thinking(since_ms)

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class Memo(dict[str, dict[str, Any]]):
    """A `CallMemo`."""

    def __init__(self) -> None:
        self.account: dict[str, CallEntry] = {}

    def recall(self, call_key: str) -> dict[str, Any] | None:
        return self.get(call_key)

    def remember(self, call_key: str, answer: dict[str, Any]) -> None:
        self[call_key] = json.loads(json.dumps(answer))

    def enter(self, entry_id: str, entry: CallEntry) -> None:
        self.account[entry_id] = json.loads(json.dumps(entry))


def calls_to(
    url: str, memo: CallMemo, out: StepOutput, limit_s: float = 20.0, model: str = "claude-sonnet-5-5"
) -> ModelCalls:
    return Model(model=model, api_key="sk-test-secret", base_url=url).calls(
        memo, out, time.monotonic() + limit_s
    )


class Scripted:
    """A server that answers one request after the other from a list; bodies end with the connection."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.answers: list[str | Response] = []
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        server.expect_request("/v1/messages", method="POST").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.asked.append(request.get_json())
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        answer = self.answers.pop(0)
        return answer if isinstance(answer, Response) else message(answer)

    def prompt(self, n: int) -> str:
        """All that the user said in the n-th request."""
        return "\n".join(block["text"] for block in self.asked[n]["messages"][0]["content"])


def message(text: str, stop_reason: str | None = "end_turn", pieces: Iterator[str] | None = None) -> Response:
    """An answer of the Messages API; without a `stop_reason` it looks complete and is not."""
    frames = [
        _frame("message_start", message={"model": "m", "usage": {"input_tokens": 10, "output_tokens": 1}})
    ]
    frames.append(_frame("content_block_start", index=0, content_block={"type": "text", "text": ""}))
    for piece in pieces or (text[i : i + 7] for i in range(0, len(text), 7)):
        frames.append(_frame("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}))
    if stop_reason:
        frames.append(_frame("message_delta", delta={"stop_reason": stop_reason}, usage={"output_tokens": 5}))
    return events(*frames)


def events(*frames: str) -> Response:
    return Response("".join(frames), content_type="text/event-stream")


def refusal_of(status: int, kind: str, said: str, **headers: str) -> Response:
    """An answer with an HTTP error, in the API's form."""
    body = {"type": "error", "error": {"type": kind, "message": said}}
    return Response(
        json.dumps(body), status, {"request-id": "req_7", **headers}, content_type="application/json"
    )


def _frame(event: str, **data: Any) -> str:
    return f"event: {event}\ndata: {json.dumps({'type': event, **data})}\n\n"
