"""`briefworks doctor`: what is configured, what answers, and what to do about the rest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from uuid import UUID

import click

from briefworks import engines, personas
from briefworks.cli.doctor_users import UserChecks, user_options
from briefworks.costs import price_list
from briefworks.errors import BriefworksError, ConfigError
from briefworks.keys import keys_of
from briefworks.settings import Settings

NOBODY = "00000000-0000-4000-8000-000000000000"


@click.command()
@user_options
def doctor(project: str | None, user: UUID | None, user_token: str | None) -> None:
    """
    Check the configuration: store, personas, model, search, engine, users.

    Asks each of them something small (one search, which may cost a credit) and says what answers, what does
    not, and what to do about it. Settings come from the environment and .env; .env.example lists them.

    With a Supabase project it also compares the clocks, and for a user that is named it looks whether he is a
    member of the project and joins its Realtime channel as he would.

    \b
    Example:
      briefworks doctor
      briefworks doctor --project acme --user-token - < token.txt
    """
    settings = Settings.load()
    demo, kind = settings.upstreams() == "none", settings.store_kind
    from briefworks.asking import inngest_client
    from briefworks.web.parts import build_model, build_search, build_store

    def store() -> str:
        if kind == "postgresql":
            _check_migrations(settings.store)
        with closing(build_store(settings)) as built:
            built.read("doctor", limit=1)
            if kind != "sqlite":  # the newest function, and one for the key or user that may write alone
                built.projects_of({"sub": NOBODY})
        places = {
            "sqlite": settings.sqlite_path,
            "supabase": settings.supabase_url,
            "postgresql": "PostgreSQL",
        }
        return f"{places[kind]} is sound"

    def voices() -> str:
        found = personas.names(settings.personas_dir)
        for name in found:
            personas.load(name, settings.personas_dir)
        return ", ".join(found)

    def engine() -> str:
        origin = inngest_client(settings).event_api_origin
        engines.health(origin)
        return f"{origin} answers"

    def model() -> str:
        priced = price_list(settings.prices).source(settings.model)
        price = (
            f"its price is of {priced['as_of']}" if priced else "its price is not known: BRIEFWORKS_PRICES"
        )
        return f"{build_model(settings).check()}; {price}"

    def search() -> str:
        found = build_search(settings).search("briefworks", language="en", market="us", timeout_s=15)
        idle = f"; {', '.join(settings.searches[1:])} set, but not asked" if settings.searches[1:] else ""
        return f"{found['provider']} answers with {len(found['results'])} results{idle}"

    def keys() -> str:
        known = keys_of(settings).known
        others = "users by their tokens" if settings.has_users else "only this machine may ask"
        return f"{len(known)} known" if known else f"none: {others}"

    checks: list[tuple[str, Callable[[], str]]] = [("store", store), ("personas", voices), ("keys", keys)]
    if demo:
        click.echo(
            "   –  model, search: not configured; `briefworks dev` and `demo` play them, synthetically"
        )
    else:
        checks += [("model", model), ("search", search)]
    if settings.inngest_dev or settings.inngest_signing_key:
        checks.append(("engine", engine))
    else:
        click.echo("   –  engine: not configured; `briefworks dev` brings its own")
    if settings.has_users:
        checks += UserChecks(settings, project or settings.project, user, bool(user_token)).all()
    elif user or user_token:
        raise ConfigError(
            "There are no users here.", hint="Set SUPABASE_URL, and BRIEFWORKS_STORE to a database."
        )
    sound = [_check(name, check) for name, check in checks]
    if not all(sound):
        raise SystemExit(1)


def _check_migrations(url: str) -> None:
    from briefworks.cli.migrate import pending

    if missing := pending(url):
        raise ConfigError(
            f"The database lacks {len(missing)} of briefworks' migrations.",
            hint="Run `briefworks migrate`.",
        )


def _check(name: str, check: Callable[[], str]) -> bool:
    try:
        click.echo(f"   ✓  {name}: {check()}")
    except BriefworksError as error:
        click.secho(f"   ✗  {name}: {error}", fg="red")
        if error.hint:
            click.echo(f"      {error.hint}")
        return False
    return True
