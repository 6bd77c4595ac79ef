"""Tabs of people who sign in by e-mail: the app over PostgreSQL, a Supabase on loopback, npm's script."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from app_here import AppHere
from playwright.sync_api import Browser, BrowserContext, Page, Route

from briefworks.web.supabase_js import SCRIPT
from realtime_peer import RealtimePeer
from supabase_project import PASSWORD, PUBLISHABLE_KEY

NPM = Path(__file__).parent.parent / "lite"
FILE = NPM / "node_modules/@supabase/supabase-js/dist/umd/supabase.js"


def npm_file() -> bytes:
    """What the CDN serves."""
    if not FILE.is_file():
        pytest.skip(f"supabase-js is missing: npm ci --prefix {NPM}")
    return FILE.read_bytes()


class Site:
    """The app with its store in a database, and the project in front of the same database."""

    def __init__(self, folder: Path, postgres: Any, **settings: Any) -> None:
        url = postgres.url(postgres.migrated(supabase=True))
        self.peer = RealtimePeer(url)
        asked = {"supabase_url": self.peer.url, "supabase_publishable_key": PUBLISHABLE_KEY}
        self.app = AppHere(folder, store=url, **asked, **settings)
        self.store, self.project = self.app.store, self.peer.project

    def close(self) -> None:
        self.app.close()
        self.peer.close()


class Tabs:
    """Opens tabs with `visit`; `script` is what the CDN serves: npm's file, None when it is away."""

    def __init__(self, browser: Browser, visit: Any, peer: RealtimePeer) -> None:
        self._browser, self._visit, self._peer = browser, visit, peer
        self.contexts: list[BrowserContext] = []
        self.script: bytes | None = npm_file()

    def context(self, **options: Any) -> BrowserContext:
        """A browser that knows nothing yet."""
        context = self._browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.contexts.append(context)

        def answer(route: Route) -> None:
            if self.script is None:
                return route.abort()
            headers = {"Access-Control-Allow-Origin": "*", "Content-Type": "text/javascript"}
            return route.fulfill(body=self.script, headers=headers)

        context.route(SCRIPT, answer)
        return context

    def open(self, url: str, context: BrowserContext | None = None) -> Page:
        hosts = (urlsplit(self._peer.url).netloc, urlsplit(SCRIPT).netloc)
        return self._visit(url, context or self.context(), hosts=hosts)

    def signed(self, url: str, email: str, **options: Any) -> Page:
        """A tab on `url`, by a member who signed in before."""
        context = self.context(**options)
        page = self.open(urlsplit(url)._replace(path="/").geturl(), context)
        sign_in(page, email)
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    enter = page.get_by_role("button", name="Sign in", exact=True)
    enter.first.click()
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.locator("#sign-in-email button").click()
    page.get_by_role("button", name="Sign out").wait_for()
