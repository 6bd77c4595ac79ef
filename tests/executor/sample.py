"""A small app on the real SDK for the tests of the executor; every step body leaves a mark."""

import threading
from collections import Counter
from datetime import timedelta

import flask
import inngest
import inngest.flask

from executor.support import Server, wait_for

SAME_K = "event.data.k == async.data.k"


class Sample:
    """The app at `server.url`, its functions, and `marks`: how often each step body ran, by name."""

    def __init__(self, engine_url, *, port=None, retries=2):
        self.retries = retries
        self.marks = Counter()
        self.seen = []
        self.gate = threading.Event()
        self.running = 0
        self.most_running = 0
        self._lock = threading.Lock()
        self.client = inngest.Inngest(
            app_id="sample", is_production=False, api_base_url=engine_url, event_api_base_url=engine_url
        )
        self.functions = []
        self.app = flask.Flask("sample")
        self.port = port

    def function(self, event, **options):
        """Register a function on `event`; its id is what follows the slash."""
        triggers = options.pop("trigger", None) or inngest.TriggerEvent(event=event)
        options = {"retries": self.retries} | options
        made = self.client.create_function(fn_id=event.partition("/")[2], trigger=triggers, **options)

        def register(body):
            self.functions.append(made(body))
            return body

        return register

    def serve(self):
        inngest.flask.serve(self.app, self.client, self.functions)
        self.server = Server(self.app, self.port)
        return self.server

    def mark(self, name, result=None):
        with self._lock:
            self.marks[name] += 1
        return result if result is not None else name

    def guarded(self, name):
        """A step body that waits for the gate and counts how many run at once."""
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            assert self.gate.wait(10)
            return self.mark(name)
        finally:
            with self._lock:
                self.running -= 1


def with_everything(sample):
    """The functions that most tests use."""

    @sample.function("t/four")
    def four(ctx: inngest.ContextSync):
        return [ctx.step.run(f"s{n}", lambda n=n: sample.mark(f"four-{n}", n)) for n in range(1, 5)]

    @sample.function("t/parallel")
    def parallel(ctx: inngest.ContextSync):
        def branch(n):
            return lambda: ctx.step.run(f"p{n}", lambda: sample.mark(f"parallel-{n}", n))

        return sum(ctx.group.parallel(tuple(branch(n) for n in range(1, 5))))

    @sample.function("t/race")
    def race(ctx: inngest.ContextSync):
        def slow():
            assert sample.gate.wait(10)
            return sample.mark("slow")

        def branch(name, body):
            def run():
                first = ctx.step.run(f"{name}-1", body)
                return [first, ctx.step.run(f"{name}-2", lambda: sample.mark(f"{name}-2"))]

            return run

        return ctx.group.parallel(
            (branch("slow", slow), branch("fast", lambda: sample.mark("fast"))),
            parallel_mode=inngest.ParallelMode.RACE,
        )

    @sample.function("t/once")
    def once(ctx: inngest.ContextSync):
        def flaky():
            sample.mark("once")
            if ctx.attempt == 0:
                raise ValueError("the first time")
            return ctx.attempt

        return ctx.step.run("flaky", flaky)

    @sample.function("t/always")
    def always(ctx: inngest.ContextSync):
        def never():
            sample.mark("always")
            raise ValueError("every time")

        return ctx.step.run("never", never)

    @sample.function("t/caught")
    def caught(ctx: inngest.ContextSync):
        def never():
            sample.mark("caught")
            raise ValueError("every time")

        try:
            ctx.step.run("never", never)
        except inngest.StepError as error:
            return [error.name, error.message]

    @sample.function("t/fatal")
    def fatal(ctx: inngest.ContextSync):
        def never():
            sample.mark("fatal")
            raise inngest.NonRetriableError("no use")

        return ctx.step.run("never", never)

    @sample.function("t/later")
    def later(ctx: inngest.ContextSync):
        def busy():
            sample.mark("later")
            if ctx.attempt == 0:
                raise inngest.RetryAfterError("busy", timedelta(seconds=1.2))
            return ctx.attempt

        return ctx.step.run("busy", busy)

    @sample.function("t/sleep", cancel=[inngest.Cancel(event="t/stop", if_exp=SAME_K)])
    def sleep(ctx: inngest.ContextSync):
        ctx.step.run("before", lambda: sample.mark("before"))
        ctx.step.sleep("nap", timedelta(seconds=ctx.event.data["s"]))
        return ctx.step.run("after", lambda: sample.mark("after"))

    @sample.function("t/busy", cancel=[inngest.Cancel(event="t/stop", if_exp=SAME_K)])
    def busy(ctx: inngest.ContextSync):
        ctx.step.run("first", lambda: sample.guarded("first"))
        return ctx.step.run("second", lambda: sample.mark("second"))

    @sample.function("t/wait")
    def wait(ctx: inngest.ContextSync):
        found = ctx.step.wait_for_event(
            "answer",
            event="t/answer",
            if_exp=SAME_K,
            timeout=timedelta(seconds=ctx.event.data["s"]),
        )
        return None if found is None else found.data

    @sample.function("t/review")
    def review(ctx: inngest.ContextSync):
        found, _ = ctx.group.parallel(
            (
                lambda: ctx.step.wait_for_event("answer", event="t/answer", timeout=timedelta(seconds=9)),
                lambda: ctx.step.send_event("ask", inngest.Event(name="t/answer", data={"said": "yes"})),
            )
        )
        return found and found.data["said"]

    @sample.function("t/idem", idempotency='event.data.p + "/" + event.data.a')
    def idem(ctx: inngest.ContextSync):
        return ctx.step.run("once", lambda: sample.mark("idem"))

    @sample.function("t/limited", concurrency=[inngest.Concurrency(limit=2)])
    def limited(ctx: inngest.ContextSync):
        return ctx.step.run("one", lambda: sample.guarded("limited"))

    @sample.function("t/keyed", concurrency=[inngest.Concurrency(limit=1, key="event.data.k")])
    def keyed(ctx: inngest.ContextSync):
        return ctx.step.run("one", lambda: sample.guarded("keyed"))

    @sample.function("t/sender")
    def sender(ctx: inngest.ContextSync):
        return ctx.step.send_event("send", [inngest.Event(name="t/four"), inngest.Event(name="t/parallel")])

    @sample.function("t/callee")
    def callee(ctx: inngest.ContextSync):
        if ctx.event.data.get("fail"):
            raise inngest.NonRetriableError("callee failed")
        return ctx.step.run("answer", lambda: ctx.event.data["n"] + 1)

    @sample.function("t/caller")
    def caller(ctx: inngest.ContextSync):
        try:
            return ctx.step.invoke_by_id(
                "call",
                app_id="sample",
                function_id=ctx.event.data.get("function", "callee"),
                data={key: ctx.event.data[key] for key in ("n", "fail") if key in ctx.event.data},
                timeout=timedelta(seconds=1) if ctx.event.data.get("function") == "sleepy" else None,
            )
        except inngest.StepError as error:
            return [error.name, error.message]

    @sample.function("t/sleepy")
    def sleepy(ctx: inngest.ContextSync):
        ctx.step.sleep("long", timedelta(seconds=60))

    of_ours = "event.data.function_id == 'sample-{}'"

    @sample.function(
        "t/ended",
        trigger=[
            inngest.TriggerEvent(event="inngest/function.failed", expression=of_ours.format("always")),
            inngest.TriggerEvent(event="inngest/function.cancelled", expression=of_ours.format("sleep")),
        ],
    )
    def ended(ctx: inngest.ContextSync):
        with sample._lock:
            sample.seen.append((ctx.event.name, dict(ctx.event.data)))
        return sample.mark("ended")

    return sample


def run_of(rest, name, data=None, **more):
    """Send an event and wait until its run has ended; the run."""
    return rest.ended(rest.send(name, data, **more))


__all__ = ["SAME_K", "Sample", "run_of", "wait_for", "with_everything"]
