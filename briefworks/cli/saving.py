"""An article as a file: whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from briefworks.errors import RequestInvalid
from briefworks.text import slugify


def check_folder(out: Path | None) -> None:
    """Raises `RequestInvalid`, before anything is paid for, when no file can be made there."""
    folder = out.parent if out else Path()
    if out and not out.name:
        raise RequestInvalid(f"{str(out)!r} is a folder: name a file.", field="out")
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise RequestInvalid(f"The folder {str(folder)!r} cannot be written to.", field="out")


def save(markdown: str, keyword: str, out: Path | None) -> Path:
    """Write the article whole or not at all; without `out` a new file named by the keyword."""
    slug, path, k = slugify(keyword), out, 1
    while path is None or (out is None and path.exists() and path.read_text("utf-8") != markdown):
        path = Path(f"{slug}.md" if k == 1 else f"{slug}-{k}.md")
        k += 1
    unfinished: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".briefworks-", suffix=".md")
        unfinished = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(markdown)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    except OSError as error:
        if unfinished:
            unfinished.unlink(missing_ok=True)
        raise RequestInvalid(f"{path} cannot be written: {error.strerror}.", field="out") from None
    return path
