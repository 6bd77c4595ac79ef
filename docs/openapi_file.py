"""Writes docs/openapi.json anew: `python docs/openapi_file.py`."""

import json
from pathlib import Path

from briefworks.web.openapi import document

if __name__ == "__main__":
    Path(__file__).with_name("openapi.json").write_text(json.dumps(document(), indent=1) + "\n")
