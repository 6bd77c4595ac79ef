"""What `briefworks doctor` asks of a Supabase project for its users: clock, keys, membership, channel."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import UUID

import click
import httpx

from briefworks.errors import BriefworksError, ConfigError, Forbidden, UpstreamUnavailable
from briefworks.settings import Settings
from briefworks.shapes import check_id

JOIN_S, MINTED_S = 10.0, 60
NAME_ONE = "`--user-token -` reads a user's token from standard input, BRIEFWORKS_USER_TOKEN holds one."


class UserChecks:
    """The checks for one project and, if he is named, for one user of it."""

    def __init__(
        self, settings: Settings, project_id: str, user: UUID | None, token_from_stdin: bool
    ) -> None:
        from briefworks.web.tokens import Tokens

        check_id("project", project_id)
        self._settings, self._project_id = settings, project_id
        self._tokens = Tokens(settings)
        self._token = settings.user_token.get_secret_value() if settings.user_token else ""
        if token_from_stdin:
            self._token = sys.stdin.readline().strip()
        elif user is not None:
            self._token = self._tokens.mint(str(user), MINTED_S)

    def all(self) -> list[tuple[str, Callable[[], str]]]:
        """By name; what needs a user is left out, aloud, when there is none."""
        always = [("clock", self._clock), ("users", self._users)]
        if not self._token:
            click.echo(f"   –  membership, Realtime: not tried without a user; {NAME_ONE}")
            return always
        return [*always, ("membership", self._membership), ("Realtime", self._realtime)]

    def _clock(self) -> str:
        from briefworks.web.tokens import LEEWAY_S

        begun = time.time()
        said = self._published()
        try:
            theirs = parsedate_to_datetime(said.headers["Date"]).timestamp() + 0.5  # whole seconds, cut
        except (KeyError, ValueError):
            return "Supabase says no time"
        ahead_s = (begun + time.time()) / 2 - theirs
        if abs(ahead_s) > LEEWAY_S:
            where = "ahead of" if ahead_s > 0 else "behind"
            raise ConfigError(
                f"This machine's clock is {abs(ahead_s):.0f} s {where} Supabase's: good tokens are refused.",
                hint="Let it keep the time by NTP (`timedatectl set-ntp true`).",
            )
        return f"within {LEEWAY_S} s of Supabase's"

    def _users(self) -> str:
        try:
            keys = len(self._published().json()["keys"])
        except (ValueError, LookupError, TypeError):
            raise ConfigError(
                "There is no Supabase project at SUPABASE_URL.", hint="Check SUPABASE_URL."
            ) from None
        secret = self._settings.supabase_jwt_secret is not None
        if not keys and not secret:
            raise ConfigError(
                "The project signs its users' tokens by a shared secret, which is not set here.",
                hint="Set SUPABASE_JWT_SECRET, or give the project signing keys (Settings → JWT Keys).",
            )
        return f"tokens are checked by {keys} published keys{' and the shared secret' if secret else ''}"

    def _membership(self) -> str:
        from briefworks.web.parts import build_store

        claims = self._tokens.check(self._token)
        with closing(build_store(self._settings)) as store:
            if self._project_id in store.projects_of(claims):
                return f"{claims['sub']} is a member of {self._project_id}"
        row = f"values ('{self._project_id}', '{claims['sub']}')"
        raise ConfigError(
            f"{claims['sub']} is no member of project {self._project_id!r}.",
            hint=f"insert into article_members (project_id, user_id) {row}; or your own"
            " private.my_article_projects() must name the project.",
        )

    def _realtime(self) -> str:
        from briefworks.client.ear import Ear
        from briefworks.client.place import USUAL

        settings = self._settings
        key = settings.supabase_publishable_key or settings.supabase_secret_key
        if key is None:
            raise ConfigError("SUPABASE_PUBLISHABLE_KEY is not set.", hint="Browsers listen with it.")
        url = str(settings.supabase_url)
        with closing(Ear(url, key.get_secret_value(), lambda: self._token, self._project_id, USUAL)) as ear:
            try:
                ear.join(JOIN_S)
            except Forbidden as error:
                raise Forbidden(
                    f"Realtime refuses the join: {error}",
                    hint="If “membership” is sound, the policy is missing: run `briefworks migrate`.",
                ) from None
            except BriefworksError as error:
                error.hint = error.hint if not error.retriable else "Is Realtime on (Realtime → Settings)?"
                raise
        return f"the channel project:{self._project_id} is joined"

    def _published(self) -> httpx.Response:
        try:
            return self._tokens.published.ask()
        except httpx.HTTPError as error:
            raise UpstreamUnavailable(
                f"Supabase does not answer ({type(error).__name__}).", hint="Check SUPABASE_URL."
            ) from None


def user_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Who is looked for, and where; a token comes from no argument, where others would see it."""
    for option in (
        click.option("--user-token", type=click.Choice(["-"]), help="A user's token, from standard input."),
        click.option("--user", type=click.UUID, help="His id, where SUPABASE_JWT_SECRET can sign for him."),
        click.option("--project", help="Else BRIEFWORKS_PROJECT, else “default”."),
    ):
        command = option(command)
    return command
