"""The tests' Supabase project answers as the real one was recorded to."""

import json
import re
import struct
from contextlib import closing
from pathlib import Path

import httpx
import psycopg
import pytest
from supabase import ClientOptions, create_client
from websockets.exceptions import InvalidMessage
from websockets.sync.client import connect

from briefworks.stores.postgres import PostgresStore
from store_rows import RUN
from supabase_project import PASSWORD, PUBLISHABLE_KEY, SECRET_KEY
from waiting import wait_for

# Frames of Realtime 2.129.8 (2026-11): a join, a heartbeat, a broadcast, a refused join, a member removed.
RECORDED = Path(__file__).with_name("realtime_frames.txt").read_text(encoding="utf-8")
PROJECT = "42a9a302-3bd5-4bab-9e65-3196e6820d8c"
TOPIC = f"realtime:project:{PROJECT}"
JOIN = {"config": {"private": True, "broadcast": {"replication_ready": True}}}


class Talk:
    """A websocket in one of the two versions; `heard` is the next frame, ids of messages left out."""

    def __init__(self, peer, vsn, apikey=PUBLISHABLE_KEY):
        self.vsn, self.ref = vsn, 0
        self.wire = connect(
            f"ws{peer.url[4:]}/realtime/v1/websocket?apikey={apikey}&vsn={vsn}", compression=None
        )

    def say(self, event, payload, topic=TOPIC, join_ref="1"):
        self.ref += 1
        ref = str(self.ref)
        if self.vsn == "2.0.0":
            self.wire.send(json.dumps([join_ref, ref, topic, event, payload]))
        else:
            frame = {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": join_ref}
            self.wire.send(json.dumps(frame))

    def heard(self):
        return plain(self.wire.recv(timeout=10))


def plain(frame):
    """Its JSON, or the parts of a binary frame."""
    if isinstance(frame, bytes):
        kind, *lengths, encoding = struct.unpack("5B", frame[:5])
        parts, at = [], 5
        for length in lengths:
            parts.append(frame[at : at + length].decode())
            at += length
        return without_ids([kind, encoding, *parts[:2], json.loads(parts[2]), json.loads(frame[at:])])
    return without_ids(json.loads(frame))


def without_ids(value):
    if isinstance(value, dict):
        return {key: "…" if key == "id" else without_ids(item) for key, item in value.items()}
    return [without_ids(item) for item in value] if isinstance(value, list) else value


def recorded(vsn):
    """What the real server said, frame by frame."""
    section = re.split(r"--- vsn ", RECORDED)[1 if vsn == "1.0.0" else 2]
    for line in section.splitlines()[1:]:
        said = line.removeprefix("< ")
        if said.startswith("BIN "):
            yield plain(json.loads(said.partition(" | ")[2]).encode("latin-1"))
        elif said.startswith(("{", "[")):
            yield plain(said)


@pytest.mark.parametrize("vsn", ["1.0.0", "2.0.0"])
def test_the_frames_are_those_of_the_recorded_server(peer, database_url, vsn):
    user = peer.project.add_user("reader@example.org", PROJECT)
    token = peer.project.mint(user.id)
    talk = Talk(peer, vsn)
    said = []

    def hear(times=1):
        said.extend(talk.heard() for _ in range(times))

    talk.say("phx_join", {**JOIN, "access_token": token})
    hear(2)
    talk.say("heartbeat", {}, "phoenix", None)
    hear()
    with psycopg.connect(database_url, autocommit=True) as db:
        db.execute(
            "select realtime.send('{\"a\": 1}', 'stream', %s, true)", [TOPIC.removeprefix("realtime:")]
        )
    hear()
    talk.say("phx_join", {**JOIN, "access_token": token}, TOPIC + "x", "3")
    hear()
    peer.project.remove(user, PROJECT)
    talk.say("access_token", {"access_token": peer.project.mint(user.id)})
    hear(2)
    talk.say("phx_leave", {})
    hear()
    assert said == list(recorded(vsn))
    talk.wire.close()


def test_a_channel_ends_with_its_token_and_goes_on_with_the_next_one(peer):
    user = peer.project.add_user("reader@example.org", PROJECT)
    ends, stays = Talk(peer, "2.0.0"), Talk(peer, "2.0.0")
    for talk in (ends, stays):
        talk.say("phx_join", {**JOIN, "access_token": peer.project.mint(user.id, 60)})
        assert talk.heard()[4]["status"] == talk.heard()[4]["status"] == "ok"
    stays.say("access_token", {"access_token": peer.project.mint(user.id, alg="HS256")})
    joined = [channel for one in peer.sockets for channel in one.channels.values()]
    wait_for(lambda: joined[0].expires_at + 60 < joined[1].expires_at, what="the next token")
    for channel in joined:
        channel.expires_at -= 61  # so much later
    assert ends.heard()[4]["message"] == "Token has expired"
    assert ends.heard()[3] == "phx_close"
    assert peer.channels(f"project:{PROJECT}") == 1
    ends.say("phx_join", {**JOIN, "access_token": peer.project.mint(user.id, -5)})
    assert ends.heard()[4]["response"]["reason"].startswith("InvalidJWTToken: Token has expired")
    for talk in (ends, stays):
        talk.wire.close()


def test_nobody_without_a_key_of_the_project_and_no_stranger_hears_it(peer):
    with pytest.raises(Exception, match="401"):
        Talk(peer, "2.0.0", "sb_publishable_of_another_project")
    for token in (None, peer.project.mint("11111111-0000-4000-8000-000000000000")):
        talk = Talk(peer, "2.0.0")
        talk.say("phx_join", {**JOIN, "access_token": token})
        assert talk.heard()[4]["response"]["reason"].startswith("Unauthorized: You do not have permissions")
        talk.wire.close()


def test_batches_come_in_commit_order_and_a_test_may_drop_double_and_cut(peer, database_url):
    user = peer.project.add_user("reader@example.org", PROJECT)
    talk = Talk(peer, "1.0.0")
    talk.say("phx_join", {**JOIN, "access_token": peer.project.mint(user.id)})
    talk.heard(), talk.heard()
    peer.drop, peer.double = 1, 1
    with closing(PostgresStore(database_url)) as store:
        for n in range(4):
            store.start_run(PROJECT, f"a{n}", f"r{n}", RUN)
    heard = [talk.heard()["payload"]["payload"]["from_seq"] for _ in range(4)]
    assert heard == [2, 2, 3, 4]
    peer.realtime_down = True
    peer.cut()
    with pytest.raises(Exception, match="close"):
        talk.heard()
    with pytest.raises(InvalidMessage):
        Talk(peer, "1.0.0")
    wait_for(lambda: not peer.sockets)


def test_supabase_s_own_client_signs_in_and_reads_only_what_is_its_user_s(peer, database_url):
    peer.project.add_user("reader@example.org", PROJECT)
    with closing(PostgresStore(database_url)) as store:
        store.start_run(PROJECT, "a", "r", RUN)
        store.start_run("other", "a", "r2", RUN)
    http = httpx.Client(timeout=10, trust_env=False)
    reader, server = (
        create_client(peer.url, key, ClientOptions(httpx_client=http, auto_refresh_token=False))
        for key in (PUBLISHABLE_KEY, SECRET_KEY)
    )
    assert reader.auth.sign_in_with_password({"email": "reader@example.org", "password": PASSWORD}).session
    assert reader.auth.refresh_session().session
    assert reader.auth.get_user().user.email == "reader@example.org"

    def head(client, project):
        return client.rpc("article_read", {"p_project": project}).execute().data["head"]

    assert (head(reader, PROJECT), head(reader, "other")) == (1, 0)
    assert head(server, "other") == 1
    with pytest.raises(Exception, match="permission denied"):
        reader.rpc("article_delete", {"p_project": PROJECT, "p_article": "a"}).execute()
    with pytest.raises(Exception, match="PGRST202"):
        reader.rpc("article_none", {}).execute()
    with pytest.raises(Exception, match="Invalid login"):
        reader.auth.sign_in_with_password({"email": "reader@example.org", "password": "wrong"})
    answer = http.options(
        f"{peer.url}/rest/v1/rpc/article_read", headers={"Access-Control-Request-Headers": "apikey"}
    )
    assert answer.headers["Access-Control-Allow-Headers"] == "apikey"
    http.close()
