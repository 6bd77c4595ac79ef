"""An answer of the Messages API as its events come in: text, why it stopped, what it used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from anthropic.types import RawMessageStreamEvent

from briefworks.text import clean

COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
}


@dataclass
class Answer:
    """What has come of an answer so far; the counts are what the server has said it used."""

    pieces: list[str] = field(default_factory=list)
    stop_reason: str = ""
    explanation: str = ""
    started: bool = False
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    thinking_tokens: int = 0  # of the output tokens, where the server tells
    retries: list[str] = field(default_factory=list)  # why it was asked again before its first byte

    @property
    def text(self) -> str:
        return clean("".join(self.pieces))

    @property
    def truncated(self) -> bool:
        return self.stop_reason in ("max_tokens", "length")

    def take(self, event: RawMessageStreamEvent) -> str:
        """Read one event and return the text in it; what a server leaves out is taken as not said."""
        match at(event, "type"):
            case "message_start":
                self.started = True
                self._count(at(event, "message", "usage"))
            case "content_block_start" if at(event, "content_block", "type") == "text":
                return self._text(at(event, "content_block", "text"))
            case "content_block_delta" if at(event, "delta", "type") == "text_delta":
                return self._text(at(event, "delta", "text"))
            case "message_delta":
                self.stop_reason = str(at(event, "delta", "stop_reason") or "")
                self.explanation = str(at(event, "delta", "stop_details", "explanation") or "")
                self._count(at(event, "usage"))
        return ""

    def _text(self, text: object) -> str:
        if not isinstance(text, str):
            return ""
        self.pieces.append(text)
        return text

    def _count(self, usage: object) -> None:
        for ours, theirs in COUNTS.items():
            count = at(usage, theirs)
            if isinstance(count, int):  # later counts are totals: they replace the earlier
                self.tokens[ours] = count
        thinking = at(usage, "output_tokens_details", "thinking_tokens")
        if isinstance(thinking, int):
            self.thinking_tokens = thinking


def at(thing: object, *names: str) -> Any:
    """The attribute behind these names; None where one is missing."""
    for name in names:
        thing = getattr(thing, name, None)
    return thing
