"""From settings to parts: the one place where a setting chooses a class."""

from __future__ import annotations

from briefworks import costs
from briefworks.errors import ConfigError
from briefworks.model import Model
from briefworks.pages import Pages
from briefworks.phases.provenance import DISCLOSURE
from briefworks.pipeline import Parts
from briefworks.search import BraveSearch, Search, SearxngSearch, SerperSearch, TavilySearch
from briefworks.settings import SEARCH_SETTINGS, Settings
from briefworks.stores.sqlite import SqliteStore
from briefworks.stream import Store


def build_parts(settings: Settings) -> Parts:
    """The model, search, pages and store that the settings name; `ConfigError` when one is missing."""
    if settings.upstreams() == "none":
        raise ConfigError(
            "Neither a model nor a search is configured.",
            hint=f"Set ANTHROPIC_API_KEY and {SEARCH_SETTINGS}; `briefworks dev` works without.",
        )
    return Parts(
        model=build_model(settings),
        search=build_search(settings),
        pages=Pages(allow_hosts=settings.allow_hosts),
        store=build_store(settings),
        personas_dir=settings.personas_dir,
        flush_ms=settings.flush_every_ms,
        step_limit_s=settings.step_limit_s,
        concurrency=settings.concurrency,
        retries=settings.retries,
        keep_days=settings.keep_days,
        prices_version=costs.price_list(settings.prices).version,
        disclosure=DISCLOSURE if settings.disclosure == "1" else settings.disclosure,
    )


def build_store(settings: Settings) -> Store:
    """The store that BRIEFWORKS_STORE names."""
    lost_after_s = 2 * settings.step_limit_s
    if settings.store_kind == "postgresql":
        try:
            from briefworks.stores.postgres import PostgresStore  # noqa: PLC0415  # an extra
        except ImportError:
            raise ConfigError(
                "BRIEFWORKS_STORE names a PostgreSQL database, and psycopg is not installed.",
                hint="pip install 'briefworks[postgres]'",
            ) from None
        return PostgresStore(settings.store, lost_after_s)
    if settings.store_kind == "supabase":
        url, key = settings.supabase_url, settings.supabase_secret_key
        if url is None or key is None:
            missing = "SUPABASE_URL" if url is None else "SUPABASE_SECRET_KEY"
            raise ConfigError(
                f"BRIEFWORKS_STORE is supabase, and {missing} is not set.",
                hint="Both are in the project's settings under API Keys; see .env.example.",
            )
        from briefworks.stores.supabase import SupabaseStore  # noqa: PLC0415  # its client takes long to load

        return SupabaseStore(url, key.get_secret_value(), lost_after_s)
    return SqliteStore(settings.sqlite_path, lost_after_s)


def build_model(settings: Settings) -> Model:
    key = settings.anthropic_api_key
    return Model(
        model=settings.model,
        api_key=key.get_secret_value() if key else None,
        base_url=settings.anthropic_base_url,
        price=costs.price_list(settings.prices).price,
    )


def build_search(settings: Settings) -> Search:
    """The first of `settings.searches`."""
    keyed = (
        (settings.serper_api_key, SerperSearch),
        (settings.brave_api_key, BraveSearch),
        (settings.tavily_api_key, TavilySearch),
    )
    for key, kind in keyed:
        if key is not None and kind.provider == settings.searches[0]:
            return kind(key.get_secret_value())
    assert settings.searxng_url is not None
    return SearxngSearch(settings.searxng_url)
