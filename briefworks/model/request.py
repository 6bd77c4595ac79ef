"""What is sent to the model: a prompt, its form on the wire, and the key its answer is remembered by."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any, Self

from anthropic import transform_schema
from anthropic.types import TextBlockParam
from pydantic import BaseModel

from briefworks.text import clean

_FORM = (
    "Answer with one JSON object and nothing else: no code fence, no word before or after it. "
    "It follows this JSON schema:\n"
)


@dataclass(frozen=True)
class Prompt:
    """
    What a phase wants to be written.

    `shared` is the part that several prompts have in common (sources, outline); it goes before `task` and is
    cached by the server. `max_tokens` bounds the answer with all that the model thinks before it.
    """

    system: str
    task: str
    shared: str = ""
    max_tokens: int = 4000


@dataclass(frozen=True)
class Request:
    """One request: a system text, the blocks of one user turn, and the schema of the answer if it is JSON."""

    system: str
    blocks: tuple[TextBlockParam, ...]
    max_tokens: int
    schema: dict[str, Any] | None = None

    @classmethod
    def of(cls, prompt: Prompt, answer: type[BaseModel] | None = None) -> Self:
        """The schema of `answer` stands in the prompt as well: many servers know no other way."""
        task, schema = prompt.task, None
        if answer is not None:
            schema = transform_schema(answer)
            task += f"\n\n{_FORM}{json.dumps(schema, ensure_ascii=False)}"
        blocks: list[TextBlockParam] = []
        if prompt.shared:
            blocks.append(
                {"type": "text", "text": clean(prompt.shared), "cache_control": {"type": "ephemeral"}}
            )
        blocks.append({"type": "text", "text": clean(task)})
        return cls(clean(prompt.system), tuple(blocks), prompt.max_tokens, schema)

    def plus(self, text: str, max_tokens: int | None = None) -> Self:
        """The same with one more block in the user turn: an answer cannot be begun for the model."""
        block: TextBlockParam = {"type": "text", "text": clean(text)}
        return replace(self, blocks=(*self.blocks, block), max_tokens=max_tokens or self.max_tokens)

    def key(self, model: str) -> str:
        """Names the answer among the remembered ones."""
        parts = {"model": model, "system": self.system, "blocks": self.blocks, "schema": self.schema}
        canonical = json.dumps(parts, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
