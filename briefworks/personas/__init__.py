"""
Personas: the fixed voices an article can be written in, one Markdown file each.

A file is `---`, lines of `title:` and `description:`, `---`, then the sections `## Voice` (instructions),
`## Samples` (paragraphs in that voice) and `## Never` (a list of what it avoids). Its name is the file's.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from briefworks.errors import ConfigError, RequestInvalid
from briefworks.text import clean, split_paragraphs, squash

OWN = Path(__file__).parent
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_FRONT = re.compile(r"\A---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_SECTION = re.compile(r"^##[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_ITEM = re.compile(r"^[-*+][ \t]+(.+)$", re.MULTILINE)
_MOST_BYTES = 64_000


@dataclass(frozen=True)
class Persona:
    """A voice: who writes (`title`, `description`), how (`voice`), what it sounds like and what it avoids."""

    name: str
    title: str
    description: str
    voice: str
    samples: list[str]
    banned: list[str]


def names(folder: Path | None = None) -> list[str]:
    """
    The names of all personas, in order: those of `folder` and those that come with briefworks.

    Raises `ConfigError` when `folder` is not a folder.
    """
    return sorted(_files(folder))


def load(name: str, folder: Path | None = None) -> Persona:
    """
    The persona of that name; one in `folder` comes before one that comes with briefworks.

    Raises `RequestInvalid` for a name there is none of, and `ConfigError` for a file that lacks a part.
    """
    files = _files(folder)
    if name not in files:
        raise RequestInvalid(
            f"persona: there is no {name[:64]!r}; there are {', '.join(sorted(files))}", field="persona"
        )
    return _parse(name, files[name])


def usable(folder: Path | None = None) -> list[Persona]:
    """All personas in order, without those whose file has a fault: `load` says which."""
    found = []
    for name in names(folder):
        with suppress(ConfigError):
            found.append(load(name, folder))
    return found


def _files(folder: Path | None) -> dict[str, Path]:
    if folder is not None and not folder.is_dir():
        raise ConfigError(
            f"The folder of personas {folder} is not a folder.", hint="Mend BRIEFWORKS_PERSONAS_DIR."
        )
    return {
        path.stem: path
        for place in (OWN, folder)
        if place is not None
        for path in place.glob("*.md")
        if _NAME.fullmatch(path.stem) and path.is_file()
    }


def _parse(name: str, path: Path) -> Persona:
    text = _read(path)
    front = _FRONT.match(text)
    if not front:
        raise _faulty(path, "it does not begin with front matter between two lines of ---")
    facts: dict[str, str] = {}
    for line in front[1].splitlines():
        key, colon, value = line.partition(":")
        if colon:
            facts[key.strip().lower()] = squash(value).strip("\"'")
        elif line.strip():
            raise _faulty(path, f"the line {squash(line)[:60]!r} of its front matter is not `key: value`")
    pieces = _SECTION.split(text[front.end() :])
    sections = {title.lower(): body.strip() for title, body in zip(pieces[1::2], pieces[2::2], strict=True)}
    missing = [f"`{key}:`" for key in ("title", "description") if not facts.get(key)]
    missing += [f"`## {key.title()}`" for key in ("voice", "samples", "never") if not sections.get(key)]
    if missing:
        raise _faulty(path, f"it lacks {', '.join(missing)}")
    banned = [squash(item) for item in _ITEM.findall(sections["never"])]
    if not banned:
        raise _faulty(path, "its `## Never` is not a list of lines that begin with -")
    return Persona(
        name,
        facts["title"],
        facts["description"],
        sections["voice"],
        split_paragraphs(sections["samples"]),
        banned,
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise _faulty(path, f"it is longer than {_MOST_BYTES} bytes")
        return clean(content.decode("utf-8-sig")).replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _faulty(path, str(error)) from error


def _faulty(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"The persona {path.name} in {path.parent} cannot be used: {what}.",
        hint=f"Compare it with {OWN / 'plain-expert.md'}.",
    )
