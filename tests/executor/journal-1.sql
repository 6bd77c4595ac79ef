-- The journal of the embedded executor. `PRAGMA user_version` is the version of this schema.
-- Instants are seconds since 1970; JSON is canonical (RFC 8785).

CREATE TABLE app (
  app_id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  registered_at REAL NOT NULL
);

-- A function that its app no longer names stays, inactive, for the runs that still need it.
CREATE TABLE function (
  fn_id TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  said TEXT NOT NULL,
  active INTEGER NOT NULL
);

-- `waiting`: an app that may want this event had not registered yet when it came.
CREATE TABLE event (
  internal_id TEXT PRIMARY KEY,
  given_id TEXT NOT NULL,
  name TEXT NOT NULL,
  body TEXT NOT NULL,
  received_at REAL NOT NULL,
  waiting INTEGER NOT NULL
);
CREATE INDEX event_waiting ON event (internal_id) WHERE waiting;

-- What a function has seen and will not see again before `until`: event ids and idempotency keys.
CREATE TABLE once (
  scope TEXT NOT NULL,
  value TEXT NOT NULL,
  until REAL NOT NULL,
  PRIMARY KEY (scope, value)
) WITHOUT ROWID;

CREATE TABLE run (
  run_id TEXT PRIMARY KEY,
  fn_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  status TEXT NOT NULL,
  created_at REAL NOT NULL,
  ended_at REAL,
  version INTEGER NOT NULL,
  fanned_out INTEGER NOT NULL,
  pools TEXT NOT NULL,
  invoked_by TEXT NOT NULL,
  start_by REAL,
  finish_by REAL,
  output TEXT,
  error TEXT
);
CREATE INDEX run_living ON run (created_at) WHERE ended_at IS NULL;
CREATE INDEX run_of_event ON run (event_id, fn_id);
CREATE INDEX run_newest ON run (created_at);

-- A step without memo is open. `place` is its rank among the finished steps of its run.
CREATE TABLE step (
  run_id TEXT NOT NULL,
  step_id TEXT NOT NULL,
  name TEXT NOT NULL,
  op TEXT NOT NULL,
  opts TEXT NOT NULL,
  race INTEGER NOT NULL,
  due_at REAL,
  waits_for TEXT NOT NULL,
  opened_at REAL NOT NULL,
  closed_at REAL,
  attempts INTEGER NOT NULL,
  place INTEGER,
  memo TEXT,
  PRIMARY KEY (run_id, step_id)
) WITHOUT ROWID;
CREATE INDEX step_waiting ON step (waits_for) WHERE memo IS NULL AND waits_for <> '';

-- Requests that are due or under way; a finished one leaves.
CREATE TABLE job (
  job_id TEXT PRIMARY KEY,
  run_id TEXT NOT NULL,
  step_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  due_at REAL NOT NULL
);
CREATE INDEX job_of_run ON job (run_id);
