"""A Messages API request: what it asks, whether the API would take it, and what it would cost."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

MODELS = ("claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5", "synthetic")
MOST_BREAKPOINTS = 4
CHARS_PER_TOKEN = 4


class ApiError(Exception):
    """An answer with an HTTP error, in the API's form."""

    def __init__(
        self, status: int, kind: str, message: str, *, error_code: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.kind, self.error_code, self.retry_after = status, kind, error_code, retry_after

    def body(self, request_id: str) -> dict[str, Any]:
        error: dict[str, Any] = {"type": self.kind, "message": str(self)}
        if self.error_code:
            error["details"] = {"error_code": self.error_code}
        return {"type": "error", "error": error, "request_id": request_id}


def invalid(message: str) -> ApiError:
    return ApiError(400, "invalid_request_error", message)


def models(wanted: str) -> dict[str, Any]:
    """What the API tells of the model that is wanted, "" for all of them."""
    known = {
        model: {
            "type": "model",
            "id": model,
            "display_name": f"{model} (played by the demo upstream)",
            "created_at": "2026-09-28T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": 1_000_000,
            "max_tokens": 128_000,
        }
        for model in MODELS
    }
    if wanted and wanted not in known:
        raise ApiError(404, "not_found_error", f"model: {wanted}")
    listed = {"data": [*known.values()], "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]}
    return known[wanted] if wanted else listed


def tokens_in(text: str) -> int:
    """As we count them: one for every four characters begun."""
    return -(-len(text) // CHARS_PER_TOKEN)


@dataclass(frozen=True)
class Block:
    """A piece of the prompt in the order in which the API reads it."""

    role: str  # system, user, assistant
    text: str
    cache_ttl: str = ""  # "5m" or "1h" at a cache breakpoint


def said(blocks: Iterable[Block]) -> str:
    """What the user side says: system and all user blocks."""
    return "\n\n".join(block.text for block in blocks if block.role != "assistant")


@dataclass(frozen=True)
class Asked:
    """A valid request."""

    model: str
    max_tokens: int
    stream: bool
    thinks: bool
    schema: dict[str, Any] | None
    blocks: tuple[Block, ...]

    @property
    def prompt(self) -> str:
        return said(self.blocks)

    @property
    def input_tokens(self) -> int:
        return sum(tokens_in(block.text) for block in self.blocks)


def identity(body: Any) -> tuple[str, str, str]:
    """(sha256 of model, system, messages and schema; head of the system; head of the last user block)."""
    if not isinstance(body, dict):
        return "", "", ""
    output = body.get("output_config")
    form = output.get("format") if isinstance(output, dict) else None
    schema = form.get("schema") if isinstance(form, dict) else None
    parts = [body.get("model"), body.get("system"), body.get("messages"), schema]
    sha = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    try:
        blocks = list(_blocks(body))
    except ApiError:
        return sha, "", ""
    system = " ".join(block.text for block in blocks if block.role == "system")
    task = next((block.text for block in reversed(blocks) if block.role == "user"), "")
    return sha, system[:120], task[:160]


def parse(body: Any, *, counting: bool = False) -> Asked:
    """The request, or `ApiError` 400 or 404 where the API answers so; `counting` needs no max_tokens."""
    if not isinstance(body, dict):
        raise invalid("The request body is not a JSON object.")
    model = body.get("model")
    if not isinstance(model, str) or not model:
        raise invalid("model: Field required")
    if model not in MODELS:
        raise ApiError(404, "not_found_error", f"model: {model}")
    max_tokens = body.get("max_tokens", 1 if counting else None)
    if not isinstance(max_tokens, int) or isinstance(max_tokens, bool) or max_tokens < 1:
        raise invalid("max_tokens: a whole number from 1 is required")
    for name in ("temperature", "top_p", "top_k"):
        if body.get(name) is not None:
            raise invalid(f"{name}: sampling parameters are not supported by this model")
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") in ("any", "tool"):
        raise invalid("tool_choice: forced tool use is not supported by this model")
    blocks = tuple(_blocks(body))
    if automatic := _ttl(body.get("cache_control"), "cache_control"):
        blocks = (*blocks[:-1], replace(blocks[-1], cache_ttl=automatic))
    _check(body, blocks)
    return Asked(
        model=model,
        max_tokens=max_tokens,
        stream=body.get("stream") is True,
        thinks=_thinks(body.get("thinking")),
        schema=_schema(body.get("output_config")),
        blocks=blocks,
    )


def _blocks(body: dict[str, Any]) -> Iterator[Block]:
    yield from _texts("system", body.get("system") or [], "system")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages: at least one message is required")
    for i, message in enumerate(messages):
        if not isinstance(message, dict) or message.get("role") not in ("user", "assistant"):
            raise invalid(f"messages.{i}.role: Input should be 'user' or 'assistant'")
        yield from _texts(message["role"], message.get("content"), f"messages.{i}.content")


def _texts(role: str, content: Any, where: str) -> Iterator[Block]:
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    if not isinstance(content, list):
        raise invalid(f"{where}: Input should be text or a list of blocks")
    for i, block in enumerate(content):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise invalid(f"{where}.{i}.type: Field required")
        if block["type"] == "thinking" and role == "assistant":
            continue
        if block["type"] != "text":
            raise invalid(f"{where}.{i}.type: the demo upstream takes text blocks only")
        if not isinstance(block.get("text"), str) or not block["text"].strip():
            raise invalid(f"{where}.{i}: text content blocks must be non-empty")
        if any("\ud800" <= character <= "\udfff" for character in block["text"]):
            raise invalid(f"{where}.{i}.text: surrogates not allowed")
        yield Block(role, block["text"], _ttl(block.get("cache_control"), f"{where}.{i}.cache_control"))


def _ttl(control: Any, where: str) -> str:
    if control is None:
        return ""
    ttl = control.get("ttl", "5m") if isinstance(control, dict) else None
    if not isinstance(control, dict) or control.get("type") != "ephemeral" or ttl not in ("5m", "1h"):
        raise invalid(f"{where}: Input should be ephemeral, with a ttl of 5m or 1h")
    return str(ttl)


def _check(body: dict[str, Any], blocks: tuple[Block, ...]) -> None:
    if body["messages"][-1]["role"] == "assistant":
        raise invalid("This model does not support assistant message prefill: end with a user message.")
    if sum(bool(block.cache_ttl) for block in blocks) > MOST_BREAKPOINTS:
        raise invalid(f"A maximum of {MOST_BREAKPOINTS} blocks with cache_control may be provided.")


def _thinks(thinking: Any) -> bool:
    kind = thinking.get("type") if isinstance(thinking, dict) else "adaptive" if thinking is None else ""
    if kind not in ("adaptive", "between_tools"):
        raise invalid(f"thinking.type: {kind!r} is not supported by this model")
    return bool(kind == "adaptive")


def _schema(output: Any) -> dict[str, Any] | None:
    form = output.get("format") if isinstance(output, dict) else None
    if form is None:
        return None
    if (
        not isinstance(form, dict)
        or form.get("type") != "json_schema"
        or not isinstance(form.get("schema"), dict)
    ):
        raise invalid("output_config.format: Input should be a json_schema with its schema")
    schema: dict[str, Any] = form["schema"]
    _check_schema(schema, "output_config.format.schema")
    return schema


def _check_schema(value: Any, where: str) -> None:
    if isinstance(value, list):
        for i, item in enumerate(value):
            _check_schema(item, f"{where}.{i}")
    elif isinstance(value, dict):
        if value.get("type") == "object" and value.get("additionalProperties") is not False:
            raise invalid(
                f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false"
            )
        for key, item in value.items():
            if key not in ("enum", "const"):
                _check_schema(item, f"{where}.{key}")
