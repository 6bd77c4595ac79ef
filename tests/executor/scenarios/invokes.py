"""Functions that call functions, and functions that send events."""

from datetime import timedelta

import inngest

from executor.scenarios.lab import APP, helper, scenario
from executor.support import wait_for


@helper(retries=1)
def callee(ctx, here):
    """gives one more than it gets, or fails as it is told"""
    if ctx.event.data.get("fail") == "at once":
        raise inngest.NonRetriableError("no use")
    if ctx.event.data.get("fail"):
        here.mark("failed")
        raise ValueError("every time")
    return ctx.step.run("more", lambda: ctx.event.data["n"] + 1)


@helper()
def told(ctx, here):
    """gives what it knows of its event"""
    data = {key: value for key, value in ctx.event.data.items() if key != "_inngest"}
    return [ctx.event.name, data]


@helper()
def sleepy(ctx, here):
    """takes a minute"""
    ctx.step.sleep("long", timedelta(seconds=60))


def caught(ctx, **call):
    """What the call gives, or the name and message of its error."""
    try:
        return ctx.step.invoke_by_id("call", **{"app_id": APP, "function_id": "callee"} | call)
    except inngest.StepError as error:
        return [error.name, error.message]


@scenario(output=5)
def by_object(ctx, here):
    """a function is invoked by its object"""
    return ctx.step.invoke("call", function=here.lab.functions["callee"], data={"n": 4})


@scenario(output=8)
def by_id(ctx, here):
    """a function is invoked by its id"""
    return caught(ctx, data={"n": 7})


@scenario(output=3)
def in_the_same_app(ctx, here):
    """the app of an invoked function is ours when none is named"""
    return ctx.step.invoke_by_id("call", function_id="callee", data={"n": 2})


@scenario(output=["inngest/function.invoked", {"a": [1]}])
def what_it_gets(ctx, here):
    """an invoked function gets its data"""
    return ctx.step.invoke("call", function=here.lab.functions["told"], data={"a": [1]}, v="2")


@scenario(output=["inngest/function.invoked", {}])
def without_data(ctx, here):
    """an invoked function needs no data"""
    return ctx.step.invoke("call", function=here.lab.functions["told"])


@scenario(output=["NonRetriableError", "no use"])
def fails_at_once(ctx, here):
    """the failure of an invoked function is the step's, with its name and message"""
    return caught(ctx, data={"fail": "at once"})


@scenario(output=["ValueError", "every time"])
def fails_at_last(ctx, here):
    """an invoked function fails after its own attempts"""
    return caught(ctx, data={"fail": "always"})


@scenario(status="Failed")
def fails_uncaught(ctx, here):
    """a failure that is not caught fails the caller too"""
    ctx.step.invoke("call", function=here.lab.functions["callee"], data={"fail": "at once"})


@scenario(output=["InngestInvokeTimeoutError", "Timed out waiting for invoked function to complete"])
def takes_too_long(ctx, here):
    """an invoked function that takes too long is a time-out"""
    return caught(ctx, function_id="sleepy", timeout=timedelta(seconds=1))


@scenario(output=["Error", f"could not find function with ID: {APP}-nowhere"])
def not_there(ctx, here):
    """a function that does not exist cannot be invoked"""
    return caught(ctx, function_id="nowhere")


@scenario(output=[2, 3, 4])
def three_calls(ctx, here):
    """functions are invoked side by side"""
    function = here.lab.functions["callee"]
    return list(
        ctx.group.parallel(
            tuple(lambda n=n: ctx.step.invoke(f"c{n}", function=function, data={"n": n}) for n in (1, 2, 3))
        )
    )


def _sent(lab, here):
    sent = lab.result(lab.send("case/sends"))[1]
    assert [lab.result(each) for each in sent] == [("Completed", {"n": n}) for n in (1, 2)]


@helper()
def receives(ctx, here):
    """gives the data of its event"""
    here.mark("received")
    return dict(ctx.event.data)


@scenario(play=_sent)
def sends(ctx, here):
    """a step sends events, and their ids are its result"""
    return ctx.step.send_event("send", [inngest.Event(name="case/receives", data={"n": n}) for n in (1, 2)])


def _once(lab, here):
    lab.ended(lab.send("case/sends_once"))
    lab.ended(lab.send("case/sends_once"))
    wait_for(lambda: lab.here["hears_once"].marks["heard"], what="the event")
    lab.settle()
    assert lab.here["hears_once"].marks == {"heard": 1}


@helper()
def hears_once(ctx, here):
    """counts"""
    here.mark("heard")


@scenario(play=_once)
def sends_once(ctx, here):
    """an event that is sent twice under one id is heard once"""
    ctx.step.send_event("send", inngest.Event(name="case/hears_once", id=f"once-{id(here)}"))
