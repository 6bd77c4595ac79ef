"""A run by real processes, watched by Realtime while its socket is cut, and messages are lost and doubled."""

from __future__ import annotations

import random

import pytest
from screen import equals_fold

from briefworks.stores.postgres import PostgresStore
from local import Local
from realtime_peer import RealtimePeer
from supabase_project import PUBLISHABLE_KEY
from waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
MEMBER, CUTS, SEED = "ada@example.org", 30, 4


@pytest.fixture
def database(postgres):
    return postgres.url(postgres.migrated(supabase=True))


@pytest.fixture
def peer(database):
    peer = RealtimePeer(database)
    peer.project.add_user(MEMBER, "p")
    yield peer
    peer.close()


@pytest.fixture
def local(tmp_path, upstream, database, peer):
    about = {"SUPABASE_URL": peer.url, "SUPABASE_PUBLISHABLE_KEY": PUBLISHABLE_KEY}
    local = Local(tmp_path, upstream.url, BRIEFWORKS_STORE=database, BRIEFWORKS_FLUSH_MS="50", **about)
    local.store.close()
    local.store = PostgresStore(database)
    yield local
    local.close()


def spoil(page, peer, chance):
    """What a network does: a socket that has joined is cut, and messages before are lost or doubled."""
    wait_for(lambda: peer.channels("project:p"), what="the channel to be joined")
    peer.drop, peer.double = chance.choice([(0, 0), (1, 0), (3, 0), (0, 2), (0, 5)])
    page.wait_for_timeout(chance.randrange(20, 700))
    sockets = list(peer.sockets)
    peer.cut()
    wait_for(lambda: not set(sockets) & set(peer.sockets), what="the cut")


def test_thirty_cuts_with_lost_and_doubled_messages_leave_the_screen_as_the_table_is(
    local, upstream, peer, tabs
):
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=3)
    chance = random.Random(SEED)
    page = tabs.signed(f"{local.app.url}/projects/p/articles/a1", MEMBER)
    assert local.ask().status_code == 202
    wait_for(lambda: page.locator('.section[data-status="writing"] .prose p').count(), 60, "words")
    for n in range(CUTS):
        spoil(page, peer, chance)
        if n % 6 == 5:
            equals_fold(page, local.store)
    assert peer.joined >= CUTS
    assert local.state()["status"] == "running"  # all of them came while it was written
    wait_for(lambda: page.locator(".link").inner_text() == "live by Realtime")
    upstream.reset()
    wait_for(lambda: page.locator(".link").inner_text() == "complete", 200, "the end on screen")
    state = equals_fold(page, local.store)
    assert state["status"] == "done" and state["polished"]["words"] > 500
