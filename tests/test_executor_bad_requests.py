"""Ten thousand wrong requests: none is a server error, none leaves a trace, and all goes on as before."""

import json
import socket
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefworks.executor import Executor
from executor.support import SDK_HEADERS, Rest, ScriptedApp, wait_for

KINDS = ("event", "registration", "request", "raw")
PATHS = [
    "/e/{}",
    "/fn/register",
    "/health",
    "/dev",
    "/v0/runs/{}/batch",
    "/v0/runs/{}/actions",
    "/v1/events",
    "/v1/events/{}",
    "/v1/events/{}/runs",
    "/v1/runs",
    "/v1/runs/{}",
    "/v1/runs/{}/jobs",
    "/v2/runs",
    "/v2/runs/{}",
    "/v2/runs/{}/trace",
    "/v2/runs/{}/rerun",
    "/v2/runs/{}/cancel",
    "/v2/events/{}/runs",
    "/v2/apps/{}/functions/f",
    "/v2/apps/probe/functions/{}/invoke",
    "/v0/gql",
    "/v1/realtime/{}",
    "/{}",
]
ODD = [
    "",
    "0",
    "none",
    "%",
    "' OR 1=1 --",
    "..",
    "\x00",
    "ü" * 9,
    "x" * 3000,
    "*",
    "%2F",
    "01M814WXTK0QJ94NR77VMSBZXG",
]
texts = st.sampled_from(ODD) | st.text(max_size=30)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts | st.just("\ud800") | st.just(2**80)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
HEADERS = [
    "Content-Type",
    "Origin",
    "Host",
    "Sec-Fetch-Site",
    "Authorization",
    "x-inngest-event-id-seed",
    "Range",
]
SAID = [
    "application/json",
    "text/plain",
    "null",
    "https://evil.example",
    "cross-site",
    "1,AAAA",
    "bytes=0-",
    "[::1",
    "127.0.0.1:99999",
    "Bearer",
    "9999999999999999999999999999999,AA==",
    "http://localhost",
]
headers = st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(SAID), max_size=3)


def fields(wrong, **known):
    """An object of known fields, one of which is certainly wrong."""
    good = st.fixed_dictionaries({}, optional=known)
    return st.builds(lambda said, bad: said | bad, good, wrong)


def one_of(**bad):
    return st.one_of([st.fixed_dictionaries({name: each}) for name, each in bad.items()])


not_object = scalars.filter(lambda value: value is not None) | st.lists(scalars, max_size=2)
bad_events = fields(
    one_of(
        name=st.sampled_from(["", "inngest/x", "INNGEST/y", "n" * 300, None, 7, [], {}]),
        data=not_object,
        user=not_object,
        id=st.sampled_from(["i" * 300, 7, [1], {"a": 1}]),
        ts=st.sampled_from(["now", -1, 1e300, [1], True]),
        v=st.sampled_from([7, [1]]),
    ),
    name=st.just("a/b"),
    data=st.dictionaries(st.text(max_size=5), values, max_size=3),
)
step = {"id": "step", "name": "step", "runtime": {"type": "http", "url": "http://127.0.0.1:9/x"}}
bad_functions = fields(
    one_of(
        id=st.sampled_from(["", None, 7, "i" * 300]),
        triggers=st.sampled_from([[], [{}], {}, 7, [{"event": ""}], [{"event": "a", "expression": "(("}]]),
        steps=st.sampled_from([{}, [], 7, {"step": {}}, {"step": step | {"retries": {"attempts": 99}}},
                               {"step": step | {"runtime": {"type": "http", "url": "ftp://x"}}}]),
        cron=values.filter(lambda value: value is not None),
        throttle=not_object,
        concurrency=st.sampled_from([[{"limit": -1}], [{"limit": "x"}], "many", [{"limit": 1}] * 3]),
        idempotency=st.sampled_from([")", 7, "e" * 5000]),
        timeouts=st.sampled_from([{"start": "soon"}, 7, {"start": "99999w"}]),
    ),
    id=st.just("probe-g"),
    triggers=st.just([{"event": "a/b"}]),
    steps=st.just({"step": step}),
)  # fmt: skip
bad_registrations = st.fixed_dictionaries(
    {
        "appname": st.just("probe"),
        "url": st.just("http://127.0.0.1:9/x"),
        "functions": st.lists(bad_functions, min_size=1),
    }
) | fields(
    one_of(appname=not_object, url=st.sampled_from(["", "//", 7]), functions=st.sampled_from([[], {}, 7]))
)


class Server:
    """An executor with one function and one finished run, and what its journal holds."""

    def __init__(self, folder):
        self.executor = Executor(folder / "journal.db", 0)
        self.rest = Rest(self.executor.start())
        self.app = ScriptedApp(lambda *_: (200, SDK_HEADERS, "1")).__enter__()
        self.rest.http.post(
            "/fn/register", json=self.app.registration({"id": "probe-f", "event": "probe/known"})
        )
        self.event_id = self.rest.send("probe/known")
        self.run_id = self.rest.ended(self.event_id)["run_id"]
        self._db = sqlite3.connect(folder / "journal.db")

    def version(self):
        """A number that changes with every transaction of the executor."""
        return self._db.execute("PRAGMA data_version").fetchone()[0]

    def quiet(self):
        wait_for(lambda: not any(run["status"] == "Running" for run in self.rest.all_runs()))

    def check(self, method, path, **request):
        before = self.version()
        answer = self.rest.http.request(method, path, **request)
        assert answer.status_code < 500, (method, path, request, answer.text)
        if answer.status_code >= 400:
            assert self.version() == before, (method, path, request, "left a trace")
            assert method == "HEAD" or len(answer.json()["error"]) > 3
        elif method not in ("GET", "HEAD"):
            self.quiet()  # it was a good one after all
        return answer

    def close(self):
        event = self.rest.ended(self.rest.send("probe/known"))
        assert event["status"] == "Completed"
        assert self.rest.http.get("/health").json()["status"] == 200
        self._db.close()
        self.rest.close()
        self.app.__exit__()
        self.executor.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("bad"))
    yield server
    server.close()


def wrong_event(server, data):
    body = data.draw(bad_events | st.lists(bad_events, min_size=1, max_size=3) | scalars)
    answer = server.check(
        "POST", "/e/key", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, body


def wrong_registration(server, data):
    body = data.draw(bad_registrations | values.filter(lambda value: not isinstance(value, dict)))
    answer = server.check(
        "POST", "/fn/register", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, body


def any_request(server, data):
    ids = texts | st.sampled_from([server.run_id, server.event_id])
    path = data.draw(st.sampled_from(PATHS)).format(quoted(data.draw(ids)))
    odd = {"fromStep": values, "keepFinished": values, "data": values, "idempotencyKey": values}
    said = st.fixed_dictionaries({}, optional=odd) | values
    body = st.binary(max_size=60) | said.map(lambda value: json.dumps(value).encode())
    server.check(
        data.draw(
            st.sampled_from(["GET", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"])
        ),
        path,
        params=data.draw(st.dictionaries(st.sampled_from(["limit", "name", "cursor"]), texts, max_size=2)),
        headers={"Content-Type": "application/json"} | data.draw(headers),
        content=data.draw(body),
    )


def quoted(text):
    return "".join(
        char if char.isascii() and char.isalnum() else "".join(f"%{b:02X}" for b in char.encode())
        for char in text
    )


def raw_bytes(server, data):
    line = data.draw(
        st.sampled_from(
            [b"GET / HTTP/1.1", b"POST /e/k HTTP/1.1", b"POST /fn/register HTTP/1.0", b"\x16\x03\x01"]
        )
        | st.binary(max_size=40)
    )
    names = st.sampled_from(
        [b"Content-Length", b"Transfer-Encoding", b"Content-Type", b"Host", b"Expect", b"Bad Name", b""]
    )
    said = st.sampled_from(
        [
            b"-1",
            b"5",
            b"99999999999999999999",
            b"chunked",
            b"application/json",
            b"127.0.0.1",
            b"100-continue",
            b"\xff",
        ]
    )
    lines = [
        line,
        b"Host: 127.0.0.1",
        *(name + b": " + value for name, value in data.draw(st.lists(st.tuples(names, said), max_size=3))),
    ]
    before = server.version()
    with closing(socket.create_connection(("127.0.0.1", server.executor.port), timeout=10)) as sock:
        sock.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + data.draw(st.binary(max_size=30)))
        sock.shutdown(socket.SHUT_WR)
        answer = sock.recv(200)
    status = answer.split(b" ")[1][:1] if answer.startswith(b"HTTP/") else b""
    assert status != b"5", (lines, answer)
    assert server.version() == before


SEND = dict(zip(KINDS, (wrong_event, wrong_registration, any_request, raw_bytes), strict=True))


def send_many(server, kind, count):
    sent = 0

    @settings(max_examples=count)
    @given(data=st.data())
    def send(data):
        nonlocal sent
        SEND[kind](server, data)
        sent += 1

    send()
    assert sent >= count
    assert server.rest.http.get("/health").json()["status"] == 200


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_hundred_wrong_requests_are_refused_and_leave_no_trace(server, kind):
    send_many(server, kind, 120)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_wrong_requests_are_refused_and_leave_no_trace(server, kind):
    send_many(server, kind, 10_000 // len(KINDS))
