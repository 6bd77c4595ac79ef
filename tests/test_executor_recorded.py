"""Fed the answers that a real app gave the real engine, our engine's next request is the real one's."""

import itertools
import json
import re
import sqlite3
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from briefworks.executor import Executor
from executor.support import Rest, ScriptedApp, wait_for

RECORDED = json.loads((Path(__file__).parent / "executor/captures/scenarios.json").read_text())
ULID = re.compile(r"01[0-9A-HJKMNP-TV-Z]{24}")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TRACING = ("gid", "isr", "tc")  # of the real engine's own tracing, in an invoked event; no SDK reads them
WAIT_S = 30
# What the recording's author did while the run was waiting.
MEANWHILE = {
    'probe/wait {"k": 2}': ("probe/answer", {"k": 2}),
    'probe/cancellable {"k": "z"}': ("probe/cancel", {"k": "z"}),
}
EXTRA = {
    "probe-cancellable": {"cancel": [{"event": "probe/cancel", "if": "event.data.k == async.data.k"}]},
    "probe-raises-always-uncaught-failure": {
        "triggers": [
            {
                "event": "inngest/function.failed",
                "expression": "event.data.function_id == 'probe-raises-always-uncaught'",
            }
        ]
    },
    "probe-nonretriable-step-failure": {
        "triggers": [
            {
                "event": "inngest/function.failed",
                "expression": "event.data.function_id == 'probe-nonretriable-step'",
            }
        ]
    },
    "probe-callee": {"triggers": [{"event": "probe/callee"}]},
}


def function_of(url):
    return parse_qs(urlsplit(url).query)["fnId"][0]


def step_of(url):
    return parse_qs(urlsplit(url).query)["stepId"][0]


def waves(exchanges):
    """The exchanges of one function: each discovery alone, requests for single steps as they ran together."""
    grouped = []
    for each in exchanges:
        together = step_of(each["url"]) != "step" and grouped and step_of(grouped[-1][0]["url"]) != "step"
        if together and grouped[-1][0]["body"]["ctx"]["stack"] == each["body"]["ctx"]["stack"]:
            grouped[-1].append(each)
        else:
            grouped.append([each])
    for wave, following in itertools.pairwise(grouped):
        order = following[0]["body"]["ctx"]["stack"]["stack"]
        if len(wave) > 1:
            wave.sort(key=lambda each: order.index(step_of(each["url"])))
    return grouped


class Comparable:
    """Requests of one side with ids and times replaced by the order in which they first appear."""

    def __init__(self):
        self.names = {}

    def __call__(self, each):
        body = json.loads(json.dumps(each["body"]))
        for event in [body["event"], *body["events"]]:
            ours = event["data"].get("_inngest", {})
            for key in TRACING:
                ours.pop(key, None)
        job = body["ctx"]["job_id"]
        headers = {key: value for key, value in each["headers"].items() if key in KEPT_HEADERS}
        text = json.dumps([each["url"].partition("?")[2], headers, body], sort_keys=True)
        text = text.replace(body["ctx"]["qi_id"], f"queue of {job}").replace(job, self._name("job", job))
        text = ULID.sub(lambda match: self._name("ulid", match[0]), text)
        text = UUID.sub(lambda match: self._name("uuid", match[0]), text)
        return json.loads(re.sub(r'"(ts|expire)": \d+', r'"\1": 0', text))

    def _name(self, kind, value):
        return self.names.setdefault((kind, value), f"<{kind} {sum(1 for k, _ in self.names if k == kind)}>")


KEPT_HEADERS = set(RECORDED["probe/four"]["exchanges"][0]["headers"]) - {
    "Content-Length",
    "Host",
    "Account-Id",
}


class Replayed(ScriptedApp):
    """The recorded app: holds a wave until it is complete, then answers in the recorded order."""

    def __init__(self, exchanges, journal):
        self.waves = {}
        by_function = defaultdict(list)
        for each in exchanges:
            by_function[function_of(each["url"])].append(each)
        for fn_id, its in by_function.items():
            self.waves[fn_id] = waves(its)
        self.journal = journal
        self.heard = defaultdict(list)  # function -> waves of requests
        self.turn = threading.Condition()
        self.told = defaultdict(int)
        self.same = {}  # ids of the recording -> ids of this run
        super().__init__(self.answer)

    def answer(self, path, headers, body):
        fn_id = function_of(path)
        with self.turn:
            mine = self.heard[fn_id]
            expected = self.waves[fn_id]
            if not mine or len(mine[-1]) == len(expected[min(len(mine), len(expected)) - 1]):
                mine.append([])
            number = len(mine) - 1
            mine[number].append({"url": path, "headers": headers, "body": body})
            if number >= len(expected):
                return (
                    500,
                    {"x-inngest-no-retry": "true"},
                    '{"name": "E", "message": "more requests than recorded"}',
                )
            wave = expected[number]
            places = [step_of(each["url"]) for each in wave]
            if step_of(path) not in places:
                return (
                    500,
                    {"x-inngest-no-retry": "true"},
                    '{"name": "E", "message": "another step than recorded"}',
                )
            place = places.index(step_of(path))
            self.turn.notify_all()
            ready = self.turn.wait_for(
                lambda: len(mine[number]) == len(wave) and self.told[fn_id, number] == place, WAIT_S
            )
            assert ready, "the wave did not come together"
            each = wave[place]
        if len(wave) > 1:
            threading.Thread(
                target=self.pass_on, args=(fn_id, number, body["ctx"]["run_id"], step_of(path))
            ).start()
        self.same |= dict(zip(ids(each["body"]), ids(body), strict=False))
        answer = ULID.sub(
            lambda match: self.same.get(match[0], match[0]), json.dumps(from_now(each["answer"]))
        )
        return each["status"], each["answer_headers"], answer

    def pass_on(self, fn_id, number, run_id, step_id):
        """The next answer of a wave goes out when the journal has this one."""
        with sqlite3.connect(self.journal) as db:
            stored = "SELECT 1 FROM step WHERE run_id = ? AND step_id = ? AND memo IS NOT NULL"
            wait_for(lambda: db.execute(stored, (run_id, step_id)).fetchone())
        db.close()
        with self.turn:
            self.told[fn_id, number] += 1
            self.turn.notify_all()


def ids(body):
    return ULID.findall(json.dumps(body, sort_keys=True))


def from_now(answer):
    """The answer with its sleep soon to end from now, or lasting where a cancel ended it."""
    if not (isinstance(answer, list) and isinstance(answer[0], dict) and answer[0].get("op") == "Sleep"):
        return answer
    pause = timedelta(seconds=30 if answer[0]["displayName"] == "s" else 0.1)
    return [answer[0] | {"name": (datetime.now(UTC) + pause).isoformat().replace("+00:00", "Z")}]


@pytest.mark.parametrize("name", RECORDED)
def test_our_next_request_is_the_real_engines(name, tmp_path):
    recorded = RECORDED[name]
    exchanges = recorded["exchanges"]
    first = exchanges[0]["body"]["event"]
    journal = tmp_path / "journal.db"
    with (
        Replayed(exchanges, journal) as app,
        Executor(journal, 0, retry_scale=0.02, workers=8) as executor,
    ):
        rest = Rest(executor.url)
        functions = {}
        for each in exchanges:
            fn_id, body = function_of(each["url"]), each["body"]
            retries = body["ctx"]["max_attempts"] - 1
            functions.setdefault(
                fn_id,
                {"id": fn_id, "event": body["event"]["name"], "retries": retries} | EXTRA.get(fn_id, {}),
            )
        answer = rest.http.post("/fn/register", json=app.registration(*functions.values()))
        assert answer.json()["ok"] is True
        event_id = rest.send(first["name"], first["data"])
        if name in MEANWHILE:
            rest.started(event_id)
            sleeping = "SELECT 1 FROM step WHERE memo IS NULL AND due_at IS NOT NULL"
            db = sqlite3.connect(journal)
            wait_for(lambda: db.execute(sleeping).fetchone())
            db.close()
            rest.send(*MEANWHILE[name])
        ended = rest.ended(event_id)
        wait_for(lambda: all(run["ended_at"] for run in rest.all_runs()))
        rest.close()
        check(app, ended, recorded)


def check(app, ended, recorded):
    theirs, ours = Comparable(), Comparable()
    for fn_id, expected in app.waves.items():
        heard = app.heard[fn_id]
        for number, wave in enumerate(expected):
            assert number < len(heard), f"request {number} of {fn_id} never came"
            by_step = {step_of(each["url"]): each for each in heard[number]}
            assert set(by_step) == {step_of(each["url"]) for each in wave}
            for each in wave:
                assert ours(by_step[step_of(each["url"])]) == theirs(each)
        assert len(heard) == len(expected)
    assert (ended["status"], normal(ended["output"])) == (recorded["status"], normal(recorded["output"]))


def normal(output):
    return ULID.sub("<ulid>", json.dumps(output, sort_keys=True))


def test_every_recorded_scenario_is_replayed():
    assert len(RECORDED) == 18
