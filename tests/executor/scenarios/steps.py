"""Steps that succeed, what they see and what they give."""

import inngest

from executor.scenarios.lab import scenario
from executor.support import wait_for

PLAIN = {"n": 1, "f": 0.5, "t": "ä€😀", "none": None, "list": [True, {"deep": []}], "": "empty key"}


@scenario(output=[1, 2, 3, 4], marks={"s1": 1, "s2": 1, "s3": 1, "s4": 1})
def four_steps(ctx, here):
    """each step runs once, in its order"""
    return [ctx.step.run(f"s{n}", lambda n=n: here.mark(f"s{n}", n)) for n in range(1, 5)]


@scenario(output="done")
def no_step(ctx, here):
    """a function without steps gives its value"""
    return "done"


@scenario(output=None)
def returns_nothing(ctx, here):
    """a function that returns nothing gives null"""
    ctx.step.run("a", lambda: None)


@scenario(output=[PLAIN, {"data": 1}, {"error": "no error"}])
def plain_data(ctx, here):
    """a result is the same after it was kept, also one that looks like a memo"""
    return [
        ctx.step.run("plain", lambda: PLAIN),
        ctx.step.run("data", lambda: {"data": 1}),
        ctx.step.run("error", lambda: {"error": "no error"}),
    ]


@scenario(output=[0, 1, 2], marks={"a 0": 1, "a 1": 1, "a 2": 1})
def same_id(ctx, here):
    """steps of the same id are told apart by their order"""
    return [ctx.step.run("a", lambda n=n: here.mark(f"a {n}", n) and n) for n in range(3)]


@scenario(output="b", marks={"plain": 3, "a": 1, "b": 1})
def code_between(ctx, here):
    """code outside of steps runs in every request, a step's body once"""
    here.mark("plain")
    ctx.step.run("a", lambda: here.mark("a"))
    return ctx.step.run("b", lambda: here.mark("b"))


@scenario(output="high", marks={"high": 1})
def branch(ctx, here):
    """the way that a function takes may depend on a result"""
    number = ctx.step.run("number", lambda: 7)
    return ctx.step.run("high" if number > 5 else "low", lambda: here.mark("high" if number > 5 else "low"))


@scenario(output=[1, 2, 3])
def crazy_ids(ctx, here):
    """a step's id may be any text"""
    return [ctx.step.run(name, lambda n=n: n) for n, name in enumerate((" ", "ä/%?&#\n'\"", "x" * 1000), 1)]


@scenario(output=120)
def many_steps(ctx, here):
    """sixteen steps are as good as one"""
    return sum(ctx.step.run(f"s{n}", lambda n=n: n) for n in range(16))


def _sees(lab, here):
    event_id = lab.send("case/sees", {"k": [1, "ä"]}, ts=1_700_000_000_000, id=f"g{id(lab)}")
    run = lab.ended(event_id)
    assert run["output"] == [
        "case/sees", {"k": [1, "ä"]}, 1_700_000_000_000, f"g{id(lab)}", 1, run["run_id"], 0,
    ]  # fmt: skip


@scenario(play=_sees)
def sees(ctx, here):
    """a function sees its event as it was sent, its run and its attempt"""
    event = ctx.event
    said = [event.name, dict(event.data), event.ts, event.id]
    return [*said, len(ctx.events), ctx.run_id, ctx.attempt]


def _several(lab, here):
    for name in ("case/first", "case/second"):
        assert lab.result(lab.send(name)) == ("Completed", name)


@scenario(
    play=_several,
    trigger=[inngest.TriggerEvent(event="case/first"), inngest.TriggerEvent(event="case/second")],
)
def several_triggers(ctx, here):
    """a function may have several triggers"""
    return ctx.event.name


def _only_some(lab, here):
    other = lab.send("case/only_some", {"k": "b"})
    assert lab.result(lab.send("case/only_some", {"k": "a", "n": 3})) == ("Completed", "a")
    lab.send("case/only_some", {"k": "a", "n": 1})
    lab.settle()
    assert lab.runs(other) == [] and here.marks == {"ran": 1}


@scenario(
    play=_only_some,
    trigger=inngest.TriggerEvent(
        event="case/only_some", expression="event.data.k == 'a' && event.data.n > 2"
    ),
)
def only_some(ctx, here):
    """a trigger's expression chooses the events"""
    here.mark("ran")
    return ctx.event.data["k"]


def _wild(lab, here):
    assert lab.result(lab.send("case/wild/any.thing")) == ("Completed", "case/wild/any.thing")


@scenario(play=_wild, trigger=inngest.TriggerEvent(event="case/wild/*"))
def wildcard(ctx, here):
    """a trigger may name the beginning of event names"""
    return ctx.event.name


def _both(lab, here):
    event_id = lab.send("case/two_functions")

    def over():
        runs = [run for run in lab.runs(event_id) if run["ended_at"]]
        return runs if len(runs) == 2 else None

    runs = wait_for(over, what="both runs")
    assert {lab.run(run["run_id"])["output"] for run in runs} == {"one", "two"}


@scenario(play=_both)
def two_functions(ctx, here):
    """an event starts a run of each function that wants it"""
    return "one"


@scenario(is_case=False, trigger=inngest.TriggerEvent(event="case/two_functions"))
def the_second(ctx, here):
    """the other one"""
    return "two"
