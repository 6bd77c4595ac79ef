"""Steps that run side by side, in both modes."""

import time
from datetime import timedelta

import inngest

from executor.scenarios.lab import scenario
from executor.scenarios.retries import failing
from executor.support import wait_for


def side_by_side(ctx, here, count, pause_s=0.0, mode=inngest.ParallelMode.WAIT):
    def branch(n):
        def body():
            time.sleep(pause_s * (count - n))
            return here.mark(f"p{n}", n)

        return lambda: ctx.step.run(f"p{n}", body)

    return ctx.group.parallel(tuple(branch(n) for n in range(count)), parallel_mode=mode)


@scenario(output=[0, 1, 2, 3], marks={f"p{n}": 1 for n in range(4)})
def four_at_once(ctx, here):
    """each parallel step runs once"""
    return list(side_by_side(ctx, here, 4))


@scenario(output=[0, 1, 2])
def in_their_order(ctx, here):
    """results stand in the order of the steps, whichever ended first"""
    return list(side_by_side(ctx, here, 3, 0.05))


@scenario(output=["before", 3, "after"], marks={"p0": 1, "p1": 1, "p2": 1})
def before_and_after(ctx, here):
    """a group stands between ordinary steps"""
    before = ctx.step.run("before", lambda: "before")
    total = sum(side_by_side(ctx, here, 3))
    return [before, total, ctx.step.run("after", lambda: "after")]


@scenario(output=[0, "alone"])
def group_of_one(ctx, here):
    """a group may have one step"""
    return [*side_by_side(ctx, here, 1), ctx.step.run("alone", lambda: "alone")]


@scenario(output=[["a1", "a2"], ["b1", "b2"]], marks={"a1": 1, "a2": 1, "b1": 1, "b2": 1})
def chains(ctx, here):
    """branches may have several steps each"""

    def chain(letter):
        return lambda: [ctx.step.run(f"{letter}{n}", lambda n=n: here.mark(f"{letter}{n}")) for n in (1, 2)]

    return list(ctx.group.parallel((chain("a"), chain("b"))))


@scenario(output=[[0, 1], [10, 11]])
def two_groups(ctx, here):
    """one group may follow another"""

    def pair(base):
        return list(
            ctx.group.parallel(tuple(lambda n=n: ctx.step.run(f"s{n}", lambda: n) for n in (base, base + 1)))
        )

    return [pair(0), pair(10)]


@scenario(output=[2, 1], marks={"flaky": 2, "steady": 1})
def one_is_flaky(ctx, here):
    """of parallel steps only the one that raised is tried again"""
    return list(
        ctx.group.parallel(
            (
                lambda: ctx.step.run("flaky", failing(here, "flaky", 1)),
                lambda: ctx.step.run("steady", lambda: here.mark("steady", 1)),
            )
        )
    )


@scenario(status="Failed", marks={"never": 2, "steady": 1}, retries=1)
def one_fails(ctx, here):
    """a parallel step that fails for good fails the run; the others have run to their end"""
    ctx.group.parallel(
        (
            lambda: ctx.step.run("never", failing(here, "never", 99)),
            lambda: ctx.step.run("steady", lambda: here.mark("steady", 1)),
        )
    )


@scenario(output=["StepError", "fine"], retries=0)
def one_is_caught(ctx, here):
    """a branch may catch the failure of its step"""

    def catching():
        try:
            return ctx.step.run("never", failing(here, "never", 99))
        except inngest.StepError as error:
            return type(error).__name__

    return list(ctx.group.parallel((catching, lambda: ctx.step.run("fine", lambda: "fine"))))


def _really(lab, here):
    event_id = lab.send("case/really_at_once")
    wait_for(lambda: here.running == 10, what="ten requests at once")
    here.gate.set()
    assert lab.result(event_id) == ("Completed", 10)


@scenario(play=_really)
def really_at_once(ctx, here):
    """ten parallel steps are ten requests at once"""
    return len(
        ctx.group.parallel(
            tuple(lambda n=n: ctx.step.run(f"p{n}", lambda: here.guarded(f"p{n}")) for n in range(10))
        )
    )


def _slow_one(lab, here):
    event_id = lab.send(f"case/{here.name}")
    wait_for(lambda: here.marks["fast-2"], what="the fast branch's second step")
    assert not here.marks["slow-1"]
    here.gate.set()
    assert lab.result(event_id) == ("Completed", [["slow-1", "slow-2"], ["fast-1", "fast-2"]])
    assert set(here.marks.values()) == {1}


@scenario(play=_slow_one)
def race(ctx, here):
    """in a race a fast branch does not wait for a slow one"""

    def branch(name, body):
        return lambda: [
            ctx.step.run(f"{name}-1", lambda: body(f"{name}-1")),
            ctx.step.run(f"{name}-2", lambda: here.mark(f"{name}-2")),
        ]

    branches = (branch("slow", here.guarded), branch("fast", here.mark))
    return list(ctx.group.parallel(branches, parallel_mode=inngest.ParallelMode.RACE))


@scenario(output=[0, 1, 2], marks={"p0": 1, "p1": 1, "p2": 1})
def race_of_single_steps(ctx, here):
    """a race of single steps gives them all"""
    return list(side_by_side(ctx, here, 3, mode=inngest.ParallelMode.RACE))


@scenario(output=[None, "worked"], marks={"work": 1})
def beside_a_sleep(ctx, here):
    """a step works while its sibling sleeps"""
    return list(
        ctx.group.parallel(
            (
                lambda: ctx.step.sleep("nap", timedelta(seconds=1)),
                lambda: ctx.step.run("work", lambda: here.mark("work", "worked")),
            )
        )
    )


@scenario(output="yes")
def beside_a_wait(ctx, here):
    """a wait that is asked for beside its announcement misses no quick answer"""
    found, _ = ctx.group.parallel(
        (
            lambda: ctx.step.wait_for_event("answer", event="case/quick", timeout=timedelta(seconds=9)),
            lambda: ctx.step.send_event("ask", inngest.Event(name="case/quick", data={"said": "yes"})),
        )
    )
    return found and found.data["said"]
