"""`briefworks migrate`: the tables and functions of the stream, in a PostgreSQL or Supabase database."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import click

from briefworks.errors import ConfigError
from briefworks.settings import Settings

if TYPE_CHECKING:
    from briefworks.stores.migrations import Migration


@click.command()
@click.argument("database_url", required=False)
@click.option("--show", is_flag=True, help="Only say which are applied and which are not.")
@click.option("--print", "print_sql", is_flag=True, help="Only print the SQL, for an editor of your own.")
def migrate(database_url: str | None, show: bool, print_sql: bool) -> None:
    """
    Make the stream's tables and functions in a database; what is there already is left alone.

    DATABASE_URL is postgresql://…; without it BRIEFWORKS_STORE is taken. For a Supabase project it is the
    connection string behind "Connect". A password can come by PGPASSWORD instead. The files are those of
    supabase/migrations, recorded as `supabase db push` records them; many may run this at once.

    \b
    Example:
      briefworks migrate --show postgresql://me@127.0.0.1/articles
    """
    if print_sql:
        for one in _migrations().migrations():
            click.echo(one.script)
        return
    url = _database_url(database_url)
    if show:
        missing = {one.version for one in pending(url)}
        for one in _migrations().migrations():
            click.echo(f"   {'–' if one.version in missing else '✓'}  {one.version} {one.name}")
        return
    done = _migrations().apply(url)
    for one in done:
        click.echo(f"   ✓  {one.version} {one.name}")
    if not done:
        click.echo("   ✓  nothing to do")


def pending(url: str) -> list[Migration]:
    """The migrations that the database lacks."""
    applied = _migrations().applied(url)
    return [one for one in _migrations().migrations() if one.version not in applied]


def _migrations() -> ModuleType:
    try:
        from briefworks.stores import migrations
    except ImportError:
        raise ConfigError(
            "psycopg is not installed, and nothing else speaks to PostgreSQL.",
            hint="pip install 'briefworks[postgres]'",
        ) from None
    return migrations


def _database_url(given: str | None) -> str:
    url = given or Settings.load().store
    if not url.startswith(("postgresql://", "postgres://")):
        raise ConfigError(
            "Which database? DATABASE_URL is missing, or is not postgresql://…",
            hint="`briefworks migrate postgresql://USER@HOST/DATABASE`; for Supabase what Connect shows.",
        )
    return url
