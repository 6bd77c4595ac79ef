"""What is on screen, beside what Python's fold of the store says should be there, word for word."""

from __future__ import annotations

import re
from typing import Any

import httpx
from axe_playwright_python.sync_playwright import Axe
from lxml import html
from markdown_it import MarkdownIt

from briefworks.fold import fold
from briefworks.stream import rows_of
from briefworks.text import squash
from waiting import wait_for

_SHOWN = """() => document.querySelector("main[data-seq]") && ({
  seq: Number(document.querySelector("main").dataset.seq),
  title: document.querySelector("h1").textContent,
  brief: document.querySelector("#brief-text").dataset.markdown ?? "",
  briefShown: document.querySelector(".stage").hidden
    ? null : document.querySelector("#brief-text").innerText,
  sections: [...document.querySelectorAll(".section")].map((one) => ({
    n: Number(one.dataset.n),
    heading: one.querySelector("h2").textContent,
    markdown: one.querySelector(".prose").dataset.markdown,
    words: one.querySelector(".prose").innerText,
  })),
})"""
_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_BLOCK = re.compile(r"(</?(?:p|li|[uo]l|h\d|pre|blockquote|t[hdr]|hr|br)\b[^>]*>)")


def words_of(markdown: str, numbers: dict[str, int] | None = None) -> list[str]:
    """The words another Markdown renderer shows; `numbers` are those of the sources, once they have one."""
    parsed = html.fromstring(f"<div>{_BLOCK.sub(chr(10) + chr(92) + '1', _MARKDOWN.render(markdown))}</div>")
    text = parsed.text_content()
    for source_id, number in (numbers or {}).items():
        text = text.replace(f"[{source_id}]", f"[{number}]")
    return text.split()


def compare(shown: dict[str, Any], state: Any) -> None:
    """Fail unless the screen shows this state, word for word."""
    polished = state["polished"]
    numbers = {one["source_id"]: one["number"] for one in polished["sources"]} if polished else {}
    assert [(one["n"], one["heading"], one["markdown"]) for one in shown["sections"]] == [
        (one["n"], one["heading"], one["markdown"]) for one in state["sections"]
    ]
    for one in shown["sections"]:
        assert one["words"].split() == words_of(one["markdown"], numbers)
    if shown["briefShown"] is not None:
        assert shown["brief"] == state["brief_text"]
        assert shown["briefShown"].split() == words_of(state["brief_text"])
    title = (polished or state["brief"] or {}).get("title")
    assert title is None or shown["title"] == title


def equals_fold(page: Any, store: Any, article: str = "a1", project: str = "p") -> Any:
    """Wait until the screen has got as far as the store, compare, and return the state."""

    def same() -> Any:
        shown = page.evaluate(_SHOWN)
        state = fold(project, article, rows_of(store, project, article))
        if not shown or not state["seq"] or shown["seq"] != state["seq"]:
            return None
        compare(shown, state)
        return state

    return wait_for(same, 30, "the screen to reach the store")


def figure_is_backed(page: Any) -> None:
    """A click on a sentence with a figure shows a passage with it, word for word in the page as served."""
    said = page.locator(".said:not(.bare)").filter(has_text=re.compile(r"\d")).first
    [figure, *_] = re.findall(r"\d+", said.inner_text())
    said.click()
    panel = page.locator("dialog.backing")
    passage = panel.locator(".passage").first
    passage.wait_for()
    assert figure in " ".join(panel.locator(".passage mark").all_inner_texts())
    url = panel.locator("section a").first.get_attribute("href")
    served = html.fromstring(httpx.get(url, trust_env=False).text).text_content()
    assert squash(passage.locator(".words").inner_text()) in squash(served)
    assert "read 20" in panel.inner_text()


def nothing_serious(page: Any) -> None:
    """axe-core finds nothing serious or critical in what is shown."""
    found = Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["help"], [n["html"] for n in one["nodes"]][:3]) for one in serious]


def fits(page: Any) -> None:
    """Nothing is wider than the window."""
    wide = page.evaluate(
        "() => [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility()"
        " && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.unseen'))"
        ".map((one) => one.outerHTML.slice(0, 120)).slice(0, 3)"
    )
    assert wide == []
    assert page.evaluate("document.scrollingElement.scrollWidth") <= page.evaluate("innerWidth")
