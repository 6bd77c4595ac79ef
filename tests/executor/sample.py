"""A small app on the real SDK for the tests of the executor; every step body leaves a mark."""

import threading
from collections import Counter

import flask
import inngest
import inngest.flask

from executor.support import Server, wait_for


class Sample:
    """The app at `server.url`, its functions, and `marks`: how often each step body ran, by name."""

    def __init__(self, engine_url, *, port=None, retries=2, app_id="sample"):
        self.retries = retries
        self.marks = Counter()
        self.gate = threading.Event()
        self._lock = threading.Lock()
        self.client = inngest.Inngest(
            app_id=app_id, is_production=False, api_base_url=engine_url, event_api_base_url=engine_url
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


def with_steps(sample):
    """Four steps; and one that fails once."""

    @sample.function("t/four")
    def four(ctx: inngest.ContextSync):
        return [ctx.step.run(f"s{n}", lambda n=n: sample.mark(f"four-{n}", n)) for n in range(1, 5)]

    @sample.function("t/once")
    def once(ctx: inngest.ContextSync):
        def flaky():
            sample.mark("once")
            if ctx.attempt == 0:
                raise ValueError("the first time")
            return ctx.attempt

        return ctx.step.run("flaky", flaky)

    return sample


def run_of(rest, name, data=None, **more):
    """Send an event and wait until its run has ended; the run."""
    return rest.ended(rest.send(name, data, **more))


__all__ = ["Sample", "run_of", "wait_for", "with_steps"]
