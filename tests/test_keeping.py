"""BRIEFWORKS_KEEP_DAYS: what has ended long ago is erased, and nothing else."""

from datetime import timedelta

import pytest

from briefworks.errors import StoreUnavailable
from briefworks.pipeline.keeping import erase_old
from store_rows import FAILED, RUN, Clock


def test_what_ended_long_ago_is_erased_and_what_is_open_or_lately_ended_stays(store_factory):
    clock = Clock()
    store = store_factory(clock=clock)
    for article in ("old", "open", "late"):
        store.start_run("p", article, f"run-{article}", RUN)
    store.start_run("q", "elsewhere", "run", RUN)
    store.end_run("p", "run-old", "run-failed", FAILED)
    store.end_run("q", "run", "run-failed", FAILED)
    clock.advance(20 * 86_400)
    store.end_run("p", "run-late", "run-failed", FAILED)
    clock.advance(15 * 86_400)
    assert erase_old(store, "p", 30, clock.now) == 1
    assert [article["article_id"] for article in store.articles("p")] == ["late", "open"]
    assert len(store.articles("q")) == 1
    assert erase_old(store, "p", 10, clock.now + timedelta(days=1)) == 1
    assert [article["article_id"] for article in store.articles("p")] == ["open"]


def test_a_store_that_is_away_keeps_no_article_from_beginning(store):
    store.close()
    with pytest.raises(StoreUnavailable):
        store.articles("p")
    assert erase_old(store, "p", 1) == 0
