"""The keys of an executor that is to behave as a self-hosted server: requests signed, callers known."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from briefworks.errors import ConfigError, Unauthorized

_PREFIX = re.compile(r"signkey-\w+-")


class Keys:
    """
    A signing key (`signkey-<env>-<hex>`) and the event keys; without any, everybody on this machine may ask.

    With a signing key the apps run in production mode: what they get is signed, and they say who they are by
    its hash.
    """

    def __init__(self, signing_key: str = "", event_keys: Sequence[str] = ()) -> None:
        self._secret = _PREFIX.sub("", signing_key, count=1)
        try:
            raw = bytes.fromhex(self._secret)
        except ValueError:
            raise ConfigError(
                "The signing key is not signkey-<environment>-<hexadecimal digits>.",
                hint="Make one with: openssl rand -hex 32",
            ) from None
        self._bearer = f"Bearer {hashlib.sha256(raw).hexdigest()}"
        self._event_keys = [key.encode() for key in event_keys if key]
        if self._secret and not self._event_keys:
            raise ConfigError("With a signing key the executor needs an event key too.")

    @property
    def server_kind(self) -> str:
        """How the executor names itself to apps: they answer only the kind that their mode expects."""
        return "cloud" if self._secret else "dev"

    def signature(self, body: bytes, now: float) -> dict[str, str]:
        """The header that signs a canonical JSON body; none without a key."""
        if not self._secret:
            return {}
        stamp = str(int(now))
        mac = hmac.new(self._secret.encode(), body + stamp.encode(), hashlib.sha256)
        return {"X-Inngest-Signature": f"t={stamp}&s={mac.hexdigest()}"}

    def check_caller(self, authorization: str) -> None:
        """`Unauthorized` unless the header carries the hash of the signing key, or none is set."""
        if self._secret and not hmac.compare_digest(authorization.encode(), self._bearer.encode()):
            raise Unauthorized("The signing key is not this executor's.")

    def check_event_key(self, key: str) -> None:
        """`Unauthorized` for an event key that is not ours; without keys every key will do."""
        if self._event_keys and not any(hmac.compare_digest(key.encode(), ours) for ours in self._event_keys):
            raise Unauthorized("The event key is not this executor's.")
