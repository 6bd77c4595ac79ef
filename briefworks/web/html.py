"""An article as a whole HTML document: Markdown without raw HTML, then cut down to what text needs."""

from __future__ import annotations

import base64
import hashlib
from html import escape

import nh3
from markdown_it import MarkdownIt

STYLE = (
    "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.05rem/1.6 system-ui,sans-serif;"
    "color-scheme:light dark;overflow-wrap:break-word}pre,table{overflow-x:auto}"
)
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def body_of(markdown: str) -> str:
    """
    The text as HTML that can do nothing: no script, no style, no image, links to http(s) only.

    Every link says `rel="noopener nofollow"`.
    """
    return nh3.clean(
        _markdown.render(markdown),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_safe,
        url_schemes={"http", "https"},
        link_rel="noopener nofollow",
    )


def _safe(_tag: str, name: str, value: str) -> str | None:
    return value if name != "href" or value.startswith(("https://", "http://")) else None


def document(title: str, language: str, markdown: str) -> str:
    """The document; it needs no other file, also when it is saved."""
    return (
        f'<!doctype html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{body_of(markdown)}</body>\n</html>\n"
    )
