"""Sends an answer of the Messages API at its pace, streamed or whole, and breaks it where a fault says so."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

from briefworks.demo.answers import Answer, pieces
from briefworks.demo.calls import Call, CallLog
from briefworks.demo.faults import Fault
from briefworks.demo.messages import CHARS_PER_TOKEN, ApiError, Asked, tokens_in
from briefworks.demo.wire import Wire

BREAKS = frozenset({"cut", "reset", "clean_cut", "error_event", "stall"})


class Sending:
    """One answer on its way. `tokens_per_s` is kept by absolute deadlines, however many streams there are."""

    def __init__(
        self,
        wire: Wire,
        log: CallLog,
        call: Call,
        fault: Fault | None,
        *,
        tokens_per_s: float,
        thinking_s: float,
    ) -> None:
        self._wire, self._log, self._call = wire, log, call
        self._fault = fault
        self._name = fault.name if fault else ""
        self._rate = fault.number("tokens_per_s") if fault and fault.name == "slow" else tokens_per_s
        self._thinking_s = thinking_s

    def send(self, asked: Asked, answer: Answer) -> None:
        """Raises `Gone` when the client leaves; logs the ending before the last byte goes out."""
        message_id = f"msg_{self._wire.request_id.removeprefix('req_')}"
        if asked.stream:
            self._stream(asked, answer, message_id)
        else:
            self._whole(asked, answer, message_id)

    # --- streamed ------------------------------------------------------------------------------------------
    def _stream(self, asked: Asked, answer: Answer, message_id: str) -> None:
        self._wire.begin_stream("text/event-stream; charset=utf-8", chunked=self._name != "clean_cut")
        start = _message(asked, answer, message_id)
        start |= {"content": [], "stop_reason": None, "usage": {**answer.usage, "output_tokens": 1}}
        self._frame("message_start", message=start)
        self._frame("ping")
        index = 0
        if asked.thinks:
            self._think()
            index = 1
        if answer.stop_reason != "refusal":
            self._frame("content_block_start", index=index, content_block={"type": "text", "text": ""})
            if self._text(answer.text, index):
                return
            self._frame("content_block_stop", index=index)
        delta = {
            "stop_reason": answer.stop_reason,
            "stop_sequence": None,
            "stop_details": answer.stop_details,
        }
        self._frame("message_delta", delta=delta, usage=answer.output_usage)
        self._log.end(self._call, "ok")
        self._wire.end_stream(_frame("message_stop"))

    def _think(self) -> None:
        block = {"type": "thinking", "thinking": "", "signature": ""}
        self._frame("content_block_start", index=0, content_block=block)
        self._wire.sleep_until(time.monotonic() + self._thinking_s)
        signature = {"type": "signature_delta", "signature": "c3ludGhldGlj"}
        self._frame("content_block_delta", index=0, delta=signature)
        self._frame("content_block_stop", index=0)

    def _text(self, text: str, index: int) -> bool:
        """Whether a fault ended the answer within its text."""
        started, sent_chars = time.monotonic(), 0
        break_at = self._break_at(text)
        for piece in [*pieces(text[:break_at]), None, *pieces(text[break_at:])]:
            if piece is None:
                if self._name in BREAKS:
                    paused_at = time.monotonic()
                    if self._break():
                        return True
                    started += time.monotonic() - paused_at  # after a stall at the old pace
                continue
            sent_chars += len(piece)
            self._wire.sleep_until(started + sent_chars / CHARS_PER_TOKEN / self._rate)
            self._frame("content_block_delta", index=index, delta={"type": "text_delta", "text": piece})
            self._call["tokens"] = tokens_in(text[:sent_chars])
        return False

    def _break_at(self, text: str) -> int:
        if self._fault and self._name in BREAKS:
            return int(self._fault.number("after_tokens")) * CHARS_PER_TOKEN
        return len(text)

    def _break(self) -> bool:
        """Do what the fault says; False when the answer goes on after it."""
        assert self._fault is not None
        if self._name == "stall":
            self._wire.sleep_until(time.monotonic() + self._fault.number("seconds"))
            return False
        self._log.end(self._call, "cut")
        if self._name == "error_event":
            error = ApiError(529, "overloaded_error", "Overloaded").body(self._wire.request_id)
            self._wire.end_stream(_frame("error", **error))
        elif self._name == "reset":
            self._wire.reset()
        else:
            self._wire.cut()
        return True

    def _frame(self, event: str, **data: Any) -> None:
        self._wire.write(_frame(event, **data))

    # --- whole ---------------------------------------------------------------------------------------------
    def _whole(self, asked: Asked, answer: Answer, message_id: str) -> None:
        if self._name == "error_event":
            raise ApiError(529, "overloaded_error", "Overloaded")
        body = json.dumps(_message(asked, answer, message_id), ensure_ascii=False).encode()
        wait_s = tokens_in(answer.text) / self._rate + (self._thinking_s if asked.thinks else 0)
        self._wire.sleep_until(time.monotonic() + wait_s)
        if self._name in ("cut", "reset"):
            self._wire.headers(200, "application/json", Content_Length=str(len(body)))
        elif self._name == "clean_cut":
            self._wire.begin_stream("application/json", chunked=False)
        if self._name in BREAKS:
            if self._name != "stall":
                self._wire.write(body[: len(body) // 2])
            if self._break():
                return
        self._call["tokens"] = tokens_in(answer.text)
        self._log.end(self._call, "ok")
        self._wire.whole(200, "application/json", body)


def _message(asked: Asked, answer: Answer, message_id: str) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": list(_content(asked, answer)),
        "stop_reason": answer.stop_reason,
        "stop_sequence": None,
        "stop_details": answer.stop_details,
        "usage": answer.output_usage,
    }


def _content(asked: Asked, answer: Answer) -> Iterator[dict[str, str]]:
    if asked.thinks:
        yield {"type": "thinking", "thinking": "", "signature": "c3ludGhldGlj"}
    if answer.stop_reason != "refusal":
        yield {"type": "text", "text": answer.text}


def _frame(event: str, **data: Any) -> bytes:
    body = json.dumps({**data, "type": event}, ensure_ascii=False)
    return f"event: {event}\ndata: {body}\n\n".encode()
