"""Apps on Inngest's own SDK: several at once, away and back, changed while watched, refused by name."""

from contextlib import contextmanager

import httpx
import inngest
import pytest

from briefworks.executor import Executor
from executor.sample import Sample, run_of, with_steps
from executor.support import Rest, SlammedDoor, free_port, wait_for


@contextmanager
def running(folder, functions=with_steps, **settings):
    """An executor and an app that knows it: `rest`, `sample`, `executor`."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/inngest"
    options = {"retry_scale": 0.02, "workers": 16} | settings
    with Executor(folder / "journal.db", 0, apps=[url], **options) as executor:
        sample = functions(Sample(executor.url, port=port))
        rest = Rest(executor.url)
        with sample.serve():
            yield rest, sample, executor
        rest.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with running(tmp_path_factory.mktemp("apps")) as parts:
        yield parts


def result(run):
    return run["status"], run["output"]


def test_a_request_that_is_sent_twice_is_one_event(shared):
    rest = shared[0]
    seed = {"x-inngest-event-id-seed": "1795335051179,Og67AOUgSdV/2Q=="}
    events = [{"name": "t/four"}, {"name": "t/nobody"}]
    answers = [rest.http.post("/e/test", json=events, headers=seed).json()["ids"] for _ in range(2)]
    assert answers[0] == answers[1] == ["01M814XNXB787BP075414XAZYT", "01M814XNXB787BP075414XAZYV"]
    rest.ended(answers[0][0])
    assert len(rest.runs(answers[0][0])) == 1


def test_an_app_that_is_away_burns_no_attempt(tmp_path):
    with running(tmp_path, retry_scale=0.0, away_pauses_s=(0.01, 0.05)) as (rest, sample, _):
        run_of(rest, "t/four")
        sample.server.stop()
        event_id = rest.send("t/once")  # has three attempts, needs two
        assert not rest.runs(event_id)[0]["ended_at"]
        with SlammedDoor(sample.server.port) as door:
            wait_for(lambda: door.knocks > 4)
        sample.server.start()
        assert result(rest.ended(event_id)) == ("Completed", 1)


def test_an_app_that_dies_under_one_request_again_and_again_fails_it_at_last(tmp_path):
    with running(tmp_path, away_pauses_s=(0.001, 0.01)) as (rest, sample, _):
        run_of(rest, "t/four")
        sample.server.stop()
        with SlammedDoor(sample.server.port):
            run = run_of(rest, "t/four")
        assert run["status"] == "Failed" and "went away before it answered" in run["output"]["message"]


def test_an_absent_app_can_be_made_to_burn_attempts(tmp_path):
    with running(tmp_path, burn_attempts_when_away=True) as (rest, sample, _):
        run_of(rest, "t/four")
        sample.server.stop()
        run = run_of(rest, "t/four")
        assert run["status"] == "Failed" and "could not be reached" in run["output"]["message"]


def test_an_event_that_comes_before_its_app_waits_for_it(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}/api/inngest"
    with Executor(tmp_path / "journal.db", 0, apps=[url]) as executor:
        early = Rest(executor.url)
        event_id = early.send("t/four")
        early.close()
        assert executor.url
    with Executor(tmp_path / "journal.db", 0, apps=[url]) as executor:
        rest = Rest(executor.url)
        with with_steps(Sample(executor.url, port=port)).serve():
            assert result(rest.ended(event_id)) == ("Completed", [1, 2, 3, 4])
        rest.close()


def test_two_apps_share_events_and_call_each_other_and_one_away_does_not_hold_up_the_other(tmp_path):
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}/api/inngest" for port in ports]
    with Executor(tmp_path / "journal.db", 0, apps=urls, away_pauses_s=(0.01, 0.05)) as executor:
        rest = Rest(executor.url)
        one = Sample(executor.url, port=ports[0], app_id="one")
        two = Sample(executor.url, port=ports[1], app_id="two")

        for sample in (one, two):

            @sample.function("t/both")
            def both(ctx, sample=sample):
                return ctx.step.run("a", lambda: sample.client.app_id)

        @one.function("t/asks")
        def asks(ctx):
            return ctx.step.invoke_by_id("call", app_id="two", function_id="both")

        with one.serve():
            early = rest.send("t/both")
            wait_for(
                lambda: [run["output"] for run in rest.runs(early)] == ["one"], what="the first app's run"
            )
            with two.serve():
                wait_for(lambda: sorted(str(run["output"]) for run in rest.runs(early)) == ["one", "two"])
                assert result(run_of(rest, "t/asks")) == ("Completed", "two")
            late = rest.send("t/both")
            wait_for(lambda: "one" in [run["output"] for run in rest.runs(late)], what="the living app's run")
            assert [run["ended_at"] for run in rest.runs(late) if run["output"] is None] == [None]
        rest.close()


def test_an_app_that_comes_back_with_other_functions_is_asked_and_believed(tmp_path):
    with running(tmp_path, poll_s=0.1) as (rest, old, executor):
        run_of(rest, "t/four")
        old.server.stop()
        new = Sample(executor.url, port=old.server.port)

        @new.function("t/new")
        def new_one(ctx):
            return ctx.step.run("a", lambda: "new")

        with new.serve():
            names = lambda: {fn["id"] for fn in rest.http.get("/dev").json()["functions"]}  # noqa: E731
            wait_for(lambda: names() == {"sample-new"}, what="the new functions")
            assert result(run_of(rest, "t/new")) == ("Completed", "new")
            gone = rest.send("t/four")
            run_of(rest, "t/new")
            assert rest.runs(gone) == []


@pytest.mark.parametrize(
    ("option", "name"),
    [
        ({"debounce": inngest.Debounce(period=1000)}, "debounce"),
        ({"throttle": inngest.Throttle(limit=1, period=1000)}, "throttling"),
        ({"rate_limit": inngest.RateLimit(limit=1, period=1000)}, "rate limits"),
        ({"batch_events": inngest.Batch(max_size=2)}, "event batching"),
        ({"singleton": inngest.Singleton(mode="skip")}, "singleton"),
        ({"priority": inngest.Priority(run="100")}, "priority"),
        ({"trigger": inngest.TriggerCron(cron="* * * * *")}, "cron triggers"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_left_out_is_refused_by_name(shared, option, name):
    sample = Sample(shared[2].url)
    sample.function("t/odd", **option)(lambda ctx: None)
    with sample.serve() as server:
        dev = {"x-inngest-server-kind": "dev"}
        error = httpx.put(server.url, headers=dev, json={}, trust_env=False).json()["error"]
    assert f"'sample-odd' uses {name}" in error and "dev server" in error
