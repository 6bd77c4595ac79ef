-- Who may what. Members of a project read it; only the secret key (service_role) writes, and it too only by the functions.
-- Where Supabase's roles are missing (a plain PostgreSQL) nothing is granted: the tables' owner alone may.

-- The projects of the signed-in user: every policy asks this. Replace it to use a membership of your own.
create function private.my_article_projects() returns setof text
language plpgsql stable security definer set search_path = '' as $$
begin
  if to_regprocedure('auth.uid()') is null then return; end if;
  return query select m.project_id from public.article_members m where m.user_id = (select auth.uid());
end $$;

do $$
declare
  tables text[] := '{article_projects,article_members,article_runs,article_index,article_takes,article_streams,article_decisions,article_calls,article_snapshots}';
  calls text[] := '{article_start_run,article_end_run,article_open_take,article_append,article_finish,article_decide,article_remember,article_put_snapshot,article_delete,article_read,article_heads,article_list,article_decision,article_recall,article_snapshot}';
  helpers text[] := '{article_now,article_lock,article_lock_new,article_run,article_newest_run,article_newest_take,article_used_takes,article_write,article_close,article_end,article_cancelled,article_lost,article_begin,article_add,article_instant,article_row,article_announce,my_article_projects}';
  supabase boolean := to_regrole('anon') is not null and to_regrole('authenticated') is not null
    and to_regrole('service_role') is not null and to_regprocedure('auth.uid()') is not null;
  everybody text := case when supabase then 'public, anon, authenticated, service_role' else 'public' end;
  name text; f regprocedure;
begin
  -- PostgreSQL lets everybody call a new function, and Supabase grants all on everything new to all three of its roles.
  for f in select p.oid from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname = any (calls)
            union all select p.oid from pg_proc p where p.pronamespace = 'private'::regnamespace and p.proname = any (helpers)
  loop
    execute format('revoke all on function %s from %s', f, everybody);
  end loop;
  foreach name in array tables loop
    execute format('revoke all on public.%I from %s', name, everybody);
  end loop;
  if not supabase then return; end if;

  for f in select p.oid from pg_proc p where p.pronamespace = 'public'::regnamespace and p.proname = any (calls) loop
    execute format('grant execute on function %s to service_role', f);
  end loop;
  foreach name in array tables loop
    execute format('grant select on public.%I to service_role', name);
  end loop;
  grant usage on schema private to authenticated, service_role;
  grant execute on function private.my_article_projects() to authenticated;
  grant execute on function private.article_instant(timestamptz), private.article_row(public.article_streams) to authenticated, service_role;
  grant execute on function public.article_read(text, bigint, text, int), public.article_heads(text[]),
    public.article_list(text, int, timestamptz) to authenticated;
  grant select on public.article_projects, public.article_index, public.article_streams, public.article_members to authenticated;
  grant insert, update, delete on public.article_members to service_role;

  -- "in (select …)" is evaluated once for a query; a function call for each row is 40 times slower.
  create policy members_read on public.article_projects for select to authenticated
    using (project_id in (select private.my_article_projects()));
  create policy members_read on public.article_index for select to authenticated
    using (project_id in (select private.my_article_projects()));
  create policy members_read on public.article_streams for select to authenticated
    using (project_id in (select private.my_article_projects()));
  create policy own_memberships on public.article_members for select to authenticated
    using (user_id = (select auth.uid()));
  -- The other tables have no policy: claims, decisions, model answers and page texts are the server's alone.
end $$;

-- Joining the channel. Whole names are compared, so "project:a:b" or "project:" is simply nobody's.
do $$
begin
  if to_regclass('realtime.messages') is null or to_regprocedure('auth.uid()') is null then return; end if;
  create policy article_members_listen on realtime.messages for select to authenticated using (
    realtime.messages.extension = 'broadcast'
    and (select realtime.topic()) in (select 'project:' || p from private.my_article_projects() p));
end $$;
