"""A model and a search that are not the demo upstream: plain servers of another make, for one test."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOPICS = ("frames", "motors", "cables", "noise", "height", "warranty")
PAGE = """<!doctype html><html><head><title>{title}</title></head>
<body><nav>Home Shop</nav><main><h1>{title}</h1>{body}</main></body></html>"""


class Other:
    """Serves the Messages API (bodies end with the connection, `output_config` is ignored), a SERP, pages."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"other": self}))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def page(self, n: int) -> str:
        body = "".join(
            f"<h2>About {topic}</h2><p>Nordhaven tests of the {topic} took {10 * n + k} days, and the Riga "
            f"panel agreed with {30 + n + k} of its members. A standing desk with good {topic} keeps its "
            f"value for years, which is why buyers ask for {topic} first and for colour last.</p>"
            for k, topic in enumerate(TOPICS)
        )
        return PAGE.format(title=f"Guide {n}", body=body)

    def serp(self) -> dict:
        results = [
            {
                "url": f"{self.url}/guide/{n}",
                "title": f"Guide {n}",
                "content": "A guide.",
                "engine": "x",
                "positions": [n],
            }
            for n in range(1, 5)
        ]
        empty = {"answers": [], "infoboxes": [], "unresponsive_engines": []}
        return {"query": "", "results": results, "suggestions": ["desk frames"], **empty}

    def answer(self, prompt: str) -> str:
        """Prose for prose; for a schema (which stands in the prompt) JSON in a fence, as small models do."""
        if '"verdicts"' in prompt:
            return '```json\n{"verdicts": []}\n```'
        if '"outline"' in prompt:
            return "Here is the plan:\n```json\n" + json.dumps(_plan()) + "\n```"
        if '"names"' in prompt:
            return '```json\n{"names": ["Nordhaven", "Riga", "Atlantis Board"]}\n```'
        found = re.findall(r"\bs[1-4]\b", prompt.rpartition("<section")[2]) or ["s1"]
        ids = list(dict.fromkeys(found))
        return "\n\n".join(
            f"Buyers of a desk look at {topic} before anything else, and tests of the {topic} took many "
            f"days [{ids[k % len(ids)]}]. "
            f"Good {topic} keep the value of the desk, so the money spent on them comes back when it is "
            f"sold, and the people who work at it hardly notice that they are there "
            f"[{ids[(k + 1) % len(ids)]}]. "
            f"Somebody who is new to this should sit down with the numbers and compare two or three of them."
            for k, topic in enumerate(TOPICS[:4])
        )


def _plan() -> dict:
    return {
        "title": "Buying a standing desk", "intent": "commercial",
        "intent_why": "They compare desks.", "angle": "What lasts", "reader": "Somebody who buys one desk",
        "meta_description": "What to look at in a standing desk.",
        "outline": [
            {"heading": f"All about {topic}", "purpose": f"Explain {topic}", "points": [f"What {topic} do"],
             "questions": [], "entities": ["Nordhaven"], "sources": ["s1", "s2", "s3", "s4"], "words": 250}
            for topic in TOPICS[:4]
        ],
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    other: Other

    def log_message(self, *_args: object) -> None:
        pass

    def do_GET(self) -> None:
        self.other.requests.append(self.path)
        if self.path.startswith("/search"):
            self._send("application/json", json.dumps(self.other.serp()).encode())
        elif self.path.startswith("/guide/"):
            self._send("text/html; charset=utf-8", self.other.page(int(self.path[7:])).encode())
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        self.other.requests.append(self.path)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        blocks = [block for message in body["messages"] for block in message["content"]]
        text = self.other.answer("\n".join(b if isinstance(b, str) else b["text"] for b in blocks))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        usage = {"input_tokens": 10, "output_tokens": 1}
        message = {"id": "m1", "type": "message", "role": "assistant", "model": body["model"], "content": [],
                   "stop_reason": None, "stop_sequence": None, "usage": usage}  # fmt: skip
        self._event("message_start", message=message)
        self._event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        for start in range(0, len(text), 80):
            self._event(
                "content_block_delta", index=0, delta={"type": "text_delta", "text": text[start : start + 80]}
            )
        self._event("content_block_stop", index=0)
        self._event(
            "message_delta",
            delta={"stop_reason": "end_turn", "stop_sequence": None},
            usage={"output_tokens": 99},
        )
        self._event("message_stop")

    def _event(self, name: str, **data: object) -> None:
        self.wfile.write(f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode())

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
