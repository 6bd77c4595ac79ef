"""Every setting there is, read once from the environment and `.env`; the only file that looks at them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from briefworks.errors import ConfigError
from briefworks.text import squash


def _hosts(value: Any) -> Any:
    return (
        [host.strip().lower() for host in value.split(",") if host.strip()]
        if isinstance(value, str)
        else value
    )


def _origins(value: Any) -> Any:
    found = _hosts(value)
    for origin in found if isinstance(found, list) else ():
        if not re.fullmatch(r"https?://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", origin):
            raise ValueError(f"{origin!r} is not an origin like https://app.example or http://localhost:3000")
    return found


SEARCH_SETTINGS = "SERPER_API_KEY, BRAVE_API_KEY, TAVILY_API_KEY or SEARXNG_URL"
FREE_THREADS = 16  # at least so many are never taken by watchers


class Settings(BaseSettings):
    """One field per variable; an empty variable means "not set"."""

    model_config = SettingsConfigDict(
        env_file=".env", env_prefix="BRIEFWORKS_", extra="ignore", populate_by_name=True, frozen=True
    )

    anthropic_api_key: SecretStr | None = Field(None, validation_alias="ANTHROPIC_API_KEY")
    anthropic_base_url: str | None = Field(None, validation_alias="ANTHROPIC_BASE_URL")
    serper_api_key: SecretStr | None = Field(None, validation_alias="SERPER_API_KEY")
    brave_api_key: SecretStr | None = Field(None, validation_alias="BRAVE_API_KEY")
    tavily_api_key: SecretStr | None = Field(None, validation_alias="TAVILY_API_KEY")
    searxng_url: str | None = Field(None, validation_alias="SEARXNG_URL")

    supabase_url: str | None = Field(None, validation_alias="SUPABASE_URL")
    supabase_secret_key: SecretStr | None = Field(None, validation_alias="SUPABASE_SECRET_KEY")
    supabase_publishable_key: SecretStr | None = Field(None, validation_alias="SUPABASE_PUBLISHABLE_KEY")

    supabase_jwt_secret: SecretStr | None = Field(None, validation_alias="SUPABASE_JWT_SECRET", min_length=32)

    inngest_dev: str | None = Field(None, validation_alias="INNGEST_DEV")
    inngest_base_url: str | None = Field(None, validation_alias="INNGEST_BASE_URL")
    inngest_event_key: SecretStr | None = Field(None, validation_alias="INNGEST_EVENT_KEY")
    inngest_signing_key: SecretStr | None = Field(None, validation_alias="INNGEST_SIGNING_KEY")

    url: str = "http://127.0.0.1:8000"
    api_key: SecretStr | None = None
    user_token: SecretStr | None = None  # of a Supabase user, for `briefworks doctor`
    project: str = "default"

    model: str = "claude-sonnet-5-5"
    store: str = Field("", repr=False)  # "" means sqlite:/// in the data folder; a URL may hold a password
    data_dir: Path = Path(".briefworks")
    personas_dir: Path | None = None
    prices: Path | None = None  # a price list of one's own, in the form of ours
    allow_hosts: Annotated[list[str], NoDecode, BeforeValidator(_hosts)] = Field(default_factory=list)
    flush_ms: int | None = Field(None, ge=0, le=10_000)  # None: what suits the store
    step_limit_s: int = Field(240, ge=5, le=7200)
    concurrency: int = Field(5, ge=1, le=1000)
    retries: int = Field(2, ge=0, le=20)
    disclosure: str = Field("", max_length=300)  # "1": in our words
    keep_days: int | None = Field(None, ge=1, le=36_500)  # None: for good

    api_keys: SecretStr | None = None  # project:sha256hex,…; briefworks.keys reads it
    origins: Annotated[list[str], NoDecode, BeforeValidator(_origins)] = Field(default_factory=list)
    threads: int = Field(64, ge=FREE_THREADS + 1, le=1000)
    max_watchers: int = Field(40, ge=0, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, values: Any) -> Any:
        return {key: value for key, value in values.items() if value != ""}

    @field_validator("inngest_dev", mode="after")
    @classmethod
    def _dev_or_not(cls, value: str | None) -> str | None:
        return None if value in ("0", "false") else value

    @field_validator("disclosure", mode="after")
    @classmethod
    def _one_line(cls, value: str) -> str:
        return "" if value in ("0", "false") else squash(value)

    @field_validator("max_watchers", mode="after")
    @classmethod
    def _steps_have_threads(cls, watchers: int, info: ValidationInfo) -> int:
        most = info.data.get("threads", 64) - FREE_THREADS
        if watchers > most:
            raise ValueError(
                f"{watchers} watchers would leave fewer than {FREE_THREADS} threads for the steps;"
                f" with BRIEFWORKS_THREADS={most + FREE_THREADS} at most {most} may watch"
            )
        return watchers

    @classmethod
    def load(cls, **overrides: Any) -> Settings:
        """The settings of this process; `ConfigError` names the variable that is wrong."""
        try:
            return cls(**overrides)
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f".env cannot be read: {error}.", hint="It is a text file in UTF-8.") from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = str(first["loc"][0]) if first["loc"] else ""
            name = field if field.isupper() else f"BRIEFWORKS_{field.upper()}"
            raise ConfigError(
                f"{name}: {first['msg']}", hint=f"Mend {name} in the environment or in .env."
            ) from None

    @property
    def has_model(self) -> bool:
        return self.anthropic_api_key is not None or self.anthropic_base_url is not None

    @property
    def searches(self) -> list[str]:
        """The searches that are configured, the one to be asked first: what says most comes first."""
        configured = {
            "serper": self.serper_api_key,  # Google's page, with questions and related searches
            "brave": self.brave_api_key,  # an index of its own, some questions
            "tavily": self.tavily_api_key,  # results alone
            "searxng": self.searxng_url,
        }
        return [name for name, setting in configured.items() if setting is not None]

    @property
    def has_search(self) -> bool:
        return bool(self.searches)

    def upstreams(self) -> Literal["configured", "none"]:
        """Whether a model and a search are configured; `ConfigError` when only one of them is."""
        if self.has_model and not self.has_search:
            raise ConfigError(
                "A model is configured, but no search.",
                hint=f"Set {SEARCH_SETTINGS} (or, for the demo, unset the ANTHROPIC_ ones).",
            )
        if self.has_search and not self.has_model:
            raise ConfigError(
                "A search is configured, but no model.",
                hint="Set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL (or, for the demo, unset the search).",
            )
        return "configured" if self.has_model else "none"

    @property
    def store_kind(self) -> Literal["sqlite", "postgresql", "supabase"]:
        """What keeps the stream; `ConfigError` when BRIEFWORKS_STORE names nothing we know."""
        scheme, separated, _ = self.store.partition("://")
        if not self.store or (scheme == "sqlite" and self.store.startswith("sqlite:///")):
            return "sqlite"
        if separated and scheme in ("postgresql", "postgres"):
            return "postgresql"
        if self.store == "supabase":
            return "supabase"
        raise ConfigError(
            f"BRIEFWORKS_STORE: {self.store.split(':')[0]!r} is not a store this version knows.",
            hint="Use sqlite:///PATH, postgresql://… or supabase, or leave it empty for a file in"
            " BRIEFWORKS_DATA_DIR.",
        )

    @property
    def has_users(self) -> bool:
        """Whether users of a Supabase project may ask: the store then knows whose members they are."""
        return self.supabase_url is not None and self.store_kind != "sqlite"

    @property
    def sqlite_path(self) -> Path:
        """The file of a SQLite store."""
        return Path(self.store.removeprefix("sqlite:///")) if self.store else self.data_dir / "stream.db"

    @property
    def flush_every_ms(self) -> int:
        """How long tokens gather; Supabase counts the messages: one for each batch and viewer."""
        default = 250 if self.store_kind == "supabase" else 100
        return default if self.flush_ms is None else self.flush_ms


def child_environment(**changes: str) -> dict[str, str]:
    """This process's environment for a process it starts, with some variables set."""
    return {**os.environ, **changes}


def wants_no_color() -> bool:
    """Whether NO_COLOR asks for text without colours (no-color.org)."""
    return bool(os.environ.get("NO_COLOR"))
