"""What the tests of the executor share: waiting, apps on a thread, the REST face as a caller sees it."""

import contextlib
import json
import logging
import socket
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from werkzeug.serving import make_server

from waiting import free_port, wait_for

logging.getLogger("werkzeug").setLevel(logging.ERROR)


class Server:
    """A WSGI app on a port of its own that can go away and come back."""

    def __init__(self, app, port=None):
        self.app, self.port = app, port or free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/inngest"
        self._server = None

    def start(self):
        self._server = make_server("127.0.0.1", self.port, self.app, threaded=True)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self):
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    __enter__ = start

    def __exit__(self, *_):
        self.stop()


class Rest:
    """The executor's HTTP face."""

    def __init__(self, url):
        self.http = httpx.Client(base_url=url, timeout=10, trust_env=False)

    def send(self, name, data=None, **more):
        """Send an event; its internal id."""
        answer = self.http.post("/e/test", json={"name": name, "data": data or {}, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["ids"][0]

    def runs(self, event_id):
        return self.http.get(f"/v1/events/{event_id}/runs").json()["data"]

    def all_runs(self):
        return self.http.get("/v1/runs?limit=1000").json()["data"]

    def run(self, run_id):
        return self.http.get(f"/v1/runs/{run_id}").json()["data"]

    def cancel(self, run_id):
        return self.http.delete(f"/v1/runs/{run_id}").status_code

    def started(self, event_id):
        """The first run of an event, once there is one."""
        return wait_for(lambda: self.runs(event_id), what="a run")[0]["run_id"]

    def ended(self, event_id):
        """The first run of an event, once it has ended."""

        def over():
            runs = self.runs(event_id)
            return runs and runs[0]["ended_at"] and runs[0]

        return wait_for(over, what="the run's end")

    def close(self):
        self.http.close()


def open_steps(executor, run_id):
    """How many steps of a run are asleep or wait for something, as the journal has it."""
    db = sqlite3.connect(executor.journal)
    try:
        query = "SELECT count(*) FROM step WHERE run_id = ? AND memo IS NULL AND due_at IS NOT NULL"
        return db.execute(query, (run_id,)).fetchone()[0]
    finally:
        db.close()


def _listener(port):
    """A listening socket, or None while the server before us still holds the port."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError:
        return None


class SlammedDoor:
    """Takes each connection on a port and drops it without a word; counts the requests among them."""

    def __init__(self, port):
        self.knocks = 0
        self._socket = wait_for(lambda: _listener(port), what=f"port {port} to be free")
        self._socket.settimeout(0.05)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._slam)

    def _slam(self):
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                caller, _ = self._socket.accept()
                with caller, contextlib.suppress(OSError):
                    self.knocks += caller.recv(65536).startswith(b"POST")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._closing.set()
        self._thread.join()
        self._socket.close()


class ScriptedApp:
    """An app without an SDK: `answer(path, headers, body)` gives status, headers and body of each POST."""

    def __init__(self, answer):
        script = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, text = answer(self.path, dict(self.headers), json.loads(body))
                raw = text if isinstance(text, bytes) else text.encode()
                self.send_response(status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *_):
                pass

        script.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        script.url = f"http://127.0.0.1:{script.server.server_port}/api/inngest"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def registration(self, *functions):
        """The body of `/fn/register`: each function is `{"id", "event", …}` with further keys as they are."""
        return {
            "appname": "probe",
            "url": self.url,
            "functions": [self._function(**each) for each in functions],
        }

    def _function(self, *, id, event=None, triggers=None, retries=None, **more):
        step = {
            "id": "step",
            "name": "step",
            "runtime": {"type": "http", "url": f"{self.url}?fnId={id}&stepId=step"},
        }
        if retries is not None:
            step["retries"] = {"attempts": retries}
        return {
            "id": id,
            "name": id,
            "triggers": triggers or [{"event": event}],
            "steps": {"step": step},
            **more,
        }


SDK_HEADERS = {"x-inngest-sdk": "test:v1", "x-inngest-req-version": "2", "content-type": "application/json"}
