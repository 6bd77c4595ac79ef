"""Text of models and pages on a terminal: without control characters, broken between words at its edge."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap

import click

from briefworks.errors import BriefworksError

# What could move the cursor, colour the screen or turn the direction of writing; line ends and tabs stay.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PIECES = re.compile(r"\S+|\s")
INDENT = " " * 12


def plain(text: str) -> str:
    """The text without control characters."""
    return _CONTROL.sub("", text)


def plain_line(text: str) -> str:
    """The text as one line: a blank for whatever is not printed, none of them twice."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def columns() -> int | None:
    """How wide the terminal is; None where output goes to a file or a pipe, which get lines as they are."""
    terminal = sys.stdout.isatty()
    return shutil.get_terminal_size().columns if terminal else None


def line(what: str, text: str, *, fg: str | None = None, dim: bool = False) -> None:
    """One line of what happens: `what` in a column of its own, the text beside it."""
    click.secho(_filled(f"{what:>10}  {plain(text)}", INDENT), fg=fg, dim=dim)


def say_error(error: BriefworksError) -> None:
    """What went wrong, and the way out, on standard error."""
    click.secho(_filled(f"Error: {plain(str(error))}", "  "), fg="red", err=True)
    if error.hint:
        click.echo(_filled(f"  {plain(error.hint)}", "  "), err=True)


def _filled(text: str, indent: str) -> str:
    width = columns()
    if width is None or len(text) < width:
        return text
    return textwrap.fill(text, max(width - 1, 30), subsequent_indent=indent, break_long_words=False)


class Prose:
    """Prints prose as it comes; a word that has not ended yet is held back until it fits or must go."""

    def __init__(self) -> None:
        self._column = 0
        self._word = ""

    def write(self, text: str) -> None:
        text, width = plain(text), columns()
        if width is None:
            click.echo(text, nl=False)
            return
        pieces = _PIECES.findall(self._word + text)
        self._word = pieces.pop() if pieces and not pieces[-1].isspace() else ""
        click.echo("".join(self._placed(piece, width) for piece in pieces), nl=False)

    def end(self) -> None:
        """Print what is held back, and end the line."""
        click.echo(self._placed(self._word, columns() or 80) if self._word else "")
        self._column, self._word = 0, ""

    def _placed(self, piece: str, width: int) -> str:
        if piece == "\n":
            self._column = 0
            return piece
        broken = self._column > 0 and self._column + len(piece) >= width
        if broken and piece.isspace():
            return ""  # the word after it begins a line
        self._column = (0 if broken else self._column) + len(piece)
        return "\n" + piece if broken else piece
