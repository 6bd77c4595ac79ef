"""The executor's HTTP face: what it answers to the wrong, the malicious and the merely curious."""

import pytest

from briefworks.executor import Executor
from executor.support import SDK_HEADERS, Rest, ScriptedApp

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def executor(tmp_path_factory):
    with Executor(tmp_path_factory.mktemp("face") / "journal.db", 0) as executor:
        yield executor


@pytest.fixture(scope="module")
def rest(executor):
    rest = Rest(executor.url)
    yield rest
    rest.close()


@pytest.fixture(scope="module")
def eager(tmp_path_factory):
    """An executor with a function that every event starts."""
    with (
        Executor(tmp_path_factory.mktemp("eager") / "journal.db", 0) as executor,
        ScriptedApp(lambda *_: (200, SDK_HEADERS, "1")) as app,
    ):
        rest = Rest(executor.url)
        rest.http.post("/fn/register", json=app.registration({"id": "probe-f", "event": "*"}))
        yield rest
        rest.close()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "not usable JSON"),
        (b"[" * 100_000, "deep"),
        (b'{"name": "a", "data": ' + b'{"a":' * 300 + b"1" + b"}" * 301, "200 levels"),
        (b'{"name": "a", "data": {"x": NaN}}', "NaN"),
        (b'{"name": "a", "data": {"x": 1e999}}', "too large"),
        (b'{"name": "a", "data": []}', "data must be an object"),
        (b'{"data": {}}', "name must be text"),
        (b'{"name": "inngest/function.failed"}', "engine's own"),
        (b'{"name": "a", "ts": "now"}', "ts must be"),
        (b'{"name": "a", "ts": 1e300}', "ts must be"),
        (b'"a"', "JSON object"),
        (b'[{"name": "good/one"}, {"name": 7}]', "name must be text"),
        (b'{"name": "a", "data": {"x": "' + b"x" * 5_000_000 + b'"}}', "larger than 4 MiB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_event_is_explained_and_nothing_of_its_request_is_stored(eager, raw, says):
    answer = eager.http.post("/e/key", content=raw, headers=JSON)
    assert answer.status_code == 400 and says in answer.json()["error"]
    assert eager.all_runs() == []


def test_numbers_and_text_arrive_as_on_the_real_server(tmp_path):
    heard = []
    with (
        Executor(tmp_path / "journal.db", 0) as executor,
        ScriptedApp(lambda path, headers, body: (heard.append(body), (200, SDK_HEADERS, "1"))[1]) as app,
    ):
        rest = Rest(executor.url)
        rest.http.post("/fn/register", json=app.registration({"id": "probe-f", "event": "n"}))
        data = b'{"big": 9007199254740993, "half": "a\\ud800b", "nul": "\\u0000", "f": 2.0}'
        raw = b'{"name": "n", "data": ' + data + b"}"
        rest.ended(rest.http.post("/e/key", content=raw, headers=JSON).json()["ids"][0])
        assert heard[0]["event"]["data"] == {"big": 9007199254740992, "half": "a\ufffdb", "nul": "\0", "f": 2}
        rest.close()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": "http://localhost:3000"}, 200),
        ({"Host": "localhost:8288"}, 200),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/e/key", "/fn/register", "/v1/runs"])
def test_a_foreign_web_page_can_neither_start_nor_read_runs(rest, path, headers, status):
    if path == "/v1/runs":
        if status == 415:
            return
        answer = rest.http.get(path, headers=headers)
    else:
        answer = rest.http.post(path, content=b'{"name": "foreign"}', headers=JSON | headers)
    expected = 400 if status == 200 and path == "/fn/register" else status
    assert answer.status_code == expected


def test_what_is_not_there_is_404_as_json(rest):
    for method, path in [("GET", "/v1/runs/none"), ("DELETE", "/v1/runs/none"), ("GET", "/nowhere")]:
        answer = rest.http.request(method, path)
        assert answer.status_code == 404 and answer.json()["error"]
    assert rest.http.get("/v1/events/none/runs").json()["data"] == []
