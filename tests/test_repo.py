"""The repository keeps its own rules: format, lint, types, layers, and files that must agree."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from briefworks.settings import Settings

ROOT = Path(__file__).parent.parent
TOOLS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "--output-format", "concise", "."],
    "types": ["mypy"],
    "layers": ["lint-imports", "--no-cache"],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_the_code_passes(tool):
    command, *arguments = TOOLS[tool]
    found = shutil.which(command, path=str(Path(sys.executable).parent)) or shutil.which(command)
    assert found, f"{command} is missing: pip install -e '.[test]'"
    ran = subprocess.run([found, *arguments], check=False, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_env_example_names_every_setting_and_no_other():
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    known = {
        str(field.validation_alias) if field.validation_alias else f"BRIEFWORKS_{name.upper()}"
        for name, field in Settings.model_fields.items()
    }
    assert named == known


def test_env_example_shows_the_defaults():
    shown = dict(re.findall(r"^([A-Z_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    for name, value in shown.items():
        field = Settings.model_fields[name.removeprefix("BRIEFWORKS_").lower()]
        assert str(field.default) == value, name


def test_the_changelog_begins_with_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest and newest[1] == version


def test_every_file_says_in_its_first_line_what_it_is_for():
    for path in sorted((ROOT / "briefworks").rglob("*.py")):
        first = path.read_text().lstrip()
        assert first.startswith('"""'), f"{path} has no docstring"


def test_importing_briefworks_loads_neither_flask_nor_inngest_nor_supabase():
    code = "import sys, briefworks; print([m for m in ('flask', 'inngest', 'supabase') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
