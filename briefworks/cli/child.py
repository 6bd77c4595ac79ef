"""A process that ends with the one that started it: `python -m briefworks.cli.child MODULE [ARGUMENT]…`."""

from __future__ import annotations

import os
import runpy
import sys
import threading


def _end_with_parent() -> None:
    # The parent holds the other end of our standard input and never writes: end of file means it is gone,
    # however it died. No clean-up: every file of ours is sound at any moment.
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
