"""`Client.from_env`: a Supabase project followed straight, whatever its channel loses, doubles or refuses."""

import random
import threading
import time
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from briefworks.client.ear import CONNECT_S
from briefworks.client.follower import Follower
from briefworks.client.place import USUAL, Timing
from briefworks.client.supabase_place import SupabasePlace
from briefworks.errors import Forbidden, Unauthorized
from briefworks.fold import fold
from briefworks.settings import Settings
from briefworks.stores.postgres import PostgresStore
from briefworks.stream import rows_of, state_of
from store_rows import FAILED, RUN, brief_done, research_done, section_done, token
from supabase_project import PUBLISHABLE_KEY, SECRET_KEY
from waiting import wait_for

QUICK = Timing(waits_s=(0.01, 0.02), poll_s=0.05, check_s=0.5, renew_s=60)
PATIENT = replace(QUICK, check_s=60, poll_s=60)  # only the channel says anything


@pytest.fixture
def store(database_url):
    with closing(PostgresStore(database_url)) as store:
        store.start_run("p", "a", "r", RUN)
        yield store


def settings(peer):
    return Settings.load(
        supabase_url=peer.url, supabase_secret_key=SECRET_KEY, supabase_publishable_key=PUBLISHABLE_KEY
    )


class Reader(threading.Thread):
    """Follows article "a" of "p"; `rows` are what came, `error` is how it ended, if by one."""

    def __init__(self, peer, timing=QUICK, access_token=None, quiet_s=100.0):
        super().__init__(daemon=True)
        self.rows, self.troubles, self.error = [], [], None
        self.place = SupabasePlace(settings(peer), access_token, timing)
        feed = self.place.feed("p", "a", quiet_s)
        look = partial(self.place.article, "p", "a")
        self._follower = Follower(feed, look, 0, 100.0, self.troubles.append, timing)
        self.start()

    def run(self):
        try:
            for row in self._follower.rows():
                self.rows.append(row)
        except Exception as error:
            self.error = error

    def texts(self):
        return [row["data"].get("text") for row in self.rows if row["event"] == "draft-token"]

    def close(self):
        self.place.close()
        self.join(20)
        assert not self.is_alive()


@pytest.fixture
def reader(peer):
    """Starts readers; their channel hears from `live` on."""
    opened, peer.ready = [], False

    def start(*args, **options):
        opened.append(Reader(peer, *args, **options))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("realtime", "asyncio"))]


def reads(peer):
    return peer.answered.count("POST /rest/v1/rpc/article_read")


def joined(peer):
    """Somebody is in the channel, and has read when he came and when he had joined."""
    wait_for(lambda: peer.channels("project:p") == 1 and reads(peer) > 1)


def live(peer):
    """And hears all from now on, for which he reads once more."""
    joined(peer)
    before = reads(peer)
    peer.get_ready()
    wait_for(lambda: reads(peer) > before)


def opened(store, step="draft-section-1", claim="c1"):
    return store.open_take("p", "a", "r", step, claim)["take"]


def test_rows_come_by_the_channel_and_not_by_asking(peer, store, reader):
    one = reader(PATIENT)
    live(peer)
    take = opened(store)
    asked = len(peer.asked)
    for n in range(30):
        store.append("p", "a", "draft-section-1", take, n, [token(f"wörd {n}\u2028 🙂")])
    wait_for(lambda: len(one.texts()) == 30)
    assert one.rows == rows_of(store, "p", "a")
    assert len(peer.asked) == asked


def written(store, chance, over):
    """An article whose run fails in the end: some sections finished, of others the tokens stay."""
    opened(store, "research")
    store.finish("p", "a", "research", 1, 0, [research_done()])
    opened(store, "brief")
    store.finish("p", "a", "brief", 1, 0, [brief_done("One", "Two", "Three", "Four")])
    counts = dict.fromkeys(range(1, 5), 0)
    takes = {n: opened(store, f"draft-section-{n}") for n in counts}
    turn = 0
    while turn < 60 or not over.is_set():
        turn += 1
        n = chance.choice(list(counts))
        rows = [token(f"{turn}.{k} wörd 🙂 ") for k in range(chance.randint(1, 4))]
        store.append("p", "a", f"draft-section-{n}", takes[n], counts[n], rows)
        counts[n] += len(rows)
        if turn == 20:  # begun again: what it wrote is void
            takes[2], counts[2] = opened(store, "draft-section-2", "c2"), 0
        if turn == 40:
            store.finish("p", "a", "draft-section-1", takes[1], counts.pop(1), [section_done(1)])
        time.sleep(chance.uniform(0.005, 0.015))
    store.end_run("p", "r", "run-failed", FAILED)


def test_thirty_cuts_and_doubled_and_dropped_broadcasts_leave_the_table_word_for_word(peer, store, reader):
    chance = random.Random(4)
    one = reader()
    live(peer)
    over = threading.Event()
    writer = threading.Thread(target=written, args=[store, random.Random(5), over])
    writer.start()
    for _ in range(30):
        joined = peer.joined
        peer.drop, peer.double = chance.choice([(0, 0), (1, 0), (0, 2), (2, 1)])
        time.sleep(chance.uniform(0.01, 0.06))
        peer.cut()
        wait_for(lambda joined=joined: peer.joined > joined and peer.channels("project:p") == 1)
    over.set()
    writer.join()
    wait_for(lambda: not one.is_alive())
    assert one.error is None
    kept = rows_of(store, "p", "a")
    seqs = [row["seq"] for row in one.rows]
    assert seqs == sorted(set(seqs))
    held = {row["seq"] for row in kept}
    assert [row for row in one.rows if row["seq"] in held] == kept
    assert fold("p", "a", one.rows) == state_of(store, "p", "a")


def lose_the_last(peer, store, reader, timing, within_s):
    one = reader(timing)
    live(peer)
    take = opened(store)
    store.append("p", "a", "draft-section-1", take, 0, [token("heard")])
    wait_for(lambda: one.texts() == ["heard"])
    peer.drop = 1
    store.append("p", "a", "draft-section-1", take, 1, [token("lost")])
    wait_for(lambda: one.texts() == ["heard", "lost"], within_s)
    wait_for(lambda: peer.joined == 2)  # a channel that fell silent is left for a new one
    store.append("p", "a", "draft-section-1", take, 2, [token("again")])
    wait_for(lambda: one.texts()[-1] == "again")


def test_a_lost_last_message_is_read_when_the_head_is_checked(peer, store, reader):
    lose_the_last(peer, store, reader, replace(QUICK, poll_s=60), 30)


@pytest.mark.slow
def test_a_lost_last_message_is_healed_within_fifteen_seconds(peer, store, reader):
    lose_the_last(peer, store, reader, USUAL, 15)


def test_a_broadcast_without_its_rows_says_to_read(peer, store, reader):
    one = reader(PATIENT)
    live(peer)
    text = "x" * 150_000
    store.append("p", "a", "draft-section-1", opened(store), 0, [token(text), token(text)])
    wait_for(lambda: one.texts() == [text, text])


def test_what_is_written_between_joining_and_readiness_is_read(peer, store, reader):
    one = reader(PATIENT)
    joined(peer)
    peer.drop = 1
    store.append("p", "a", "draft-section-1", opened(store), 0, [token("unheard")])
    wait_for(lambda: peer.drop == 0, what="what nobody hears yet")
    peer.get_ready()
    wait_for(lambda: one.texts() == ["unheard"])


def test_what_is_written_before_it_has_joined_is_read_on_joining(peer, store, reader):
    user = peer.project.add_user("reader@example.org", "p")
    may_join = threading.Event()

    def access_token():
        if threading.current_thread().name.startswith("asyncio"):
            assert may_join.wait(20)
        return peer.project.mint(user.id)

    one = reader(PATIENT, access_token=access_token)
    wait_for(lambda: len(one.rows) == 1)
    store.append("p", "a", "draft-section-1", opened(store), 0, [token("unheard")])
    may_join.set()
    wait_for(lambda: one.texts() == ["unheard"])


def test_a_stranger_is_refused_and_told_why(peer, store, reader):
    one = reader(access_token=lambda: peer.project.mint("11111111-0000-4000-8000-000000000000"))
    wait_for(lambda: not one.is_alive())
    assert isinstance(one.error, Forbidden) and "article_members" in one.error.hint and one.rows == []


@pytest.mark.parametrize("token", ["a.b.c", "over"])
def test_a_token_that_is_over_or_none_is_refused_and_told_why(peer, store, reader, token):
    user = peer.project.add_user("reader@example.org", "p")
    over = peer.project.mint(user.id, -60)
    one = reader(access_token=lambda: over if token == "over" else token)
    wait_for(lambda: not one.is_alive())
    assert isinstance(one.error, Unauthorized) and "sign in again" in one.error.hint


@pytest.mark.slow
def test_the_channel_goes_on_with_the_next_token(peer, store, reader):
    user = peer.project.add_user("reader@example.org", "p")
    first = time.time()
    one = reader(PATIENT, access_token=lambda: peer.project.mint(user.id, 4))  # renewed at half of it
    live(peer)
    take, n = opened(store), 0
    while time.time() < first + 6.5:  # the first token, and most likely the second one, are over by then
        store.append("p", "a", "draft-section-1", take, n, [token(str(n))])
        n += 1
        wait_for(lambda n=n: len(one.texts()) == n)
        time.sleep(0.05)
    assert peer.joined == 1 and one.troubles == []


def test_a_removed_member_is_out_at_the_next_token(peer, store, reader):
    user = peer.project.add_user("reader@example.org", "p")
    may_renew = threading.Event()

    def access_token():
        if threading.current_thread().name.startswith("asyncio") and peer.joined:
            assert may_renew.wait(20)
        return peer.project.mint(user.id, 4)  # renewed at half of it

    one = reader(PATIENT, access_token=access_token)
    live(peer)
    take = opened(store)
    store.append("p", "a", "draft-section-1", take, 0, [token("heard")])
    wait_for(lambda: one.texts() == ["heard"])
    peer.project.remove(user, "p")
    store.append("p", "a", "draft-section-1", take, 1, [token("still heard")])
    wait_for(lambda: one.texts() == ["heard", "still heard"])
    may_renew.set()
    wait_for(lambda: not one.is_alive())
    assert isinstance(one.error, Forbidden) and "article_members" in one.error.hint


def outage(peer, store, reader, timing, until):
    one = reader(timing)
    live(peer)
    peer.realtime_down = True
    peer.cut()
    take = opened(store)
    store.append("p", "a", "draft-section-1", take, 0, [token("polled")])
    wait_for(lambda: one.texts() == ["polled"])
    wait_for(lambda: until(one), 60)
    assert one.is_alive() and "Realtime" in str(one.troubles[0])
    peer.realtime_down = False
    wait_for(lambda: peer.channels("project:p") == 1)
    store.append("p", "a", "draft-section-1", take, 1, [token("heard")])
    wait_for(lambda: one.texts() == ["polled", "heard"])


def test_realtime_away_for_many_attempts_is_polled_and_comes_back(peer, store, reader):
    # So slow a check would hide a channel whose end wakes nobody.
    outage(peer, store, reader, replace(QUICK, check_s=60), lambda one: len(one.troubles) > 6)


@pytest.mark.slow
def test_forty_five_seconds_without_realtime_are_survived(peer, store, reader):
    began = time.monotonic()
    outage(peer, store, reader, USUAL, lambda one: time.monotonic() > began + 45)


@pytest.mark.slow
def test_a_join_that_was_never_answered_ends_no_later_connection(peer, store, reader):
    began = time.monotonic()
    peer.silent = True
    reader(PATIENT)
    wait_for(lambda: peer.sockets and peer.sockets[0].unanswered)
    peer.silent = False
    peer.cut()
    live(peer)
    wait_for(lambda: peer.joined > 2 or time.monotonic() > began + CONNECT_S + 3, 60)
    assert peer.joined == 2
