"""`--help` teaches, and docs/CLI.md says the same."""

import sys

import pytest

from briefworks.cli import COMMANDS
from doc_blocks import ROOT

sys.path.insert(0, str(ROOT / "docs"))
from cli_help import DOCUMENT, help_of, made


def test_the_documented_help_is_what_the_commands_say():
    assert DOCUMENT.read_text() == made(DOCUMENT.read_text()), "run `python docs/cli_help.py`"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_an_example_of_itself(name):
    text = help_of(name)
    example = text.partition("Example")[2].partition("Options:")[0]
    assert f"briefworks {name}" in example, text
