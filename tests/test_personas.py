"""Personas: those that come along can be used, one's own come first, and a broken one says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from briefworks import personas
from briefworks.errors import ConfigError, RequestInvalid
from briefworks.tells import lint, rate
from briefworks.text import count_words

SHIPPED = ["field-reporter", "friendly-teacher", "plain-expert"]
OWN = """---
title: The gardener
description: Knows soil: all of it.
---

## Voice

Speak of soil.

## Samples

The first bed.

The second bed.

## Never

- weedkiller
* haste
"""


@pytest.mark.parametrize("name", SHIPPED)
def test_a_persona_that_comes_along_is_whole_and_without_tells(name: str) -> None:
    persona = personas.load(name)
    assert persona.name == name
    assert persona.title and persona.description
    assert count_words(persona.voice) > 60
    assert len(persona.samples) == 2
    assert len(persona.banned) >= 5
    samples = "\n\n".join(persona.samples)
    assert rate(lint(samples), count_words(samples)) == 0


def test_the_voices_differ() -> None:
    assert len({personas.load(name).voice for name in SHIPPED}) == len(SHIPPED) == len(personas.names())


def test_a_file_in_ones_own_folder_is_a_persona(tmp_path: Path) -> None:
    (tmp_path / "gardener.md").write_bytes(OWN.replace("\n", "\r\n").encode("utf-8-sig"))
    persona = personas.load("gardener", tmp_path)
    assert (persona.title, persona.description) == ("The gardener", "Knows soil: all of it.")
    assert persona.voice == "Speak of soil."
    assert persona.samples == ["The first bed.", "The second bed."]
    assert persona.banned == ["weedkiller", "haste"]
    assert personas.names(tmp_path) == sorted([*SHIPPED, "gardener"])


def test_ones_own_persona_comes_before_one_of_the_same_name(tmp_path: Path) -> None:
    (tmp_path / "plain-expert.md").write_text(OWN)
    assert personas.load("plain-expert", tmp_path).title == "The gardener"
    assert personas.load("plain-expert").title == "The plain expert"


@pytest.mark.parametrize(
    "name", ["nobody", "", "../secret", "plain-expert.md", "/etc/passwd", "a\x00b", "PLAIN-EXPERT"]
)
def test_an_unknown_name_is_an_invalid_request_that_lists_those_there_are(name: str, tmp_path: Path) -> None:
    (tmp_path.parent / "secret.md").write_text(OWN)
    with pytest.raises(RequestInvalid, match="field-reporter, friendly-teacher, plain-expert") as caught:
        personas.load(name, tmp_path)
    assert caught.value.field == "persona"


@pytest.mark.parametrize(
    ("broken", "what"),
    [
        (OWN.removeprefix("---\n"), "front matter"),
        (OWN.replace("title: The gardener\n", ""), "`title:`"),
        (OWN.replace("description: Knows soil: all of it.", "a line"), "'a line'"),
        (OWN.replace("## Voice", "## Tone"), "`## Voice`"),
        (OWN.replace("Speak of soil.", ""), "`## Voice`"),
        (OWN.partition("## Samples")[0], "`## Samples`, `## Never`"),
        (OWN.replace("- weedkiller\n* haste", "weedkiller"), "not a list"),
        (OWN + "x" * 70_000, "longer than"),
        ("\udcff", "utf-8"),
    ],
)
def test_a_broken_file_is_named_with_what_it_lacks(broken: str, what: str, tmp_path: Path) -> None:
    (tmp_path / "broken.md").write_bytes(broken.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=r"broken\.md") as caught:
        personas.load("broken", tmp_path)
    assert what in str(caught.value)


def test_a_folder_that_is_none_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a folder"):
        personas.names(tmp_path / "nowhere")
