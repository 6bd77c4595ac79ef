"""Who may do, read and hear what in a Supabase database: the whole matrix, and that each rule matters."""

import json
from contextlib import closing, contextmanager

import psycopg
import pytest

from briefworks.errors import NotFound
from briefworks.stores.postgres import PostgresStore
from postgres_server import emptied
from store_rows import RUN, research_done, token

MEMBER, STRANGER, REMOVED = (f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2, 3))
PEOPLE = {
    "anonymous": ("anon", None),
    "stranger": ("authenticated", STRANGER),
    "member": ("authenticated", MEMBER),
    "removed": ("authenticated", REMOVED),
    "service": ("service_role", None),
}
DENIED = "42501"
READ_BY_MEMBERS = ("article_projects", "article_index", "article_streams")
HIDDEN = (
    "article_runs",
    "article_takes",
    "article_decisions",
    "article_calls",
    "article_snapshots",
    "article_account",
)
TABLES = (*READ_BY_MEMBERS, *HIDDEN, "article_members")
FOR_MEMBERS = ("article_read", "article_heads", "article_list")
TOPICS = ("project:p", "project:q", "project:", "project:p:x", "xproject:p", "PROJECT:P", "p", "")


@pytest.fixture(scope="module")
def url(postgres):
    return postgres.url(postgres.testing(supabase=True))


@pytest.fixture
def db(url):
    """Two projects with something in every table; MEMBER is in one of them, REMOVED is no more."""
    emptied(url)
    with closing(PostgresStore(url)) as store:
        for project in ("p", "q"):
            store.start_run(project, "a", "r1", RUN)
            store.open_take(project, "a", "r1", "research", "c1")
            page = store.put_snapshot(project, "https://example.org", "text", "")
            store.finish(project, "a", "research", 1, 0, [research_done(page)])
            store.remember(project, "a", "key", {"text": "answer"})
            store.enter(project, "a", "01", {"usd": 0.01})
            store.decide(project, "a", "finish-now", {})
    with psycopg.connect(url) as db:
        db.execute("insert into article_members values ('p', %s), ('q', %s)", [MEMBER, REMOVED])
        db.execute("delete from article_members where user_id = %s", [REMOVED])
        db.commit()
        yield db
        db.rollback()


@contextmanager
def acting(db, person, topic=""):
    """What is done inside is done by that person, as PostgREST and Realtime do it, and undone afterwards."""
    role, user = PEOPLE[person]
    with db.transaction(force_rollback=True):
        if topic:  # Realtime asks for a row of the channel
            db.execute("insert into realtime.messages (topic, extension) values (%s, 'broadcast')", [topic])
        claims = json.dumps({"role": role, "sub": user})
        for name, value in (("role", role), ("request.jwt.claims", claims), ("realtime.topic", topic)):
            db.execute("select set_config(%s, %s, true)", [name, value])
        yield


def tried(db, person, statement, *values, topic=""):
    """How many rows it found or changed, or the code of its refusal."""
    try:
        with acting(db, person, topic):
            return db.execute(statement, values).rowcount
    except psycopg.Error as error:
        return error.sqlstate


def on_tables(db):
    """By person, table and verb."""
    found = {}
    for person in PEOPLE:
        for table in TABLES:
            insert = f"insert into {table} select * from {table} where false"
            found[person, table] = (
                tried(db, person, f"select * from {table}"),
                tried(db, person, insert),
                tried(db, person, f"update {table} set project_id = project_id"),
                tried(db, person, f"delete from {table}"),
            )
    return found


def expected_on_tables():
    found = {}
    for table in TABLES:
        seen = 1 if table in (*READ_BY_MEMBERS, "article_members") else DENIED
        seen = 2 if table == "article_streams" else seen
        nobody = 0 if seen != DENIED else DENIED
        all_of_it = {"article_streams": 4, "article_members": 1}.get(table, 2)
        found |= {
            ("anonymous", table): (DENIED,) * 4,
            ("stranger", table): (nobody, DENIED, DENIED, DENIED),
            ("removed", table): (nobody, DENIED, DENIED, DENIED),
            ("member", table): (seen, DENIED, DENIED, DENIED),
            ("service", table): (all_of_it, DENIED, DENIED, DENIED),
        }
    found["service", "article_members"] = (1, 0, 1, 1)
    return found


def on_channels(db):
    """Which channels each person may join."""
    return {
        person: [topic for topic in TOPICS if tried(db, person, PROBE, topic, topic=topic) == 1]
        for person in PEOPLE
        if person != "service"
    }


PROBE = "select from realtime.messages where topic = %s and extension = 'broadcast' limit 1"
EXPECTED_CHANNELS = {"anonymous": [], "stranger": [], "removed": [], "member": ["project:p"]}


def functions(db):
    """Ours, as schema-qualified calls with nothing but nulls."""
    rows = db.execute(
        "select n.nspname, p.proname, array(select format('null::%s', format_type(t, null))"
        " from unnest(p.proargtypes::oid[]) t) from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
        " where n.nspname in ('public', 'private') and p.prorettype <> 'trigger'::regtype"
        " and (p.proname like 'article\\_%' or p.proname = 'my_article_projects') order by 1, 2"
    ).fetchall()
    return [(schema, name, f"select {schema}.{name}({', '.join(nulls)})") for schema, name, nulls in rows]


def test_tables_are_read_by_members_and_written_by_nobody(db):
    assert set(TABLES) == {
        name for (name,) in db.execute("select tablename from pg_tables where tablename like 'article\\_%'")
    }
    assert on_tables(db) == expected_on_tables()


def test_functions_are_called_by_the_secret_key_and_three_by_members(db):
    found = functions(db)
    assert len([name for schema, name, _ in found if schema == "public"]) == 18
    for schema, name, call in found:
        may = {person for person in PEOPLE if tried(db, person, call) != DENIED}
        if schema == "public":
            assert may == (
                {"service"} | ({"stranger", "removed", "member"} if name in FOR_MEMBERS else set())
            )
        elif name == "my_article_projects":
            assert may == {"stranger", "removed", "member"}
        elif name in ("article_instant", "article_row"):
            assert may == {"stranger", "removed", "member", "service"}
        else:
            assert may == set(), name


def test_the_functions_of_members_answer_with_their_projects_alone(db):
    def answers(person):
        with acting(db, person):
            return [
                db.execute(f"select {call}").fetchone()[0]
                for call in (
                    "jsonb_array_length(article_read('p') -> 'rows')",
                    "(article_read('p') -> 'head')::int",
                    "jsonb_array_length(article_read('q', 0, 'a') -> 'rows')",
                    "article_heads('{p,q}')",
                    "jsonb_array_length(article_list('p'))",
                    "jsonb_array_length(article_list('q'))",
                )
            ]

    assert answers("member") == [2, 2, 0, {"p": 2}, 1, 0]
    assert answers("stranger") == answers("removed") == [0, 0, 0, {}, 0, 0]
    assert answers("service") == [2, 2, 2, {"p": 2, "q": 2}, 1, 1]


def test_only_members_join_the_channel_of_a_project(db):
    assert on_channels(db) == EXPECTED_CHANNELS


def test_nobody_but_the_server_sends_into_a_channel(db):
    send = "insert into realtime.messages (topic, extension) values ('project:p', 'broadcast')"
    assert {person: tried(db, person, send) for person in PEOPLE if person != "service"} == dict.fromkeys(
        ["anonymous", "stranger", "member", "removed"], DENIED
    )


def policies(db):
    return db.execute(
        "select policyname, schemaname || '.' || tablename from pg_policies"
        " where tablename like 'article\\_%' or policyname like 'article\\_%'"
    ).fetchall()


@pytest.mark.slow
def test_every_policy_matters(db):
    whole = (on_tables(db), on_channels(db))
    found = policies(db)
    assert len(found) == 5
    for policy, table in found:
        changes = [f"drop policy {policy} on {table}", f"alter policy {policy} on {table} using (true)"]
        for change in changes:
            with db.transaction(force_rollback=True):
                db.execute(change)
                assert (on_tables(db), on_channels(db)) != whole, change


def test_rights_that_were_given_back_show_nobody_a_row_that_is_not_his(db):
    """A later `grant all`, as Supabase's defaults have it, opens nothing: the policies hold alone."""
    with db.transaction(force_rollback=True):
        db.execute("grant all on all tables in schema public to anon, authenticated")
        for person in ("anonymous", "stranger", "removed", "member"):
            for table in TABLES:
                sees = (
                    {"article_streams": 2}.get(table, 1) if person == "member" and table not in HIDDEN else 0
                )
                assert tried(db, person, f"select * from {table}") == sees, (person, table)
                assert tried(db, person, f"delete from {table}") == 0
                assert tried(db, person, f"update {table} set project_id = project_id") == 0
                copied = (
                    f"insert into {table} select (r).* from (select r from (values (null::{table})) x (r)) y"
                )
                assert tried(db, person, copied) in (DENIED, "23502")


def test_a_membership_of_ones_own_takes_the_place_of_ours(db):
    with db.transaction(force_rollback=True):
        db.execute(
            "create or replace function private.my_article_projects() returns setof text"
            " language sql stable security definer set search_path = '' as"
            f" $$ select 'q'::text where auth.uid() = '{STRANGER}' $$"
        )
        assert tried(db, "stranger", "select * from article_streams") == 2
        assert tried(db, "member", "select * from article_streams") == 0
        assert on_channels(db)["stranger"] == ["project:q"]
        with acting(db, "service"):
            assert [projects_of(db, user) for user in (MEMBER, STRANGER)] == [[], ["q"]]


# --- what the server asks for a user
PROJECTS_OF = "select article_projects_of(array[%s::jsonb])"


def projects_of(db, user):
    return db.execute(PROJECTS_OF, [json.dumps({"sub": user, "role": "authenticated"})]).fetchone()[0]


def test_the_server_is_told_the_projects_of_a_user_and_stays_who_it_is(db):
    with acting(db, "service"):
        told = [projects_of(db, user) for user in (MEMBER, STRANGER, REMOVED)]
        assert told == [["p"], [], []]
        assert db.execute("select auth.uid()").fetchone() == (None,)
    for person in ("anonymous", "stranger", "member", "removed"):
        assert tried(db, person, PROJECTS_OF, json.dumps({"sub": MEMBER})) == DENIED


# --- what is heard
def heard(db):
    query = "select topic, private, event, payload from realtime.messages order by inserted_at"
    return db.execute(query).fetchall()


@pytest.fixture
def store(url, db):
    db.execute("truncate realtime.messages")
    db.commit()
    with closing(PostgresStore(url)) as store:
        yield store


def test_a_batch_is_one_message_with_the_rows_as_they_are_read(db, store):
    take = store.open_take("p", "a", "r1", "draft-section-1", "c1")["take"]
    store.append("p", "a", "draft-section-1", take, 0, [token("one "), token("two 🙂")])
    store.append("p", "a", "draft-section-1", take, 0, [token("one "), token("two 🙂")])
    ((topic, private, event, payload),) = heard(db)
    assert (topic, private, event) == ("project:p", True, "rows")
    del payload["id"]  # Realtime's own
    assert payload == {"from_seq": 3, "to_seq": 4, "rows": store.read("p", 2)["rows"]}


@pytest.mark.parametrize(("chars", "whole"), [(60_000, True), (70_000, False)])
def test_a_batch_too_large_for_realtime_says_only_which_rows_there_are(db, store, chars, whole):
    take = store.open_take("p", "a", "r1", "draft-section-1", "c1")["take"]
    store.append(
        "p", "a", "draft-section-1", take, 0, [token("字" * (chars // 2)), token("字" * (chars // 2))]
    )
    ((_, _, _, payload),) = heard(db)
    assert (payload["from_seq"], payload["to_seq"]) == (3, 4)
    assert ("rows" in payload) == whole
    assert len(json.dumps(payload, ensure_ascii=False).encode()) < 256_000


def test_a_broadcast_that_fails_does_not_fail_the_write(db, store):
    db.execute("alter table realtime.messages add constraint none_of_it check (false) not valid")
    db.commit()
    try:
        store.start_run("p", "b", "r2", RUN)
        assert store.read("p", 0, "b")["rows"][0]["event"] == "run-started"
    finally:
        db.execute("alter table realtime.messages drop constraint none_of_it")
        db.commit()


def test_an_erased_article_leaves_no_text_in_any_of_our_tables(db, store):
    store.delete_article("p", "a")
    for table in ("article_index", "article_streams", "article_takes", "article_decisions", "article_calls"):
        query = f"select count(*) from {table} where project_id = 'p' and article_id = 'a'"
        assert db.execute(query).fetchone() == (0,)
    with pytest.raises(NotFound):
        store.snapshot("p", "any")
    assert db.execute("select count(*) from article_snapshots where project_id = 'p'").fetchone() == (0,)
