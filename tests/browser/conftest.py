"""One headless Chromium per test file, and visits that notice whatever a page must not do."""

from __future__ import annotations

import shutil
from urllib.parse import urlsplit

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def launch(playwright):
    """The system's Chromium, headless."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip(f"none of {', '.join(CHROMIUM)} is on the PATH; install Chromium to test the page")
    return playwright.chromium.launch(executable_path=found, args=ARGUMENTS)


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api", reason="pip install -e '.[test]' to test the page")
    with api.sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser):
    """
    Opens a URL in a tab of a browser that knows nothing yet; with the `context` of an earlier tab, beside it.

    At the end no tab may have had an error, a dialog, a request to a host that is not among `hosts`, or a
    violation of its policy.
    """
    contexts, faults = [], []

    def open_tab(url, context=None, hosts=(), **options):
        if context is None:
            context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
            contexts.append(context)
        page = context.new_page()
        watch(page, {urlsplit(url).netloc, *hosts, ""}, faults)
        page.goto(url)
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def peer(site):
    return site.peer


@pytest.fixture
def tabs(browser, visit, peer):
    """Tabs of people who sign in at the peer's Supabase."""
    from signed import Tabs  # noqa: PLC0415  # it needs what `browser` may skip for

    tabs = Tabs(browser, visit, peer)
    yield tabs
    tabs.close()
    peer.project.lifetime_s = 3600.0


AWAY = ("Failed to load resource", "WebSocket connection to")


def watch(page, hosts, faults):
    """Write down what no page of ours may do; that an app is away is no fault of the page."""

    def on_request(request):
        if urlsplit(request.url).netloc not in hosts:
            faults.append(f"request to {request.url}")

    def on_console(message):
        if message.type == "error" and not message.text.startswith(AWAY):
            faults.append(message.text)

    def on_dialog(dialog):
        faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("request", on_request)
    page.on("console", on_console)
    page.on("dialog", on_dialog)
    page.on("pageerror", lambda error: faults.append(f"{error.name}: {error.message}"))
