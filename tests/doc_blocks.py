"""The fenced blocks of README.md and docs/*.md, and how each runs; the rules are in test_docs.py."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
import pytest

from briefworks.cli import main
from waiting import wait_for

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SESSION = Path(__file__).with_name("docs_session.py")
BLOCK_S = 60


@dataclass(frozen=True)
class Block:
    """What stands between two fences: in which document and line, its language, its mark ("" for none)."""

    document: str
    line: int
    language: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.document}:{self.line} ({self.language} {self.mark})".replace(" )", ")")

    @property
    def first(self) -> str:
        return self.text.strip().partition("\n")[0]


def blocks_of(path: Path) -> list[Block]:
    """The fenced blocks of a document in their order; indented ones as well."""
    found, inside = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fence = re.fullmatch(r"( *)```(\w*) ?(.*)", line)
        if inside is None and fence:
            inside = (number, fence[1], fence[2], fence[3].strip(), [])
        elif inside is not None and fence and not fence[2]:
            start, _, language, mark, lines = inside
            text = "".join(f"{one}\n" for one in lines)
            found.append(Block(path.relative_to(ROOT).as_posix(), start, language, mark, text))
            inside = None
        elif inside is not None:
            inside[4].append(line.removeprefix(inside[1]))
    assert inside is None, f"{path}: the fence of line {inside[0]} is not closed"
    return found


class Shell:
    """Where a document's blocks run: a folder like a clone's, a Python session, the urls of a stack."""

    def __init__(self, folder: Path, env: dict[str, str], urls: dict[str, str]) -> None:
        self.folder, self.urls = folder, urls
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.env = {**env, "PATH": path, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        for entry in ("examples", "benchmarks", "docs", "tests", ".env.example", "inngest.json"):
            if (ROOT / entry).exists():
                (folder / entry).symlink_to(ROOT / entry)
        self._python: subprocess.Popen[str] | None = None

    def close(self) -> None:
        if self._python:
            self._python.communicate()

    def run(self, block: Block) -> str:
        """The block's output; fails when it fails."""
        text = block.text
        for shown, real in self.urls.items():
            text = text.replace(shown, real)
        if block.language == "python":
            return self._run_python(block, text)
        if block.language == "js":
            return self._command(block, [node(), str(self._module(text))])
        return self._command(block, ["bash", "-euo", "pipefail", "-c", text])

    def _command(self, block: Block, command: list[str]) -> str:
        with self._started(command) as child:
            try:
                output, errors = child.communicate(timeout=BLOCK_S)
            except subprocess.TimeoutExpired:
                raise AssertionError(f"{block} does not end") from None
        assert child.returncode == 0, f"{block} ended with {child.returncode}:\n{output}{errors}"
        return output

    @contextmanager
    def _started(self, command: list[str]) -> Iterator[subprocess.Popen[str]]:
        child = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            yield child
        finally:
            if child.poll() is None:
                os.killpg(child.pid, signal.SIGKILL)
                child.communicate()

    def _run_python(self, block: Block, text: str) -> str:
        if self._python is None:
            self._python = subprocess.Popen(
                [sys.executable, SESSION],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self._python.stdin.write(json.dumps(text) + "\n")
        self._python.stdin.flush()
        went = json.loads(self._python.stdout.readline())
        assert not went["failed"], f"{block} failed:\n{went['failed']}"
        return went["output"]

    def _module(self, text: str) -> Path:
        """A block of JavaScript as a module; what the app serves at /briefworks/ comes from its folder."""
        module = self.folder / "block.mjs"
        module.write_text(text.replace('"/briefworks/', f'"{ROOT}/briefworks/static/'))
        return module

    def run_until_interrupted(self, block: Block) -> str:
        """Start what stays, see that a url it says is healthy, end it as Ctrl-C does; its output."""
        with self._started(["bash", "-euo", "pipefail", "-c", block.text]) as child:
            lines: list[str] = []
            for line in child.stdout:
                lines.append(line)
                if any(map(healthy, re.findall(r"http://[\d.]+:\d+", line))):
                    break
            else:
                raise AssertionError(f"{block} ended:\n{''.join(lines)}{child.stderr.read()}")
            os.killpg(child.pid, signal.SIGINT)
            output, errors = child.communicate(timeout=BLOCK_S)
        assert child.returncode in (0, 130), f"{block} ended with {child.returncode}:\n{errors}"
        return "".join(lines) + output


def healthy(url: str) -> bool:
    """Whether our app answers there, and all is well with it."""

    def status() -> int:
        try:
            return httpx.get(f"{url}/healthz", trust_env=False).status_code
        except httpx.TransportError:
            return 0

    return wait_for(status, what=url) == 200


def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("node is not on the PATH; install Node.js 18 or newer to run JavaScript blocks")
    return found


def assert_shown(block: Block, output: str) -> None:
    """Each line of an `output` block was printed, in that order; `…` stands for anything."""
    left = output
    for line in block.text.splitlines():
        for part in filter(None, (part.strip() for part in line.split("…"))):
            assert part in left, f"{block} shows {part!r}, but this was printed:\n{output}"
            left = left.partition(part)[2]


def check_elsewhere(block: Block) -> None:
    """What is true of a block that cannot run here: its syntax, and that our commands know its options."""
    if block.language == "sh":
        ran = subprocess.run(["bash", "-n", "-c", block.text], check=False, capture_output=True, text=True)
        assert ran.returncode == 0, f"{block}: {ran.stderr}"
        for words in commands_of(block.text):
            check_command(block, words)
    elif block.language == "python":
        compile(block.text, str(block), "exec")
    elif block.language == "json":
        json.loads(block.text)
    elif block.language == "toml":
        tomllib.loads(block.text)
    else:
        assert block.language == "text", f"{block}: nothing is known of this language; write `text`"


def commands_of(text: str) -> Iterator[list[str]]:
    """The words of each command line, without settings before it."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if words:
            yield words


def check_command(block: Block, words: list[str]) -> None:
    """One of ours has these options; a server is told of an app that is there."""
    if words[0] == "briefworks":
        context = click.Context(main, **main.context_settings)
        command = main.get_command(context, words[1])
        assert command, f"{block}: there is no `briefworks {words[1]}`"
        try:
            command.make_context(words[1], words[2:], parent=context)
        except click.UsageError as error:
            raise AssertionError(f"{block}: {error.format_message()}") from None
    for module, name in re.findall(r"\b(briefworks[\w.]*):(\w+)", " ".join(words)):
        __import__(module)
        assert hasattr(sys.modules[module], name), f"{block}: {module} has no {name}"
