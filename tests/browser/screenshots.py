"""
Remakes pictures of the page in every state, at 1280 and 390 pixels, light and dark:
`python tests/browser/screenshots.py FOLDER`; with `--readme` only `docs/page.png`, from a run of the demo.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from app_here import AppHere  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from written import every_state  # noqa: E402

from conftest import launch  # noqa: E402
from local import Local  # noqa: E402
from upstream import Upstream  # noqa: E402
from waiting import wait_for  # noqa: E402


def every_picture(browser, site, folder):
    """One PNG per page, width and scheme."""
    paths = {
        "home": "/",
        "empty": "/projects/nothing-yet",
        "project": "/projects/p",
        "nowhere": "/projects/%20",
    }
    paths |= {state: f"/projects/p/articles/{state}" for state in every_state(site.store)}
    for scheme in ("light", "dark"):
        for width, height in ((1280, 900), (390, 844)):
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            for name, path in paths.items():
                page.goto(site.url + path)
                page.wait_for_selector(
                    "main[data-seq]:not([data-seq='0'])" if "articles" in path else "main h1"
                )
                page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
            page.close()


def readme_picture(browser, folder):
    """An article in the middle of its draft, written by the demo upstream."""
    upstream = Upstream(folder / "calls.jsonl", "--seed", "7", "--tokens-per-s", "4000")
    upstream.fault("slow", match="<section n=", times=50, tokens_per_s=25)
    local = Local(folder, upstream.url)
    try:
        local.ask("acme", keyword="standing desks", targetWords=1800)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{local.app.url}/projects/acme/articles/a1")
        text = page.locator("#section-1 .prose")
        wait_for(lambda: text.count() and len(text.inner_text()) > 600, 60)
        page.screenshot(path=HERE.parent.parent / "docs" / "page.png")
    finally:
        local.close()
        upstream.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("screens"))
    parser.add_argument("--readme", action="store_true")
    chosen = parser.parse_args()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as scratch:
        browser = launch(playwright)
        if chosen.readme:
            return readme_picture(browser, Path(scratch))
        chosen.folder.mkdir(parents=True, exist_ok=True)
        site = AppHere(Path(scratch))
        every_picture(browser, site, chosen.folder)
        return site.close()


if __name__ == "__main__":
    main()
