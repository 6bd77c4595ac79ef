"""`Client.follow` on bad connections: real sockets, and a server that breaks the wire as it is told."""

import json
import time
from functools import partial
from itertools import islice

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from briefworks.client.app import App
from briefworks.client.app_place import AppFeed, AppPlace
from briefworks.client.follower import Follower
from briefworks.client.place import Timing
from briefworks.errors import Forbidden, NotFound, RequestInvalid, Unauthorized, UpstreamUnavailable
from in_time import HELD_S, in_time
from stream_server import StreamServer, row

QUICK = Timing(waits_s=(0.001, 0.002), poll_s=0.001, full_s=0.001, sse_again_s=0.01)


@pytest.fixture(scope="module")
def running():
    server = StreamServer()
    with httpx.Client(trust_env=False) as http:
        yield server, http
    server.close()


@pytest.fixture
def server(running):
    running[0].reset()
    return running[0]


@pytest.fixture
def follow(running):
    """Follows article "a" of the server, quickly."""

    def start(article="a", after=0, quiet_s=0.3, patience_s=5.0, timing=QUICK, on_trouble=None):
        app = App(running[0].url, "bw_key", 5, running[1])
        feed = AppFeed(app, "p", article, quiet_s, timing)
        look = None if article is None else partial(AppPlace(app).article, "p", article)
        return Follower(feed, look, after, patience_s, on_trouble, timing).rows()

    return start


def table(n, *, end="polish-done", without=()):
    """Rows of two articles by turns, with holes, the last one ending the run of "a"."""
    rows = [row(seq, "b" if seq % 3 == 0 else "a") for seq in range(1, n + 1) if seq not in without]
    return [*rows, row(n + 1, "a", end)]


def seqs(rows, article="a"):
    return [r["seq"] for r in rows if r["article_id"] == article]


KINDS = ("double", "no-ids", "html", "drop", "json", "ok", "full")
FAULTS = st.one_of(
    st.tuples(st.just("cut"), st.integers(1, 3000)),
    st.sampled_from(
        [*((kind, 0) for kind in KINDS), ("refuse", 500), ("refuse", 503), ("page", 1), ("page", 3)]
    ),
)


@given(
    sizes=st.lists(st.integers(0, 4), min_size=1, max_size=6),
    holes=st.sets(st.integers(1, 20), max_size=6),
    faults=st.lists(FAULTS, max_size=8),
)
@example(sizes=[3, 2], holes={2}, faults=[("double", 0)])
@example(sizes=[3, 0, 3], holes=set(), faults=[("cut", n) for n in range(20, 700, 40)])
@settings(max_examples=60)
def test_what_is_followed_is_the_table_whatever_the_connection_does(server, follow, sizes, holes, faults):
    server.reset()
    rows = table(sum(sizes), without=holes)
    server.coming = [rows[sum(sizes[:k]) : sum(sizes[: k + 1])] for k in range(len(sizes))]
    server.coming.append(rows[sum(sizes) :])
    server.faults = list(faults)
    assert list(follow()) == [r for r in rows if r["article_id"] == "a"]


def test_a_cut_in_a_character_or_a_line_loses_and_doubles_nothing(server, follow):
    server.rows = table(2)
    whole = len(json.dumps(server.page(0, "a", 9), ensure_ascii=False).encode())
    listen_again = Timing(waits_s=(0.0,), sse_again_s=0.0)
    for kept in range(1, whole, 4):
        server.asked = []
        server.faults = [("cut", kept)] * 2
        assert list(follow(timing=listen_again)) == [row(1), row(2), row(3, event="polish-done")], kept
        assert [kind for kind, _ in server.asked] == ["sse"] * 3


def test_a_server_that_goes_silent_is_left_and_asked_again(server, follow):
    server.rows = table(4)
    server.faults = [("silent", 0)]
    with in_time(more_than_s=0.1):
        assert seqs(follow(quiet_s=0.1, timing=Timing(waits_s=(0.0,)))) == seqs(server.rows)
    assert [kind for kind, _ in server.asked] == ["sse", "json"]


def test_without_a_place_among_the_watchers_it_polls_and_then_listens_again(server, follow):
    server.coming = [[r] for r in table(60)]
    server.faults = [("full", 1)] + [("ok", 0)] * 200
    timing = Timing(waits_s=(0.001,), poll_s=0.05, full_s=HELD_S)
    began = time.monotonic()
    with in_time():
        assert seqs(follow(timing=timing)) == seqs(table(60))
    took = time.monotonic() - began
    kinds = [kind for kind, _ in server.asked]
    assert kinds[0] == "sse" and kinds[-1] == "sse" and set(kinds[1:-1]) == {"json"}
    assert took >= 1 and len(kinds) < 3 + took / timing.poll_s  # the second that was told, polled in peace


def test_an_answer_that_is_no_stream_is_polled_instead(server, follow):
    server.coming = [[r] for r in table(3)]
    server.faults = [("json", 0)]
    assert seqs(follow(timing=Timing(poll_s=0.001))) == [1, 2, 4]
    assert {kind for kind, _ in server.asked[1:]} == {"json"}


def test_it_goes_on_after_what_was_seen_and_asks_for_its_article_only(server, follow):
    server.rows = table(6)
    server.faults = [("page", 2), ("ok", 0)]
    assert seqs(islice(follow(after=2), 1)) == [4]
    assert server.asked == [("sse", "/api/projects/p/stream?after=2&article=a")]


def test_whoever_comes_back_after_the_end_is_not_kept_waiting(server, follow):
    server.rows = [*table(4), row(6, "b")]
    assert list(follow(after=5)) == []
    assert list(follow(after=6)) == []


def test_a_run_that_failed_and_was_begun_again_is_followed_to_its_second_end(server, follow):
    server.rows = [row(1, event="run-started"), row(2, event="run-failed"), row(3, event="run-started")]
    server.coming = [[row(4)], [row(5, event="run-cancelled")]]
    server.faults = [("page", 1)]
    assert seqs(follow()) == [1, 2, 3, 4, 5]


def test_a_project_is_followed_beyond_the_end_of_a_run(server, follow):
    server.rows = table(2)
    server.coming = [[row(4, "b")], [row(5, "c")]]
    assert [r["seq"] for r in islice(follow(article=None), 5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kind", ["sse", "json"])
def test_when_the_app_has_lost_what_was_seen_all_of_it_is_yielded_from_the_start(server, follow, kind):
    server.rows = [row(1), row(2), row(3)]
    if kind == "json":
        server.faults = [("full", 60), ("ok", 0)]
    following = follow()
    assert [next(following)["seq"] for _ in range(3)] == [1, 2, 3]
    server.rows = [row(1, text="new"), row(2, event="polish-done")]
    server.faults = [("drop", 0)]
    again = list(following)
    assert [r["seq"] for r in again] == [1, 2]
    assert again[0]["data"]["text"] == "new"


@pytest.mark.parametrize(
    ("status", "error"), [(401, Unauthorized), (403, Forbidden), (404, NotFound), (400, RequestInvalid)]
)
def test_what_no_attempt_can_mend_is_raised_at_once(server, follow, status, error):
    server.faults = [("refuse", status)] * 5
    with pytest.raises(error):
        list(follow())
    assert len(server.asked) == 1


def test_patience_ends_and_trouble_is_told_from_the_second_failure_on(server, follow):
    server.faults = [("refuse", 502)] * 500
    heard = []
    with pytest.raises(UpstreamUnavailable, match="refused"):
        list(follow(patience_s=0.3, on_trouble=heard.append))
    assert len(heard) == len(server.asked) - 2 >= 1


def test_an_address_where_nothing_answers_is_said_soon(follow, server):
    server.faults = [("refuse", 502)] * 500
    timing = Timing(waits_s=(0.01,), first_s=0.05)
    with in_time(), pytest.raises(UpstreamUnavailable):
        list(follow(patience_s=HELD_S, timing=timing))


def test_patience_counts_from_the_first_failure_not_from_the_last_row(server, follow):
    server.rows = [row(1)]
    following = follow(patience_s=0.2)
    next(following)
    time.sleep(0.3)  # a long, quiet but sound connection
    server.rows = table(3)
    server.faults = [("drop", 0)] * 3
    assert seqs(following) == [2, 4]


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", '{"rows": 1, "head": -1, "upto": 0}', '{"rows": [], "head": "9", "upto": 0}', "[" * 9000],
)
def test_nonsense_is_no_page(server, follow, body):
    server.answers["/api/projects/p/stream"] = (200, body, {"Content-Type": "application/json"})
    with pytest.raises(UpstreamUnavailable):
        list(follow(patience_s=0.02))


def test_a_reader_that_stops_closes_its_connection(server, follow, running):
    server.rows = [row(1), row(2)]
    following = follow()
    next(following)
    following.close()
    server.rows = table(3)
    assert seqs(follow()) == [1, 2, 4]
