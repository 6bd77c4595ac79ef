"""
The tokens of a Supabase project's users: whether one is good, and who it says that somebody is.

The algorithm never chooses the key: HS256 is checked with the secret of the settings alone, ES256 and RS256
with the project's published keys alone, and there are no others. What a token is, no error says.
"""

from __future__ import annotations

import re
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import httpx
import jwt

from briefworks.errors import Unauthorized, UpstreamUnavailable
from briefworks.loopback import LOOPBACK
from briefworks.settings import Settings

AUDIENCE = "authenticated"
LEEWAY_S = 30  # between our clock and Supabase's
MOST_CHARS = 16_384
KEPT_S, STALE_S = (
    600.0,
    3600.0,
)  # published keys: then asked for anew; and how long they count without an answer
AGAIN_S = 5.0  # a key that is not known, or an answer that did not come, is not asked for again sooner
ASK_S = 3.0
_PUBLISHED = ("ES256", "RS256")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FRESH = "Sign in again, or send a fresh one: supabase-js gives it by `auth.getSession()`."


def is_token(text: str) -> bool:
    """Whether it has the outer form of a JWT, which no API key of ours has."""
    return text.count(".") == 2


class Tokens:
    """Checks tokens of the users of the project that `settings` name."""

    def __init__(self, settings: Settings) -> None:
        assert settings.supabase_url is not None
        url = settings.supabase_url.rstrip("/")
        self._issuer = f"{url}/auth/v1"
        self.published = PublishedKeys(f"{self._issuer}/.well-known/jwks.json")
        secret = settings.supabase_jwt_secret
        self._secret = secret.get_secret_value() if secret else None

    def check(self, token: str) -> dict[str, Any]:
        """
        The claims of a user's good token.

        `Unauthorized` says what is wrong with it; `UpstreamUnavailable`: it cannot be told now.
        """
        try:
            if len(token) > MOST_CHARS:
                raise Unauthorized(f"The token has more than {MOST_CHARS} characters.")
            header = jwt.get_unverified_header(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(header),
                algorithms=[header["alg"]],
                audience=AUDIENCE,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The token has expired.", hint=_FRESH) from None
        except jwt.ImmatureSignatureError:
            raise Unauthorized(
                f"The token is from the future: the app's clock is more than {LEEWAY_S} s behind Supabase's.",
                hint="Let its machine keep the time by NTP; `briefworks doctor` measures the difference.",
            ) from None
        except (jwt.InvalidAudienceError, jwt.InvalidIssuerError):
            raise Unauthorized(
                "The token is not for users of this app's Supabase project.",
                hint="Sign in at the project that the app's SUPABASE_URL names.",
            ) from None
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
            raise Unauthorized("The token is not one that this project has signed.", hint=_FRESH) from None
        if not _UUID.fullmatch(str(claims["sub"]).lower()) or claims.get("role") != AUDIENCE:
            raise Unauthorized("The token is not a user's.", hint="Send that of somebody who has signed in.")
        return claims

    def mint(self, user_id: str, lifetime_s: int) -> str:
        """A user's token by the secret; `Unauthorized` without one."""
        if self._secret is None:
            raise Unauthorized("Without SUPABASE_JWT_SECRET no token of a user can be made.")
        now = int(time.time())
        claims = {"iss": self._issuer, "aud": AUDIENCE, "role": AUDIENCE, "sub": user_id}
        return jwt.encode({**claims, "iat": now, "exp": now + lifetime_s}, self._secret, "HS256")

    def _key(self, header: dict[str, Any]) -> Any:
        alg = header.get("alg")
        if alg == "HS256":
            if self._secret is None:
                raise Unauthorized(
                    "The token is signed by the project's shared secret, which this app does not know.",
                    hint="Set SUPABASE_JWT_SECRET, or give the project signing keys (Settings → JWT Keys).",
                )
            return self._secret
        if alg not in _PUBLISHED:
            raise Unauthorized("The token's algorithm is not one of ES256, RS256 and HS256.")
        key = self.published.key(str(header.get("kid")))
        if key is None or key.algorithm_name != alg:
            raise Unauthorized("The token is signed by no key of the project.", hint=_FRESH)
        return key


class PublishedKeys:
    """The project's public keys, asked for when they are needed."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._turn = threading.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._got_at = self._asked_at = float("-inf")

    def key(self, kid: str) -> jwt.PyJWK | None:
        """None when the project has no such key; `UpstreamUnavailable` when that cannot be told."""
        with self._turn:
            now = time.monotonic()
            old = now - self._got_at > KEPT_S
            if (old or kid not in self._keys) and now - self._asked_at > AGAIN_S:
                self._asked_at = now
                self._ask(now)
            if now - self._got_at < STALE_S and (kid in self._keys or self._got_at == self._asked_at):
                return self._keys.get(kid)
        raise UpstreamUnavailable(
            "Supabase's published keys (JWKS) cannot be asked for, so that no user's token can be checked.",
            hint="Ask again in a moment. If it goes on: is SUPABASE_URL right, and the project not paused?",
        )

    def ask(self) -> httpx.Response:
        """What is answered now; httpx's own errors."""
        near = urlsplit(self._url).hostname in LOOPBACK
        return httpx.get(self._url, timeout=ASK_S, trust_env=not near).raise_for_status()

    def _ask(self, now: float) -> None:
        try:
            said = self.ask().json()["keys"]
            self._keys = {str(one["kid"]): key for one in said if (key := _public(one))}
            self._got_at = now
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError, AttributeError):
            return  # what is known stays


def _public(said: dict[str, Any]) -> jwt.PyJWK | None:
    """The key, if it is of a kind that is taken: never a shared secret."""
    with suppress(jwt.PyJWTError):
        key = jwt.PyJWK.from_dict(said)
        return key if key.algorithm_name in _PUBLISHED else None
    return None
