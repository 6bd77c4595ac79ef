"""Steps and functions that fail: for once, for ever, for good."""

from datetime import timedelta

import inngest

from executor.scenarios.lab import scenario
from in_time import in_time


def failing(here, name, times, error=ValueError):
    """A body that raises as often as this and then gives the number of its tries."""

    def body():
        here.mark(name)
        if here.marks[name] <= times:
            raise error(f"try {here.marks[name]}")
        return here.marks[name]

    return body


@scenario(output=[2, 0], marks={"flaky": 2, "next": 1})
def raises_once(ctx, here):
    """a step that raises is tried again, and the attempts of the next one begin anew"""
    tries = ctx.step.run("flaky", failing(here, "flaky", 1))
    return [tries, ctx.step.run("next", lambda: here.mark("next") and ctx.attempt)]


@scenario(status="Failed", marks={"never": 3})
def raises_always(ctx, here):
    """a step that always raises fails its run after its attempts"""
    ctx.step.run("never", failing(here, "never", 99))


@scenario(output=["ValueError", "try 3", "rolled back"], marks={"never": 3, "rollback": 1})
def caught(ctx, here):
    """a failed step can be caught, and the run goes on"""
    try:
        ctx.step.run("never", failing(here, "never", 99))
    except inngest.StepError as error:
        rolled = ctx.step.run("rollback", lambda: here.mark("rollback", "rolled back"))
        return [error.name, error.message, rolled]


@scenario(status="Failed", marks={"never": 1}, retries=0)
def no_retries(ctx, here):
    """without retries there is one attempt"""
    ctx.step.run("never", failing(here, "never", 99))


@scenario(status="Failed", marks={"fatal": 1})
def fatal_in_step(ctx, here):
    """a non-retriable error in a step fails the run at once"""
    ctx.step.run("fatal", failing(here, "fatal", 99, inngest.NonRetriableError))


@scenario(status="Failed", marks={"plain": 1})
def fatal_outside(ctx, here):
    """a non-retriable error outside of steps fails the run at once"""
    failing(here, "plain", 99, inngest.NonRetriableError)()


@scenario(output=[1, 1], marks={"step": 1, "plain": 2})
def raises_outside(ctx, here):
    """an error outside of steps is tried again with what has been done kept"""
    done = ctx.step.run("step", lambda: here.mark("step", 1))
    failing(here, "plain", 1)()
    return [done, ctx.attempt]


@scenario(status="Failed", marks={"plain": 3})
def always_outside(ctx, here):
    """an error outside of steps that stays fails the run after its attempts"""
    failing(here, "plain", 99)()


def _in_time(lab, here):
    """At least a second, which no usual retry here takes."""
    with in_time(more_than_s=0.9):
        assert lab.result(lab.send(f"case/{here.name}")) == ("Completed", 2)


@scenario(play=_in_time)
def retry_after(ctx, here):
    """a step says when it wants to be tried again"""
    later = lambda text: inngest.RetryAfterError(text, timedelta(seconds=1))  # noqa: E731
    return ctx.step.run("busy", failing(here, "busy", 1, later))


@scenario(play=_in_time)
def retry_after_outside(ctx, here):
    """so does a function outside of its steps"""
    return failing(here, "busy", 1, lambda text: inngest.RetryAfterError(text, timedelta(seconds=1)))()


@scenario(status="Failed", marks={"busy": 2}, retries=1)
def retry_after_for_ever(ctx, here):
    """asking for later counts as an attempt"""
    ctx.step.run(
        "busy", failing(here, "busy", 99, lambda text: inngest.RetryAfterError(text, timedelta(seconds=1)))
    )


def _named(lab, here):
    status, output = lab.result(lab.send("case/own_name"))
    assert (status, output["name"], output["message"]) == ("Failed", "NothingToResearch", "try 1")


@scenario(play=_named)
def own_name(ctx, here):
    """an error of one's own keeps its name"""
    ctx.step.run("own", failing(here, "own", 9, type("NothingToResearch", (inngest.NonRetriableError,), {})))


def _last_error(lab, here):
    status, output = lab.result(lab.send("case/last_error"))
    assert (status, output["name"], output["message"]) == ("Failed", "ValueError", "try 3")


@scenario(play=_last_error)
def last_error(ctx, here):
    """a failed run gives the step's last error as its own"""
    ctx.step.run("never", failing(here, "never", 99))


@scenario(status="Failed", retries=1, marks={"set": 2})
def unserialisable(ctx, here):
    """a result that is not JSON fails the run after its attempts"""
    return ctx.step.run("set", lambda: {here.mark("set")})


@scenario(status="Failed", retries=0, marks={"nan": 1})
def not_a_number(ctx, here):
    """NaN is not JSON"""
    return ctx.step.run("nan", lambda: here.mark("nan", float("nan")))


@scenario(status="Failed", marks={"outer": 1})
def nested(ctx, here):
    """a step inside a step fails at once"""

    def outer():
        here.mark("outer")
        return ctx.step.run("inner", lambda: here.mark("inner"))

    ctx.step.run("outer", outer)
