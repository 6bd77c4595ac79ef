"""
A life of three articles as calls of the store; as a program, the process that makes them.

`store_script.py WHERE FIRST` makes the calls from number FIRST on and says each one's number when it is done.
"""

import subprocess
import sys
from pathlib import Path

from briefworks.stores import functions
from in_time import HELD_S
from store_rows import (
    FAILED,
    RUN,
    brief_done,
    outcome,
    plain,
    polish_done,
    research_done,
    section_done,
    token,
)

SECRET_KEY = "sb_secret_" + "t" * 32
SCRIPT = [
    ("decide", "b", "cancel", {"by": "user", "reason": "too early"}),
    ("start_run", "b", "r0", RUN),
    ("start_run", "a", "r1", RUN),
    ("open_take", "a", "r1", "research", "c1"),
    ("put_snapshot", "https://example.org", "text", ""),
    ("finish", "a", "research", 1, 0, [research_done()]),
    ("open_take", "a", "r1", "brief", "c1"),
    ("append", "a", "brief", 1, 0, [token("x", "brief-token"), token("y", "brief-token")]),
    ("open_take", "a", "r1", "brief", "c2"),
    ("append", "a", "brief", 2, 0, [token("x", "brief-token"), ("thinking", {"since_ms": 1})]),
    ("finish", "a", "brief", 2, 2, [token("y", "brief-token"), brief_done("One")]),
    ("remember", "a", "key", {"text": "answer"}),
    ("enter", "a", "01", {"outcome": ""}),
    ("enter", "a", "01", {"outcome": "answered"}),
    ("decide", "a", "finish-now", {"by": "user"}),
    ("end_run", "r1", "run-failed", FAILED),
    ("start_run", "a", "r2", RUN),
    ("open_take", "a", "r2", "draft-section-1", "c3"),
    ("append", "a", "draft-section-1", 1, 0, [token("x")]),
    ("silence",),
    ("start_run", "a", "r3", RUN),
    ("open_take", "a", "r3", "draft-section-1", "c4"),
    ("finish", "a", "draft-section-1", 2, 0, [token("x"), section_done()]),
    ("open_take", "a", "r3", "polish", "c5"),
    ("finish", "a", "polish", 1, 0, [polish_done("One.")], True),
    ("start_run", "c", "r4", RUN),
    ("decide", "c", "cancel", {"by": "user", "reason": "enough"}),
    ("delete_article", "a"),
]


def open_store(where):
    """The store at a path or URL, in which every living run counts as lost: nothing here waits."""
    if where.startswith("postgresql:"):
        from briefworks.stores.postgres import PostgresStore  # noqa: PLC0415

        return PostgresStore(where, lost_after_s=-1)
    if where.startswith("http:"):
        from briefworks.stores.supabase import SupabaseStore  # noqa: PLC0415

        return SupabaseStore(where, SECRET_KEY, lost_after_s=-1)
    from briefworks.stores.sqlite import SqliteStore  # noqa: PLC0415

    return SqliteStore(Path(where), lost_after_s=-1)


def play(store, first=0, done=lambda n: None):
    """Make the calls from number `first` on."""
    for n, (method, *args) in enumerate(SCRIPT[first:], first):
        if method != "silence":
            outcome(getattr(store, method), "p", *args)
        done(n)


def kept(store):
    """All that readers can know of the project, but instants."""
    articles = [
        {key: value for key, value in article.items() if not key.endswith("_at")}
        for article in store.articles("p")
    ]
    page = store.read("p")
    return page["head"], plain(page["rows"]), articles, store.decision("p", "b", "cancel")


def played_by_the_killed(where):
    """What is kept when the process that makes the calls is killed after each of them and started anew."""
    first = 0
    while first < len(SCRIPT):
        command = [sys.executable, __file__, where, str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            first = int(child.stdout.readline()) + 1
            child.kill()
    store = open_store(where)
    found = kept(store)
    store.close()
    return found


def be_patient():
    """For a process of its own: a machine may pause for longer than a store asks again."""
    functions._RETRY_S = HELD_S


if __name__ == "__main__":
    be_patient()
    play(open_store(sys.argv[1]), int(sys.argv[2]), lambda n: print(n, flush=True))  # noqa: T201
