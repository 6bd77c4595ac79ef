"""An unchanged app on Inngest's own SDK runs on the embedded executor as it does on the real server."""

import time
from contextlib import contextmanager

import httpx
import inngest
import pytest

from briefworks.executor import Executor
from executor.sample import Sample, run_of, with_everything
from executor.support import Rest, SlammedDoor, free_port, open_steps, wait_for


@contextmanager
def running(folder, functions=with_everything, **settings):
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
    with running(tmp_path_factory.mktemp("sdk")) as parts:
        yield parts


@pytest.fixture
def rest(shared):
    return shared[0]


@pytest.fixture
def sample(shared):
    shared[1].marks.clear()
    shared[1].seen.clear()
    shared[1].gate.clear()
    shared[1].most_running = 0
    yield shared[1]
    shared[1].gate.set()


def result(run):
    return run["status"], run["output"]


def test_each_step_runs_once_in_its_order(rest, sample):
    assert result(run_of(rest, "t/four")) == ("Completed", [1, 2, 3, 4])
    assert set(sample.marks.values()) == {1}


def test_parallel_steps_all_run_and_once_each(rest, sample):
    assert result(run_of(rest, "t/parallel")) == ("Completed", 10)
    assert len(sample.marks) == 4 and set(sample.marks.values()) == {1}


def test_in_a_race_a_fast_branch_does_not_wait_for_a_slow_one(rest, sample):
    event_id = rest.send("t/race")
    wait_for(lambda: sample.marks["fast-2"], what="the fast branch's second step")
    assert not sample.marks["slow"]
    sample.gate.set()
    assert rest.ended(event_id)["status"] == "Completed"
    assert set(sample.marks.values()) == {1}


def test_a_step_that_raises_once_is_tried_again(rest, sample):
    assert result(run_of(rest, "t/once")) == ("Completed", 1)
    assert sample.marks["once"] == 2


def test_a_step_that_always_raises_fails_the_run_after_its_attempts(rest, sample):
    run = run_of(rest, "t/always")
    assert run["status"] == "Failed"
    assert (run["output"]["name"], run["output"]["message"]) == ("ValueError", "every time")
    assert sample.marks["always"] == 3


def test_a_failed_step_can_be_caught_by_the_function(rest, sample):
    assert result(run_of(rest, "t/caught")) == ("Completed", ["ValueError", "every time"])
    assert sample.marks["caught"] == 3


def test_a_non_retriable_error_fails_the_run_at_once(rest, sample):
    run = run_of(rest, "t/fatal")
    assert (run["status"], run["output"]["name"]) == ("Failed", "NonRetriableError")
    assert sample.marks["fatal"] == 1


def test_retry_after_is_honoured(rest, sample):
    asked_at = time.monotonic()
    assert result(run_of(rest, "t/later")) == ("Completed", 1)
    assert 1.0 <= time.monotonic() - asked_at < 4.0


def test_a_sleep_ends_when_it_should(rest, sample):
    run = run_of(rest, "t/sleep", {"s": 1, "k": "nap"})
    assert result(run) == ("Completed", "after")
    assert sample.marks == {"before": 1, "after": 1}


def test_a_cancel_ends_a_sleeping_run_and_only_the_one_it_means(rest, sample):
    event_id = rest.send("t/sleep", {"s": 60, "k": "mine"})
    wait_for(lambda: sample.marks["before"])
    rest.send("t/stop", {"k": "another"})
    rest.send("t/stop", {"k": "mine"})
    assert rest.ended(event_id)["status"] == "Cancelled"
    assert not sample.marks["after"]
    wait_for(lambda: sample.seen, what="the cancelled event")
    name, data = sample.seen[0]
    assert name == "inngest/function.cancelled"
    assert data["function_id"] == "sample-sleep" and data["event"]["data"]["k"] == "mine"


@pytest.mark.parametrize("how", ["event", "delete"])
def test_after_a_cancel_the_step_in_flight_is_ignored_and_none_follows(rest, sample, how):
    event_id = rest.send("t/busy", {"k": how})
    wait_for(lambda: sample.running)
    if how == "event":
        rest.send("t/stop", {"k": how})
    else:
        assert rest.cancel(rest.started(event_id)) == 200
        assert rest.cancel(rest.started(event_id)) == 200
    assert rest.ended(event_id)["status"] == "Cancelled"
    sample.gate.set()
    wait_for(lambda: sample.marks["first"])
    run_of(rest, "t/four")  # by now the answer of `first` has come, too
    assert not sample.marks["second"]
    assert rest.runs(event_id)[0]["status"] == "Cancelled"


def test_a_cancel_before_the_run_exists_is_not_kept(rest, sample):
    rest.send("t/stop", {"k": "early"})
    assert run_of(rest, "t/sleep", {"s": 0, "k": "early"})["status"] == "Completed"


def test_a_run_waits_for_the_event_that_its_expression_means(rest, shared):
    event_id = rest.send("t/wait", {"s": 20, "k": 7})
    wait_for(lambda: open_steps(shared[2], rest.started(event_id)), what="the wait")
    rest.send("t/answer", {"k": 8})
    rest.send("t/answer", {"k": 7, "said": "yes"})
    assert result(rest.ended(event_id)) == ("Completed", {"k": 7, "said": "yes"})


def test_a_wait_times_out_with_nothing(rest, sample):
    assert result(run_of(rest, "t/wait", {"s": 1, "k": 1})) == ("Completed", None)


def test_a_wait_that_is_asked_for_beside_its_announcement_misses_no_quick_answer(rest, sample):
    assert result(run_of(rest, "t/review")) == ("Completed", "yes")


def test_the_same_idempotency_key_runs_once_and_an_event_without_one_always(rest, sample):
    first = rest.send("t/idem", {"p": "p", "a": "1"})
    again = rest.send("t/idem", {"p": "p", "a": "1"})
    other = rest.send("t/idem", {"p": "q", "a": "1"})
    without = [rest.send("t/idem", {"p": "p"}) for _ in range(2)]
    assert all(rest.ended(each)["status"] == "Completed" for each in (first, other, *without))
    assert rest.runs(again) == [] and again != first


def test_the_same_event_id_runs_once(rest, sample):
    first = rest.send("t/four", id="the-same")
    again = rest.send("t/four", id="the-same")
    assert rest.ended(first)["status"] == "Completed"
    assert again != first and rest.runs(again) == []


def test_a_request_that_is_sent_twice_is_one_event(rest, sample):
    seed = {"x-inngest-event-id-seed": "1795335051179,Og67AOUgSdV/2Q=="}
    events = [{"name": "t/four"}, {"name": "t/nobody"}]
    answers = [rest.http.post("/e/test", json=events, headers=seed).json()["ids"] for _ in range(2)]
    assert answers[0] == answers[1] == ["01M814XNXB787BP075414XAZYT", "01M814XNXB787BP075414XAZYV"]
    assert len(rest.runs(answers[0][0])) == 1


@pytest.mark.parametrize(
    ("event", "keys", "at_once"), [("t/limited", [1] * 6, 2), ("t/keyed", ["a", "a", "b", "b"], 2)]
)
def test_no_more_requests_than_the_limit_are_under_way(rest, sample, event, keys, at_once):
    ids = [rest.send(event, {"k": key}) for key in keys]
    wait_for(lambda: sample.running == at_once)
    run_of(rest, "t/four")  # time for more, were they let
    assert sample.running == at_once
    sample.gate.set()
    assert all(rest.ended(each)["status"] == "Completed" for each in ids)
    assert sample.most_running == at_once


def test_a_step_sends_events_that_start_their_runs(rest, sample):
    sent = run_of(rest, "t/sender")["output"]
    assert [rest.ended(each)["output"] for each in sent] == [[1, 2, 3, 4], 10]


def test_a_function_on_two_ended_events_hears_of_the_failure_it_means(rest, sample):
    run = run_of(rest, "t/always")
    wait_for(lambda: sample.seen)
    name, data = sample.seen[0]
    assert (name, data["run_id"], data["error"]["name"]) == (
        "inngest/function.failed",
        run["run_id"],
        "ValueError",
    )
    assert data["event"]["name"] == "t/always"
    run_of(rest, "t/fatal")  # another function's failure
    run_of(rest, "t/four")
    assert len(sample.seen) == 1


@pytest.mark.parametrize(
    ("data", "output"),
    [
        ({"n": 4}, 5),
        ({"n": 4, "fail": True}, ["NonRetriableError", "callee failed"]),
        ({"function": "nowhere"}, ["Error", "could not find function with ID: sample-nowhere"]),
        (
            {"function": "sleepy"},
            ["InngestInvokeTimeoutError", "Timed out waiting for invoked function to complete"],
        ),
    ],
    ids=["result", "failure", "unknown", "time-out"],
)
def test_an_invoked_function_gives_its_result_or_its_error(rest, sample, data, output):
    assert result(run_of(rest, "t/caller", data)) == ("Completed", output)


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
        with with_everything(Sample(executor.url, port=port)).serve():
            assert result(rest.ended(event_id)) == ("Completed", [1, 2, 3, 4])
        rest.close()


def test_a_function_past_its_time_is_cancelled(tmp_path):
    def functions(sample):
        @sample.function("t/slow", timeouts=inngest.Timeouts(finish=1000))
        def slow(ctx: inngest.ContextSync):
            ctx.step.sleep("long", 60_000)

        return sample

    with running(tmp_path, functions) as (rest, _, _):
        assert run_of(rest, "t/slow")["status"] == "Cancelled"


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
