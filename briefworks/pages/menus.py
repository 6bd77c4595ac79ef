"""What stands beside the text of a page: menus, side bars, lines of links; out before the text is read."""

from __future__ import annotations

import re

from lxml import html

MOST_SHARE = 0.3  # of the page's letters; more than that is no menu, whatever it is called
MOST_LINE_CHARS = 400
LINKED_SHARE = 0.7  # of the letters of a line of links
_CALLED = re.compile(
    r"(?:^|[\s_-])(?:nav\w*|\w*sidebar|menu\w*|breadcrumbs?|related|toplang|bottomlang|footer|seealso|share)(?:$|[\s_-])",
    re.I,
)
_LINES = "//p | //div | //td | //ul | //center | //table[count(.//tr) = 1]"
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BLOCKS = (
    "descendant::*[self::p or self::div or self::table or self::pre or self::h1 or self::h2 or self::h3]"
)


def drop_menus(tree: html.HtmlElement) -> None:
    """Take out what is called a menu or is only links, unless it holds much of the page or its main part."""
    body = tree.find(".//body")
    whole = _letters(body.text_content()) if body is not None else 0
    for element in tree.xpath("//nav | //footer | //aside | //address | //body//*[@class or @id or @role]"):
        if _is_called_menu(element) and _letters(element.text_content()) <= MOST_SHARE * whole:
            _drop(element)
    for element in tree.xpath("//ul | //ol"):
        if _is_table_of_contents(element) and _letters(element.text_content()) <= MOST_SHARE * whole:
            _drop_with_heading(element)
    for element in tree.xpath(_LINES):
        if _is_line_of_links(element):
            _drop(element)


def _is_called_menu(element: html.HtmlElement) -> bool:
    if element.tag in ("body", "main", "article", "a") or element.xpath(
        "descendant::main | descendant::article"
    ):
        return False
    if element.tag in ("nav", "footer", "aside", "address") or element.get("role") in (
        "navigation",
        "complementary",
    ):
        return True
    return bool(_CALLED.search(f"{element.get('class') or ''} {element.get('id') or ''}"))


def _is_line_of_links(element: html.HtmlElement) -> bool:
    """Such as "[ previous ] [ contents ] [ next ]": short, and nearly all of it leads elsewhere."""
    links = element.xpath("descendant::a[@href]")
    if not links or element.xpath(_BLOCKS):
        return False
    text = element.text_content()
    if len(text) > MOST_LINE_CHARS:
        return False
    linked = sum(_letters(link.text_content()) for link in links)
    rest = _letters(text) - linked
    if element.tag != "p" and len(links) < 2:
        return False
    return rest == 0 if len(links) < 3 else linked >= LINKED_SHARE * (linked + rest)


def _is_table_of_contents(element: html.HtmlElement) -> bool:
    """A list that says nothing but where on this page something stands."""
    links = element.xpath("descendant::a[@href]")
    if len(links) < 3 or not all(link.get("href").startswith("#") for link in links):
        return False
    return sum(_letters(link.text_content()) for link in links) == _letters(element.text_content())


def _drop_with_heading(element: html.HtmlElement) -> None:
    """Take it out, and a heading that stands over nothing else."""
    while _is_alone(element) and (parent := element.getparent()) is not None:
        element = parent
    heading, after = element.getprevious(), element.getnext()
    is_over = heading is not None and heading.tag in HEADINGS[1:] and not (heading.tail or "").strip()
    ends = after is None or (after.tag in HEADINGS and is_over and after.tag <= heading.tag)
    if is_over and ends and not (element.tail or "").strip():
        _drop(heading)
    _drop(element)


def _is_alone(element: html.HtmlElement) -> bool:
    parent = element.getparent()
    return len(parent) == 1 and not f"{parent.text or ''}{element.tail or ''}".strip()


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _drop(element: html.HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()
