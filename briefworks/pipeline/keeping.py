"""What is erased later than asked: old articles (BRIEFWORKS_KEEP_DAYS), those deleted before they began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from briefworks.errors import BriefworksError
from briefworks.stream import DELETED, Store, rows_of

log = structlog.get_logger("briefworks.keeping")
AT_ONCE = 50  # a beginning article does not wait for a long clearing; the next one goes on with it
ENDED = ("done", "failed", "cancelled")


def erase_deleted(store: Store, project_id: str, article_id: str) -> None:
    """Erase the rows of a run that was deleted before it began, once it has been refused."""
    rows = rows_of(store, project_id, article_id)
    if rows and rows[-1]["event"] == "run-cancelled" and rows[-1]["data"].get("reason") == DELETED:
        store.delete_article(project_id, article_id)


def erase_old(store: Store, project_id: str, keep_days: float, now: datetime | None = None) -> int:
    """Erase articles of the project that ended more than `keep_days` ago; how many."""
    until = (now or datetime.now(UTC)) - timedelta(days=keep_days)
    before = until.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    erased = 0
    try:
        for article in store.articles(project_id, AT_ONCE, before):
            if article["status"] in ENDED and article["updated_at"] < before:
                store.delete_article(project_id, article["article_id"])
                erased += 1
    except BriefworksError as error:
        log.warning("old articles could not be erased", project_id=project_id, reason=str(error))
    if erased:
        log.info("old articles erased", project_id=project_id, count=erased)
    return erased
