"""The executor answers as the dev server: runs, events, rerun, cancel, invoke, state, signed requests."""

from datetime import timedelta

import flask
import httpx
import inngest
import inngest.flask
import pytest

from briefworks.errors import ConfigError
from briefworks.executor import Executor
from briefworks.executor.keys import Keys
from executor.sample import Sample, run_of, wait_for
from executor.support import Rest, Server, free_port, open_steps

SIGNING_KEY = "signkey-test-0123456789abcdef"
REAL_RUN = {  # as Inngest's dev server 1.43 answered
    "run_id": "01M814WXTK0QJ94NR77VMSBZXG",
    "run_started_at": "2026-11-22T08:10:26.515Z",
    "function_id": "4cb8863c-118e-590c-9975-bd0b0b20631c",
    "function_version": 0,
    "environment_id": "00000000-0000-0000-0000-000000000000",
    "event_id": "01M814WXQ4C6F1EZ0G9WT4YC18",
    "status": "Completed",
    "ended_at": "2026-11-22T08:10:27.211993753Z",
    "output": {"d": 4},
}


def chain(sample):
    """Functions of a shape that replays differently from each of its steps."""

    @sample.function("t/chain")
    def chain(ctx: inngest.ContextSync):
        def one(name):
            return lambda: ctx.step.run(name, lambda: sample.mark(name))

        first = ctx.step.run("first", lambda: sample.mark("first"))
        middle = ctx.group.parallel((one("left"), one("right")))
        ctx.step.sleep("nap", timedelta(seconds=1) if ctx.event.data.get("long") else timedelta(0))
        return [first, *middle, ctx.step.run("last", lambda: sample.mark("last"))]

    @sample.function("t/breaks", retries=1)
    def breaks(ctx: inngest.ContextSync):
        ctx.step.run("before", lambda: sample.mark("before"))

        def body():
            sample.mark("breaks")
            if not sample.gate.is_set():
                raise ValueError("not yet")
            return "mended"

        return ctx.step.run("breaks", body)

    @sample.function("t/odd")
    def odd(ctx: inngest.ContextSync):
        return ctx.step.run("odd", lambda: ctx.event.data)

    @sample.function("t/forever")
    def forever(ctx: inngest.ContextSync):
        ctx.step.sleep("long", timedelta(hours=1))

    return sample


@pytest.fixture(scope="module")
def executor(tmp_path_factory):
    with Executor(tmp_path_factory.mktemp("rest") / "journal.db", 0, retry_scale=0.0) as executor:
        yield executor


@pytest.fixture(scope="module")
def rest(executor):
    rest = Rest(executor.url)
    yield rest
    rest.close()


@pytest.fixture(scope="module")
def served(executor, rest):
    sample = chain(Sample(executor.url))
    with sample.serve() as server:
        assert httpx.put(server.url, trust_env=False).status_code == 200
        yield sample


@pytest.fixture
def sample(served):
    served.marks.clear()
    served.gate.clear()
    return served


def again(rest, run_id, **options):
    """Replay a run; the new one, once it has ended."""
    answer = rest.http.post(f"/v2/runs/{run_id}/rerun", json=options)
    assert answer.status_code == 200, answer.text
    new = answer.json()["data"]["runId"]
    wait_for(lambda: rest.run(new)["ended_at"])
    return rest.run(new)


def test_a_run_has_the_keys_and_kinds_of_the_dev_servers(rest, sample):
    run = run_of(rest, "t/odd", {"d": 4})
    assert {key: (type(run[key]), len(str(run[key]))) for key in ("run_id", "function_id", "event_id")} == {
        key: (str, len(REAL_RUN[key])) for key in ("run_id", "function_id", "event_id")
    }
    assert {key: type(value) for key, value in run.items()} == {
        **{key: type(value) for key, value in REAL_RUN.items()},
        "function": str,
    }
    for key in ("status", "output", "function_version", "environment_id"):
        assert run[key] == REAL_RUN[key]
    (v2,) = rest.http.get(f"/v2/events/{run['event_id']}/runs").json()["data"]
    assert v2 == rest.http.get(f"/v2/runs/{run['run_id']}").json()["data"]
    assert (v2["status"], v2["app"], v2["trigger"]["eventIds"]) == (
        "COMPLETED", {"id": "sample"}, [run["event_id"]],
    )  # fmt: skip
    assert v2["function"] == {"id": "odd", "name": "odd", "slug": "sample-odd"}
    assert v2 in rest.http.get("/v2/runs?limit=3").json()["data"]


def test_the_status_of_a_run_is_running_until_it_has_ended(executor, rest, sample):
    event_id = rest.send("t/forever")
    run_id = rest.started(event_id)
    wait_for(lambda: open_steps(executor, run_id))
    assert (rest.run(run_id)["status"], rest.run(run_id)["ended_at"]) == ("Running", None)
    assert rest.http.get(f"/v2/runs/{run_id}").json()["data"]["status"] == "RUNNING"
    assert rest.http.get(f"/v1/runs/{run_id}/jobs").json()["data"] == []
    assert rest.http.post(f"/v2/runs/{run_id}/cancel").json()["data"] == {"runId": run_id}
    assert rest.run(run_id)["status"] == "Cancelled"
    conflict = rest.http.post(f"/v2/runs/{run_id}/cancel")
    assert conflict.status_code == 409 and conflict.json()["errors"][0]["code"] == "conflict"
    assert rest.cancel(run_id) == 200  # v1 says so twice
    done = run_of(rest, "t/odd")["run_id"]
    assert rest.http.post(f"/v2/runs/{done}/cancel").status_code == 409


def test_the_whole_run_again_runs_every_step(rest, sample):
    run = run_of(rest, "t/chain")
    new = again(rest, run["run_id"])
    assert (new["event_id"], new["original_run_id"]) == (run["event_id"], run["run_id"])
    assert (new["status"], new["output"]) == ("Completed", run["output"])
    assert set(sample.marks.values()) == {2}


@pytest.mark.parametrize(
    ("step", "repeated"),
    [
        ("first", {"first", "left", "right", "last"}),
        ("left", {"left", "last"}),
        ("right", {"right", "last"}),
        ("nap", {"last"}),
        ("last", {"last"}),
    ],
)
def test_from_a_step_that_step_and_what_came_after_it_run_again(rest, sample, step, repeated):
    run = run_of(rest, "t/chain")
    new = again(rest, run["run_id"], fromStep={"stepId": step})
    assert new["output"] == run["output"]
    assert {name for name, count in sample.marks.items() if count == 2} == repeated
    once_more = again(rest, new["run_id"], fromStep={"stepId": step})
    assert {name for name, count in sample.marks.items() if count == 3} == repeated
    assert once_more["original_run_id"] == new["run_id"]


def test_a_failed_run_goes_on_with_what_was_finished(rest, sample):
    run = run_of(rest, "t/breaks")
    assert (run["status"], dict(sample.marks)) == ("Failed", {"before": 1, "breaks": 2})
    sample.gate.set()
    new = again(rest, run["run_id"], keepFinished=True)
    assert (new["output"], dict(sample.marks)) == ("mended", {"before": 1, "breaks": 3})
    spans = rest.http.get(f"/v2/runs/{new['run_id']}/trace").json()["data"]["rootSpan"]["children"]
    assert [(span["name"], span["kept"]) for span in spans] == [("before", True), ("breaks", False)]


def test_the_trace_has_every_attempt_with_its_error(rest, sample):
    run = run_of(rest, "t/breaks")
    root = rest.http.get(f"/v2/runs/{run['run_id']}/trace").json()["data"]["rootSpan"]
    before, breaks = root["children"]
    assert (root["status"], before["status"], breaks["status"]) == ("FAILED", "COMPLETED", "FAILED")
    assert breaks["error"] == root["error"] == "ValueError: not yet"
    (failed,) = breaks["children"]
    assert (failed["name"], failed["error"]) == ("Attempt 0", "ValueError: not yet")
    assert before["startedAt"] <= before["endedAt"] <= failed["startedAt"] <= failed["endedAt"]


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        ({"fromStep": {"stepId": "nowhere"}}, 400, "no step 'nowhere'"),
        ({"fromStep": {}}, 400, "stepId"),
        ({"fromStep": "first"}, 400, "stepId"),
        ({"fromStep": {"stepId": "first", "input": [1]}}, 400, "leaves out fromStep.input"),
        ({"keepFinished": 1}, 400, "true or false"),
        ([], 400, "JSON object"),
    ],
)
def test_a_wrong_rerun_is_explained_and_starts_nothing(rest, sample, options, status, says):
    run_id = run_of(rest, "t/chain")["run_id"]
    before = len(rest.all_runs())
    answer = rest.http.post(f"/v2/runs/{run_id}/rerun", json=options)
    assert answer.status_code == status and says in answer.json()["error"]
    assert len(rest.all_runs()) == before


def test_a_function_is_invoked_over_http_and_once_for_each_key(rest, sample):
    path = "/v2/apps/sample/functions/odd/invoke"
    asked = {"data": {"n": 1}, "idempotencyKey": "k1"}
    first, second = rest.http.post(path, json=asked), rest.http.post(path, json=asked)
    assert (first.status_code, second.status_code) == (200, 409)
    run_id = first.json()["data"]["runId"]
    assert second.json()["data"]["runId"] == run_id
    wait_for(lambda: rest.run(run_id)["ended_at"])
    assert rest.run(run_id)["output"]["n"] == 1
    for bad, status in (("/v2/apps/sample/functions/none/invoke", 404), (path, 400)):
        assert rest.http.post(bad, json={"data": [1]} if bad == path else {}).status_code == status


def test_events_are_listed_newest_first_and_without_the_engines_own(rest, sample):
    rest.http.post("/v2/apps/sample/functions/odd/invoke", json={})  # keeps an event inngest/function.invoked
    run_of(rest, "t/odd", {"n": 1})
    newest = rest.send("t/odd", {"n": 2})
    listed = rest.http.get("/v1/events?limit=2&name=t/odd").json()["data"]
    assert [event["data"]["n"] for event in listed] == [2, 1]
    assert listed[0] == rest.http.get(f"/v1/events/{newest}").json()["data"]
    assert {"internal_id", "id", "name", "data", "ts", "received_at"} <= set(listed[0])
    names = {event["name"] for event in rest.http.get("/v1/events?limit=1000").json()["data"]}
    assert not any(name.startswith("inngest/") for name in names)


def test_the_sdk_fetches_the_state_that_a_request_does_not_bring(executor, rest, sample):
    run_id = run_of(rest, "t/odd", {"n": 7})["run_id"]
    ctx = {
        "attempt": 0, "disable_immediate_execution": False, "run_id": run_id, "use_api": True,
        "stack": {"current": 0, "stack": []},
    }  # fmt: skip
    event = {"name": "t/odd", "data": {}}
    body = {"ctx": ctx, "event": event, "events": [], "steps": {}, "use_api": True}
    url = f"{sample.server.url}?fnId=sample-odd&stepId=step"
    answer = httpx.post(url, json=body, headers={"X-Inngest-Server-Kind": "dev"}, trust_env=False)
    assert answer.status_code == 200 and answer.json()["n"] == 7  # its memo, not the event that was sent


@pytest.mark.parametrize(
    "path", ["/v0/gql", "/v1/realtime/publish", "/v1/realtime/token", "/v1/signals", "/v1/cancellations"]
)
def test_what_is_left_out_of_the_face_is_refused_by_name(rest, path):
    answer = rest.http.post(path, json={})
    assert answer.status_code == 404 and "leaves out" in answer.json()["error"]


# With keys


class Signed:
    """An app in production mode at an executor with keys."""

    def __init__(self, folder, app_key=SIGNING_KEY):
        self.port = free_port()
        self.app_url = f"http://127.0.0.1:{self.port}/api/inngest"
        keys = Keys(SIGNING_KEY, ["event-key"])
        self.executor = Executor(folder / "journal.db", 0, apps=[self.app_url], keys=keys, retry_scale=0.0)
        url = self.executor.start()
        self.client = inngest.Inngest(
            app_id="signed", is_production=True, signing_key=app_key, event_key="event-key",
            api_base_url=url, event_api_base_url=url,
        )  # fmt: skip

        @self.client.create_function(fn_id="odd", trigger=inngest.TriggerEvent(event="s/odd"), retries=0)
        def odd(ctx: inngest.ContextSync):
            return ctx.step.run("odd", lambda: ctx.event.data)

        app = flask.Flask("signed")
        inngest.flask.serve(app, self.client, [odd], enable_unauthed_sync=False)
        self.server = Server(app, self.port).start()
        self.rest = Rest(url)

    def as_owner(self):
        bearer = inngest._internal.transforms.hash_signing_key(SIGNING_KEY)
        self.rest.http.headers["Authorization"] = f"Bearer {bearer}"
        return self.rest

    def close(self):
        self.rest.close()
        self.server.stop()
        self.executor.stop()


@pytest.fixture
def signed(tmp_path):
    signed = Signed(tmp_path)
    yield signed
    signed.close()


def test_with_keys_requests_are_signed_and_the_sdk_in_production_takes_them(signed):
    data = {
        "text": "“ü” 字 🙂 \u2028",
        "n": [1.5, 1e21, -0.0, 1e-7, 2**60],
        "k": {"b": 1, "a": 2},
    }
    (event_id,) = signed.client.send_sync(inngest.Event(name="s/odd", data=data))
    run = signed.as_owner().ended(event_id)
    assert run["status"] == "Completed", run["output"]
    assert run["output"]["text"] == data["text"] and run["output"]["n"] == data["n"]


def test_with_keys_nobody_without_them_is_answered(signed):
    assert signed.rest.http.get("/health").status_code == 200
    event = {"name": "s/odd"}
    assert signed.rest.http.post("/e/another-key", json=event).status_code == 401
    assert signed.rest.http.post("/e/event-key", json=event).status_code == 200
    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": f"Bearer {SIGNING_KEY}"}):
        for method, path in (("GET", "/v1/runs"), ("POST", "/fn/register"), ("POST", "/v2/runs/x/rerun")):
            answer = signed.rest.http.request(
                method, path, headers=wrong, **({} if method == "GET" else {"json": {}})
            )
            assert answer.status_code == 401 and SIGNING_KEY not in answer.text
    assert signed.as_owner().http.get("/v1/runs").status_code == 200


def test_an_app_with_another_key_is_not_taken_in(tmp_path):
    signed = Signed(tmp_path, app_key="signkey-test-ffff")
    try:
        answer = httpx.put(signed.app_url, json={}, trust_env=False)
        assert answer.status_code == 401
        assert signed.as_owner().http.get("/dev").json()["functions"] == []
    finally:
        signed.close()


@pytest.mark.parametrize(
    ("key", "events"), [("signkey-test-xyz", ["k"]), ("signkey-test-abc", ["k"]), (SIGNING_KEY, [])]
)
def test_keys_that_cannot_work_are_refused_without_being_shown(key, events):
    with pytest.raises(ConfigError) as error:
        Keys(key, events)
    assert key not in str(error.value)
