-- The tables of the SQLite stream store, schema version 1 (kept in PRAGMA user_version);
-- sqlite.<n>.sql makes version n of the one before.
-- One writer at a time holds the file's write lock, so seq is committed in order and without holes.

create table projects (
  project_id text primary key,
  head       integer not null default 0              -- the seq of the newest row ever written
) without rowid;

create table runs (
  project_id text not null,
  run_id     text not null,
  article_id text not null,
  nth        integer not null,                       -- the article's 1st, 2nd … run: the take of its rows "start" and "end"
  ended_by   text,                                   -- the event of its terminal row, or 'erased'
  used_takes integer not null default 0,             -- highest take of an erased article: what comes later must be above it
  primary key (project_id, run_id)
) without rowid;
create unique index runs_by_article on runs (project_id, article_id, nth);

-- What its rows say of an article, for the list of articles.
create table articles (
  project_id text not null,
  article_id text not null,
  run_id     text not null,                          -- the newest run
  keyword    text not null,
  persona    text not null,
  status     text not null,
  title      text not null default '',
  started_at text not null,                          -- of the newest run
  updated_at text not null,                          -- of the newest row
  primary key (project_id, article_id)
) without rowid;
create unique index articles_by_start on articles (project_id, started_at);

-- Every claim is kept: a late copy of an old one must open nothing.
create table takes (
  project_id text not null,
  article_id text not null,
  step       text not null,
  take       integer not null,
  run_id     text not null,
  claim_id   text not null,
  next_idx   integer not null default 0,             -- rows stored so far
  done_seq   integer,                                -- the seq of its done row
  primary key (project_id, article_id, step, take)
) without rowid;
create unique index takes_by_claim on takes (project_id, article_id, step, claim_id);

create table article_streams (
  project_id text not null,
  seq        integer not null,
  article_id text not null,
  run_id     text not null,
  step       text not null,
  take       integer not null,
  event      text not null,
  data       text not null,                          -- JSON
  created_at text not null,
  primary key (project_id, seq)
);
-- Serves both "this article from seq n" and the compaction of a step.
create index article_streams_by_article on article_streams (project_id, article_id, seq);

create table decisions (
  project_id text not null,
  article_id text not null,
  what       text not null,
  decision   text not null,                          -- JSON
  primary key (project_id, article_id, what)
) without rowid;

create table calls (
  project_id text not null,
  article_id text not null,
  call_key   text not null,
  answer     text not null,                          -- JSON
  primary key (project_id, article_id, call_key)
);

create table snapshots (
  project_id  text not null,
  snapshot_id text not null,
  url         text not null,
  text        text not null,
  fetched_at  text not null,
  put_at      text not null,                         -- when a research last relied on it
  primary key (project_id, snapshot_id)
);

-- Which pages the articles' researches have read.
create view sources as
  select r.project_id, r.article_id, json_extract(page.value, '$.snapshot_id') as snapshot_id
  from article_streams r, json_each(r.data, '$.pages') page
  where r.event = 'research-done' and json_extract(page.value, '$.snapshot_id') is not null;
