"""Tells: what gives machine writing away, found by rules kept as data; it says where, never who wrote it."""

from briefworks.tells.linter import RULES_VERSION, Tell, lint, rate

__all__ = ["RULES_VERSION", "Tell", "lint", "rate"]
