"""The users of a Supabase project who ask this app: who, by their token; which projects, by the store."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from briefworks.errors import UpstreamUnavailable
from briefworks.shapes import is_id
from briefworks.stream import Store
from briefworks.web.tokens import LEEWAY_S, Tokens

KEPT_S = 5.0  # how long a membership counts that was taken back
MOST_KEPT = 1000


@dataclass(frozen=True)
class User:
    """Whoever shows a good token; `over_at` is when it stops being one, a Unix time."""

    mark: str  # the token's, from which it cannot be told
    over_at: float
    claims: dict[str, Any] = field(repr=False, compare=False)


class Users:
    """Asks the store for memberships, at most every `KEPT_S` seconds for a token."""

    def __init__(self, tokens: Tokens, store: Store) -> None:
        self._tokens, self._store = tokens, store
        self._turn = threading.Lock()
        self._kept: dict[str, tuple[float, frozenset[str]]] = {}  # by mark: good until, projects

    def user(self, token: str) -> User:
        """Errors as in `Tokens.check`."""
        claims = self._tokens.check(token)
        return User(hashlib.sha256(token.encode()).hexdigest(), claims["exp"] + LEEWAY_S, claims)

    def projects(self, user: User) -> frozenset[str]:
        """Those the user is a member of."""
        now = time.monotonic()
        until, found = self._kept.get(user.mark, (0.0, frozenset[str]()))
        if now < until:
            return found
        found = frozenset(filter(is_id, self._store.projects_of(user.claims)))
        with self._turn:
            if len(self._kept) >= MOST_KEPT:
                self._kept = {mark: kept for mark, kept in self._kept.items() if kept[0] > now}
            if len(self._kept) < MOST_KEPT:
                self._kept[user.mark] = (now + KEPT_S, found)
        return found

    def sees(self, user: User, project_id: str) -> bool:
        """Whether the project can be seen by the user now; not if that cannot be told."""
        if time.time() >= user.over_at:
            return False
        try:
            return project_id in self.projects(user)
        except UpstreamUnavailable:
            return False
