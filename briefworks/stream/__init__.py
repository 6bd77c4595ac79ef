"""The stream: the store's contract, reading all of it, and the writer of one take of one step."""

from briefworks.stream.articles import costs_of, finished, rows_of, started_rows, state_of
from briefworks.stream.store import DELETED, Decision, PageOfRows, Row, Store, Take
from briefworks.stream.writer import StepWriter

__all__ = [
    "DELETED",
    "Decision",
    "PageOfRows",
    "Row",
    "StepWriter",
    "Store",
    "Take",
    "costs_of",
    "finished",
    "rows_of",
    "started_rows",
    "state_of",
]
