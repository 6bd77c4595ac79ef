"""follow.js against the app itself: killed, cut by its model, full; in the end its state is the store's."""

import pytest

from briefworks.fold import fold
from local import Local
from node_follower import Follower
from waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def local(tmp_path_factory, upstream):
    local = Local(tmp_path_factory.mktemp("followed"), upstream.url, BRIEFWORKS_MAX_WATCHERS="1")
    yield local
    local.close()


def drafting(follower):
    return any(section["markdown"] for section in (follower.state or {"sections": []})["sections"])


def test_an_article_is_followed_over_a_killed_app_and_a_cut_model(local, upstream):
    upstream.fault("cut", match="", times=2, after_tokens=20)
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=60)
    assert local.ask().status_code == 202
    with Follower(local.app.url, project="p", article="a1") as follower:
        wait_for(lambda: drafting(follower), what="the draft")
        local.app.kill()
        wait_for(lambda: follower.links[-1].get("error"), what="the cut")
        local.app.start()
        local.wait_end()
        follower.wait_end()
        assert follower.state == fold("p", "a1", local.rows())
        assert follower.state["status"] == "done"
        rows = [row for rows in follower.batches() for row in rows]
        assert [row["seq"] for row in rows] == sorted({row["seq"] for row in rows})
        assert max(row["take"] for row in rows) > 1  # a cut step was seen to begin anew


def test_who_finds_no_place_polls_until_there_is_one(local):
    with Follower(local.app.url, project="p", article="later") as first:
        wait_for(lambda: first.ways[-1:] == ["sse"])
        with Follower(local.app.url, project="p", article="later") as second:
            wait_for(lambda: second.ways[-1:] == ["polling"], what="polling")
            first.tell("stop")
            wait_for(lambda: second.ways[-1:] == ["sse"], what="a place")


def test_a_project_is_followed_from_now_on(local):
    with Follower(local.app.url, project="p", article=None) as follower:
        wait_for(follower.batches)
        assert follower.batches() == [[]]
        assert local.ask(article="a2").status_code == 202
        wait_for(lambda: len(follower.batches()) > 1)
        assert follower.batches()[1][0]["event"] == "run-started"
