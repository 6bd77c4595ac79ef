"""The model of this process: one server and one model name, shared by all steps."""

from __future__ import annotations

import time

from briefworks import costs
from briefworks.account import CallMemo
from briefworks.errors import ModelRejected
from briefworks.model.answer import Answer
from briefworks.model.calls import ModelCalls
from briefworks.model.paying import Price
from briefworks.model.request import Prompt, Request
from briefworks.model.server import Server
from briefworks.model.watch import Watch
from briefworks.shapes import StepOutput

_CHECK_S = 60.0  # a server of one's own may have to load the model first


class Model:
    """
    Claude, or any server at `base_url` that speaks the Messages API; nothing is read from the environment.

    Thread-safe. `price` says what a request costs (`costs.price` unless another is given). Raises
    `ConfigError` for an address that cannot work, and without a key for Anthropic's own server.
    """

    def __init__(
        self,
        *,
        model: str,
        api_key: str | None = None,
        base_url: str | None = None,
        price: Price | None = None,
    ) -> None:
        self._server = Server(model, api_key, base_url)
        self._price = price or costs.price

    def calls(self, memo: CallMemo, out: StepOutput, deadline: float) -> ModelCalls:
        """The calls of one step body; `deadline` is a `time.monotonic()` value."""
        return ModelCalls(self._server, self._price, memo, out, deadline)

    def check(self) -> str:
        """
        A sentence that says that the model answers; for that it may write one token.

        Raises what `ModelCalls` raises.
        """
        server = self._server
        listed = server.models(_CHECK_S) or []
        found = next((one for one in listed if one.get("id") == server.model), None)
        if found is None:
            with Watch(lambda _ms: None, time.monotonic() + _CHECK_S) as watch:
                request = Request.of(Prompt(system="", task="Say yes.", max_tokens=1))
                server.stream(request, Answer(), watch, lambda _text: None)
            return f"{server.model} at {server.host} answers"
        lifecycle = found.get("lifecycle")
        if lifecycle == "retired":
            raise ModelRejected(f"{server.model} at {server.host} is retired.")
        note = ", but is deprecated" if lifecycle == "deprecated" else ""
        return f"{server.model} at {server.host} is available{note}"
