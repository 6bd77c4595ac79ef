"""Real pages, labelled by hand: text without menus, right headings, declared dates, right terms."""

from __future__ import annotations

import pytest

from briefworks.pages import FetchedPage
from real_pages import FOLDER, PACKAGES, PAGES, SETS, Share, measure, read_all, report

missing = [package for package in PACKAGES if not (FOLDER / package).is_dir()]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(missing),
        reason=f"fetch the pages with `python tests/real_pages.py` (apt-get download): {missing}",
    ),
]

FLOORS = {
    "known": {
        "sentences": 0.98,
        "menus left out": 0.96,
        "headings found": 0.98,
        "headings right": 0.96,
        "dates": 1.0,
        "topic": 0.85,
        "terms right": 0.7,
    },
    "held out": {
        "sentences": 0.98,
        "menus left out": 0.96,
        "headings found": 0.84,
        "headings right": 0.96,
        "dates": 0.95,
        "topic": 0.85,
        "terms right": 0.65,
    },
}


@pytest.fixture(scope="module")
def read() -> list[FetchedPage]:
    return read_all()


@pytest.fixture(scope="module")
def shares(read: list[FetchedPage]) -> dict[str, dict[str, Share]]:
    found = {name: measure(read, held_out=held_out) for held_out, name in SETS.items()}
    for name, measured in found.items():
        print(f"{name}\n{report(measured)}")  # noqa: T201
    return found


def test_pages_of_many_makers_and_encodings_are_read(read: list[FetchedPage]) -> None:
    assert len(read) >= 50 and len(PACKAGES) >= 30
    assert [page["url"] for page in read if page["note"]] == []
    encodings = set()
    for page in PAGES:
        body = (FOLDER / page["package"] / page["path"]).read_bytes()
        encodings |= {
            name
            for name in ("utf-8", "euc-kr", "iso-8859-1")
            if name in body[:2000].decode("latin-1").lower()
        }
        encodings |= {"none declared"} if b"charset" not in body[:4000].lower() else set()
    assert encodings == {"utf-8", "euc-kr", "iso-8859-1", "none declared"}


@pytest.mark.parametrize(
    ("name", "what"), [(name, what) for name, floors in FLOORS.items() for what in floors]
)
def test_what_is_read_is_what_a_person_finds_there(
    shares: dict[str, dict[str, Share]], name: str, what: str
) -> None:
    assert shares[name][what].value >= FLOORS[name][what], shares[name][what].missed


def test_no_page_of_the_held_out_set_is_of_a_known_package() -> None:
    known, held_out = (
        {page["package"] for page in PAGES if page.get("held_out", False) == one} for one in SETS
    )
    assert len(held_out) >= 12 and not known & held_out
