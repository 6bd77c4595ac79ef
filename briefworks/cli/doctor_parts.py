"""What `briefworks doctor` asks of the parts: store, personas, keys, model, search, engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import click

from briefworks import engines, personas
from briefworks.costs import price_list
from briefworks.errors import ConfigError
from briefworks.keys import keys_of
from briefworks.settings import Settings

NOBODY = "00000000-0000-4000-8000-000000000000"


class PartChecks:
    """The checks for what the settings name."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def all(self) -> list[tuple[str, Callable[[], str]]]:
        """By name; what is not configured is left out, aloud."""
        checks = [("store", self._store), ("personas", self._voices), ("keys", self._keys)]
        if self._settings.upstreams() == "none":
            click.echo(
                "   –  model, search: not configured; `briefworks dev` and `demo` play them, synthetically"
            )
        else:
            checks += [("model", self._model), ("search", self._search)]
        if self._settings.inngest_dev or self._settings.inngest_signing_key:
            checks.append(("engine", self._engine))
        else:
            click.echo("   –  engine: not configured; `briefworks dev` brings its own")
        return checks

    def _store(self) -> str:
        from briefworks.web.parts import build_store

        settings, kind = self._settings, self._settings.store_kind
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

    def _voices(self) -> str:
        folder = self._settings.personas_dir
        found = personas.names(folder)
        for name in found:
            personas.load(name, folder)
        return ", ".join(found)

    def _engine(self) -> str:
        from briefworks.asking import inngest_client

        origin = inngest_client(self._settings).event_api_origin
        engines.health(origin)
        return f"{origin} answers"

    def _model(self) -> str:
        from briefworks.web.parts import build_model

        settings = self._settings
        priced = price_list(settings.prices).source(settings.model)
        price = (
            f"its price is of {priced['as_of']}" if priced else "its price is not known: BRIEFWORKS_PRICES"
        )
        return f"{build_model(settings).check()}; {price}"

    def _search(self) -> str:
        from briefworks.web.parts import build_search

        settings = self._settings
        found = build_search(settings).search("briefworks", language="en", market="us", timeout_s=15)
        idle = f"; {', '.join(settings.searches[1:])} set, but not asked" if settings.searches[1:] else ""
        return f"{found['provider']} answers with {len(found['results'])} results{idle}"

    def _keys(self) -> str:
        settings = self._settings
        known = keys_of(settings).known
        others = "users by their tokens" if settings.has_users else "only this machine may ask"
        return f"{len(known)} known" if known else f"none: {others}"


def _check_migrations(url: str) -> None:
    from briefworks.cli.migrate import pending

    if missing := pending(url):
        raise ConfigError(
            f"The database lacks {len(missing)} of briefworks' migrations.",
            hint="Run `briefworks migrate`.",
        )
