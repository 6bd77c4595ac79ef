"""What a newcomer reads is true: README blocks run, or stand in the code they quote."""

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from briefworks.cli import COMMANDS, main
from briefworks.settings import Settings
from briefworks.web import create_app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def blocks(language, mark=""):
    return [text for name, said, text in BLOCKS if (name, said) == (language, mark)]


def test_every_python_block_runs():
    assert blocks("python")
    for text in blocks("python"):
        ran = subprocess.run([sys.executable, "-c", text], check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr


def test_the_function_is_quoted_as_it_is():
    (quoted,) = blocks("python", "function")
    source = (ROOT / "briefworks/pipeline/function.py").read_text()
    assert textwrap.indent(quoted, " " * 8) in source


def test_every_file_that_is_linked_is_there():
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_command_is_listed_with_what_it_is():
    for name, line in COMMANDS.items():
        command = main.get_command(click.Context(main), name)
        assert command is not None and command.help and line.endswith(".")


def test_inngest_json_points_at_our_endpoint():
    config = json.loads((ROOT / "inngest.json").read_text())
    assert config["sdk-url"] == ["http://127.0.0.1:8000/api/inngest"]


@pytest.mark.parametrize("route", re.findall(r"^\| `(?:GET|POST) (\S+?)[`?]", README, re.MULTILINE))
def test_every_route_in_the_table_is_served(route, tmp_path):
    app = create_app(
        Settings.load(
            _env_file=None,
            anthropic_api_key="x",
            searxng_url="http://127.0.0.1:9",
            inngest_dev="1",
            data_dir=tmp_path,
        )
    )
    rules = {re.sub(r"<\w+?_id>", "<>", rule.rule) for rule in app.url_map.iter_rules()}
    assert re.sub(r"<\w>", "<>", route) in rules
