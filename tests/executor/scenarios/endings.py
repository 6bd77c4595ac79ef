"""Failure handlers, events of endings, cancels and time limits."""

from datetime import timedelta

import inngest

from executor.scenarios.lab import APP, helper, scenario
from executor.scenarios.waits import SAME_K
from executor.support import wait_for


def of(name):
    return f"event.data.function_id == '{APP}-{name}'"


def _handler(ctx, here):
    here.hear((ctx.event.name, dict(ctx.event.data)))


def _told_of_failure(lab, here):
    event_id = lab.send("case/handled", {"k": 1})
    run = lab.ended(event_id)
    wait_for(lambda: here.heard, what="the failure handler")
    ((name, data),) = here.heard
    assert (run["status"], name) == ("Failed", "inngest/function.failed")
    assert (data["function_id"], data["run_id"]) == (f"{APP}-handled", run["run_id"])
    assert (data["error"]["name"], data["error"]["message"]) == ("ValueError", "no luck")
    assert (data["event"]["name"], data["event"]["data"]) == ("case/handled", {"k": 1})


@scenario(play=_told_of_failure, retries=0, on_failure=_handler)
def handled(ctx, here):
    """a failure handler gets the run, its error and its event"""

    def body():
        raise ValueError("no luck")

    ctx.step.run("never", body)


def _not_told(lab, here):
    assert lab.result(lab.send("case/well")) == ("Completed", "well")
    lab.settle()
    assert here.heard == []


@scenario(play=_not_told, on_failure=_handler)
def well(ctx, here):
    """a run that succeeds has no failure to handle"""
    return ctx.step.run("a", lambda: "well")


def _cancelled_unhandled(lab, here):
    event_id = lab.send("case/unhandled", {"k": 1})
    wait_for(lambda: here.marks["before"])
    lab.send("case/stop-unhandled")
    assert lab.ended(event_id)["status"] == "Cancelled"
    lab.settle()
    assert here.heard == []


@scenario(
    play=_cancelled_unhandled, on_failure=_handler, cancel=[inngest.Cancel(event="case/stop-unhandled")]
)
def unhandled(ctx, here):
    """a cancel is no failure"""
    ctx.step.run("before", lambda: here.mark("before"))
    ctx.step.sleep("long", timedelta(seconds=60))


@helper()
def fails_unheard(ctx, here):
    """fails, too"""
    raise inngest.NonRetriableError("unheard")


@helper()
def fails_loudly(ctx, here):
    """fails"""
    raise inngest.NonRetriableError("loud")


def _hears(lab, here):
    ended = [lab.ended(lab.send(f"case/{name}")) for name in ("fails_loudly", "no_step", "fails_unheard")]
    wait_for(lambda: here.heard, what="the event of the failure")
    lab.settle()
    mine = [each for each in here.heard if each[1]["run_id"] == ended[0]["run_id"]]
    assert [name for name, _ in mine] == ["inngest/function.failed"]
    assert {data["function_id"] for _, data in here.heard} == {f"{APP}-fails_loudly"}


@scenario(
    play=_hears,
    trigger=inngest.TriggerEvent(event="inngest/function.failed", expression=of("fails_loudly")),
)
def hears_failures(ctx, here):
    """a function hears of the failures that its expression means"""
    _handler(ctx, here)


def _hears_the_end(lab, here):
    event_id = lab.send("case/finishes")
    run = lab.ended(event_id)
    wait_for(lambda: here.heard, what="the event of the end")
    ((name, data),) = here.heard
    assert (name, data["run_id"], data["result"]) == ("inngest/function.finished", run["run_id"], {"n": 1})


@helper()
def finishes(ctx, here):
    """gives an object"""
    return ctx.step.run("a", lambda: {"n": 1})


@scenario(
    play=_hears_the_end,
    trigger=inngest.TriggerEvent(event="inngest/function.finished", expression=of("finishes")),
)
def hears_ends(ctx, here):
    """a function hears what another one gave"""
    _handler(ctx, here)


@helper(cancel=[inngest.Cancel(event="case/stop", if_exp=SAME_K)])
def sleeps(ctx, here):
    """sleeps until somebody cancels it"""
    ctx.step.run("before", lambda: here.mark(f"before {ctx.event.data['k']}"))
    ctx.step.sleep("long", timedelta(seconds=ctx.event.data.get("s", 60)))
    return ctx.step.run("after", lambda: here.mark("after"))


def sleeping(lab, k):
    """A run of `sleeps` that has come to its sleep."""
    event_id = lab.send("case/sleeps", {"k": k})
    wait_for(lambda: lab.here["sleeps"].marks[f"before {k}"], what="the step before the sleep")
    lab.registered(event_id)
    return event_id


def _by_event(lab, here):
    def told():
        return [(name, data["event"]["data"]["k"]) for name, data in here.heard]

    woken = lab.here["sleeps"].marks["after"]
    mine, other = sleeping(lab, "mine"), sleeping(lab, "other")
    lab.send("case/stop", {"k": "nobody"})
    lab.send("case/stop", {"k": "mine"})
    assert lab.ended(mine)["status"] == "Cancelled"
    assert lab.runs(other)[0]["ended_at"] is None
    wait_for(lambda: ("inngest/function.cancelled", "mine") in told(), what="the event of the cancel")
    lab.send("case/stop", {"k": "other"})
    assert lab.ended(other)["status"] == "Cancelled" and lab.here["sleeps"].marks["after"] == woken


@scenario(
    play=_by_event,
    trigger=inngest.TriggerEvent(event="inngest/function.cancelled", expression=of("sleeps")),
)
def cancelled_by_event(ctx, here):
    """an event cancels the run that it means, and no other; who listens hears of it"""
    _handler(ctx, here)


def _by_api(lab, here):
    event_id = sleeping(lab, "api")
    run_id = lab.started(event_id)
    assert [lab.http.delete(f"/v1/runs/{run_id}").status_code for _ in range(2)] == [200, 200]
    assert lab.ended(event_id)["status"] == "Cancelled"


@scenario(play=_by_api)
def cancelled_by_api(ctx, here):
    """a run is cancelled over HTTP, twice without harm"""


def _too_early(lab, here):
    lab.send("case/stop", {"k": "early"})
    assert lab.result(lab.send("case/sleeps", {"k": "early", "s": 1})) == ("Completed", "after")


@scenario(play=_too_early)
def cancelled_too_early(ctx, here):
    """a cancel from before the run is not kept"""


def _under_way(lab, here):
    event_id = lab.send("case/cancelled_under_way")
    wait_for(lambda: here.running, what="the step")
    lab.send("case/stop-under-way")
    assert lab.ended(event_id)["status"] == "Cancelled"
    here.gate.set()
    wait_for(lambda: here.marks["first"])
    lab.settle()
    assert not here.marks["second"] and lab.ended(event_id)["status"] == "Cancelled"


@scenario(play=_under_way, cancel=[inngest.Cancel(event="case/stop-under-way")])
def cancelled_under_way(ctx, here):
    """after a cancel the step under way is ignored and none follows"""
    ctx.step.run("first", lambda: here.guarded("first"))
    ctx.step.run("second", lambda: here.mark("second"))


def _all(lab, here):
    ids = [lab.send("case/cancelled_all") for _ in range(3)]
    wait_for(lambda: here.marks["before"] == 3)
    lab.send("case/stop-all")
    assert {lab.ended(each)["status"] for each in ids} == {"Cancelled"}


@scenario(play=_all, cancel=[inngest.Cancel(event="case/stop-all")])
def cancelled_all(ctx, here):
    """a cancel without expression ends every run of its function"""
    ctx.step.run("before", lambda: here.mark("before"))
    ctx.step.sleep("long", timedelta(seconds=60))


def _too_late(lab, here):
    event_id = lab.send("case/cancelled_too_late")
    wait_for(lambda: here.marks["woken"], what="the second sleep")
    lab.send("case/stop-late")
    assert lab.result(event_id) == ("Completed", "lived")


@scenario(play=_too_late, cancel=[inngest.Cancel(event="case/stop-late", timeout=timedelta(seconds=1))])
def cancelled_too_late(ctx, here):
    """after its time-out a cancel does nothing"""
    ctx.step.sleep("over", timedelta(seconds=2))
    ctx.step.run("woken", lambda: here.mark("woken"))
    ctx.step.sleep("more", timedelta(seconds=1))
    return "lived"


@scenario(status="Cancelled", timeouts=inngest.Timeouts(finish=timedelta(seconds=1)))
def over_its_time(ctx, here):
    """a run that takes longer than it may is cancelled"""
    ctx.step.sleep("long", timedelta(seconds=60))


def _never_begun(lab, here):
    first = lab.send("case/never_begun", {"n": 1})
    wait_for(lambda: here.running)
    second = lab.send("case/never_begun", {"n": 2})
    assert lab.ended(second)["status"] == "Cancelled"
    here.gate.set()
    assert lab.result(first) == ("Completed", "1") and here.marks == {"1": 1}


@scenario(
    play=_never_begun,
    concurrency=[inngest.Concurrency(limit=1)],
    timeouts=inngest.Timeouts(start=timedelta(seconds=2)),
)
def never_begun(ctx, here):
    """a run that cannot begin in time is cancelled; one that has begun is not"""
    return ctx.step.run("one", lambda: here.guarded(str(ctx.event.data["n"])))
