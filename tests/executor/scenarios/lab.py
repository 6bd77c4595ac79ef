"""The app that carries the scenarios, the marks its bodies leave, and what a case may ask of its engine."""

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import flask
import httpx
import inngest
import inngest.flask

from executor.support import Server, open_steps, wait_for

APP = "scenarios"
FUNCTIONS = {}
MOST_BYTES = 4 * 2**20  # of a request: what is larger has to be fetched
ANY = object()  # an output that the case looks at itself


@dataclass
class Scenario:
    """
    A function on the event `case/<name>`, and what is expected of one run of it.

    `marks` says how often each body ran. `play(lab, here)` sends the events itself, does what has to be done
    meanwhile and gives the run to look at, or None when it has looked already.
    """

    name: str
    body: object
    options: dict
    is_case: bool = True
    data: dict = field(default_factory=dict)
    play: object = None
    status: str = "Completed"
    output: object = ANY
    marks: dict | None = None

    @property
    def event(self):
        return f"case/{self.name}"

    @property
    def sentence(self):
        return self.body.__doc__


def scenario(**expected):
    """Register a body `(ctx, here)`; what is not a field of `Scenario` is an option of its function."""
    fields = {
        key: expected.pop(key) for key in list(expected) if key in Scenario.__dataclass_fields__
    }  # fmt: skip

    def register(body):
        assert body.__name__ not in FUNCTIONS and body.__doc__
        FUNCTIONS[body.__name__] = Scenario(body.__name__, body, expected, **fields)
        return body

    return register


def helper(**options):
    """Register a function that cases use."""
    return scenario(is_case=False, **options)


class Here:
    """What the bodies of one function leave for its case."""

    def __init__(self, lab, name):
        self.lab, self.name = lab, name
        self.marks, self.heard = Counter(), []
        self.gate = threading.Event()
        self.running = self.most_running = 0
        self._lock = threading.Lock()

    def mark(self, name, result=None):
        with self._lock:
            self.marks[name] += 1
        return name if result is None else result

    def hear(self, what):
        with self._lock:
            self.heard.append(what)

    def guarded(self, name):
        """Wait for the gate; how many do so at once is counted."""
        with self._lock:
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            assert self.gate.wait(30)
            return self.mark(name)
        finally:
            with self._lock:
                self.running -= 1


class Lab:
    """All functions in one app, registered with the engine at `engine_url`: `executor`, if it is ours."""

    def __init__(self, engine_url, executor=None):
        self.executor = executor
        self.http = httpx.Client(base_url=engine_url, timeout=15, trust_env=False)
        self.client = inngest.Inngest(
            app_id=APP, is_production=False, api_base_url=engine_url, event_api_base_url=engine_url
        )
        self.here = {name: Here(self, name) for name in FUNCTIONS}
        self.functions = {name: self._function(each) for name, each in FUNCTIONS.items()}
        app = flask.Flask(APP)
        app.config["MAX_CONTENT_LENGTH"] = MOST_BYTES
        inngest.flask.serve(app, self.client, list(self.functions.values()))
        self.server = Server(app)
        self.sent = {}

    def _function(self, each):
        here, options = self.here[each.name], {"retries": 2} | each.options
        if "on_failure" in options:
            told = options["on_failure"]
            options["on_failure"] = lambda ctx: told(ctx, here)
        trigger = options.pop("trigger", None) or inngest.TriggerEvent(event=each.event)
        made = self.client.create_function(fn_id=each.name, trigger=trigger, **options)
        return made(lambda ctx: each.body(ctx, here))

    def __enter__(self):
        self.server.start()
        said = httpx.put(self.server.url, headers={"x-inngest-server-kind": "dev"}, json={}, trust_env=False)
        assert said.status_code == 200, said.text
        return self

    def __exit__(self, *_):
        for here in self.here.values():
            here.gate.set()
        self.server.stop()
        self.http.close()

    def send(self, name, data=None, **more):
        """Send an event; the id that the engine gives it."""
        answer = self.http.post("/e/test", json={"name": name, "data": data or {}, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["ids"][0]

    def runs(self, event_id):
        """The runs of an event, each once; `nc` because the real server caches by URL."""
        runs = self.http.get(f"/v1/events/{event_id}/runs", params={"nc": time.time()}).json()["data"] or []
        return list({run["run_id"]: run for run in runs}.values())

    def run(self, run_id):
        return self.http.get(f"/v1/runs/{run_id}", params={"nc": time.time()}).json()["data"]

    def started(self, event_id):
        return wait_for(lambda: self.runs(event_id), what="a run")[0]["run_id"]

    def registered(self, event_id, count=1):
        """Wait until so many sleeps and waits of an event's run are registered; a dev server does not say."""
        run_id = self.started(event_id)
        if self.executor is None:
            time.sleep(1)
        else:
            wait_for(lambda: open_steps(self.executor, run_id) >= count, what="the steps to be registered")

    def ended(self, event_id):
        """The only run of an event, once it has ended."""
        wait_for(lambda: any(run["ended_at"] for run in self.runs(event_id)), what="the run's end")
        (run,) = self.runs(event_id)
        return self.run(run["run_id"])

    def result(self, event_id):
        """Status and output of the only run of an event."""
        run = self.ended(event_id)
        return run["status"], run["output"]

    def settle(self):
        """Let whatever else an engine might do now be done: a run of another function comes and goes."""
        self.ended(self.send("case/no_step"))
