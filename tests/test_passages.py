"""What backs a sentence: verbatim passages of what it cites, its figures marked."""

import json

import pytest

from briefworks.keys import hash_key
from briefworks.phases.passages import MOST_CHARS, MOST_PASSAGES, Told, passages
from in_time import quickly
from store_rows import RUN, research_done, section_done, usage
from test_access import make_app

SOURCE = (
    "Desks of oak are loved.\n\n"
    "The survey of 12 March 2024 counted 1,203 euros for a frame. It asked nine people in all. "
    "One of them said: “buy the frame, not the top”, and left.\n\n"
    "- A top costs €300 to 450.\n- Oak is 72 cm high."
)


def found(markdown, source=SOURCE):
    return passages(1, markdown, {"s1": Told(source)})


@pytest.mark.parametrize(
    ("sentence", "marked"),
    [
        ("A frame was 1203 euros [s1].", ["1,203 euros"]),
        ("In March 2024 somebody counted [s1].", ["12 March 2024"]),
        ("The oak one is 0.72 m high [s1].", ["72 cm"]),
        ('As they say, "Buy the frame, not the top" [s1].', ["buy the frame, not the top"]),
        ("A top costs 300 euros [s1].", ["€300"]),
    ],
)
def test_a_figure_is_marked_where_the_source_says_it_in_whatever_form(sentence, marked):
    [one] = found(sentence)
    [passage] = one["passages"]
    text = passage["text"]
    assert [text[a:b] for a, b in passage["marks"]] == marked
    assert passage["before"] + text + passage["after"] in SOURCE


def test_sentences_are_where_they_say_and_cite_what_they_cite():
    markdown = "Oak is loved [s1]. Nobody said this. 😀 A frame was 1203 euros [s1][s2]."
    markdown += "\n\n## No sentence\n\n- An item [s2]."
    sentences = found(markdown)
    assert [markdown[one["start"] : one["end"]] for one in sentences] == [
        "Oak is loved [s1].", "Nobody said this.", "😀 A frame was 1203 euros [s1][s2].", "- An item [s2].",
    ]  # fmt: skip
    assert [one["cites"] for one in sentences] == [["s1"], [], ["s1", "s2"], ["s2"]]
    assert [len(one["passages"]) for one in sentences] == [1, 0, 1, 0]


def test_figures_that_stand_apart_have_a_passage_each_and_what_is_unlike_has_none():
    [one] = found("From 1203 euros for a frame to 72 cm of height [s1].")
    assert [passage["text"] for passage in one["passages"]] == [
        "The survey of 12 March 2024 counted 1,203 euros for a frame.", "Oak is 72 cm high.",
    ]  # fmt: skip
    for unlike in (
        "Whales sing in winter [s1].",
        "Loud whales sing under desks of ice all winter long [s1].",
    ):
        [one] = found(unlike)
        assert one["passages"] == []


def test_the_answer_is_bounded_whatever_a_page_says():
    bomb = (
        "word " * 10_000
        + "77 cm "
        + "word " * 10_000
        + "\n\n"
        + " ".join(f"It has {n} cm." for n in range(50))
    )
    [one] = found(" ".join(f"{n} cm" for n in (77, *range(20))) + " of word [s1].", bomb)
    assert len(one["passages"]) == MOST_PASSAGES
    for passage in one["passages"]:
        assert max(len(passage[part]) for part in ("before", "text", "after")) <= MOST_CHARS
        assert all(0 <= a < b <= len(passage["text"]) for a, b in passage["marks"])
        assert passage["text"] in bomb


def test_a_hostile_page_costs_seconds_not_minutes():
    page = "".join(
        f"Number {n} is here and desks cost {n * 7} euros for good reasons. " for n in range(10_000)
    )
    text = " ".join(f"Desks cost {n * 7} euros and {n} things [s1]." for n in range(300))
    both = quickly(8, lambda: found(text, page))  # without an index of what is said it takes half a minute
    assert all(one["passages"] for one in both)


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    keys = f"acme:{hash_key('bw_acme')}, other:{hash_key('bw_other')}"
    app = make_app(tmp_path_factory.mktemp("passages"), api_keys=keys)
    yield app
    app.config["STORE"].close()


def write(store, article, text, end=True):
    """A finished article of before 0.2 that cites two pages, of which one is no longer stored."""
    store.start_run("acme", article, f"run-{article}", RUN)
    kept = store.put_snapshot("acme", "https://example.org/1", SOURCE, "2026-11-01T00:00:00.000Z")
    event, research = research_done(kept, "snapshot-gone", None)
    sources = [
        {"number": n, "source_id": f"s{n}", "url": f"https://example.org/{n}", "title": "", "fetched_at": ""}
        for n in (1, 2)
    ]
    polished = {
        "v": 1, "title": "T", "meta_description": "", "sections": [section_done(1, text)[1]["section"]],
        "sources": sources, "markdown": "# T\n", "words": 1, "findings": [], "tells_before": 0.0,
        "tells_after": 0.0, "complete": True, "stopped_by": "", "usage": usage(),
    }  # fmt: skip
    done = [("research", event, research)] + [("polish", "polish-done", polished)] * end
    for step, event, data in done:
        take = store.open_take("acme", article, f"run-{article}", step, "c")["take"]
        store.finish("acme", article, step, take, 0, [(event, data)], ends_run=step == "polish")


def ask(app, article, key="bw_acme"):
    url = f"/api/projects/acme/articles/{article}/passages"
    return app.test_client().get(url, headers={"Authorization": f"Bearer {key}"} if key else {})


def test_members_see_the_passages_and_nobody_else(app):
    write(app.config["STORE"], "done", "A frame was 1203 euros [s1]. Gone [s2].")
    answer = ask(app, "done")
    assert answer.status_code == 200 and answer.json["gone"] == ["s2"]
    [one, gone] = answer.json["sentences"]
    assert one["passages"][0]["text"].endswith("1,203 euros for a frame.") and gone["passages"] == []
    assert "Desks of oak" in one["passages"][0]["before"] and "72 cm" not in json.dumps(answer.json)
    assert ask(app, "done", "bw_other").status_code == 404
    assert ask(app, "done", "").status_code == 401


def test_before_the_end_there_is_nothing_to_back(app):
    write(app.config["STORE"], "open", "", end=False)
    assert (ask(app, "open").status_code, ask(app, "open").json["code"]) == (404, "not-found")
    assert ask(app, "never").json["code"] == "not-started"
