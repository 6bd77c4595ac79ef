"""The app of the kill tests, as a process: each step body writes its name to a file before it returns."""

import sys
import time
from datetime import timedelta
from pathlib import Path

import flask
import inngest
import inngest.flask
from werkzeug.serving import make_server


def main(engine_url, port, log):
    client = inngest.Inngest(
        app_id="killed", is_production=False, api_base_url=engine_url, event_api_base_url=engine_url
    )

    def work(name, result, pause_s=0.02):
        def body():
            with Path(log).open("a") as marks:
                marks.write(f"{name}\n")
            time.sleep(pause_s)
            return result

        return body

    @client.create_function(fn_id="long", trigger=inngest.TriggerEvent(event="k/long"), retries=1)
    def long(ctx: inngest.ContextSync):
        run = ctx.event.data["run"]

        def flaky():
            work(f"{run} flaky {ctx.attempt}", None)()
            if ctx.attempt == 0:
                raise ValueError("the first time")
            return 100

        def branch(n):
            return lambda: ctx.step.run(f"p{n}", work(f"{run} p{n}", n, 0.05))

        total = sum(ctx.step.run(f"s{n}", work(f"{run} s{n}", n)) for n in range(3))
        total += sum(ctx.group.parallel(tuple(branch(n) for n in range(4))))
        ctx.step.sleep("nap", timedelta(seconds=0.1))
        total += ctx.step.run("flaky", flaky)
        return total

    @client.create_function(fn_id="each", trigger=inngest.TriggerEvent(event="k/each"), retries=1)
    def each(ctx: inngest.ContextSync):
        run = ctx.event.data["run"]

        def flaky():
            work(f"{run} flaky {ctx.attempt}", None, 0)()
            if ctx.attempt == 0:
                raise ValueError("the first time")
            return "mended"

        def step(name):
            return lambda: ctx.step.run(name, work(f"{run} {name}", name, 0))

        def answer():
            return ctx.step.wait_for_event(
                "answer",
                event="k/answer",
                if_exp="event.data.run == async.data.run",
                timeout=timedelta(seconds=60),
            )

        first = step("first")()
        one, two, found = ctx.group.parallel((step("one"), step("two"), answer))
        ctx.step.sleep("nap", timedelta(seconds=0.1))
        return [first, one, two, found and found.data["said"], ctx.step.run("flaky", flaky)]

    app = flask.Flask("killed")
    inngest.flask.serve(app, client, [long, each])
    make_server("127.0.0.1", int(port), app, threaded=True).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
