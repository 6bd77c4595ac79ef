"""`briefworks migrate` brings any PostgreSQL database to our tables, once, as Supabase's CLI would."""

import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from hatchling.builders.wheel import WheelBuilder

from briefworks.cli import main
from briefworks.errors import ConfigError, StoreUnavailable
from briefworks.stores.migrations import applied, apply, migrations
from briefworks.stores.postgres import PostgresStore
from postgres_server import SUPABASE
from store_rows import RUN

ROOT = Path(__file__).parent.parent


@pytest.fixture
def url(postgres):
    return postgres.url(postgres.database())


def briefworks(*args, **settings):
    command = [sys.executable, "-m", "briefworks", *args]
    env = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **settings}
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env)


@pytest.mark.slow
def test_the_command_shows_applies_and_then_has_nothing_to_do(url):
    names = [f"{one.version} {one.name}" for one in migrations()]
    told = briefworks("migrate", "--show", BRIEFWORKS_STORE=url)
    assert [line.split("–")[1].strip() for line in told.stdout.splitlines()] == names
    told = briefworks("migrate", BRIEFWORKS_STORE=url)
    assert [line.split("✓")[1].strip() for line in told.stdout.splitlines()] == names
    assert "nothing to do" in briefworks("migrate", url).stdout
    told = briefworks("migrate", "--show", url)
    assert [line.split("✓")[1].strip() for line in told.stdout.splitlines()] == names


def test_what_was_applied_is_recorded_as_the_supabase_cli_records_it(url):
    apply(url)
    with psycopg.connect(url) as db:
        recorded = db.execute(
            "select version, name, statements from supabase_migrations.schema_migrations order by version"
        ).fetchall()
    files = sorted((ROOT / "supabase" / "migrations").glob("*.sql"))
    assert [f"{version}_{name}.sql" for version, name, _ in recorded] == [path.name for path in files]
    for (_, _, statements), path in zip(recorded, files, strict=True):
        assert ";\n".join(statements).split() == path.read_text().strip().removesuffix(";").split()


def test_statements_recorded_by_others_are_enough_to_make_the_same_tables(postgres):
    one, other = (postgres.url(postgres.database()) for _ in range(2))
    apply(one)
    with psycopg.connect(other) as db:
        for migration in migrations():
            for statement in migration.statements:
                db.execute(statement.encode())
    assert shape(one) == shape(other)


def shape(url):
    """Columns and functions of ours."""
    with psycopg.connect(url) as db:
        columns = db.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " where table_schema = 'public' order by 1, 2"
        ).fetchall()
        functions = db.execute(
            "select proname, prosrc, proacl::text from pg_proc"
            " where pronamespace in ('public'::regnamespace, 'private'::regnamespace) order by 1, 2"
        ).fetchall()
        return columns, functions


def test_many_may_migrate_at_once(url):
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: apply(url), range(6)))
    assert sorted(map(len, done)) == [0] * 5 + [len(migrations())]


def test_what_cannot_be_applied_leaves_nothing_behind(url):
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("create table article_calls (theirs int)")
        with pytest.raises(ConfigError, match="article_calls"):
            apply(url)
        assert applied(url) == set()
        tables = db.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
        assert tables == (1,)


@pytest.mark.slow
def test_the_printed_sql_does_the_same_in_any_editor(postgres):
    for prepare in ("", SUPABASE):
        printed, ours = (postgres.database() for _ in range(2))
        for name in (printed, ours):
            if prepare:
                postgres.admin(prepare, name)
        told = briefworks("migrate", "--print")
        postgres.admin(told.stdout, printed)
        apply(postgres.url(ours))
        assert shape(postgres.url(printed)) == shape(postgres.url(ours))
        assert apply(postgres.url(printed)) == []


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_keep_every_text_is_refused(postgres, encoding):
    name = f"not_utf8_{encoding.lower()}"
    postgres.admin(f"create database {name} encoding '{encoding}' template template0 locale 'C'")
    for call in (apply, applied):  # doctor asks the second one
        with pytest.raises(ConfigError, match=f"{encoding}.*UTF8") as caught:
            call(postgres.url(name))
        assert "createdb --encoding=UTF8" in caught.value.hint


def test_a_user_who_may_not_is_told_who_may(postgres, url):
    postgres.admin("drop role if exists guest; create role guest login")
    with pytest.raises(ConfigError, match="permission denied") as caught:
        apply(url.replace("postgres@", "guest@"))
    assert "--print" in caught.value.hint


@pytest.mark.slow
def test_a_table_that_others_use_is_waited_for_seconds_and_not_for_ever(postgres):
    name = postgres.database()
    postgres.admin(SUPABASE, name)
    with psycopg.connect(postgres.url(name)) as using:
        using.execute("select from realtime.messages")
        with pytest.raises(StoreUnavailable) as caught:
            apply(postgres.url(name))
        assert "Nothing was changed" in caught.value.hint
    assert apply(postgres.url(name)) == migrations()


def test_a_pooler_in_transaction_mode_keeps_no_prepared_statement(postgres, url):
    apply(f"{url}?options=-c%20log_min_duration_statement%3D0")
    said = (postgres.folder / "log").read_text()
    assert said.count("execute <unnamed>: insert into supabase_migrations") == len(migrations())


def test_a_plain_database_lets_only_its_owner_in(postgres, url):
    apply(url)
    with closing(PostgresStore(url)) as store:
        assert store.start_run("p", "a", "r1", RUN)
    postgres.admin("drop role if exists guest; create role guest login")
    with psycopg.connect(url.replace("postgres@", "guest@"), autocommit=True) as db:
        for query in (
            "select * from article_streams",
            "select article_read('p')",
            "select article_heads('{p}')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                db.execute(query)


def test_the_wheel_carries_the_migrations(tmp_path):
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path))
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if name.endswith(".sql") and "/migrations/" in name] == [
        f"briefworks/stores/migrations/{one.version}_{one.name}.sql" for one in migrations()
    ]


def test_doctor_names_a_missing_migration_and_the_wrong_kind_of_key(url):
    def doctor(**settings):
        return CliRunner().invoke(main, ["doctor"], env=settings).output

    told = doctor(BRIEFWORKS_STORE=url)
    assert "✗  store" in told and "briefworks migrate" in told
    apply(url)
    assert "✓  store" in doctor(BRIEFWORKS_STORE=url)
    key = "sb_publishable_0123456789"
    address = "http://127.0.0.1:9"
    told = doctor(BRIEFWORKS_STORE="supabase", SUPABASE_URL=address, SUPABASE_SECRET_KEY=key)
    assert "publishable key" in told and "sb_secret_" in told
    assert key not in told
