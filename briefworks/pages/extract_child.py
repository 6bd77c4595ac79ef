"""
The process in which hostile HTML is parsed: limited memory, limited time for each page, nothing to steal.

JSON lines: `{}` when it is ready; then for each `{"charset", "body"}` (base64) on stdin an `Extracted`, or
`{"note"}`, on stdout. It ends with its stdin.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import sys
from typing import Any

from briefworks.pages.extract import Unreadable, read_html

PAGE_CPU_S = 8
MEMORY_BYTES = 1 << 30


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints is no answer
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CORE, 0)
    answers.write(b"{}\n")
    answers.flush()
    for line in sys.stdin.buffer:
        used = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + PAGE_CPU_S)
        asked = json.loads(line)
        answers.write(json.dumps(_answer(base64.b64decode(asked["body"]), asked["charset"])).encode() + b"\n")
        answers.flush()


def _answer(body: bytes, charset: str) -> Any:
    try:
        return read_html(body, charset)
    except Unreadable as error:
        return {"note": str(error)}
    except (MemoryError, RecursionError):
        return {"note": "too complex to read safely"}
    except Exception as error:
        return {"note": f"not readable as HTML ({type(error).__name__})"}


def _limit(kind: int, most: int) -> None:
    with contextlib.suppress(OSError, ValueError):  # macOS refuses some; the parent's time limit remains
        resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))


if __name__ == "__main__":
    main()
