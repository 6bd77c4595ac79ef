"""`briefworks doctor`: what is configured, what answers, and what to do about the rest."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import click

from briefworks.cli.doctor_parts import PartChecks
from briefworks.cli.doctor_users import UserChecks, user_options
from briefworks.errors import BriefworksError, ConfigError
from briefworks.settings import Settings


@click.command()
@user_options
def doctor(project: str | None, user: UUID | None, user_token: str | None) -> None:
    """
    Check the configuration: store, personas, model, search, engine, users.

    Asks each of them something small (one search, which may cost a credit) and says what answers, what does
    not, and what to do about it. Settings come from the environment and .env; .env.example lists them.

    With a Supabase project it also compares the clocks, and for a user that is named it looks whether he is a
    member of the project and joins its Realtime channel as he would.

    \b
    Example:
      briefworks doctor
      briefworks doctor --project acme --user-token - < token.txt
    """
    settings = Settings.load()
    if not settings.has_users and (user or user_token):
        raise ConfigError(
            "There are no users here.", hint="Set SUPABASE_URL, and BRIEFWORKS_STORE to a database."
        )
    checks = PartChecks(settings).all()
    if settings.has_users:
        checks += UserChecks(settings, project or settings.project, user, bool(user_token)).all()
    sound = [_check(name, check) for name, check in checks]
    if not all(sound):
        raise SystemExit(1)


def _check(name: str, check: Callable[[], str]) -> bool:
    try:
        click.echo(f"   ✓  {name}: {check()}")
    except BriefworksError as error:
        click.secho(f"   ✗  {name}: {error}", fg="red")
        if error.hint:
            click.echo(f"      {error.hint}")
        return False
    return True
