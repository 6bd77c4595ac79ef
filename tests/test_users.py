"""Users of a Supabase project at the app: whose token is good, what it opens, what a bad one is told."""

import base64
import hmac
import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import islice

import jwt
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.serving import make_server

from briefworks import Client
from briefworks.errors import Unauthorized
from briefworks.keys import hash_key
from briefworks.stores.postgres import PostgresStore
from briefworks.web import tokens, users
from realtime_peer import RealtimePeer
from served import NOWHERE, app_and_store
from store_rows import RUN
from supabase_project import JWT_SECRET, PUBLISHABLE_KEY, SECRET_KEY
from waiting import wait_for

STREAM = "/api/projects/p/stream"
JSON = {"Accept": "application/json"}
SERVER = {"inngest_dev": "", "inngest_signing_key": "signkey-test-" + "0" * 64, "inngest_event_key": "x",
          "inngest_base_url": NOWHERE}  # fmt: skip
KEY = "bw_key"
ADA = "ada@example.org"


@pytest.fixture(scope="module")
def url(postgres):
    return postgres.url(postgres.migrated(supabase=True))


@pytest.fixture(scope="module")
def peer(url):
    peer = RealtimePeer(url)
    peer.project.add_user(ADA, "p", "q")
    peer.project.add_user("stranger@example.org")
    yield peer
    peer.close()


@pytest.fixture(scope="module")
def make_app(url, peer, tmp_path_factory):
    stores = []

    def make(**more):
        chosen = {**SERVER, "store": url, "supabase_url": peer.url, "supabase_jwt_secret": JWT_SECRET, **more}
        app, store = app_and_store(tmp_path_factory.mktemp("users"), **chosen)
        stores.append(store)
        return app

    yield make
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("heads ")])
    for store in stores:
        store.close()


@pytest.fixture(scope="module")
def app(make_app):
    return make_app(supabase_publishable_key=PUBLISHABLE_KEY, api_keys=f"other:{hash_key(KEY)}")


@pytest.fixture
def web(app):
    return app.test_client()


@pytest.fixture
def project(peer):
    return peer.project


def asked(web, token, path=STREAM, **headers):
    return web.get(path, headers={**JSON, "Authorization": f"Bearer {token}", **headers})


def ada(project, **more):
    return project.mint(project.users[ADA].id, **more)


def refused(answer, *words):
    assert answer.status_code == 401, answer.get_data(as_text=True)
    said = f"{answer.json['detail']} {answer.json.get('hint', '')}"
    assert all(word in said for word in words), said
    assert answer.headers["WWW-Authenticate"] == "Bearer"


# --- whom it lets in
@pytest.mark.parametrize("alg", ["ES256", "HS256"])
def test_a_members_token_opens_his_projects_and_no_other(web, project, alg):
    token = ada(project, alg=alg)
    assert asked(web, token).json["rows"] == []
    assert asked(web, token, "/api/session").json["projects"] == ["p", "q"]
    known, unknown = (asked(web, token, f"/api/projects/{name}/stream") for name in ("other", "nowhere"))
    assert known.status_code == unknown.status_code == 404
    assert known.json["detail"].replace("other", "nowhere") == unknown.json["detail"]
    body = {"projectId": "other", "keyword": "standing desks"}
    headers = {"Authorization": f"Bearer {token}"}
    assert web.post("/api/articles", json=body, headers=headers).status_code == 404


def test_a_stranger_sees_no_project_and_is_told_so_by_none(web, project):
    token = project.mint(project.users["stranger@example.org"].id)
    assert asked(web, token).status_code == 404
    assert asked(web, token, "/api/session").json["projects"] == []


def test_api_keys_go_on_working_beside_users(web):
    assert asked(web, KEY, "/api/projects/other/stream").status_code == 200
    assert asked(web, KEY).status_code == 404
    refused(web.get(STREAM, headers=JSON), "key")


def test_a_removed_member_is_out_within_seconds(web, project, monkeypatch):
    removed = project.add_user("removed@example.org", "p")
    token = project.mint(removed.id)
    assert asked(web, token).status_code == 200
    project.remove(removed, "p")
    monkeypatch.setattr(users, "KEPT_S", 0.0)
    assert asked(web, project.mint(removed.id)).status_code == 404
    late = time.monotonic() + 5.5
    monkeypatch.setattr(users.time, "monotonic", lambda: late)
    assert asked(web, token).status_code == 404


def test_a_membership_of_ones_own_is_asked_with_all_that_the_token_says(web, project, url):
    own = project.add_user("own@example.org")
    with psycopg.connect(url, autocommit=True) as db:
        (before,) = db.execute(
            "select pg_get_functiondef('private.my_article_projects()'::regprocedure)"
        ).fetchone()
        db.execute(
            "create or replace function private.my_article_projects() returns setof text"
            " language sql stable security definer set search_path = '' as"
            " $$ select current_setting('request.jwt.claims')::jsonb #>> '{app_metadata,team}'"
            f" where auth.uid() = '{own.id}' $$"
        )
        try:
            token = project.mint(own.id, app_metadata={"team": "q"})
            assert asked(web, token, "/api/session").json["projects"] == ["q"]
            everything = project.mint(own.id, app_metadata={"team": "*"})
            assert asked(web, everything, "/api/session").json["projects"] == []
        finally:
            db.execute(before)


# --- whom it does not
def forged(header, claims, secret=b""):
    """A token put together by hand, for what a library would refuse to sign."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    sign = base64.urlsafe_b64encode(hmac.digest(secret, b".".join(parts), "sha256") if secret else b"")
    return b".".join([*parts, sign.rstrip(b"=")]).decode()


def claims_of(token):
    return jwt.decode(token, options={"verify_signature": False})


def test_the_algorithm_never_chooses_the_key(web, project, peer):
    claims, (published,) = claims_of(ada(project)), project.jwks()["keys"]
    public = ec.EllipticCurvePublicNumbers(
        *(int.from_bytes(base64.urlsafe_b64decode(published[n] + "==")) for n in "xy"), ec.SECP256R1()
    ).public_key()
    kid = published["kid"]
    for secret in (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(published).encode(),
    ):
        refused(asked(web, forged({"alg": "HS256", "kid": kid}, claims, secret)), "not one that")
    for none in ("none", "None", "NONE", "", None, "HS384", "HS512", "ES384", "PS256", "EdDSA", 1, ["HS256"]):
        refused(asked(web, forged({"alg": none, "kid": kid}, claims, JWT_SECRET.encode())))
    mine = ec.generate_private_key(ec.SECP256R1())
    for headers in ({"kid": kid}, {"kid": "mine"}, {}, {"kid": kid, "jku": f"{peer.url}/mine"}):
        refused(asked(web, jwt.encode(claims, mine, "ES256", headers=headers)))
    rsa_key = rsa.generate_private_key(65537, 2048)
    refused(asked(web, jwt.encode(claims, rsa_key, "RS256", headers={"kid": kid})), "no key of the project")


def test_without_the_secret_a_shared_one_signs_nothing(make_app, project):
    web = make_app(supabase_jwt_secret="").test_client()
    assert asked(web, ada(project)).status_code == 200
    refused(asked(web, ada(project, alg="HS256")), "SUPABASE_JWT_SECRET")
    refused(asked(web, forged({"alg": "HS256"}, claims_of(ada(project)))), "SUPABASE_JWT_SECRET")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exp": -31}, ["has expired", "fresh one"]),
        ({"iat": 40}, ["clock", "30 s", "doctor"]),
        ({"nbf": 40}, ["clock"]),
        ({"aud": "anon"}, ["not for users", "SUPABASE_URL"]),
        ({"iss": "https://other.supabase.co/auth/v1"}, ["not for users"]),
        ({"iss": None}, ["not one that"]),
        ({"sub": "admin"}, ["not a user's"]),
        ({"sub": 7}, []),
        ({"role": "anon"}, ["not a user's"]),
        ({"role": "service_role"}, ["not a user's"]),
        ({"role": None}, ["not a user's"]),
        *(({name: None}, []) for name in ("exp", "iat", "sub", "aud", "iss")),
        *(({name: wrong}, []) for name in ("exp", "iat", "nbf") for wrong in ("soon", [], {}, 1e400)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("alg", ["ES256", "HS256"])
def test_a_token_that_is_not_a_users_now_is_refused_and_says_why(web, project, alg, changes, words):
    now, changed = int(time.time()), {}
    for name, value in changes.items():
        changed[name] = now + value if isinstance(value, int) and name != "sub" else value
    whole = claims_of(ada(project)) | changed
    kept = {name: value for name, value in whole.items() if value is not None}
    minted = project.mint(project.users[ADA].id, alg=alg)
    signed = (
        jwt.api_jws.encode(json.dumps(kept).encode(), JWT_SECRET, "HS256") if alg == "HS256"
        else jwt.api_jws.encode(json.dumps(kept).encode(), project._signing_key, "ES256",
                                headers=jwt.get_unverified_header(minted))
    )  # fmt: skip
    answer = asked(web, signed)
    refused(answer, *words)
    assert signed not in answer.get_data(as_text=True)


def test_clocks_may_differ_by_half_a_minute(web, project):
    now = int(time.time())
    assert asked(web, ada(project, exp=now - 25)).status_code == 200
    assert asked(web, ada(project, iat=now + 25, nbf=now + 25)).status_code == 200


def test_a_token_in_place_of_a_key_is_told_apart_from_a_wrong_key(web, project, tmp_path):
    log_in = web.post("/api/session", json={"key": ada(project)})
    refused(log_in, "cookie", "Bearer")
    web.set_cookie("briefworks", ada(project))
    refused(web.get(STREAM, headers=JSON), "key")
    app, store = app_and_store(tmp_path, **SERVER, api_keys=f"p:{hash_key(KEY)}", supabase_url=project.url)
    refused(asked(app.test_client(), ada(project)), "takes no tokens", "SUPABASE_URL")
    store.close()


def _malformed():
    part = st.one_of(
        st.text(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "exp", "sub"]), inner)
            ),
            max_leaves=6,
        ).map(lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")),
    )
    return st.lists(part, min_size=3, max_size=3).map(".".join)


@given(token=_malformed(), path=st.sampled_from([STREAM, "/api/session", "/api/projects/p/articles"]))
@settings(max_examples=60)
def test_whatever_is_sent_as_a_token_is_refused_and_nothing_is_stored(app, project, token, path):
    asked_as = {"Authorization": "Bearer " + token.encode("latin-1", "replace").decode("latin-1")}
    asked_as = {name: value.replace("\r", " ").replace("\n", " ") for name, value in asked_as.items()}
    web, body = app.test_client(), {"projectId": "p", "keyword": "standing desks"}
    for answer in (web.get(path, headers={**JSON, **asked_as}),
                   web.post("/api/articles", json=body, headers=asked_as)):  # fmt: skip
        assert answer.status_code in (200, 401) and (answer.status_code == 401 or path == "/api/session")
        if answer.status_code == 200:
            assert answer.json["projects"] == []
    with psycopg.connect(project.database_url) as db:
        assert db.execute("select count(*) from article_index").fetchone() == (0,)


# --- the published keys
def count_of_keys(peer):
    return peer.asked.count("GET /auth/v1/.well-known/jwks.json")


def test_published_keys_are_asked_for_once_and_a_new_one_after_some_seconds(
    make_app, peer, project, monkeypatch
):
    web, begun = make_app().test_client(), count_of_keys(peer)
    for _ in range(5):
        assert asked(web, ada(project)).status_code == 200
    for n in range(5):
        mine = jwt.encode(claims_of(ada(project)), ec.generate_private_key(ec.SECP256R1()), "ES256",
                          headers={"kid": f"k{n}"})  # fmt: skip
        refused(asked(web, mine), "no key of the project")
    assert count_of_keys(peer) == begun + 1
    monkeypatch.setattr(project, "_kid", uuid.uuid4().hex)
    monkeypatch.setattr(project, "_signing_key", ec.generate_private_key(ec.SECP256R1()))
    monkeypatch.setattr(tokens, "AGAIN_S", 0.0)
    assert asked(web, ada(project)).status_code == 200
    assert count_of_keys(peer) == begun + 2


def test_published_keys_that_cannot_be_had_are_no_fault_of_the_token(make_app, peer, project, monkeypatch):
    web, begun, whole = make_app().test_client(), count_of_keys(peer), project.jwks()
    answers = [{}]  # none that could be read
    monkeypatch.setattr(project, "jwks", lambda: answers[0])
    for _ in range(3):
        answer = asked(web, ada(project))
        assert answer.status_code == 503 and "SUPABASE_URL" in answer.json["hint"]
    assert count_of_keys(peer) == begun + 1  # nobody waits for it again at once
    monkeypatch.setattr(tokens, "AGAIN_S", 0.0)
    monkeypatch.setattr(peer, "http_down", True)
    assert asked(web, ada(project)).status_code == 503
    monkeypatch.setattr(peer, "http_down", False)
    answers[0] = whole
    assert asked(web, ada(project)).status_code == 200
    monkeypatch.setattr(peer, "http_down", True)
    monkeypatch.setattr(tokens, "KEPT_S", 0.0)
    assert asked(web, ada(project)).status_code == 200  # those that are known go on counting


@pytest.mark.parametrize(
    "said", [{}, {"keys": None}, {"keys": [{"kty": "oct", "kid": "x", "k": "eA"}, 3]}, []]
)
def test_keys_that_are_none_let_nobody_in(make_app, project, monkeypatch, said):
    token = ada(project)
    monkeypatch.setattr(project, "jwks", lambda: said)
    assert asked(make_app().test_client(), token).status_code in (401, 503)
    hidden = jwt.encode(claims_of(token), "x" * 32, "HS256", headers={"kid": "x"})
    assert asked(make_app().test_client(), hidden).status_code == 401


# --- while watching
def watched(web, token):
    answer = web.get(STREAM, headers={"Authorization": f"Bearer {token}"}, buffered=False)
    assert answer.status_code == 200 and answer.mimetype == "text/event-stream"
    return answer


def test_a_stream_ends_with_its_token_and_goes_on_with_a_fresh_one(web, project):
    over_at = time.time() + 3
    old = ada(project, exp=int(over_at) - 30)
    with watched(web, old) as stream:
        said = list(stream.response)
    assert time.time() < over_at + 10 and b"event: rows" in said[1]
    wait_for(lambda: time.time() >= over_at, what="the token's end")
    refused(asked(web, old), "expired")
    with watched(web, ada(project)) as again:
        assert b"event: rows" in [next(again.response) for _ in range(2)][1]


def test_a_removed_members_stream_ends(web, project, monkeypatch):
    monkeypatch.setattr(users, "KEPT_S", 0.2)
    leaving = project.add_user(f"{uuid.uuid4()}@example.org", "p")
    token = project.mint(leaving.id)
    with watched(web, token) as stream:
        assert b"event: rows" in [next(stream.response) for _ in range(2)][1]
        project.remove(leaving, "p")
        list(stream.response)  # comes to an end
    assert asked(web, token).status_code == 404


@pytest.fixture
def served(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def store(url):
    with closing(PostgresStore(url)) as store:
        yield store
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("truncate article_projects cascade")


@pytest.mark.slow
def test_a_client_follows_on_with_fresh_tokens(served, store, project):
    shown = []

    def token():  # each is good for some seconds more
        shown.append(ada(project, exp=int(time.time()) - 26))
        return shown[-1]

    with Client(served, api_key=token) as client, ThreadPoolExecutor(1) as pool:
        following = pool.submit(lambda: [row["article_id"] for row in islice(client.follow("p"), 2)])
        for n in range(2):
            wait_for(lambda n=n: len(shown) > n, what="the next token")
            store.start_run("p", f"a{n}", f"r{n}", RUN)
        assert following.result(30) == ["a0", "a1"] and len(set(shown)) > 1
    with Client(served, api_key=ada(project, exp=1)) as client, pytest.raises(Unauthorized, match="expired"):
        list(client.articles("p"))


# --- what stays here
@pytest.mark.slow
@pytest.mark.parametrize("key", [SECRET_KEY, "sb_secret_" + "revoked" * 5])
def test_no_secret_and_no_token_is_in_an_answer_a_log_or_a_row(
    make_app, peer, project, store, monkeypatch, capfd, caplog, key
):
    caplog.set_level(0)
    web = make_app(
        store="supabase", supabase_secret_key=key, supabase_publishable_key=PUBLISHABLE_KEY
    ).test_client()
    tokens_shown = [ada(project), ada(project, alg="HS256"), ada(project, exp=1), ada(project)[:-4]]
    paths = ["/", "/projects/p", "/healthz", "/openapi.json", "/api/session", "/api/personas", STREAM,
             "/api/projects/p/articles", "/api/projects/p/articles/a"]  # fmt: skip
    monkeypatch.setattr(tokens, "AGAIN_S", 0.0)
    monkeypatch.setattr(users, "KEPT_S", 0.0)
    said, statuses = [], set()
    store.start_run("p", "a", "r", RUN)
    for away in (False, True):
        monkeypatch.setattr(peer, "http_down", away)
        for token in tokens_shown:
            headers = {"Authorization": f"Bearer {token}"}
            body = {"projectId": "p", "keyword": "standing desks", "articleId": "b"}
            answers = [asked(web, token, path) for path in (paths[-1:] if away else paths)]
            if not away:
                answers.append(web.post("/api/articles", json=body, headers=headers))
            answers.append(web.post("/api/session", json={"key": token}))
            for answer in answers:
                statuses.add(answer.status_code)
                said.append(f"{answer.headers} {answer.get_data(as_text=True)}")
    assert {200, 401, 503} <= statuses
    with psycopg.connect(project.database_url) as db:
        names = db.execute(
            "select tablename from pg_tables where schemaname in ('public', 'realtime')"
        ).fetchall()
        for (name,) in names:
            schema = "public" if name.startswith("article_") else "realtime"
            said += map(str, db.execute(f"select t::text from {schema}.{name} t").fetchall())
    assert any("run-started" in one for one in said)
    said += [caplog.text, *capfd.readouterr()]
    for secret in (key, JWT_SECRET, *tokens_shown):
        assert not [one[:200] for one in said if secret in one]


# --- where nobody needs to sign in
def test_in_dev_mode_this_machine_needs_no_token_and_one_that_is_shown_counts(make_app, project):
    web = make_app(inngest_dev=NOWHERE).test_client()
    assert web.get("/api/session").json | {"runs": 0} == {"login": False, "projects": "*", "runs": 0}
    assert asked(web, ada(project), "/api/session").json["projects"] == ["p", "q"]
    assert asked(web, ada(project), "/api/projects/other/stream").status_code == 404
    refused(asked(web, ada(project, exp=1)), "expired")
    far = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    assert web.get(STREAM, headers=JSON, **far).status_code == 403


def test_on_a_server_with_users_this_machine_is_nobody_special(make_app, project):
    web = make_app().test_client()
    refused(web.get(STREAM, headers=JSON), "key")
    assert web.get("/api/session").json | {"runs": 0} == {"login": True, "projects": [], "runs": 0}
    far = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}, "base_url": "http://app.example"}
    mine = {**JSON, "Authorization": f"Bearer {ada(project)}"}
    assert web.get(STREAM, headers=mine, **far).status_code == 200
    assert web.get(STREAM, headers={**mine, "Origin": "https://evil.example"}, **far).status_code == 403
