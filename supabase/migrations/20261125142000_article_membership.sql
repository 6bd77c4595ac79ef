-- Which projects a user may see, asked by the server: the same function as in the policies, asked as that user.

-- `p_claims` is what the user's token says, one object; the server has checked the token. On a PostgreSQL without
-- Supabase's auth.uid() our own private.my_article_projects() knows nobody, so that article_members counts as well.
create function public.article_projects_of(p_claims jsonb[])
returns jsonb language plpgsql security definer set search_path = '' as $$
declare
  projects jsonb;
  claims text := coalesce(current_setting('request.jwt.claims', true), '');
  sub text := coalesce(current_setting('request.jwt.claim.sub', true), '');
begin
  perform set_config('request.jwt.claims', p_claims[1]::text, true);
  perform set_config('request.jwt.claim.sub', p_claims[1] ->> 'sub', true);
  select coalesce(jsonb_agg(distinct p), '[]') into projects from private.my_article_projects() p where p is not null;
  if to_regprocedure('auth.uid()') is null then
    select coalesce(jsonb_agg(distinct p), '[]') into projects from (
      select jsonb_array_elements_text(projects) union
      select m.project_id from public.article_members m where m.user_id = (p_claims[1] ->> 'sub')::uuid) as of_both(p);
  end if;
  perform set_config('request.jwt.claims', claims, true);  -- whoever asked is himself again
  perform set_config('request.jwt.claim.sub', sub, true);
  return projects;
end $$;

do $$
declare
  supabase boolean := to_regrole('anon') is not null and to_regrole('authenticated') is not null
    and to_regrole('service_role') is not null and to_regprocedure('auth.uid()') is not null;
  everybody text := case when supabase then 'public, anon, authenticated, service_role' else 'public' end;
begin
  execute format('revoke all on function public.article_projects_of(jsonb[]) from %s', everybody);
  if supabase then grant execute on function public.article_projects_of(jsonb[]) to service_role; end if;
end $$;
