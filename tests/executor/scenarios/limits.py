"""Once only, and so many at once."""

from datetime import timedelta

import inngest

from executor.scenarios.lab import helper, scenario
from executor.support import wait_for


def _idempotent(lab, here):
    key = f"k{id(lab)}"
    first, again = (lab.send("case/idempotent", {"p": key, "a": 1}) for _ in range(2))
    other = lab.send("case/idempotent", {"p": key, "a": 2})
    assert first != again and lab.ended(first)["output"] == lab.ended(other)["output"] == "once"
    third = lab.send("case/idempotent", {"p": key, "a": 1})
    lab.settle()
    assert lab.runs(again) == lab.runs(third) == [] and here.marks == {"once": 2}


@scenario(play=_idempotent, idempotency='event.data.p + "/" + string(event.data.a)')
def idempotent(ctx, here):
    """events of the same key make one run, also when it is over"""
    return ctx.step.run("once", lambda: here.mark("once"))


def _keyless(lab, here):
    ids = [lab.send("case/keyless") for _ in range(2)]
    assert [lab.result(each) for each in ids] == [("Completed", "ran")] * 2


@scenario(play=_keyless, idempotency="event.data.missing")
def keyless(ctx, here):
    """an event without the key is nobody's duplicate"""
    return ctx.step.run("a", lambda: "ran")


def _same_id(lab, here):
    first, again = (lab.send("case/same_event_id", id=f"same-{id(lab)}") for _ in range(2))
    assert lab.result(first) == ("Completed", "ran") and first != again
    lab.settle()
    assert lab.runs(again) == [] and here.marks == {"a": 1}


@scenario(play=_same_id)
def same_event_id(ctx, here):
    """an event that is sent again under its id makes no run"""
    return ctx.step.run("a", lambda: here.mark("a", "ran"))


def at_most(names, count):
    """A play: of runs of these functions no more than `count` are under way at once."""

    def play(lab, here):
        heres = {lab.here[name] for name, _ in names}
        ids = [lab.send(f"case/{name}", {"k": k, "t": id(lab)}) for name, k in names]
        running = lambda: sum(each.running for each in heres)  # noqa: E731
        wait_for(lambda: running() >= count, what=f"{count} at once")
        lab.settle()
        assert running() == count
        for each in heres:
            each.gate.set()
        assert {lab.ended(each)["status"] for each in ids} == {"Completed"}

    return play


@scenario(play=at_most([("limited", 1)] * 5, 2), concurrency=[inngest.Concurrency(limit=2)])
def limited(ctx, here):
    """no more steps than the limit are under way"""
    return ctx.step.run("one", lambda: here.guarded("one"))


@scenario(
    play=at_most([("keyed", key) for key in "aabbc"], 3),
    concurrency=[inngest.Concurrency(limit=1, key="event.data.k")],
)
def keyed(ctx, here):
    """a limit with a key holds for each of its values"""
    return ctx.step.run("one", lambda: here.guarded("one"))


SHARED = [inngest.Concurrency(limit=1, key="string(event.data.t)", scope="env")]


@scenario(play=at_most([("shared", 1), ("shares", 1), ("shared", 2)], 1), concurrency=SHARED)
def shared(ctx, here):
    """a limit of the whole environment is shared by functions"""
    return ctx.step.run("one", lambda: here.guarded("one"))


@helper(concurrency=SHARED)
def shares(ctx, here):
    """the other one"""
    return ctx.step.run("one", lambda: here.guarded("one"))


@scenario(
    play=at_most([("two_limits", key) for key in "aaabc"], 2),
    concurrency=[inngest.Concurrency(limit=2), inngest.Concurrency(limit=1, key="event.data.k")],
)
def two_limits(ctx, here):
    """both limits of a function hold"""
    return ctx.step.run("one", lambda: here.guarded("one"))


def _asleep(lab, here):
    first = lab.send("case/asleep_holds_nothing", {"s": 60})
    wait_for(lambda: here.marks["60"])
    assert lab.result(lab.send("case/asleep_holds_nothing", {"s": 0})) == ("Completed", "up")
    lab.http.delete(f"/v1/runs/{lab.started(first)}")


@scenario(play=_asleep, concurrency=[inngest.Concurrency(limit=1)])
def asleep_holds_nothing(ctx, here):
    """a run that sleeps holds no place"""
    seconds = ctx.event.data["s"]
    ctx.step.run("before", lambda: here.mark(str(seconds)))
    if seconds:
        ctx.step.sleep("long", timedelta(seconds=seconds))
    return "up"
