"""The embedded engine: the Inngest protocol over a SQLite journal, for one machine."""

from briefworks.executor.embedded import Executor

__all__ = ["Executor"]
