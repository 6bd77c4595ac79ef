"""follow.js at work in a Node process."""

import json
import subprocess
import threading
from pathlib import Path

from node_tools import tool
from waiting import wait_for

RUNNER = Path(__file__).with_name("follow_runner.mjs")
QUICK = {
    "quietMs": 5_000,  # a busy machine is no silence
    "firstMs": 5_000,
    "pollMs": 5,
    "fullMs": 20,
    "sseAgainMs": 60,
    "joinMs": 5_000,
    "checkMs": 600_000,  # by itself nothing is read
    "channelAgainMs": 600_000,
    "waitsMs": [1, 2, 5, 10],
}
SOON_SILENT = {**QUICK, "quietMs": 400, "firstMs": 400}


class Follower:
    """follow.js in a Node process; what its callbacks were given, in order."""

    def __init__(self, url, article="a", **options):
        asked = {"url": url, "project": "p", "article": article, "timing": QUICK, **options}
        asked = {key: value for key, value in asked.items() if value is not None}
        self.child = subprocess.Popen(
            [tool("node"), RUNNER, json.dumps(asked)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.said, self.done = [], False
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def _listen(self):
        for line in self.child.stdout:
            self.said.append(json.loads(line))
        self.done = True

    def tell(self, word):
        self.child.stdin.write(word + "\n")
        self.child.stdin.flush()

    def hear(self, what):
        """On the channel: "joined", "ready", "lost", a batch or {"error": …}."""
        self.tell(json.dumps(what))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.thread.join()
        self.child.stdin.close()
        self.child.stdout.close()
        self.child.wait()

    @property
    def state(self):
        return next((said["state"] for said in reversed(self.said) if "state" in said), None)

    @property
    def links(self):
        return [said["link"] for said in self.said if "link" in said]

    @property
    def ways(self):
        return [link["via"] for link in self.links]

    @property
    def channels(self):
        return [said["channel"] for said in self.said if "channel" in said]

    def batches(self):
        return [said["rows"] for said in self.said if "rows" in said]

    def wait_state(self, **wanted):
        wait_for(
            lambda: self.state and all(self.state[key] == value for key, value in wanted.items()), what=wanted
        )
        return self.state

    def wait_end(self):
        wait_for(lambda: self.done, what="the end of following")
        assert self.child.wait() == 0
        return self.state
