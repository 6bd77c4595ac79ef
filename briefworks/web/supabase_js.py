"""
What the page is given of Supabase: the project's two public values, and where `supabase-js` comes from.

The script is not ours, so it is not among our files: the browser fetches this version of it from a CDN and
runs it only if it is, byte for byte, what npm has. (Signing in by it: static/supabase.js.)
"""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from briefworks.errors import ConfigError
from briefworks.keys import is_publishable
from briefworks.settings import Settings

VERSION = "2.119.1"
SCRIPT = f"https://cdn.jsdelivr.net/npm/@supabase/supabase-js@{VERSION}/dist/umd/supabase.js"
INTEGRITY = "sha384-2DeuFKyqIlpZfFmj+jl/+IbM3DwDM4vGKsvK0fI32E0ZDt24W33hB6pka4RAdbz2"


@dataclass(frozen=True)
class SupabaseJs:
    """A project as its browsers know it."""

    origin: str
    key: str

    @property
    def meta(self) -> str:
        """An element for the page's head: JSON that static/supabase.js reads."""
        said = {"url": self.origin, "key": self.key, "script": SCRIPT, "integrity": INTEGRITY}
        return f'<meta name="briefworks-supabase" content="{html.escape(json.dumps(said))}" />'

    @property
    def connect(self) -> str:
        """What the page may connect to: the project's HTTP and its websocket."""
        return f"{self.origin} ws{self.origin.removeprefix('http')}"


def supabase_js(settings: Settings) -> SupabaseJs | None:
    """
    What the settings allow: None without both of them, or with a store that has no members.

    `ConfigError` for an address that is none, and for a key that may not be shown to everybody.
    """
    url, key = settings.supabase_url, settings.supabase_publishable_key
    if url is None or key is None or not settings.has_users:
        return None
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    if not re.fullmatch(r"https?://(\[[0-9a-f:]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?", origin):
        raise ConfigError(
            "SUPABASE_URL is not an address like https://abcdefgh.supabase.co.",
            hint="It stands in the project's settings under API.",
        )
    if not is_publishable(key.get_secret_value()):
        raise ConfigError(
            "SUPABASE_PUBLISHABLE_KEY holds no publishable key, and every visitor of the page is shown it.",
            hint="Set it to the key that begins with sb_publishable_ (Settings → API Keys).",
        )
    return SupabaseJs(origin, key.get_secret_value())
