"""markdown.js: what it shows is what another renderer shows, and no text is too long or too deep for it."""

from __future__ import annotations

import json
import threading
import time

import flask
import pytest
from screen import words_of
from werkzeug.serving import make_server

from briefworks.web.page import page_routes
from in_time import quickly

CASES = [
    "One *two* **three** ***four*** ~~five~~ `six` and \\*seven\\*.",
    "a*b*c snake_case_name _it_ __bold__ **un*closed and 2*3*4",
    "*a [b* c](https://example.org) d*",
    "# One\n## Two ##\n### Three\nText\n\nUnder\n=====\n\nLess\n---\n\n---\n***",
    "- a\n- b\n  - c\n    - d\n- e\n\n  more of e\n\n1. x\n2. y\n\n5) z",
    "> quoted\n> on\nand lazily on\n>\n> > deeper\n\nout",
    "```python\nif a < b:\n    *x*\n```\n\n~~~\nopen to the end\n``` \n",
    "    indented\n    code\n\ntext",
    "| a | b |\n|---|:-:|\n| 1 | `x\\|y` |\n| only one |\n\nafter",
    "[words](https://example.org/a_(b)) and [t](https://example.org 'title') and <https://example.org/x>",
    "[x](javascript:alert(1)) [y] (z) [s9] [ref]: not",
    "a  \nhard\\\nbreaks and\nsoft",
    "&amp; &lt; &#65; &#x42; &copy_not; <b>html</b> <!-- c -->",
    "`` a`b `` and ` unclosed and ``` also",
    "“Quotes” – dashes… 漢字**强调**漢字 😀*a*😀 a\u00a0b",
    "1\\. not a list\n\n+ plus\n* star\n\n10. ten",
    "text\n- a list interrupts\n\ntext\n2. this does not",
]
TAGS = (
    *("em", "strong", "del", "code", "h3", "hr", "ul", "ol"),
    *("li", "blockquote", "pre", "table", "th", "td", "br"),
)
BOMBS = {
    "brackets": "[" * 100_000,
    "closed brackets": "[" * 50_000 + "]" * 50_000,
    "links": "[a](" * 50_000,
    "links with parens": "[a](b(" * 30_000 + ")" * 1000,
    "links with titles": '[a](b "' * 30_000 + "'",
    "images": "![" * 50_000 + "](x)" * 10_000,
    "quotes": ">" * 100_000,
    "quoted lines": "> " * 50 + "\n" * 1 + ("> " * 50 + "x\n") * 2_000,
    "backticks": "".join("`" * n + " " for n in range(1, 440)),
    "pairs of backticks": "`a" * 50_000,
    "stars": "*" * 100_000,
    "star words": "*a _b " * 30_000,
    "closing stars": "a* b_ " * 30_000,
    "alternating": "*_" * 50_000 + "a" + "_*" * 50_000,
    "nested emphasis": "*a **b " * 20_000 + "c** d*" * 20_000,
    "lists": "- " * 50_000 + "x",
    "nested lists": "\n".join(" " * n + "- x" for n in range(2_000)),
    "table": "|" * 50_000 + "\n" + "|-" * 50_000 + "\n" + "|" * 50_000,
    "table rows": "|a|b|\n|-|-|\n" + "|" * 50_000,
    "rule": "- " * 50_000 + "_",
    "spaces": " " * 100_000 + "a" + " " * 100_000,
    "lines": "a\n" * 100_000,
    "backslashes": "\\" * 100_000,
    "entities": "&#" * 50_000,
    "tags": "<http:" * 30_000,
    "fences": "```\n~~~\n" * 20_000,
    "underlines": "a\n=\n" * 20_000,
    "tildes": "~~" * 50_000 + "a" + "~~" * 50_000,
    "one word": "x" * 1_000_000,
}


@pytest.fixture(scope="module")
def page(browser):
    app = flask.Flask("files", static_folder=None)
    app.register_blueprint(page_routes(home=True))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/briefworks/icon.svg")
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.evaluate("import('/briefworks/markdown.js').then((m) => { window.render = m.render; })")
    yield page
    page.close()
    server.shutdown()


SHOW = """(markdown) => {
  const box = document.body.appendChild(document.createElement("div"));
  const began = performance.now();
  box.append(render(markdown, { cite: () => null }));
  const ms = performance.now() - began;
  const found = { ms, words: box.innerText, html: box.innerHTML.slice(0, 20000) };
  box.remove();
  return found;
}"""


@pytest.mark.parametrize("case", CASES, ids=lambda case: json.dumps(case)[:30])
def test_it_shows_the_words_another_renderer_shows(page, case):
    assert page.evaluate(SHOW, case)["words"].split() == words_of(case)


def test_it_makes_the_elements_a_reader_needs(page):
    made = "".join(page.evaluate(SHOW, case)["html"] for case in CASES)
    for tag in TAGS:
        assert f"<{tag}" in made, tag
    assert 'href="https://example.org/a_(b)"' in made and "<h1" not in made and "<h2" not in made


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_bomb_takes_long_or_nests_deep(page, bomb):
    deep = (
        "(markdown) => (function deep(one, n) { return n > 200 ? n : Math.max(n, ...[...one.children]"
        ".slice(0, 50).map((child) => deep(child, n + 1))); })(render(markdown), 0)"
    )
    assert quickly(2, lambda: page.evaluate(deep, BOMBS[bomb]), time.monotonic) < 60


@pytest.mark.slow
def test_time_grows_with_the_length_and_not_with_its_square(page):
    ms = [min(page.evaluate(SHOW, "*a [b `c* " * n)["ms"] for _ in range(3)) for n in (4_000, 32_000)]
    assert ms[1] < 8 * 4 * max(ms[0], 1), ms
