-- The functions that read, with the rights of whoever calls them, and the message that tells readers of new rows.

-- A row as every reader gets it: read, or heard over Realtime.
create function private.article_instant(p_at timestamptz) returns text language sql immutable set search_path = '' as $$
  select to_char(p_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$;

create function private.article_row(r public.article_streams) returns jsonb language sql immutable set search_path = '' as $$
  select to_jsonb(r) || jsonb_build_object('created_at', private.article_instant(r.created_at)) $$;

-- {"rows", "head", "upto"} out of ONE snapshot: two requests, rows and then head, lose what comes between them. upto: all that
-- still exists and matches up to there is in rows. A project that is unknown, or not the reader's, looks empty.
create function public.article_read(p_project text, p_after bigint default 0, p_article text default null, p_limit int default 1000)
returns jsonb language sql stable set search_path = '' as $$
  with page as (                                 -- two branches: "p_article is null or …" would keep the index unused
    (select a as row from public.article_streams a
      where p_article is null and a.project_id = p_project and a.seq > p_after order by a.seq limit p_limit)
    union all
    (select a as row from public.article_streams a
      where p_article is not null and a.project_id = p_project and a.article_id = p_article and a.seq > p_after
      order by a.seq limit p_limit)),
  packed as (select count(*) n, max((row).seq) last, coalesce(jsonb_agg(private.article_row(row) order by (row).seq), '[]') rows from page),
  project as (select coalesce((select p.head from public.article_projects p where p.project_id = p_project), 0) head)
  select jsonb_build_object('rows', packed.rows, 'head', project.head,
                            'upto', case when packed.n < p_limit then project.head else packed.last end)
    from packed, project $$;

-- The heads of several projects, by project.
create function public.article_heads(p_projects text[]) returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_object_agg(p.project_id, p.head), '{}') from public.article_projects p where p.project_id = any (p_projects) $$;

-- The articles of a project, newest first; p_before is the started_at of the last one seen.
create function public.article_list(p_project text, p_limit int default 50, p_before timestamptz default null)
returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(a.item order by a.started_at desc), '[]') from (
    select i.started_at, jsonb_build_object(
             'article_id', i.article_id, 'keyword', i.keyword, 'persona', i.persona, 'status', i.status, 'title', i.title,
             'started_at', private.article_instant(i.started_at), 'updated_at', private.article_instant(i.updated_at)) item
      from public.article_index i
     where i.project_id = p_project and i.started_at < coalesce(p_before, 'infinity')
     order by i.started_at desc limit p_limit) a $$;

create function public.article_decision(p_project text, p_article text, p_what text)
returns jsonb language sql stable set search_path = '' as $$
  select d.decision from public.article_decisions d
   where d.project_id = p_project and d.article_id = p_article and d.what = p_what $$;

create function public.article_recall(p_project text, p_article text, p_key text)
returns jsonb language sql stable set search_path = '' as $$
  select c.answer from public.article_calls c
   where c.project_id = p_project and c.article_id = p_article and c.call_key = p_key $$;

create function public.article_snapshot(p_project text, p_snapshot text)
returns text language sql stable set search_path = '' as $$
  select s.text from public.article_snapshots s where s.project_id = p_project and s.snapshot_id = p_snapshot $$;

-- One message for each insert, that is for each batch. With Supabase's Realtime it goes to the private channel
-- "project:<id>"; above 200 KB it says only which rows there are, for Realtime drops what is too large (256 KB) without a
-- word. realtime.send never fails the write: it turns errors into warnings. Elsewhere it is a NOTIFY with project and head.
create function private.article_announce() returns trigger language plpgsql security definer set search_path = '' as $$
declare b record; message jsonb; realtime boolean := to_regprocedure('realtime.send(jsonb,text,text,boolean)') is not null;
begin
  for b in select n.project_id, min(n.seq) from_seq, max(n.seq) to_seq,
                  case when realtime then jsonb_agg(private.article_row(n) order by n.seq) end rows
             from new_rows n group by n.project_id
  loop
    if not realtime then
      perform pg_notify('article_rows', b.project_id || ' ' || b.to_seq);
      continue;
    end if;
    message := jsonb_build_object('from_seq', b.from_seq, 'to_seq', b.to_seq);
    if octet_length(b.rows::text) <= 200 * 1024 then
      message := message || jsonb_build_object('rows', b.rows);
    end if;
    perform realtime.send(message, 'rows', 'project:' || b.project_id, true);
  end loop;
  return null;
end $$;
create trigger article_announce after insert on public.article_streams
  referencing new table as new_rows for each statement execute function private.article_announce();
