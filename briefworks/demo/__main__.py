"""`python -m briefworks.demo`: the demo upstream as a process; its first line of output is its url."""

from __future__ import annotations

import contextlib
import json
import threading
from pathlib import Path

import click

from briefworks.demo.server import DemoUpstream


@click.command()
@click.option(
    "--port", default=0, show_default=True, help="0 is any; a busy one means the next that is free."
)
@click.option("--seed", default=1, show_default=True, help="Another seed, another text.")
@click.option("--tokens-per-s", default=400.0, show_default=True, type=click.FloatRange(0, min_open=True))
@click.option(
    "--ttft-s", default=0.0, show_default=True, type=click.FloatRange(0), help="Wait before an answer."
)
@click.option("--thinking-s", default=0.0, show_default=True, type=click.FloatRange(0), help="Thinking time.")
@click.option(
    "--log", "log_path", type=click.Path(dir_okay=False, path_type=Path), help="JSON lines, appended."
)
@click.option("--fault", "faults", default="[]", help="JSON list, as for POST /_demo/faults.")
def main(
    port: int,
    seed: int,
    tokens_per_s: float,
    ttft_s: float,
    thinking_s: float,
    log_path: Path | None,
    faults: str,
) -> None:
    """Play the model, the search and the web pages on loopback. All text is synthetic."""
    upstream = DemoUpstream(
        port, seed=seed, tokens_per_s=tokens_per_s, ttft_s=ttft_s, thinking_s=thinking_s, log_path=log_path
    )
    try:
        upstream.add_faults(json.loads(faults))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--fault") from None
    click.echo(json.dumps({"url": upstream.start()}))
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    upstream.stop()


if __name__ == "__main__":
    main()
