"""The migrations that make our tables in a PostgreSQL database, recorded as Supabase's CLI records them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from briefworks.errors import ConfigError, StoreUnavailable
from briefworks.stores.connection import checked, connect, our_words

LOCK_S = 5
# Whoever waits for a table makes all who come later wait; on Supabase also those who sign in.
_PATIENCE = f"set local lock_timeout = '{LOCK_S}s'"
_TURN = 7_246_180_311  # the advisory lock that lets one migrate at a time
_TOKEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|(\$\w*\$).*?\1|;", re.DOTALL)
_RECORD = (
    "create schema if not exists supabase_migrations",
    "create table if not exists supabase_migrations.schema_migrations (version text not null primary key)",
    "alter table supabase_migrations.schema_migrations add column if not exists statements text[]",
    "alter table supabase_migrations.schema_migrations add column if not exists name text",
)


@dataclass(frozen=True)
class Migration:
    """One file of supabase/migrations: `<version>_<name>.sql`."""

    version: str
    name: str
    sql: str

    @property
    def statements(self) -> list[str]:
        """Its statements, without the semicolons that part them."""
        found, start = [], 0
        for token in _TOKEN.finditer(self.sql):
            if token.group() == ";":
                found.append(self.sql[start : token.start()].strip())
                start = token.end()
        rest = self.sql[start:].strip()
        return [*found, rest] if rest else found

    @property
    def script(self) -> str:
        """Its SQL with the record of it, as one transaction for any editor."""
        columns = "supabase_migrations.schema_migrations (version, name)"
        record = f"insert into {columns} values ('{self.version}', '{self.name}')"  # noqa: S608  # our file names
        begin = f"-- {self.version}_{self.name}\nbegin"
        return ";\n".join([begin, _PATIENCE, *_RECORD, f"\n{self.sql}\n{record}", "commit;\n"])


def migrations() -> list[Migration]:
    """All of them, oldest first: from the installed package, else from the repository."""
    installed = Path(__file__).with_name("migrations")
    folder = installed if installed.is_dir() else Path(__file__).parents[2] / "supabase" / "migrations"
    files = sorted(folder.glob("*.sql"))
    named = [(*path.stem.partition("_")[::2], path.read_text(encoding="utf-8")) for path in files]
    return [Migration(version, name, text) for version, name, text in named]


def applied(url: str) -> set[str]:
    """The versions that the database records; also those of others."""
    with _connected(url) as db:
        if db.execute("select to_regclass(%s)", ["supabase_migrations.schema_migrations"]).fetchone() == (
            None,
        ):
            return set()
        return _versions(db)


def apply(url: str) -> list[Migration]:
    """
    Apply what the database lacks, all of it or nothing; what was applied.

    May be called at any time and by many at once.
    """
    with _connected(url) as db:
        db.execute("select pg_advisory_xact_lock(%s)", [_TURN])
        db.execute(_PATIENCE)
        for statement in _RECORD:
            db.execute(statement)
        known = _versions(db)
        pending = [migration for migration in migrations() if migration.version not in known]
        for migration in pending:
            db.execute(migration.sql.encode())
            db.execute(
                "insert into supabase_migrations.schema_migrations (version, name, statements)"
                " values (%s, %s, %s)",
                [migration.version, migration.name, migration.statements],
            )
        db.execute("notify pgrst, 'reload schema'")  # PostgREST looks at the schema only when told
        return pending


def _versions(db: psycopg.Connection) -> set[str]:
    return {version for (version,) in db.execute("select version from supabase_migrations.schema_migrations")}


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    """A transaction; what the database answers is said in our words."""
    try:
        connection = connect(checked(url), within_s=10)
    except StoreUnavailable as error:
        raise StoreUnavailable(str(error), hint="Does it run, and are host and port right?") from error
    with our_words(), connection as db:
        if (encoding := db.info.parameter_status("server_encoding")) != "UTF8":
            raise ConfigError(
                f"The database keeps its text as {encoding}, and articles are written in UTF8.",
                hint="Take another one: `createdb --encoding=UTF8 --template=template0 NAME`.",
            )
        try:
            yield db
        except psycopg.errors.InsufficientPrivilege as error:
            raise ConfigError(
                f"The database lets this user not make the tables: {_said(error)}.",
                hint="Nothing was changed. Connect as the database's owner (Supabase: postgres), or paste"
                " what `briefworks migrate --print` says into Supabase's SQL editor.",
            ) from error
        except psycopg.errors.LockNotAvailable as error:
            raise StoreUnavailable(
                f"Others use the database's tables for longer than {LOCK_S} s: {_said(error)}.",
                hint="Nothing was changed. Try again in a quieter moment.",
            ) from error
        except psycopg.ProgrammingError as error:
            raise ConfigError(
                f"The database does not take the migrations: {_said(error)}.",
                hint="Nothing was changed. Are the article_ names free?",
            ) from error


def _said(error: psycopg.Error) -> str:
    return str(error).splitlines()[0]
