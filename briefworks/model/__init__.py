"""The model client: text and structured answers from any server that speaks the Messages API."""

from briefworks.model.calls import ModelCalls
from briefworks.model.client import Model
from briefworks.model.paying import Price
from briefworks.model.request import Prompt

__all__ = ["Model", "ModelCalls", "Price", "Prompt"]
