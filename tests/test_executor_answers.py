"""Answers of an app that no SDK would give: each run ends, for a reason that a person can read."""

import gzip
import json
import socket
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from briefworks.executor import Executor
from executor.support import SDK_HEADERS, Rest, ScriptedApp, open_steps, wait_for


def ops(*said):
    return 206, SDK_HEADERS, json.dumps(said)


GZIPPED = SDK_HEADERS | {"content-encoding": "gzip"}
SENSELESS = {
    "no SDK": ((200, {}, "<h1>nginx</h1>"), "no x-inngest-sdk header"),
    "not JSON": ((206, SDK_HEADERS, '[{"op": "StepRun"'), "not JSON"),
    "NaN": ((200, SDK_HEADERS, "NaN"), "NaN is not JSON"),
    "no list": ((206, SDK_HEADERS, "{}"), "without a list of steps"),
    "empty list": (ops(), "without a list of steps"),
    "no object": (ops(1), "not an object"),
    "no op": (ops({"id": "x"}), "without id or op"),
    "bad sleep": (ops({"id": "x", "op": "Sleep", "name": "soon"}), "'soon' is not an instant"),
    "bad wait": (ops({"id": "x", "op": "WaitForEvent", "opts": {"timeout": "a while"}}), "not a duration"),
    "unknown op": (ops({"id": "x", "op": "AIGateway", "displayName": "ask"}), "dev server"),
    "plain 404": ((404, {}, "not here"), "status 404"),
    "huge": (ops({"id": "x", "op": "StepRun", "data": "x" * 5_000_000}), "larger than 4 MiB"),
    "NaN in a step": ((206, SDK_HEADERS, '[{"id": "x", "op": "StepRun", "data": NaN}]'), "NaN is not JSON"),
    "bad invoke": (
        ops({"id": "x", "op": "InvokeFunction", "opts": {"function_id": "f", "payload": {"data": [1]}}}),
        "not an object",
    ),
    "huge answer": ((200, SDK_HEADERS, '"' + "x" * 33 * 2**20 + '"'), "more than 32 MiB"),
    "a bomb": ((200, GZIPPED, gzip.compress(b" " * 33 * 2**20)), "more than 32 MiB"),
    "no gzip": ((200, GZIPPED, "plain"), "cannot be read"),
    "redirect": ((302, SDK_HEADERS | {"location": "http://127.0.0.1:9/"}, ""), "status 302"),
    "empty": ((200, SDK_HEADERS, ""), "not JSON"),
    "streamed nonsense": ((201, SDK_HEADERS, '{"status": "200"}'), "streamed answer is malformed"),
    "deep": ((200, SDK_HEADERS, "[" * 400 + "]" * 400), "200 levels"),
    "the same for ever": (ops({"id": "x", "op": "StepRun", "data": 1}), "have a result already"),
}


@pytest.fixture(scope="module")
def senseless(tmp_path_factory):
    """An app that gives the answer that its event names."""
    with (
        Executor(tmp_path_factory.mktemp("odd") / "journal.db", 0, retry_scale=0.0, workers=2) as executor,
        ScriptedApp(lambda _path, _headers, body: SENSELESS[body["event"]["data"]["case"]][0]) as app,
    ):
        rest = Rest(executor.url)
        rest.http.post("/fn/register", json=app.registration({"id": "probe-f", "event": "odd", "retries": 1}))
        yield rest
        rest.close()


@pytest.mark.parametrize("case", SENSELESS)
def test_an_answer_that_makes_no_sense_fails_the_run_with_a_reason(senseless, case):
    run = senseless.ended(senseless.send("odd", {"case": case}))
    assert run["status"] == "Failed" and SENSELESS[case][1] in run["output"]["message"]


def test_silence_of_the_app_is_an_attempt_after_the_time_out(tmp_path):
    def answer(path, headers, body):
        if body["ctx"]["attempt"] == 0:
            wait_for(lambda: len(heard) > 1)
        return 200, SDK_HEADERS, str(body["ctx"]["attempt"])

    heard = []
    with (
        Executor(tmp_path / "journal.db", 0, retry_scale=0.0, request_timeout_s=1) as executor,
        ScriptedApp(lambda path, headers, body: (heard.append(1), answer(path, headers, body))[1]) as app,
    ):
        rest = Rest(executor.url)
        rest.http.post("/fn/register", json=app.registration({"id": "probe-f", "event": "slow"}))
        assert rest.ended(rest.send("slow"))["output"] >= 1
        rest.close()


class Socket(ScriptedApp):
    """An app below HTTP: `answer` is what every connection gets, whatever it asks."""

    def __init__(self, answer):
        self._answer, self._socket = answer, socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api/inngest"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                return
            with caller:
                caller.recv(65536)
                caller.sendall(self._answer)

    def close(self):
        self._socket.close()


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "cannot be read"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 300 + b"\r\n", "cannot be read"),
        (b"HTTP/1.1 200 OK\r\nx-inngest-sdk: a\r\nContent-Length: 9\r\n\r\n[1", "went away"),
        (b"", "went away"),
    ],
    ids=["no HTTP", "too many headers", "cut off", "nothing"],
)
def test_what_is_no_answer_fails_the_run_with_a_reason(tmp_path, raw, says):
    with Executor(tmp_path / "journal.db", 0, retry_scale=0.0, away_pauses_s=(0.0, 0.001)) as executor:
        rest, app = Rest(executor.url), Socket(raw)
        said = app.registration({"id": "probe-f", "event": "odd", "retries": 0})
        rest.http.post("/fn/register", json=said).raise_for_status()
        run = rest.ended(rest.send("odd"))
        assert run["status"] == "Failed" and says in run["output"]["message"]
        app.close()
        rest.close()


texts = st.text(max_size=8) | st.sampled_from(["1s", "9d", "2999-01-01T00:00:00Z", "odd", "probe-f", "race"])
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
opts = st.fixed_dictionaries(
    {},
    optional={
        "timeout": texts | anything,
        "if": texts | st.just("event.data.k == async.data.k") | anything,
        "function_id": st.just("probe-f") | anything,
        "payload": st.fixed_dictionaries({"data": anything}) | anything,
        "parallelMode": st.just("race") | anything,
    },
)
KNOWN_OPS = ["StepRun", "StepPlanned", "StepError", "StepFailed", "Sleep", "WaitForEvent", "InvokeFunction"]
one_op = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b", "c"]), "op": st.sampled_from(KNOWN_OPS)},
    optional={
        "name": texts | anything, "displayName": texts | anything, "opts": opts | anything,
        "data": anything, "error": st.fixed_dictionaries({"name": anything, "message": anything}) | anything,
    },
)  # fmt: skip
bodies = st.lists(one_op | anything, min_size=1, max_size=4) | anything
statuses = st.sampled_from([206, 206, 206, 200, 201, 204, 400, 404, 500, 503])
hints = st.fixed_dictionaries(
    {},
    optional={
        "x-inngest-no-retry": st.sampled_from(["true", "false", "maybe"]),
        "retry-after": st.sampled_from(["1", "nan", "soon", "-5", "2020-01-01T00:00:00Z", "9" * 400]),
        "x-inngest-req-version": st.sampled_from(["2", "-1", "x", "9" * 50]),
    },
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    """An app that gives the answer that is set, whatever it is asked."""
    given_answer = {}
    with (
        Executor(tmp_path_factory.mktemp("fuzzed") / "journal.db", 0, retry_scale=0.0, workers=4) as executor,
        ScriptedApp(lambda _path, _headers, body: given_answer[body["event"]["data"].get("case")]) as app,
    ):
        rest = Rest(executor.url)
        said = app.registration(
            {"id": "probe-f", "event": "odd", "retries": 0}, {"id": "probe-well", "event": "well"}
        )
        rest.http.post("/fn/register", json=said).raise_for_status()
        given_answer["well"] = given_answer[None] = (200, SDK_HEADERS, '"well"')
        yield rest, executor, given_answer
        rest.close()


def ends_or_waits(fuzzed, status, headers, body):
    rest, executor, given_answer = fuzzed
    case = str(len(given_answer))
    given_answer[case] = (status, SDK_HEADERS | headers, b"" if status == 204 else json.dumps(body).encode())
    run_id = rest.started(rest.send("odd", {"case": case}))
    run = wait_for(
        lambda: ((run := rest.run(run_id))["ended_at"] and run) or (open_steps(executor, run_id) and run),
        what=f"the end of {given_answer[case]}",
    )
    if run["ended_at"] is None:
        assert rest.cancel(run_id) == 200
    elif run["status"] == "Failed":
        assert isinstance(run["output"]["message"], str) and isinstance(run["output"]["name"], str)
    assert rest.ended(rest.send("well", {"case": "well"}))["output"] == "well"


@settings(max_examples=30)
@given(status=statuses, headers=hints, body=bodies)
def test_whatever_an_app_answers_its_run_ends_for_a_reason_or_waits(fuzzed, status, headers, body):
    ends_or_waits(fuzzed, status, headers, body)


@pytest.mark.slow
@pytest.mark.timeout(600)
@settings(max_examples=1500)
@given(status=statuses, headers=hints, body=bodies)
def test_of_many_generated_answers_each_ends_its_run_or_lets_it_wait(fuzzed, status, headers, body):
    ends_or_waits(fuzzed, status, headers, body)


@pytest.mark.slow
def test_results_that_are_too_large_together_fail_the_run_with_a_reason(tmp_path):
    def answer(_path, _headers, body):
        done = 6 if body["use_api"] else 0
        return ops(
            *({"id": f"s{n}", "op": "StepRun", "data": "x" * 4_000_000} for n in range(done, done + 6))
        )

    with Executor(tmp_path / "journal.db", 0) as executor, ScriptedApp(answer) as app:
        rest = Rest(executor.url)
        rest.http.post("/fn/register", json=app.registration({"id": "probe-f", "event": "odd"}))
        run = rest.ended(rest.send("odd"))
        assert (run["status"], run["output"]["name"]) == ("Failed", "InngestErrStateOverflowed")
        assert "larger than 32 MiB together" in run["output"]["message"]
        rest.close()
