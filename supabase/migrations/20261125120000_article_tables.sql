-- The stream's tables: rows, the fences that keep writers apart, and what is kept beside the rows.
-- They mean what the tables of briefworks' SQLite store mean; only the functions of the next files write to them.

create schema if not exists private;

-- The counter and the lock: whoever writes locks this row first and keeps it until commit. So seq becomes visible in order
-- and without holes, and nothing that a function has checked can change under it. One lock a project, hence no deadlock.
create table public.article_projects (
  project_id text primary key check (project_id ~ '^[A-Za-z0-9_-]{1,64}$'),   -- without ':', it is part of a channel's name
  head       bigint not null default 0                                       -- the seq of the newest row ever written
) with (fillfactor = 50);

create table public.article_members (
  project_id text not null,
  user_id    uuid not null,
  primary key (project_id, user_id)
);
create index article_members_by_user on public.article_members (user_id, project_id);

create table public.article_runs (
  project_id text not null references public.article_projects on delete cascade,
  run_id     text not null,
  article_id text not null,
  nth        int not null,                    -- the article's 1st, 2nd … run: the take of its rows "start" and "end"
  ended_by   text,                            -- the event of its terminal row, or 'erased'
  ended_call text,                            -- the call that ended it: repeated, it is told the same answer
  used_takes int not null default 0,          -- highest take of an erased article: what comes later must be above it
  primary key (project_id, run_id)
);
create unique index article_runs_by_article on public.article_runs (project_id, article_id, nth);

-- What its rows say of an article, for the list of articles.
create table public.article_index (
  project_id text not null references public.article_projects on delete cascade,
  article_id text not null,
  run_id     text not null,                   -- the newest run
  keyword    text not null,
  persona    text not null,
  status     text not null default '',
  title      text not null default '',
  started_at timestamptz not null,            -- of the newest run
  updated_at timestamptz not null,            -- of the newest row
  primary key (project_id, article_id)
) with (fillfactor = 50);
create unique index article_index_by_start on public.article_index (project_id, started_at);

-- Every claim is kept: a late copy of an old one must open nothing.
create table public.article_takes (
  project_id text not null references public.article_projects on delete cascade,
  article_id text not null,
  step       text not null,
  take       int not null,
  run_id     text not null,
  claim_id   text not null,
  next_idx   int not null default 0,          -- rows stored so far
  done_seq   bigint,                          -- the seq of its done row
  primary key (project_id, article_id, step, take)
) with (fillfactor = 50);
create unique index article_takes_by_claim on public.article_takes (project_id, article_id, step, claim_id);

create table public.article_streams (
  project_id text not null references public.article_projects on delete cascade,
  seq        bigint not null,
  article_id text not null,
  run_id     text not null,
  step       text not null,
  take       int not null,
  event      text not null,
  data       jsonb not null,
  created_at timestamptz not null,
  primary key (project_id, seq)
);
-- Serves both "this article from seq n" and the compaction of a step.
create index article_streams_by_article on public.article_streams (project_id, article_id, seq);
-- Serves the question which pages the articles of a project have read.
create index article_streams_research on public.article_streams (project_id, article_id) where event = 'research-done';

create table public.article_decisions (
  project_id text not null references public.article_projects on delete cascade,
  article_id text not null,
  what       text not null,
  decision   jsonb not null,
  primary key (project_id, article_id, what)
);

create table public.article_calls (
  project_id text not null references public.article_projects on delete cascade,
  article_id text not null,
  call_key   text not null,
  answer     jsonb not null,
  primary key (project_id, article_id, call_key)
);

create table public.article_snapshots (
  project_id  text not null references public.article_projects on delete cascade,
  snapshot_id text not null,
  url         text not null,
  text        text not null,
  fetched_at  text not null,
  put_at      timestamptz not null,           -- when a research last relied on it
  primary key (project_id, snapshot_id)
);

alter table public.article_projects  enable row level security;
alter table public.article_members   enable row level security;
alter table public.article_runs      enable row level security;
alter table public.article_index     enable row level security;
alter table public.article_takes     enable row level security;
alter table public.article_streams   enable row level security;
alter table public.article_decisions enable row level security;
alter table public.article_calls     enable row level security;
alter table public.article_snapshots enable row level security;
