"""Small rows, results and clocks for tests of the stream."""

from datetime import UTC, datetime, timedelta

from briefworks.errors import NotFound, StoreRefused

RUN = {
    "v": 1,
    "keyword": "standing desks",
    "persona": "plain-expert",
    "language": "en",
    "market": "us",
    "target_words": 900,
    "parent_run_id": None,
}


def usage(calls=1, usd=0.01):
    return {
        "calls": calls,
        "input_tokens": 10 * calls,
        "output_tokens": 5 * calls,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "usd": usd,
    }


def token(text, event="draft-token", **more):
    return (event, {"text": text, **more})


def section_done(n=1, markdown="Text.", heading="One", **spent):
    section = {"n": n, "heading": heading, "markdown": markdown, "sources": [], "words": 1}
    return ("section-done", {"n": n, "section": {**section, "usage": usage(**spent)}})


def brief_done(*headings, title="A title", **spent):
    outline = [
        {
            "n": n,
            "heading": heading,
            "purpose": "",
            "points": [],
            "questions": [],
            "entities": [],
            "sources": [],
            "words": 300,
        }
        for n, heading in enumerate(headings, 1)
    ]
    brief = {"v": 1, "title": title, "angle": "", "reader": "", "meta_description": ""}
    return ("brief-done", {**brief, "outline": outline, "gaps": [], "usage": usage(**spent)})


def page(n, **more):
    """The n-th page of a search; its text is the snapshot of its name."""
    return {
        "source_id": f"s{n}",
        "url": f"https://example.org/{n}",
        "title": "",
        "position": n,
        "snapshot_id": f"s{n}",
        "note": "",
        "words": 0,
        "headings": [],
        "published_at": None,
        "score": None,
        **more,
    }


def research(*pages, **more):
    return {
        "v": 1,
        "keyword": "standing desks",
        "provider": "demo",
        "fetched_at": "2026-11-01T00:00:00.000Z",
        "pages": list(pages),
        "questions": [],
        "related": [],
        "entities": [],
        "usage": usage(),
        **more,
    }


def research_done(*snapshot_ids, **spent):
    pages = [page(n, snapshot_id=snapshot_id) for n, snapshot_id in enumerate(snapshot_ids, 1)]
    return ("research-done", research(*pages, usage=usage(**spent)))


def polish_done(*markdowns, title="A title", **spent):
    sections = [section_done(n, markdown)[1]["section"] for n, markdown in enumerate(markdowns, 1)]
    article = {"v": 1, "title": title, "meta_description": "", "sections": sections, "sources": []}
    counted = {
        "markdown": "\n\n".join(markdowns),
        "words": 2,
        "findings": [],
        "tells_before": 0,
        "tells_after": 0,
    }
    ending = {"complete": True, "stopped_by": "", "usage": usage(**{"calls": 9, "usd": 0.5, **spent})}
    return ("polish-done", {**article, **counted, **ending})


FAILED = {"code": "internal", "step": "brief", "message": "It failed.", "hint": "", "retriable": True}


class Clock:
    """Instants a millisecond apart, from the same one in every test."""

    def __init__(self):
        self.now = datetime(2026, 11, 1, tzinfo=UTC)

    def __call__(self):
        self.advance(0.001)
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


def outcome(call, *args):
    """What a call answers, or the class of its refusal."""
    try:
        return call(*args)
    except (StoreRefused, NotFound) as error:
        return type(error)


def plain(rows):
    """Rows without what may differ: instants, and the words for a lost run."""
    return [
        {key: value for key, value in row.items() if key != "created_at"}
        | ({"data": "lost"} if row["data"].get("code") == "lost" else {})
        for row in rows
    ]
