"""The executor as a process: `python -m briefworks.executor --journal FILE --app URL`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path

import click

from briefworks.errors import ConfigError
from briefworks.executor import Executor
from briefworks.executor.keys import Keys
from briefworks.logs import log_to_stderr
from briefworks.settings import Settings


@click.command()
@click.option(
    "--journal", type=click.Path(path_type=Path), required=True, help="The SQLite file that it owns."
)
@click.option("--port", default=8288, show_default=True, type=click.IntRange(0, 65535))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--app", "apps", multiple=True, help="URL of an app's Inngest endpoint; may be repeated.")
@click.option("--retry-scale", default=1.0, show_default=True, help="Multiplies the waits between attempts.")
@click.option("--burn-attempts-when-away", is_flag=True, help="Count an absent app as a failed attempt.")
@click.option(
    "--signed",
    is_flag=True,
    help="Sign requests and ask for keys: INNGEST_SIGNING_KEY and INNGEST_EVENT_KEY.",
)
@click.option("--poll-s", default=5.0, show_default=True, help="How often each app is asked to register.")
def main(
    journal: Path,
    port: int,
    host: str,
    apps: tuple[str, ...],
    retry_scale: float,
    burn_attempts_when_away: bool,
    signed: bool,
    poll_s: float,
) -> None:
    """Run the embedded engine until SIGTERM or Ctrl-C; the first line of output is `{"url": …}`."""
    log_to_stderr()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        executor = Executor(
            journal,
            port,
            host,
            apps,
            keys=_keys() if signed else None,
            retry_scale=retry_scale,
            burn_attempts_when_away=burn_attempts_when_away,
            poll_s=poll_s,
        )
        url = executor.start()
    except ConfigError as error:
        raise click.ClickException(" ".join(filter(None, (str(error), error.hint)))) from None
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
    stopped.wait()
    executor.stop()


def _keys() -> Keys:
    settings = Settings.load()
    signing, event = settings.inngest_signing_key, settings.inngest_event_key
    if signing is None or event is None:
        raise ConfigError("--signed needs INNGEST_SIGNING_KEY and INNGEST_EVENT_KEY.")
    return Keys(signing.get_secret_value(), [event.get_secret_value()])


if __name__ == "__main__":
    main()
