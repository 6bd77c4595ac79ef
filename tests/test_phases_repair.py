"""What code mends in a section before anybody sees it as finished."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefworks.phases.repair import repaired

BODY = "A desk rises in ten seconds [s1].\n\nIts motor is quiet [s2]."


@pytest.mark.parametrize(
    ("said", "is_left"),
    [
        (BODY, BODY),
        (f"```markdown\n{BODY}\n```", BODY),
        (f"## How a desk rises\n\n{BODY}", BODY),
        (f"**How a desk rises**\n{BODY}", BODY),
        (f"How a desk rises\n\n{BODY}", BODY),
        (f"# Another title altogether\n\n{BODY}", BODY),
        (f"Here is the section you asked for:\n\n{BODY}", BODY),
        (f"Let me search the sources first.\n\n{BODY}", BODY),
        (f"Here is the section:\n\n## How a desk rises\n\n{BODY}", BODY),
        (f"{BODY}\n\nLet me know if you want changes.", BODY),
        (f"{BODY}\n\n(Word count: 12)", BODY),
        (f"{BODY}\n\nSources:\n- s1", BODY),
        (f'<section n="1">\n{BODY}\n</section>', BODY),
        ("A motor (s1) hums (S2, s3).", "A motor [s1] hums [S2, s3]."),
        ("A todo list keeps its TODO [s1].", "A todo list keeps its TODO [s1]."),
        ("It rises [s1]. TODO: find out how [s1].", "It rises [s1]."),
        (
            "It hums [s1]. Ask [insert name here] for more [s2]. It stops [s3].",
            "It hums [s1]. It stops [s3].",
        ),
        ("It rises [s1]. Let me look up the motor. It hums [s2].", "It rises [s1]. It hums [s2]."),
        (f"{BODY}\n\nI’ll now draft the next part.\n\nIt stops [s3].", f"{BODY}\n\nIt stops [s3]."),
        (f"<thinking>\nThe motor first.\n\nThen the top.\n</thinking>\n\n{BODY}", BODY),
        (f"<thinking>{BODY}", BODY),
        (f"{BODY} As an AI language model I have no desk.", BODY),
        (f"{BODY}\n\nLorem ipsum dolor sit amet.", BODY),
        (f"{BODY} It costs <insert price>.", BODY),
        ("Let me say it plainly: it hums [s1].", "Let me say it plainly: it hums [s1]."),
        ("I will write with it for a week.", "I will write with it for a week."),
        ("#### Inside\n\nIt hums [s1].", "### Inside\n\nIt hums [s1]."),
    ],
)
def test_a_section_is_mended(said: str, is_left: str) -> None:
    assert repaired(said, "How a desk rises")[0] == is_left


def test_a_sentence_that_only_begins_like_talk_stays_when_it_is_cited() -> None:
    text = f"Here is what the makers measured [s1].\n\n{BODY}"
    assert repaired(text, "H") == (text, [])


@given(st.text(alphabet="aA s123[](){}#*`\n.,:;<>/^【】http", max_size=400))
def test_mending_any_text_invents_no_citation(text: str) -> None:
    assert set(re.findall(r"\[(s\d+)\]", repaired(text, "H")[0])) <= set(re.findall(r"s\d+", text))


def test_mending_hostile_text_takes_no_time() -> None:
    began = time.process_time()
    for hostile in (
        "[s1",
        "[s1 ",
        "# ",
        "[a](",
        "<section ",
        "{{",
        " \n",
        "**",
        "[insert ",
        "<thinking>",
        "I will ",
    ):
        repaired(hostile * 20_000, "H")
    assert time.process_time() - began < 5
