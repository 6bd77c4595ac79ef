"""follow.js by a channel that loses, doubles and withholds messages: its reader ends up with the table."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from any_stream import ACTIONS, replay
from briefworks.fold import fold
from node_follower import QUICK, Follower
from store_model import ModelStore
from store_rows import FAILED, RUN, Clock, brief_done, token
from waiting import wait_for
from wire_server import serve_wire

PAGE, SSE = "application/json", "text/event-stream"
NO_POLLS = {**QUICK, "pollMs": 600_000}


@pytest.fixture
def server():
    """An article in its draft: head 4."""
    store = ModelStore(Clock())
    store.start_run("a", "r1", RUN)
    store.open_take("a", "r1", "brief", "c1")
    store.finish("a", "brief", 1, 0, [brief_done("One", "Two")])
    store.open_take("a", "r1", "draft-section-1", "c2")
    store.append("a", "draft-section-1", 1, 0, [token("Zwölf – "), token("書 😀")])
    with serve_wire(store) as server:
        yield server


def write(server, text=" more", wrote=None):
    """One more token, or what `wrote` does; the batch that the database would announce."""
    with server.writing() as store:
        seq = store.rows[-1]["seq"]
        if wrote:
            wrote(store)
        else:
            count = store.takes["a", "draft-section-1"][0]["count"]
            store.append("a", "draft-section-1", 1, count, [token(text)])
        return batch(store, seq)


def batch(store, after):
    rows = [row for row in store.rows if row["seq"] > after]
    return {"from_seq": after + 1, "to_seq": rows[-1]["seq"], "rows": rows}


def joined(server, timing=NO_POLLS, **options):
    """A follower whose channel is joined, with the reads of joining done."""
    follower = Follower(server.url, channel=True, timing=timing, **options)
    wait_for(lambda: follower.channels == ["opened"])
    follower.hear("joined")
    wait_for(lambda: follower.ways[-1] == "realtime")
    server.asked.clear()
    return follower


def end(server, follower):
    """The run ends, and the channel says it."""
    follower.hear(write(server, wrote=lambda store: store.end_run("r1", "run-failed", FAILED)))
    follower.wait_end()
    assert follower.state == fold("p", "a", server.store.rows)


def test_an_article_is_followed_by_what_the_channel_brings(server):
    with joined(server) as follower:
        assert follower.state["seq"] == 4
        for n in range(3):
            follower.hear(write(server, f" {n}"))
        follower.wait_state(seq=7)
        end(server, follower)
        assert server.asked == []
        assert follower.ways == ["none", "realtime", "none"]
        assert follower.channels == ["opened", "closed"]
        assert [len(rows) for rows in follower.batches()] == [4, 1, 1, 1, 1]


def test_what_is_there_is_shown_before_the_channel_is_joined_and_read_again_when_it_is(server):
    with Follower(server.url, channel=True, timing=NO_POLLS) as follower:
        follower.wait_state(seq=4)
        wait_for(lambda: follower.channels == ["opened"])
        write(server)
        follower.hear("joined")
        follower.wait_state(seq=5)
        assert server.asked == [(PAGE, 0), (PAGE, 4)]


@pytest.mark.parametrize("word", ['"ready"', "visibilitychange", "online"])
def test_it_reads_when_the_channel_is_ready_and_when_network_or_reader_are_back(server, word):
    with joined(server) as follower:
        write(server)
        follower.tell(word)
        follower.wait_state(seq=5)
        assert server.asked == [(PAGE, 4)]


@pytest.mark.parametrize("lacks", ["a batch before it", "its rows", "its words"])
def test_what_a_batch_lacks_is_read(server, lacks):
    with joined(server) as follower:
        first, second = write(server), write(server)
        if lacks == "a batch before it":
            follower.hear(second)
        elif lacks == "its rows":
            follower.hear({"from_seq": first["from_seq"], "to_seq": second["to_seq"]})
        else:
            follower.hear({"odd": True})
        follower.wait_state(seq=6)
        assert server.asked == [(PAGE, 4)]
        end(server, follower)


def test_batches_that_come_again_are_dropped(server):
    with joined(server) as follower:
        first, second = write(server), write(server)
        for one in (
            first,
            first,
            second,
            first,
            {**first, "to_seq": 6, "rows": first["rows"] + second["rows"]},
        ):
            follower.hear(one)
        end(server, follower)
        assert server.asked == []
        assert [row["seq"] for rows in follower.batches() for row in rows] == [1, 2, 3, 4, 5, 6, 7]


def test_a_batch_of_another_article_is_no_gap(server):
    with joined(server) as follower:
        follower.hear(write(server, wrote=lambda store: store.start_run("b", "r2", RUN)))
        follower.hear(write(server))
        follower.wait_state(seq=6)
        end(server, follower)
        assert server.asked == []
        assert {row["article_id"] for rows in follower.batches() for row in rows} == {"a"}


def test_a_lost_last_message_is_missed_by_the_next_check(server):
    with joined(server, timing={**NO_POLLS, "checkMs": 300}) as follower:
        write(server)
        follower.wait_state(seq=5)
        assert follower.ways[-1] == "realtime"  # one lost message is no silence


def test_a_channel_that_brings_nothing_is_left_for_server_events_and_tried_again(server):
    timing = {**NO_POLLS, "checkMs": 100, "channelAgainMs": 400, "quietMs": 600_000}
    with joined(server, timing=timing) as follower:
        write(server)
        follower.wait_state(seq=5)
        write(server)
        follower.wait_state(seq=6)
        wait_for(lambda: follower.ways[-1] == "sse")
        assert follower.links[-1]["instead"] == "Realtime is not used: it brings nothing."
        write(server)
        follower.wait_state(seq=7)
        wait_for(lambda: follower.channels == ["opened", "closed", "opened"])
        follower.hear("joined")
        wait_for(lambda: follower.ways[-1] == "realtime")
        assert "instead" not in follower.links[-1]
        end(server, follower)


def test_a_channel_that_brings_later_rows_is_kept(server):
    with joined(server, timing={**NO_POLLS, "checkMs": 800}) as follower:
        for n in range(2):
            write(server)
            follower.wait_state(seq=5 + 2 * n)  # by a check
            follower.hear(write(server))
        end(server, follower)
        assert follower.ways == ["none", "realtime", "none"]


def test_until_it_is_joined_it_polls_and_one_that_is_not_joined_in_time_is_left(server):
    with Follower(server.url, channel=True, timing={**QUICK, "joinMs": 300}) as follower:
        wait_for(lambda: follower.ways[:2] == ["none", "polling"])
        write(server)
        follower.wait_state(seq=5)
        wait_for(lambda: follower.ways[-1] == "sse")
        assert follower.links[-1]["instead"] == "Realtime is not used: it was not joined in time."
        assert follower.channels == ["opened", "closed"]


def test_a_refused_join_is_followed_by_server_events_with_the_reason(server):
    with Follower(server.url, channel=True) as follower:
        wait_for(lambda: follower.channels == ["opened"])
        follower.hear({"error": "Unauthorized: not yours"})
        wait_for(lambda: follower.ways[-1] == "sse")
        assert follower.links[-1]["instead"] == "Realtime is not used: Unauthorized: not yours."
        write(server)
        follower.wait_state(seq=5)


def test_where_neither_channel_nor_events_come_through_it_polls(server):
    server.moods = lambda: {"status": 503} if server.asked[-1][0] == SSE else {}
    with Follower(server.url, channel=True) as follower:
        wait_for(lambda: follower.channels == ["opened"])
        follower.hear({"error": "no"})
        wait_for(lambda: follower.ways[-1] == "polling")
        write(server)
        follower.wait_state(seq=5)
        assert follower.links[-1]["instead"]


def test_a_closed_channel_is_opened_anew_and_nothing_is_missed(server):
    with joined(server) as follower:
        follower.hear(write(server))
        follower.hear({"error": "Token has expired"})
        wait_for(lambda: follower.channels == ["opened", "closed", "opened"])
        write(server)
        follower.hear("joined")
        follower.wait_state(seq=6)
        assert SSE not in [kind for kind, _ in server.asked]
        end(server, follower)


def test_one_that_closes_again_and_again_and_brings_nothing_is_left(server):
    with joined(server) as follower:
        for n in range(1, 4):
            follower.hear({"error": "too many messages"})
            wait_for(lambda n=n: follower.channels.count("closed") == n)
            if n < 3:
                wait_for(lambda n=n: follower.channels.count("opened") == n + 1)
                follower.hear("joined")
        wait_for(lambda: follower.ways[-1] == "sse")
        assert follower.links[-1]["instead"] == "Realtime is not used: too many messages."


def test_a_channel_that_is_lost_and_comes_back_is_read_on_by_polling(server):
    with joined(server, timing=QUICK) as follower:
        follower.hear("lost")
        wait_for(lambda: follower.ways[-1] == "polling")
        write(server)
        follower.wait_state(seq=5)
        follower.hear("joined")
        wait_for(lambda: follower.ways[-1] == "realtime")
        assert follower.channels == ["opened"]


def test_a_finished_article_opens_no_channel(server):
    write(server, wrote=lambda store: store.end_run("r1", "run-failed", FAILED))
    with Follower(server.url, channel=True) as follower:
        assert follower.wait_end()["status"] == "failed"
        assert follower.channels == [] and server.asked == [(PAGE, 0)]


def test_a_refused_read_is_final_and_closes_the_channel(server):
    with joined(server) as follower:
        server.moods = lambda: {"status": 404, "body": {"code": "not-found", "detail": "Not yours."}}
        follower.hear("ready")
        follower.wait_end()
        assert follower.links[-1]["error"]["code"] == "not-found"
        assert follower.channels == ["opened", "closed"]


def test_an_app_that_is_away_for_a_while_is_asked_again(server):
    with joined(server) as follower:
        script = [{"status": 502}]
        server.moods = lambda: script.pop() if script else {}
        follower.hear("ready")
        wait_for(lambda: follower.channels == ["opened", "closed", "opened"])
        follower.hear("joined")
        wait_for(lambda: follower.ways[-1] == "realtime")
        end(server, follower)


def test_stopped_it_closes_the_channel(server):
    with joined(server) as follower:
        follower.tell("stop")
        follower.wait_end()
        assert follower.channels == ["opened", "closed"]


def test_a_project_is_followed_by_the_channel_from_now_on(server):
    with joined(server, article=None) as follower:
        assert [said["rows"] for said in follower.said if "rows" in said] == [[]]
        follower.hear(write(server, wrote=lambda store: store.start_run("b", "r2", RUN)))
        wait_for(lambda: len(follower.batches()) == 2)
        assert [row["seq"] for row in follower.batches()[1]] == [5]
        assert server.asked == []


# --- any faults
def follow_any(actions, seed):
    """Follow a stream while it is written, over a channel that is bad in every way."""
    chance = random.Random(seed)
    writing = iter(replay([action for action in actions if action[0] != "end"]))
    store = next(writing)
    with serve_wire(store) as server:
        timing = {**QUICK, "checkMs": 40, "joinMs": 60, "channelAgainMs": 100}
        with Follower(server.url, channel=True, timing=timing) as follower:
            wait_for(lambda: follower.channels)
            follower.hear("joined")
            seq = store.rows[-1]["seq"]
            while True:
                with server.writing():
                    more = next(writing, None)
                    if more is None and not store.runs[store.newest_run("a")]["ended"]:
                        store.end_run(store.newest_run("a"), "run-failed", FAILED)
                    told = batch(store, seq) if store.rows[-1]["seq"] > seq else None
                    seq = store.rows[-1]["seq"]
                for said in unreliable(chance, told) if told else ():
                    if not follower.done:
                        follower.hear(said)
                if more is None:
                    break
            follower.wait_end()
            assert follower.state == fold("p", "a", store.rows)
            seqs = [row["seq"] for rows in follower.batches() for row in rows]
            assert seqs == sorted(set(seqs))


def unreliable(chance, told):
    """What is heard in place of one batch."""
    match chance.choice(["it", "it", "it", "twice", "nothing", "no rows", "lost", "closed", "ready"]):
        case "it":
            return [told]
        case "twice":
            return [told, told]
        case "no rows":
            return [{**told, "rows": None}]
        case "lost":
            return ["lost", "joined", told]
        case "closed":
            return [told, {"error": "Token has expired"}, "joined"]
        case "ready":
            return ["ready", told]
    return []


@settings(max_examples=5)
@given(actions=ACTIONS, seed=st.integers(0, 2**32))
def test_the_folded_state_is_the_tables_whatever_the_channel_does(actions, seed):
    follow_any(actions, seed)


@pytest.mark.slow
@settings(max_examples=120)
@given(actions=ACTIONS, seed=st.integers(0, 2**32))
def test_the_folded_state_is_the_tables_whatever_the_channel_does_many_times(actions, seed):
    follow_any(actions, seed)
