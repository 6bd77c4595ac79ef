"""An executor that kills itself at the n-th moment before or after a write of its journal; 0 means never."""

import json
import os
import signal
import sys
import threading
from pathlib import Path

from briefworks.executor import Executor


def main(journal, port, app_url, moment):
    left = int(moment)

    def on_write():
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    executor = Executor(
        Path(journal), int(port), apps=[app_url], retry_scale=0.1, poll_s=3600.0, on_write=on_write
    )
    sys.stdout.write(json.dumps({"url": executor.start()}) + "\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
