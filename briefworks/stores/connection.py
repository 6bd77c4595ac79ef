"""Connections to PostgreSQL, and what it says in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict

from briefworks.errors import ConfigError
from briefworks.stores.functions import error_of

CONNECT_S = 3
# What no second attempt mends; a code is not to be had before there is a connection.
_REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry"
    r'|(role|database) ".*" does not exist|[Tt]enant.* not found'  # the last one is said by Supabase's pooler
)


def checked(url: str) -> str:
    """The same; `ConfigError` for what is none: PostgreSQL's own words would repeat it, password and all."""
    try:
        parts = conninfo_to_dict(url)
        if "@" not in str(parts.get("host", "")) and re.fullmatch(r"[0-9,]*", str(parts.get("port", ""))):
            return url
    except psycopg.ProgrammingError:
        pass
    raise ConfigError(
        "The database's address is not one.",
        hint="It is postgresql://USER:PASSWORD@HOST:PORT/DATABASE. In the password write @ as %40, % as %25,"
        " / as %2F, a space as %20; or give it by PGPASSWORD.",
    )


def connect(url: str, *, autocommit: bool = False, within_s: int = CONNECT_S) -> psycopg.Connection:
    """Errors as in `our_words`."""
    with our_words():
        return psycopg.connect(
            url,
            autocommit=autocommit,
            connect_timeout=within_s,
            prepare_threshold=None,  # poolers in transaction mode have no prepared statements
            tcp_user_timeout=10_000,  # a peer that vanished without a word
            keepalives_idle=30,  # before a gateway forgets who says nothing, which it does without a word too
            client_encoding="UTF8",  # whatever the environment says
            application_name="briefworks",
        )


@contextmanager
def our_words() -> Iterator[None]:
    """Errors of PostgreSQL become ours."""
    try:
        yield
    except psycopg.Error as error:
        code = "28000" if error.sqlstate is None and _REFUSED.search(str(error)) else error.sqlstate
        raise error_of(code, str(error)) from error
