"""What a request to a model costs, from the price list in `prices.json`; not what it used, see `model`."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

_DATED = re.compile(r"-\d{8}$")


@cache
def price_list() -> dict[str, Any]:
    """The whole of `prices.json`: `models` (USD per million tokens, each with its `source`) and `sources`."""
    listed: dict[str, Any] = json.loads(files("briefworks").joinpath("prices.json").read_text("utf-8"))
    return listed


def price(
    model: str,
    *,
    input_tokens: int,
    output_tokens: int,
    cache_read_tokens: int = 0,
    cache_write_tokens: int = 0,
) -> float | None:
    """
    USD for one request, or None when the model is not in the list.

    `input_tokens` are those neither read from nor written to the cache. An id with its date behind it
    (`claude-haiku-4-5-20251001`) costs what the one without costs.
    """
    models = price_list()["models"]
    rates = models.get(model) or models.get(_DATED.sub("", model))
    if rates is None:
        return None
    prompt_tokens = input_tokens + cache_read_tokens + cache_write_tokens
    if (above := rates.get("above")) and prompt_tokens > above["prompt_tokens"]:
        rates = above
    millionths = (
        input_tokens * rates["input"]
        + output_tokens * rates["output"]
        + cache_read_tokens * rates["cache_read"]
        + cache_write_tokens * rates["cache_write"]
    )
    return float(millionths) / 1_000_000
