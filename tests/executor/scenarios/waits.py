"""Sleeps, and waits for events."""

from datetime import UTC, datetime, timedelta

import inngest

from executor.scenarios.lab import scenario
from executor.support import wait_for
from in_time import in_time

SAME_K = "event.data.k == async.data.k"


def waiting(lab, event_id, count=1):
    """Wait until a run waits: the body before its wait has run, and its steps are registered."""
    here = lab.here[lab.sent[event_id]]
    wait_for(lambda: here.marks["asked"], what="the request before the wait")
    lab.registered(event_id, count)


def start(lab, here, data=None):
    event_id = lab.send(f"case/{here.name}", data)
    lab.sent[event_id] = here.name
    return event_id


def wait(ctx, here, seconds, if_exp=None, event="case/answer"):
    here.mark("asked")
    found = ctx.step.wait_for_event(
        "answer", event=event, if_exp=if_exp, timeout=timedelta(seconds=seconds)
    )  # fmt: skip
    return found and dict(found.data)


def _a_second(lab, here):
    with in_time(more_than_s=0.9):
        assert lab.result(lab.send(f"case/{here.name}")) == ("Completed", ["before", None, "after"])
    assert here.marks == {"before": 1, "after": 1}


def _around(ctx, here, rest):
    before = ctx.step.run("before", lambda: here.mark("before"))
    return [before, rest(), ctx.step.run("after", lambda: here.mark("after"))]


@scenario(play=_a_second)
def sleep(ctx, here):
    """a sleep takes its time, and nothing before it runs again"""
    return _around(ctx, here, lambda: ctx.step.sleep("nap", timedelta(seconds=1)))


@scenario(play=_a_second)
def sleep_until(ctx, here):
    """a run sleeps until an instant"""
    until = ctx.step.run("until", (datetime.now(UTC) + timedelta(seconds=1.2)).isoformat)
    return _around(ctx, here, lambda: ctx.step.sleep_until("nap", datetime.fromisoformat(until)))


@scenario(output="awake")
def sleep_until_the_past(ctx, here):
    """an instant that has passed is no sleep"""
    ctx.step.sleep_until("nap", datetime(2020, 1, 1, tzinfo=UTC))
    return "awake"


@scenario(output=[None, None])
def two_sleeps(ctx, here):
    """one sleep may follow another"""
    return [ctx.step.sleep("one", timedelta(seconds=1)), ctx.step.sleep("two", timedelta(seconds=1))]


@scenario(output=None)
def nobody_answers(ctx, here):
    """a wait ends with nothing when its time is over"""
    return wait(ctx, here, 1, event="case/nobody-sends-this")


def _chosen(lab, here):
    event_id = start(lab, here, {"k": 7})
    waiting(lab, event_id)
    for k in (8, "7", 7):
        lab.send("case/chosen-answer", {"k": k})
    assert lab.result(event_id) == ("Completed", {"k": 7})


@scenario(play=_chosen)
def chosen(ctx, here):
    """a wait gets the event that its expression means"""
    return wait(ctx, here, 15, SAME_K, "case/chosen-answer")


def _first_of(lab, here):
    event_id = start(lab, here)
    waiting(lab, event_id)
    lab.send("case/any-answer", {"n": 1})
    assert lab.result(event_id) == ("Completed", {"n": 1})


@scenario(play=_first_of)
def any_of_its_name(ctx, here):
    """a wait without expression takes the first event of its name"""
    return wait(ctx, here, 15, event="case/any-answer")


def _too_early(lab, here):
    lab.send("case/early-answer", {"n": 1})
    assert lab.result(start(lab, here)) == ("Completed", None)


@scenario(play=_too_early)
def too_early(ctx, here):
    """an event from before the wait is not seen by it"""
    return wait(ctx, here, 1, event="case/early-answer")


def _to_each(lab, here):
    ids = {k: start(lab, here, {"k": k}) for k in ("a", "b")}
    for event_id in ids.values():
        waiting(lab, event_id)
    for k in ("b", "a"):
        lab.send("case/each-answer", {"k": k, "for": k})
    for k, event_id in ids.items():
        assert lab.result(event_id) == ("Completed", {"k": k, "for": k})


@scenario(play=_to_each)
def to_each_its_own(ctx, here):
    """of two runs that wait each gets its own answer"""
    return wait(ctx, here, 15, SAME_K, "case/each-answer")


def _both(lab, here):
    event_id = start(lab, here)
    waiting(lab, event_id, 2)
    lab.send("case/both-answer", {"said": "yes"})
    assert lab.result(event_id) == ("Completed", ["yes", "yes"])


@scenario(play=_both)
def both_hear(ctx, here):
    """one event wakes every wait that it fits"""
    here.mark("asked")
    found = ctx.group.parallel(
        tuple(
            lambda n=n: ctx.step.wait_for_event(
                f"w{n}", event="case/both-answer", timeout=timedelta(seconds=15)
            )
            for n in range(2)
        )
    )
    return [each and each.data["said"] for each in found]


def _literal(lab, here):
    event_id = start(lab, here, {"k": "it's"})
    waiting(lab, event_id)
    lab.send("case/literal-answer", {"action": "reject", "score": 9})
    lab.send("case/literal-answer", {"action": "approve", "score": 1})
    lab.send("case/literal-answer", {"action": "approve", "score": 5})
    assert lab.result(event_id) == ("Completed", {"action": "approve", "score": 5})


@scenario(play=_literal)
def with_literals(ctx, here):
    """an expression may compare with what stands in it"""
    rule = "async.data.action == 'approve' && (async.data.score > 3 || async.data.score == 0)"
    return wait(ctx, here, 15, rule, "case/literal-answer")


def _event_id(lab, here):
    event_id = start(lab, here)
    waiting(lab, event_id)
    lab.send("case/whole-answer", {"n": 1}, id=f"whole-{event_id}")
    assert lab.result(event_id) == ("Completed", ["case/whole-answer", f"whole-{event_id}", {"n": 1}])


@scenario(play=_event_id)
def the_whole_event(ctx, here):
    """what a wait gives is the whole event"""
    here.mark("asked")
    found = ctx.step.wait_for_event("a", event="case/whole-answer", timeout=timedelta(seconds=15))
    assert isinstance(found, inngest.Event)
    return [found.name, found.id, dict(found.data)]
