"""What other languages are told of the stream is what shapes.py says, and what rows are."""

import json
from pathlib import Path

import jsonschema
import pytest

from briefworks.shapes import EVENT_DATA
from node_tools import TSC, run, tool
from store_rows import token

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs/stream.schema.json").read_text())
ROW = jsonschema.Draft202012Validator(SCHEMA)
STATE = jsonschema.Draft202012Validator({**SCHEMA["$defs"]["ArticleState"], "$defs": SCHEMA["$defs"]})
CASES = sorted((ROOT / "tests/stream_cases").glob("*.json"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_recorded_case_has_the_shapes(path):
    case = json.loads(path.read_text())
    for row in case["rows"]:
        ROW.validate(row)
    STATE.validate(case["state"])


def test_a_row_with_another_events_data_is_not_valid():
    row = json.loads(CASES[0].read_text())["rows"][0]
    assert ROW.is_valid({**row, "event": "of-tomorrow"})
    assert not ROW.is_valid({**row, "event": "draft-token"})
    assert not ROW.is_valid({**row, "event": "draft-token", "data": {"text": 1}})
    assert ROW.is_valid({**row, "event": "draft-token", "data": token("x")[1]})


def test_the_document_has_every_event_and_no_other():
    text = (ROOT / "docs/STREAM.md").read_text()
    table = text.partition("| event | data | the state |\n")[2].partition("\n\n")[0]
    listed = {line.split("`")[1] for line in table.splitlines()[1:]}
    assert listed == set(EVENT_DATA)


@pytest.mark.slow
def test_the_modules_are_sound_for_typescript_and_for_programs_in_it():
    files = [*(ROOT / "briefworks/static").glob("*.js"), ROOT / "tests/typed_reader.ts"]
    run(tool("npx"), "-y", "-p", "typescript@5.9", "tsc", *TSC, *files, folder=ROOT)
