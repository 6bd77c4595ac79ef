"""Results that are large."""

from executor.scenarios.lab import scenario

MIB = 2**20


@scenario(output=[2 * MIB] * 3, marks={"s0": 1, "s1": 1, "s2": 1})
def too_large_for_a_request(ctx, here):
    """results that no request can carry reach the function all the same"""
    return [len(ctx.step.run(f"s{n}", lambda n=n: here.mark(f"s{n}") and "x" * 2 * MIB)) for n in range(3)]


def _large_event(lab, here):
    assert lab.result(lab.send("case/large_event", {"text": "x" * (5 * MIB // 2)})) == (
        "Completed",
        5 * MIB // 2,
    )


@scenario(play=_large_event)
def large_event(ctx, here):
    """so does a large event"""
    return ctx.step.run("length", lambda: len(ctx.event.data["text"]))


@scenario(output=4_190_000)
def large_step(ctx, here):
    """a step's result may have almost 4 MiB"""
    return len(ctx.step.run("large", lambda: "x" * 4_190_000))


@scenario(status="Failed", retries=0)
def larger_step(ctx, here):
    """and no more"""
    ctx.step.run("larger", lambda: "x" * 4_200_000)
