-- The functions that write. Errors are told apart by their code, never by HTTP status:
--   PT404 no such project · PT409 stale take · PT410 the run is over · PT422 rows that would leave a hole
--   55P03 no lock within 2 s: another writer hangs, and its waiters must not fill the pool; worth another try.
-- JSON comes as jsonb[], also where it is one value.

-- The instant of a row. Not now(): a transaction may begin long before it gets the lock.
create function private.article_now() returns timestamptz language sql volatile set search_path = '' as $$
  select date_trunc('milliseconds', clock_timestamp()) $$;

create function private.article_lock(p_project text) returns bigint language plpgsql set search_path = '' as $$
declare last bigint;
begin
  select p.head into last from public.article_projects p where p.project_id = p_project for update;
  if not found then
    raise exception 'There is no project %.', quote_literal(p_project) using errcode = 'PT404';
  end if;
  return last;
end $$;

create function private.article_lock_new(p_project text) returns void language plpgsql set search_path = '' as $$
begin
  insert into public.article_projects (project_id) values (p_project) on conflict do nothing;
  perform private.article_lock(p_project);
end $$;

create function private.article_run(p_project text, p_run text) returns public.article_runs
language sql stable set search_path = '' as $$
  select r from public.article_runs r where r.project_id = p_project and r.run_id = p_run $$;

create function private.article_newest_run(p_project text, p_article text) returns public.article_runs
language sql stable set search_path = '' as $$
  select r from public.article_runs r where r.project_id = p_project and r.article_id = p_article order by r.nth desc limit 1 $$;

create function private.article_newest_take(p_project text, p_article text, p_step text) returns public.article_takes
language sql stable set search_path = '' as $$
  select t from public.article_takes t where t.project_id = p_project and t.article_id = p_article and t.step = p_step
   order by t.take desc limit 1 $$;

-- The highest take that the article had of any step before it was erased.
create function private.article_used_takes(p_project text, p_article text) returns int
language sql stable set search_path = '' as $$
  select coalesce(max(r.used_takes), 0) from public.article_runs r where r.project_id = p_project and r.article_id = p_article $$;

-- Store rows of a run with the next numbers; the number of the last one, the new head. The caller holds the lock.
create function private.article_write(r public.article_runs, p_step text, p_take int, p_rows jsonb[], p_at timestamptz)
returns bigint language plpgsql set search_path = '' as $$
declare last bigint;
begin
  update public.article_projects p set head = p.head + cardinality(p_rows) where p.project_id = r.project_id
  returning p.head - cardinality(p_rows) into last;
  insert into public.article_streams (project_id, seq, article_id, run_id, step, take, event, data, created_at)
  select r.project_id, last + o, r.article_id, r.run_id, p_step, p_take, x ->> 'event', x -> 'data', p_at
    from unnest(p_rows) with ordinality rows (x, o) order by o;
  update public.article_index a
     set updated_at = p_at, status = coalesce(news.status, a.status), title = coalesce(news.title, a.title)
    from (select (array_agg(s.status order by o desc) filter (where s.status is not null))[1] status,
                 (array_agg(x -> 'data' ->> 'title' order by o desc) filter (where x ->> 'event' = 'polish-done'))[1] title
            from unnest(p_rows) with ordinality rows (x, o)
            left join (values ('run-started', 'running'), ('review-waiting', 'review'), ('review-done', 'running'),
                              ('polish-done', 'done'), ('run-failed', 'failed'), ('run-cancelled', 'cancelled')) s (event, status)
              on s.event = x ->> 'event') news
   where a.project_id = r.project_id and a.article_id = r.article_id;
  return last + cardinality(p_rows);
end $$;

-- The run is over; decisions that it has not carried out are settled with it.
create function private.article_close(r public.article_runs, p_event text, p_call text default null)
returns void language plpgsql set search_path = '' as $$
begin
  update public.article_runs a set ended_by = p_event, ended_call = p_call
   where a.project_id = r.project_id and a.run_id = r.run_id;
  delete from public.article_decisions d where d.project_id = r.project_id and d.article_id = r.article_id;
end $$;

-- The terminal row of a run that has none.
create function private.article_end(r public.article_runs, p_event text, p_data jsonb, p_at timestamptz, p_call text default null)
returns void language plpgsql set search_path = '' as $$
begin
  perform private.article_write(r, 'end', r.nth, array[jsonb_build_object('event', p_event, 'data', p_data)], p_at);
  perform private.article_close(r, p_event, p_call);
end $$;

create function private.article_cancelled(p_decision jsonb) returns jsonb language sql immutable set search_path = '' as $$
  select jsonb_build_object('by', 'user', 'reason', coalesce(p_decision ->> 'reason', '')) $$;

-- What is to be said of a living run that has written nothing for longer than p_after_s; else null.
create function private.article_lost(r public.article_runs, p_at timestamptz, p_after_s float8) returns jsonb
language plpgsql set search_path = '' as $$
declare a public.article_index; silent_s float8;
begin
  select * into a from public.article_index i where i.project_id = r.project_id and i.article_id = r.article_id;
  silent_s := extract(epoch from p_at - a.updated_at);
  if a.status = 'review' or silent_s <= p_after_s then return null; end if;
  return jsonb_build_object(
    'code', 'lost', 'step', '', 'retriable', true,
    'message', format('The run was silent for %s s and was given up.', round(silent_s)),
    'hint', 'Another run of the article has taken over; what was finished is not paid for again.');
end $$;

-- A new run: its record, its article's place in the list, and `run-started`.
create function private.article_begin(p_project text, p_article text, p_run text, p_data jsonb, p_at timestamptz)
returns public.article_runs language plpgsql set search_path = '' as $$
declare r public.article_runs;
begin
  while exists (select from public.article_index a where a.project_id = p_project and a.started_at = p_at) loop
    p_at := p_at + interval '1 millisecond';                                 -- the list of articles is paged by it
  end loop;
  insert into public.article_runs (project_id, run_id, article_id, nth)
  values (p_project, p_run, p_article, 1 + coalesce((private.article_newest_run(p_project, p_article)).nth, 0))
  returning * into r;
  insert into public.article_index (project_id, article_id, run_id, keyword, persona, started_at, updated_at)
  values (p_project, p_article, p_run, p_data ->> 'keyword', p_data ->> 'persona', p_at, p_at)
  on conflict (project_id, article_id) do update
    set run_id = excluded.run_id, keyword = excluded.keyword, persona = excluded.persona, started_at = excluded.started_at;
  perform private.article_write(r, 'start', r.nth, array[jsonb_build_object('event', 'run-started', 'data', p_data)], p_at);
  return r;
end $$;

-- Claim the article for this run; false when another run of it is alive, has finished it, or a cancel came first. A replay
-- names its parent: a run of this article, and not of one that was erased; it may start on a finished article too.
create function public.article_start_run(p_project text, p_article text, p_run text, p_data jsonb[], p_lost_after_s float8)
returns boolean language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
declare r public.article_runs; newest public.article_runs; lost jsonb; cancel jsonb; parent text := p_data[1] ->> 'parent_run_id';
begin
  perform private.article_lock_new(p_project);
  r := private.article_run(p_project, p_run);
  if r.run_id is not null then
    if r.article_id <> p_article then
      raise exception 'Run % is one of another article.', p_run using errcode = 'PT410';
    end if;
    return r.ended_by is null;
  end if;
  if parent is not null then
    r := private.article_run(p_project, parent);
    if r.article_id is distinct from p_article or r.ended_by = 'erased' then return false; end if;
  end if;
  newest := private.article_newest_run(p_project, p_article);
  if newest.run_id is not null and newest.ended_by is null then
    lost := private.article_lost(newest, private.article_now(), p_lost_after_s);
    if lost is null then return false; end if;
    perform private.article_end(newest, 'run-failed', lost, private.article_now());
  elsif newest.ended_by = 'polish-done' and parent is null then
    return false;
  end if;
  select d.decision into cancel from public.article_decisions d
   where d.project_id = p_project and d.article_id = p_article and d.what = 'cancel';
  r := private.article_begin(p_project, p_article, p_run, p_data[1], private.article_now());
  if cancel is not null then
    perform private.article_end(r, 'run-cancelled', private.article_cancelled(cancel), private.article_now());
  end if;
  return cancel is null;
end $$;

-- The terminal row of a run, unless it has one (then false); null when the run never started.
create function public.article_end_run(p_project text, p_run text, p_event text, p_data jsonb[], p_call text)
returns boolean language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
declare r public.article_runs;
begin
  perform private.article_lock(p_project);
  r := private.article_run(p_project, p_run);
  if r.run_id is null then return null; end if;
  if r.ended_by is not null then return r.ended_call is not distinct from p_call; end if;
  perform private.article_end(r, p_event, p_data[1], private.article_now(), p_call);
  return true;
end $$;

-- A new take of a step, or the result of a take of this run whose answer was lost: {"take", "done"}.
create function public.article_open_take(p_project text, p_article text, p_run text, p_step text, p_claim text)
returns jsonb language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
declare r public.article_runs; newest public.article_takes; done jsonb; n int;
begin
  perform private.article_lock(p_project);
  select jsonb_build_object('take', t.take, 'done', s.data) into done
    from public.article_takes t join public.article_streams s on s.project_id = t.project_id and s.seq = t.done_seq
   where t.project_id = p_project and t.article_id = p_article and t.step = p_step and t.run_id = p_run;
  if found then return done; end if;
  r := private.article_run(p_project, p_run);
  if r.run_id is null or r.article_id <> p_article or r.ended_by is not null then
    raise exception 'The run has ended, so nothing more is written to it.' using errcode = 'PT410';
  end if;
  newest := private.article_newest_take(p_project, p_article, p_step);
  n := newest.take;
  if newest.claim_id is distinct from p_claim or newest.run_id is distinct from p_run then
    if exists (select from public.article_takes t where t.project_id = p_project and t.article_id = p_article
                                                    and t.step = p_step and t.claim_id = p_claim) then
      raise exception 'A newer take of % has begun.', p_step using errcode = 'PT409';
    end if;
    n := 1 + coalesce(n, private.article_used_takes(p_project, p_article));
    insert into public.article_takes (project_id, article_id, step, take, run_id, claim_id)
    values (p_project, p_article, p_step, n, p_run, p_claim);
  end if;
  return jsonb_build_object('take', n, 'done', null);
end $$;

-- Store what is new of the rows of a take; the seq of the last one, or null when all of them were there already.
create function private.article_add(p_project text, p_article text, p_step text, p_take int, p_first_idx int, p_rows jsonb[], p_done boolean)
returns bigint language plpgsql set search_path = '' as $$
declare t public.article_takes; r public.article_runs; p_end int := p_first_idx + cardinality(p_rows); known int;
begin
  t := private.article_newest_take(p_project, p_article, p_step);
  if t.take is distinct from p_take then
    if t.take is null and (private.article_newest_run(p_project, p_article)).ended_by is not null then
      raise exception 'The run has ended, so nothing more is written to it.' using errcode = 'PT410';
    end if;
    known := coalesce(t.take, private.article_used_takes(p_project, p_article));
    if p_take <= known then
      raise exception 'A newer take of % has begun; take % may write no more.', p_step, p_take using errcode = 'PT409';
    end if;
    raise exception 'Take % of % was never opened.', p_take, p_step using errcode = 'PT422';
  end if;
  if p_first_idx >= 0 and p_end <= t.next_idx and (t.done_seq is not null or not p_done) then return null; end if;
  if t.done_seq is not null then
    raise exception 'Take % of % is finished.', p_take, p_step using errcode = 'PT409';
  end if;
  r := private.article_run(p_project, t.run_id);
  if r.ended_by is not null then
    raise exception 'The run has ended, so nothing more is written to it.' using errcode = 'PT410';
  end if;
  if p_first_idx < 0 or p_first_idx > t.next_idx or p_end <= t.next_idx then
    raise exception 'Rows % to % of % do not follow row %.', p_first_idx, p_end, p_step, t.next_idx using errcode = 'PT422';
  end if;
  update public.article_takes a set next_idx = p_end
   where a.project_id = p_project and a.article_id = p_article and a.step = p_step and a.take = p_take;
  return private.article_write(r, p_step, p_take, p_rows[t.next_idx - p_first_idx + 1 :], private.article_now());
end $$;

create function public.article_append(p_project text, p_article text, p_step text, p_take int, p_first_idx int, p_rows jsonb[])
returns bigint language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
declare last bigint := private.article_lock(p_project);
begin
  return coalesce(private.article_add(p_project, p_article, p_step, p_take, p_first_idx, p_rows, false), last);
end $$;

-- The last rows of a take, of which the last is the done row, its data the step's result. What that row carries goes in the
-- same transaction: the step's live rows of all takes; at the end of the run, those of the whole article and its parts.
create function public.article_finish(p_project text, p_article text, p_step text, p_take int, p_first_idx int, p_rows jsonb[], p_ends_run boolean)
returns bigint language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
declare
  last bigint := private.article_lock(p_project); done bigint; r public.article_runs;
  live text[] := '{brief-token,draft-token,polish-token,thinking}';
begin
  done := private.article_add(p_project, p_article, p_step, p_take, p_first_idx, p_rows, true);
  if done is null then return last; end if;
  update public.article_takes t set done_seq = done
   where t.project_id = p_project and t.article_id = p_article and t.step = p_step and t.take = p_take;
  delete from public.article_streams s
   where s.project_id = p_project and s.article_id = p_article and s.step = p_step and s.event = any (live);
  if p_ends_run then
    delete from public.article_streams s
     where s.project_id = p_project and s.article_id = p_article
       and s.event = any (live || '{research-progress,section-done,draft-done,critique-done}'::text[]);
    r := private.article_newest_run(p_project, p_article);
    perform private.article_close(r, p_rows[cardinality(p_rows)] ->> 'event');
  end if;
  return done;
end $$;

-- A person's decision, also before the run exists; false when the article's newest run has ended.
create function public.article_decide(p_project text, p_article text, p_what text, p_decision jsonb[], p_call text)
returns boolean language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
declare r public.article_runs;
begin
  perform private.article_lock_new(p_project);
  r := private.article_newest_run(p_project, p_article);
  if r.ended_by is not null then return r.ended_call is not distinct from p_call; end if;
  if r.run_id is not null and p_what = 'cancel' then
    perform private.article_end(r, 'run-cancelled', private.article_cancelled(p_decision[1]), private.article_now(), p_call);
    return true;
  end if;
  insert into public.article_decisions (project_id, article_id, what, decision)
  values (p_project, p_article, p_what, p_decision[1])
  on conflict (project_id, article_id, what) do update set decision = excluded.decision;
  return true;
end $$;

-- The answer of a model call; the first one stays.
create function public.article_remember(p_project text, p_article text, p_key text, p_answer jsonb[])
returns void language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
begin
  perform private.article_lock(p_project);
  if (private.article_newest_run(p_project, p_article)).ended_by = 'erased' then
    raise exception 'The article was erased.' using errcode = 'PT410';
  end if;
  insert into public.article_calls (project_id, article_id, call_key, answer)
  values (p_project, p_article, p_key, p_answer[1]) on conflict do nothing;
end $$;

create function public.article_put_snapshot(p_project text, p_snapshot text, p_url text, p_text text, p_fetched_at text)
returns void language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
begin
  perform private.article_lock(p_project);
  insert into public.article_snapshots (project_id, snapshot_id, url, text, fetched_at, put_at)
  values (p_project, p_snapshot, p_url, p_text, p_fetched_at, private.article_now())
  on conflict (project_id, snapshot_id) do update set put_at = excluded.put_at;
end $$;

-- All that is kept of an article but the ids of its runs, which are over. A page's text goes too, unless another article's
-- research names it, or one is under way that may.
create function public.article_delete(p_project text, p_article text)
returns void language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
begin
  perform from public.article_projects p where p.project_id = p_project for update;
  with sources as (
    select s.article_id, page ->> 'snapshot_id' snapshot_id
      from public.article_streams s, jsonb_array_elements(s.data -> 'pages') page
     where s.project_id = p_project and s.event = 'research-done' and page ->> 'snapshot_id' is not null)
  delete from public.article_snapshots n
   where n.project_id = p_project
     and n.snapshot_id in (select s.snapshot_id from sources s where s.article_id = p_article)
     and n.snapshot_id not in (select s.snapshot_id from sources s where s.article_id <> p_article)
     and not exists (
       select from public.article_index o
        where o.project_id = p_project and o.article_id <> p_article and o.status = 'running' and o.started_at <= n.put_at
          and not exists (select from public.article_streams d
                           where d.project_id = p_project and d.article_id = o.article_id and d.run_id = o.run_id
                             and d.event = 'research-done'));
  update public.article_runs r
     set ended_by = 'erased', ended_call = null, used_takes = greatest(r.used_takes, coalesce(
           (select max(t.take) from public.article_takes t where t.project_id = p_project and t.article_id = p_article), 0))
   where r.project_id = p_project and r.article_id = p_article;
  delete from public.article_streams a   where a.project_id = p_project and a.article_id = p_article;
  delete from public.article_takes a     where a.project_id = p_project and a.article_id = p_article;
  delete from public.article_index a     where a.project_id = p_project and a.article_id = p_article;
  delete from public.article_decisions a where a.project_id = p_project and a.article_id = p_article;
  delete from public.article_calls a     where a.project_id = p_project and a.article_id = p_article;
end $$;
