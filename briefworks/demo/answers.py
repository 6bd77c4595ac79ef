"""What the demo's model answers to a request, before it is sent: the text and what it counts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from briefworks.demo.cache import InputUsage
from briefworks.demo.faults import Fault
from briefworks.demo.messages import CHARS_PER_TOKEN, Asked, said, tokens_in
from briefworks.demo.schema_answer import schema_answer
from briefworks.demo.writer import write_json, write_text

THINKING_TOKENS = 24
_SPOILED = {
    "chatter": "Let me search the sources first.\n\n## A heading of its own\n\n{text}\n\n"
    "TODO: add a figure here.\n\nLet me know if you want changes.",
    "invent": "{text}\n\nThe Quillhaven Institute counted 98,765 of them on 31 May 2011 [s1].",
}
_WRITTEN = re.compile(r"<written>(.*)</written>", re.DOTALL)
_CERTAIN_CHARS = 200  # of a text's end that tell where in it they stand
_PIECE = re.compile(r"\s*\S{1,24}\s*")
_PIECE_CHARS = 16  # a few words to a delta


@dataclass(frozen=True)
class Answer:
    """A message of the demo's model."""

    text: str
    stop_reason: str
    thinking_tokens: int
    usage: InputUsage

    @property
    def output_tokens(self) -> int:
        return max(1, self.thinking_tokens + tokens_in(self.text))

    @property
    def stop_details(self) -> dict[str, Any] | None:
        if self.stop_reason != "refusal":
            return None
        return {"type": "refusal", "category": None, "explanation": "The demo upstream was told to refuse."}

    @property
    def output_usage(self) -> dict[str, Any]:
        details = {"thinking_tokens": self.thinking_tokens}
        return {**self.usage, "output_tokens": self.output_tokens, "output_tokens_details": details}


def answer_to(asked: Asked, seed: int, usage: InputUsage, fault: Fault | None) -> Answer:
    """The same text for the same prompt, schema and seed; a fault can spoil it."""
    name = fault.name if fault else ""
    thinking = THINKING_TOKENS if asked.thinks else 0
    if name == "refusal":
        return Answer("", "refusal", thinking, usage)
    text = _text(asked, seed)
    if asked.schema is None and name in _SPOILED:
        text = _SPOILED[name].format(text=text)
    if name == "bad_json":
        text = text[: max(1, len(text) * 2 // 3)].rstrip("}\n ") if text.startswith("{") else '{"answer": "'
    most = max(1, asked.max_tokens - thinking)
    if fault and name == "truncate":
        most = min(most, int(fault.number("after_tokens")))
    if tokens_in(text) > most:
        return Answer(text[: most * CHARS_PER_TOKEN], "max_tokens", thinking, usage)
    return Answer(text, "end_turn", thinking, usage)


def _text(asked: Asked, seed: int) -> str:
    if asked.schema is not None:
        value = write_json(asked.prompt, asked.schema, seed)
        if value is None:
            value = schema_answer(asked.schema, asked.prompt, seed)
        return json.dumps(value, ensure_ascii=False)
    return _continued(asked, seed) or write_text(asked.prompt, seed)


def _continued(asked: Asked, seed: int) -> str:
    """Where the prompt ends with what was written before a cut: its last words and the rest; else ""."""
    written = _WRITTEN.search(asked.blocks[-1].text)
    if not written or len(asked.blocks) < 2:
        return ""
    text = write_text(said(asked.blocks[:-1]), seed)
    end = written[1][-_CERTAIN_CHARS:]
    at = text.find(end)
    if at < 0:
        return ""
    repeated = re.search(r"(?:\S+\s+){0,4}\S*\s*$", written[1])
    return (repeated[0] if repeated else "") + text[at + len(end) :]


def pieces(text: str) -> list[str]:
    """The text in deltas of a few words; joined they are the text."""
    found: list[str] = []
    for piece in _PIECE.findall(text) or [text]:
        if found and len(found[-1]) + len(piece) <= _PIECE_CHARS:
            found[-1] += piece
        else:
            found.append(piece)
    return [piece for piece in found if piece]
