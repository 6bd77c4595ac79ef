"""The stream's contract as plainly as it can be said, in memory, for one project; stores agree with it."""

from datetime import datetime

from briefworks.errors import Hole, NoProject, NotFound, RunOver, StaleTake
from briefworks.shapes import RESULT, TERMINAL

LIVE = {"brief-token", "draft-token", "polish-token", "thinking"}
CARRIED = LIVE | {"research-progress", "section-done", "draft-done", "critique-done"}


class ModelStore:
    """The store's methods without the project; `clock` as in the store it is compared with."""

    def __init__(self, clock, lost_after_s=480):
        self.clock, self.lost_after_s = clock, lost_after_s
        self.known = False
        self.head = 0
        self.rows = []
        self.runs = {}  # run_id → {"article", "nth", "ended"}
        self.takes = {}  # (article, step) → [{"run", "claim", "count", "done"}]: take n is the n-th
        self.decisions = {}

    def start_run(self, article, run, data):
        self.known = True
        if run in self.runs:
            if self.runs[run]["article"] != article:
                raise RunOver
            return self.runs[run]["ended"] is None
        parent = data["parent_run_id"]
        if parent is not None and self.runs.get(parent, {}).get("article") != article:
            return False
        newest = self.newest_run(article)
        if newest and self.runs[newest]["ended"] is None:
            silent = datetime.fromisoformat(self.clock()) - datetime.fromisoformat(
                self.of(article)[-1]["created_at"]
            )
            if silent.total_seconds() <= self.lost_after_s:
                return False
            self.end_run(newest, "run-failed", {"code": "lost"})
        elif newest and self.runs[newest]["ended"] == "polish-done" and parent is None:
            return False
        cancel = self.decisions.get((article, "cancel"))
        nth = 1 + sum(known["article"] == article for known in self.runs.values())
        self.runs[run] = {"article": article, "nth": nth, "ended": None}
        self.write(article, run, "start", nth, [("run-started", data)])
        if cancel is not None:
            self.end_run(run, "run-cancelled", {"by": "user", "reason": cancel["reason"]})
        return cancel is None

    def open_take(self, article, run, step, claim):
        self.must_be_known()
        takes = self.takes.setdefault((article, step), [])
        for n, take in enumerate(takes, 1):
            if take["run"] == run and take["done"] is not None and take["done"] in self.rows:
                return {"take": n, "done": take["done"]["data"]}
        if run not in self.runs or self.runs[run]["article"] != article or self.runs[run]["ended"]:
            raise RunOver
        claims = [take["claim"] for take in takes]
        if claim in claims:
            if claims[-1] != claim or takes[-1]["run"] != run:
                raise StaleTake
            return {"take": len(takes), "done": None}
        takes.append({"run": run, "claim": claim, "count": 0, "done": None})
        return {"take": len(takes), "done": None}

    def append(self, article, step, take, first_idx, rows):
        if any(event in RESULT | TERMINAL for event, _ in rows):
            raise Hole
        self.add(article, step, take, first_idx, rows, done=False)
        return self.head

    def finish(self, article, step, take, first_idx, rows, ends_run=False):
        if [event for event, _ in rows if event in RESULT | TERMINAL] != [event for event, _ in rows[-1:]]:
            raise Hole
        if not rows or ends_run != (rows[-1][0] == "polish-done"):
            raise Hole
        if self.add(article, step, take, first_idx, rows, done=True):
            found = self.takes[article, step][take - 1]
            found["done"] = self.rows[-1]
            self.rows = [
                row
                for row in self.rows
                if row["article_id"] != article or row["step"] != step or row["event"] not in LIVE
            ]
            if ends_run:
                self.rows = [
                    row for row in self.rows if row["article_id"] != article or row["event"] not in CARRIED
                ]
                self.close(found["run"], "polish-done")
        return self.head

    def add(self, article, step, take, first_idx, rows, done):
        self.must_be_known()
        takes = self.takes.get((article, step), [])
        if take != len(takes):
            newest = self.newest_run(article)
            if not takes and newest and self.runs[newest]["ended"]:
                raise RunOver
            raise StaleTake if take < len(takes) else Hole
        found, end = takes[-1], first_idx + len(rows)
        if first_idx >= 0 and end <= found["count"] and (found["done"] or not done):
            return False
        if found["done"]:
            raise StaleTake
        if self.runs[found["run"]]["ended"]:
            raise RunOver
        if not 0 <= first_idx <= found["count"] < end:
            raise Hole
        new = rows[found["count"] - first_idx :]
        found["count"] = end
        self.write(article, found["run"], step, take, new)
        return True

    def end_run(self, run, event, data):
        self.must_be_known()
        if run not in self.runs:
            raise NotFound
        if self.runs[run]["ended"]:
            return False
        self.write(self.runs[run]["article"], run, "end", self.runs[run]["nth"], [(event, data)])
        self.close(run, event)
        return True

    def decide(self, article, what, decision):
        self.known = True
        newest = self.newest_run(article)
        if newest and self.runs[newest]["ended"]:
            return False
        if newest and what == "cancel":
            return self.end_run(newest, "run-cancelled", {"by": "user", "reason": decision["reason"]})
        self.decisions[article, what] = decision
        return True

    def decision(self, article, what):
        return self.decisions.get((article, what))

    def read(self, after=0, article=None, limit=1000):
        rows = [row for row in self.rows if row["seq"] > after and article in (None, row["article_id"])][
            :limit
        ]
        return {"rows": rows, "head": self.head, "upto": self.head if len(rows) < limit else rows[-1]["seq"]}

    def must_be_known(self):
        if not self.known:
            raise NoProject

    def of(self, article):
        return [row for row in self.rows if row["article_id"] == article]

    def newest_run(self, article):
        return next((run for run in reversed(self.runs) if self.runs[run]["article"] == article), None)

    def write(self, article, run, step, take, rows):
        at = self.clock()
        for event, data in rows:
            self.head += 1
            place = {"project_id": "p", "seq": self.head, "article_id": article, "run_id": run}
            self.rows.append(
                {**place, "step": step, "take": take, "event": event, "data": data, "created_at": at}
            )

    def close(self, run, event):
        self.runs[run]["ended"] = event
        article = self.runs[run]["article"]
        self.decisions = {key: value for key, value in self.decisions.items() if key[0] != article}
