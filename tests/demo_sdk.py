"""What Anthropic's own SDK hears of the demo upstream, for tests of its faults and its log."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2

TALE = '<paragraph id="1.1">' + "The pot was warm and the tea was good. " * 40 + "</paragraph>"
ONE = {"model": "synthetic", "max_tokens": 4000, "messages": [{"role": "user", "content": TALE}]}


def heard(sdk: anthropic.Anthropic, **more: Any) -> tuple[str, anthropic.types.Message | BaseException]:
    """The text that came, and the message or the error it ended with."""
    text = ""
    try:
        with sdk.messages.stream(**{**ONE, **more}) as stream:
            for piece in stream.text_stream:
                text += piece
            return text, stream.get_final_message()
    except (anthropic.APIError, httpx2.HTTPError) as error:
        return text, error
