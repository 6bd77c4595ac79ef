"""The help of every command in docs/CLI.md, between markers: `python docs/cli_help.py` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

import click

from briefworks.cli import COMMANDS, main

DOCUMENT = Path(__file__).parent / "CLI.md"
HELP = re.compile(r"(<!-- help -->\n).*?(<!-- end -->\n)", re.DOTALL)


def help_of(name: str = "") -> str:
    """As `--help` says it on 80 columns: of a command, or of all of them."""
    group = click.Context(main, info_name="briefworks", terminal_width=80, **main.context_settings)
    if not name:
        return main.get_help(group).rstrip()
    command = main.get_command(group, name)
    assert command is not None
    return command.get_help(click.Context(command, group, name)).rstrip()


def blocks() -> str:
    """Every command, as a heading and a block."""
    texts = [f"```text\n{help_of()}\n```\n"]
    texts += [f"### {name}\n\n```text\n{help_of(name)}\n```\n" for name in COMMANDS]
    return "\n".join(texts)


def made(text: str) -> str:
    """The document with today's help in it."""
    return HELP.sub(lambda found: f"{found[1]}{blocks()}{found[2]}", text)


if __name__ == "__main__":
    DOCUMENT.write_text(made(DOCUMENT.read_text()))
