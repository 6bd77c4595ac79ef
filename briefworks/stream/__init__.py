"""The stream: the store's contract, reading all of it, and the writer of one take of one step."""

from __future__ import annotations

from briefworks.shapes import StreamRow
from briefworks.stream.store import Decision, PageOfRows, Row, Store, Take
from briefworks.stream.writer import StepWriter

__all__ = ["Decision", "PageOfRows", "Row", "StepWriter", "Store", "Take", "rows_of"]


def rows_of(store: Store, project_id: str, article_id: str, after: int = 0) -> list[StreamRow]:
    """All rows of the article beyond `after` that the store has now, page by page."""
    rows: list[StreamRow] = []
    while True:
        page = store.read(project_id, after, article_id)
        rows += page["rows"]
        after = page["upto"]
        if after >= page["head"]:
            return rows
