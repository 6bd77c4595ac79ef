-- The account of an article: an entry for each request to the model, written before it is sent and again when it has ended.
-- For the server alone, like the remembered answers; gone with its article.

create table public.article_account (
  project_id text not null,
  article_id text not null,
  entry_id   text not null,                   -- a ULID: they are read in this order
  entry      jsonb not null,
  primary key (project_id, article_id, entry_id),
  foreign key (project_id, article_id) references public.article_index on delete cascade
);
alter table public.article_account enable row level security;

-- The entry, in place of the one with its name. What is written of a run that is over counts as well: it was paid.
create function public.article_enter(p_project text, p_article text, p_id text, p_entry jsonb[])
returns void language plpgsql security definer set search_path = '' set lock_timeout = '2s' as $$
begin
  perform private.article_lock(p_project);
  if not exists (select from public.article_index i where i.project_id = p_project and i.article_id = p_article) then
    raise exception 'The article was erased, or never begun.' using errcode = 'PT410';
  end if;
  insert into public.article_account (project_id, article_id, entry_id, entry)
  values (p_project, p_article, p_id, p_entry[1])
  on conflict (project_id, article_id, entry_id) do update set entry = excluded.entry;
end $$;

create function public.article_entries(p_project text, p_article text)
returns jsonb language sql stable set search_path = '' as $$
  select coalesce(jsonb_agg(a.entry order by a.entry_id collate "C"), '[]') from public.article_account a
   where a.project_id = p_project and a.article_id = p_article $$;

do $$
declare
  supabase boolean := to_regrole('anon') is not null and to_regrole('authenticated') is not null
    and to_regrole('service_role') is not null and to_regprocedure('auth.uid()') is not null;
  everybody text := case when supabase then 'public, anon, authenticated, service_role' else 'public' end;
  calls text := 'public.article_enter(text, text, text, jsonb[]), public.article_entries(text, text)';
begin
  execute format('revoke all on function %s from %s', calls, everybody);
  execute format('revoke all on public.article_account from %s', everybody);
  if not supabase then return; end if;
  execute format('grant execute on function %s to service_role', calls);
  grant select on public.article_account to service_role;
end $$;
