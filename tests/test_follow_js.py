"""follow.js: whatever a connection does, its reader ends up with the table, word for word."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any_stream import ACTIONS, replay
from briefworks.fold import fold
from node_follower import QUICK, SOON_SILENT, Follower
from store_model import ModelStore
from store_rows import FAILED, RUN, Clock, brief_done, token
from waiting import wait_for
from wire_server import serve_wire


def drafting():
    """An article in its draft: head 4."""
    store = ModelStore(Clock())
    store.start_run("a", "r1", RUN)
    store.open_take("a", "r1", "brief", "c1")
    store.finish("a", "brief", 1, 0, [brief_done("One", "Two")])
    store.open_take("a", "r1", "draft-section-1", "c2")
    store.append("a", "draft-section-1", 1, 0, [token("Zwölf – "), token("書 😀")])
    return store


@pytest.fixture
def server():
    with serve_wire(drafting()) as server:
        yield server


def moods(server, *scripted):
    """These moods for the next requests, then none."""
    script = list(scripted)
    server.moods = lambda: script.pop(0) if script else {}


def end(server):
    with server.writing() as store:
        store.end_run("r1", "run-failed", FAILED)


def assert_folded(follower, server):
    assert follower.state == fold("p", "a", server.store.rows)


# --- single promises
def test_an_article_is_followed_to_its_end(server):
    with Follower(server.url) as follower:
        follower.wait_state(seq=4)
        with server.writing() as store:
            store.append("a", "draft-section-1", 1, 2, [token(" more")])
        follower.wait_state(seq=5)
        end(server)
        follower.wait_end()
        assert_folded(follower, server)
        assert follower.ways == ["none", "sse", "none"]
        assert follower.links[-1]["ended"] is True
        assert [len(rows) for rows in follower.batches()] == [4, 1, 1]
        assert server.asked == [("text/event-stream", 0)]


def test_an_article_without_a_row_is_told_once_and_waited_for(server):
    with Follower(server.url, article="b") as follower:
        assert follower.wait_state(seq=0)["status"] == "running"
        with server.writing() as store:
            store.start_run("b", "r2", RUN)
        follower.wait_state(seq=5)
        assert follower.batches()[0] == []


def test_a_message_without_rows_moves_what_was_seen(server):
    moods(server, {"last": 3})
    with Follower(server.url, article="b") as follower:
        follower.wait_state(seq=0)
        with server.writing() as store:
            store.append("a", "draft-section-1", 1, 2, [token(" more")])
        wait_for(lambda: len(server.asked) == 2)
        assert server.asked[1] == ("text/event-stream", 5)


@pytest.mark.parametrize(("eol", "every"), [("\n", 1), ("\r\n", 1), ("\r\n", 2), ("\r", 3)], ids=repr)
def test_bytes_are_joined_however_they_are_cut(server, eol, every):
    server.moods = lambda: {"eol": eol}
    with Follower(server.url, cutEvery=every) as follower:
        follower.wait_state(seq=4)
        end(server)
        follower.wait_end()
        assert_folded(follower, server)
        assert follower.ways == ["none", "sse", "none"]


def test_a_stream_that_ends_is_read_on_where_it_ended(server):
    with Follower(server.url) as follower:
        follower.wait_state(seq=4)
        server.drop()
        end(server)
        follower.wait_end()
        assert_folded(follower, server)
        assert server.asked == [("text/event-stream", 0), ("text/event-stream", 4)]
        assert follower.ways == ["none", "sse", "none", "sse", "none"]
        assert follower.links[2]["error"]["code"] == "unreachable"


def test_rows_that_come_again_are_dropped(server):
    moods(server, {}, {"doubled": 3})
    with Follower(server.url) as follower:
        follower.wait_state(seq=4)
        server.drop()
        end(server)
        follower.wait_end()
        seqs = [row["seq"] for rows in follower.batches() for row in rows]
        assert seqs == [1, 2, 3, 4, 5]


def test_a_connection_that_is_silent_is_given_up(server):
    moods(server, {"mute": 2})
    with Follower(server.url, timing=SOON_SILENT) as follower:
        follower.wait_state(seq=4)
        end(server)
        follower.wait_end()
        assert_folded(follower, server)
        assert "nothing was heard for 0.4 s" in follower.links[2]["error"]["detail"]


def test_a_server_that_does_not_answer_is_asked_again(server):
    moods(server, {"hang": True})
    with Follower(server.url, timing=SOON_SILENT) as follower:
        follower.wait_state(seq=4)
        assert len(server.asked) == 2


def test_without_a_place_among_the_watchers_it_polls_and_comes_back(server):
    full = {"status": 503, "headers": {"Retry-After": "1"}, "body": {"code": "too-many-watchers"}}
    places = []
    server.moods = lambda: {} if places or server.asked[-1][0] == "application/json" else full
    with Follower(server.url) as follower:
        follower.wait_state(seq=4)
        assert follower.ways == ["none", "polling"]
        with server.writing() as store:
            store.append("a", "draft-section-1", 1, 2, [token(" more")])
        follower.wait_state(seq=5)
        assert follower.ways == ["none", "polling"]
        places.append("free")
        wait_for(lambda: follower.ways[-1] == "sse")
        end(server)
        follower.wait_end()
        assert_folded(follower, server)


@pytest.mark.parametrize("mood", [{"cut": 0}, {"mute": 1}, {"type": "text/html"}], ids=str)
def test_where_no_stream_comes_through_it_polls(server, mood):
    server.moods = lambda: mood if server.asked[-1][0] == "text/event-stream" else {}
    with Follower(server.url, timing=SOON_SILENT) as follower:
        follower.wait_state(seq=4)
        end(server)
        follower.wait_end()
        assert "polling" in follower.ways
        assert_folded(follower, server)


def test_polling_reads_all_pages_at_once(server):
    server.moods = lambda: (
        {"status": 503} if server.asked[-1][0] == "text/event-stream" else {"limit": 1, "doubled": 1}
    )
    with Follower(server.url, timing={**QUICK, "pollMs": 60_000, "fullMs": 60_000}) as follower:
        follower.wait_state(seq=4)
        assert [len(rows) for rows in follower.batches()] == [2, 1, 1]


def test_a_store_that_has_less_than_was_seen_begins_anew(server):
    with Follower(server.url) as follower:
        follower.wait_state(seq=4)
        fresh = ModelStore(Clock())
        fresh.start_run("a", "r7", RUN)
        with server.writing():
            server.store = fresh
        server.drop()
        state = follower.wait_state(run_id="r7")
        assert state == fold("p", "a", fresh.rows)
        assert server.asked[-1] == ("text/event-stream", 0)


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_final_and_says_why(server, status):
    problem = {"code": "unauthorized", "detail": "No good key.", "hint": "Set one.", "status": status}
    moods(server, {"status": status, "body": problem})
    with Follower(server.url) as follower:
        follower.wait_end()
        assert len(server.asked) == 1
        assert follower.state is None
        assert {**follower.links[-1], "since": 0} == {
            "via": "none",
            "error": problem,
            "ended": True,
            "since": 0,
        }


@pytest.mark.parametrize("status", [429, 500, 502])
def test_another_failure_is_tried_again(server, status):
    moods(server, {"status": status, "headers": {"Retry-After": "0"}})
    with Follower(server.url) as follower:
        follower.wait_state(seq=4)
        assert follower.links[1]["error"]["code"] == f"http-{status}"


def test_nobody_there_is_waited_for(server):
    moods(server)
    with Follower("http://127.0.0.1:1") as follower:
        wait_for(lambda: len(follower.links) == 2)
        assert follower.links[1]["error"]["status"] == 0
        assert not follower.done


@pytest.mark.parametrize("word", ["online", "visibilitychange"])
def test_a_pause_ends_when_network_or_reader_come_back(server, word):
    moods(server, {"status": 500})
    with Follower(server.url, timing={**QUICK, "waitsMs": [600_000]}) as follower:
        wait_for(lambda: len(follower.links) == 2)
        follower.tell(word)
        follower.wait_state(seq=4)


def test_a_new_network_is_not_trusted_with_an_old_connection(server):
    moods(server, {"mute": 2})
    with Follower(server.url, timing={**QUICK, "quietMs": 600_000}) as follower:
        follower.wait_state(seq=4)
        end(server)
        follower.tell("visibilitychange")  # heard of just now: it may stay
        follower.tell("online")
        follower.wait_end()
        assert_folded(follower, server)
        assert len(server.asked) == 2


def test_stopped_it_says_nothing_more(server):
    with Follower(server.url) as follower:
        follower.wait_state(seq=4)
        follower.tell("stop")
        assert follower.wait_end()["status"] == "running"  # nothing is open that would keep Node alive
        assert follower.ways == ["none", "sse"]


def test_stopped_by_its_own_callback_it_says_nothing_more(server):
    end(server)
    with Follower(server.url, stopAt=5) as follower:
        assert follower.wait_end()["status"] == "failed"
        assert follower.ways == ["none", "sse"]


def test_headers_are_sent_with_every_request(server):
    with Follower(server.url, headers={"Authorization": "Bearer bw_1"}) as follower:
        follower.wait_state(seq=4)
        assert server.headers["authorization"] == "Bearer bw_1"


def test_a_project_is_followed_from_now_on(server):
    with Follower(server.url, article=None) as follower:
        wait_for(follower.batches)
        with server.writing() as store:
            store.start_run("b", "r2", RUN)
        wait_for(lambda: len(follower.batches()) == 2)
        told = [
            (said["anew"], [row["seq"] for row in said["rows"]]) for said in follower.said if "rows" in said
        ]
        assert told == [(True, []), (False, [5])]
        with server.writing():
            server.store = ModelStore(Clock())
        server.drop()
        wait_for(lambda: len(follower.batches()) == 3)
        assert (follower.said[-1]["anew"], follower.said[-1]["rows"]) == (True, [])


def test_a_project_is_followed_after_a_seq(server):
    with Follower(server.url, article=None, after=2) as follower:
        wait_for(follower.batches)
        assert [row["seq"] for row in follower.batches()[0]] == [3, 4]


# --- any cuts
def follow_any(actions, seed):
    """Follow a stream while it is written, over connections that are bad in every way."""
    chance = random.Random(seed)
    writing = iter(replay([action for action in actions if action[0] != "end"]))
    store = next(writing)

    def mood():
        bad = {"eol": chance.choice(["\n", "\r\n", "\r"]), "limit": chance.choice([1, 2, 7, 1000])}
        bad |= {"doubled": chance.choice([0, 0, 3])}
        wrong = chance.choice(["", "", "cut", "cut", "full", "mute", "error"])
        bad |= {"cut": chance.randrange(4000)} if wrong == "cut" else {}
        bad |= {"mute": chance.randrange(1, 4)} if wrong == "mute" else {}
        bad |= {"status": 503} if wrong == "full" else {"status": 500} if wrong == "error" else {}
        return bad

    with serve_wire(store) as server:
        server.moods = mood
        quick = {**QUICK, "quietMs": 60, "firstMs": 120}
        with Follower(server.url, timing=quick, cutEvery=chance.choice([0, 1, 5, 60])) as follower:
            for n, _ in enumerate(iterate(server, writing)):
                if n % 7 == 3:
                    wait_for(lambda: follower.state is not None or follower.done)
                    server.drop()
                if n % 5 == 2:
                    with server.writing():
                        store.write("b", "rb", "start", 1, [("run-started", RUN)])
            with server.writing():
                newest = store.newest_run("a")
                if not store.runs[newest]["ended"]:
                    store.end_run(newest, "run-failed", FAILED)
            follower.wait_end()
            assert follower.state == fold("p", "a", store.rows)
            seqs = [row["seq"] for rows in follower.batches() for row in rows]
            assert seqs == sorted(set(seqs))
            assert all(row["article_id"] == "a" for rows in follower.batches() for row in rows)


def iterate(server, writing):
    """The writer's calls, each under the server's lock."""
    while True:
        with server.changed:
            if next(writing, None) is None:
                return
            server.changed.notify_all()
        yield


@settings(max_examples=6)
@given(actions=ACTIONS, seed=st.integers(0, 2**32))
def test_the_folded_state_is_the_tables_whatever_is_cut(actions, seed):
    follow_any(actions, seed)


@pytest.mark.slow
@settings(max_examples=120)
@given(actions=ACTIONS, seed=st.integers(0, 2**32))
def test_the_folded_state_is_the_tables_whatever_is_cut_many_times(actions, seed):
    follow_any(actions, seed)
