"""Debian's documentation packages by name: fetched with apt, unpacked into a folder, never committed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path


def fetch(folder: Path, packages: Iterable[str]) -> None:
    """Download and unpack the packages that are not in `folder` yet; needs apt and dpkg, and no rights."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in packages:
        if not (folder / package).is_dir():
            subprocess.run(["apt-get", "download", package], cwd=folder, check=True, capture_output=True)
            (archive,) = folder.glob(f"{package}_*.deb")
            subprocess.run(["dpkg-deb", "-x", archive, folder / package], check=True)
            archive.unlink()
