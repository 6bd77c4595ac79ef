"""A journal that an older version wrote is brought to today's form, and its runs go on."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from briefworks.executor import Executor
from briefworks.executor.file import VERSION
from briefworks.executor.journal import Journal
from executor.support import SDK_HEADERS, Rest, ScriptedApp, wait_for

FIRST = (Path(__file__).parent / "executor/journal-1.sql").read_text()


def shape(path):
    """Every table with its columns, and every index."""
    with closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        columns = {table: db.execute(f"PRAGMA table_info({table})").fetchall() for table in sorted(tables)}
        indices = db.execute("SELECT name, tbl_name FROM sqlite_master WHERE sql LIKE 'CREATE INDEX%'")
        return columns, sorted(indices)


def old_journal(path, app):
    """A journal of version 1 with a run that has one result and whose next request is due."""
    (function,) = app.registration({"id": "probe-f", "event": "go"})["functions"]
    event = {"data": {}, "id": "e1", "name": "go", "ts": 1, "user": {}}
    with closing(sqlite3.connect(path)) as db:
        db.executescript(FIRST + "PRAGMA user_version = 1;")
        db.execute("INSERT INTO app VALUES ('probe', ?, 1)", (app.url,))
        db.execute("INSERT INTO function VALUES ('probe-f', 'probe', ?, 1)", (json.dumps(function),))
        db.execute("INSERT INTO event VALUES ('e1', '', 'go', ?, 1, 0)", (json.dumps(event),))
        run = "INSERT INTO run VALUES ('r1', 'probe-f', 'e1', 'Running', 1, NULL, 2, 0, '[]', '',"
        db.execute(run + " NULL, NULL, NULL, NULL)")
        step = "INSERT INTO step VALUES ('r1', 's1', 'first', 'StepRun', '{}', 0, NULL, '', 1, 2, 1, 0, ?)"
        db.execute(step, ('{"data":7}',))
        db.execute("INSERT INTO job VALUES ('j1', 'r1', 'step', 0, 1, 0)")
        db.commit()


def test_a_journal_of_the_first_version_is_upgraded_and_its_run_goes_on(tmp_path):
    def answer(_path, _headers, body):
        return 200, SDK_HEADERS, json.dumps(body["steps"]["s1"]["data"] + 1)

    path = tmp_path / "journal.db"
    with ScriptedApp(answer) as app:
        old_journal(path, app)
        with Executor(path, 0) as executor:
            rest = Rest(executor.url)
            wait_for(lambda: rest.run("r1")["ended_at"])
            assert rest.run("r1")["output"] == 8
            rest.close()
    Journal(tmp_path / "fresh.db").close()
    assert shape(path) == shape(tmp_path / "fresh.db")
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
