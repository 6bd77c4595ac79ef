"""API keys: made once, kept only as hashes, each for one project or all; and what a key of Supabase is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from briefworks.errors import ConfigError
from briefworks.settings import Settings
from briefworks.shapes import is_id

ALL = "*"


@dataclass(frozen=True)
class Keys:
    """The hashes that BRIEFWORKS_API_KEYS names, each with its project; none of them: nobody needs a key."""

    known: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.known)

    def projects(self, key: str) -> frozenset[str]:
        """What the key opens; `{"*"}` is every project, nothing is a key that is not known."""
        hashed = hash_key(key)
        # All of them are compared, each in constant time: how long it takes says nothing.
        return frozenset([project for project, known in self.known if hmac.compare_digest(known, hashed)])


def new_key() -> str:
    """A key of 256 random bits."""
    return f"bw_{secrets.token_urlsafe(32)}"


def hash_key(key: str) -> str:
    """What is kept of a key. It is random, not a password, so one plain hash is enough."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def keys_of(settings: Settings) -> Keys:
    """The keys that BRIEFWORKS_API_KEYS names; errors as in `parse_keys`."""
    return parse_keys(settings.api_keys.get_secret_value() if settings.api_keys else "")


def parse_keys(text: str) -> Keys:
    """Read `project:sha256hex,…`; `ConfigError` for anything else."""
    known: list[tuple[str, str]] = []
    for entry in filter(None, map(str.strip, text.split(","))):
        project, _, hashed = entry.partition(":")
        if not (project == ALL or is_id(project)) or not re.fullmatch(r"[0-9a-f]{64}", hashed):
            raise ConfigError(
                f"BRIEFWORKS_API_KEYS: entry {len(known) + 1} is not project:sha256hex.",
                hint="`briefworks keys new` makes a key and says the line for .env.",
            )
        known.append((project, hashed))
    return Keys(tuple(known))


def is_publishable(key: str) -> bool:
    """Whether this is a Supabase project's key for everybody: a publishable one, or the anon key of old."""
    return key.startswith("sb_publishable_") or claims_of(key).get("role") == "anon"


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says of itself, unchecked; nothing when it is none."""
    with suppress(ValueError, IndexError):
        claims = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return said if isinstance(said, dict) else {}
    return {}
